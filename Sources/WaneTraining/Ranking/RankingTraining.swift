import Foundation
import Torch
import WaneBaselines
import WaneData
import WaneMetrics
import WaneModels

/// How a model of the next item is trained, beside what all training shares.
public struct RankingOptions: Codable, Sendable, Equatable {
    public var loss = RankingLoss()
    /// Events in a stretch of history that is read at once.
    public var window = 50
    /// Questions of the validation part that decide when to stop.
    public var validationQueries = 5_000

    public init() {}

    /// The defaults of training for this task: steps of 128 histories, and patience enough for a noisy measure.
    public static var training: TrainingOptions {
        var options = TrainingOptions()
        options.epochs = 200
        options.patience = 20
        options.batch = 128
        options.averaging = 0.98
        return options
    }

    /// The sizes that suit this task: one width for items and states.
    public static func model(_ family: String) -> ModelOptions {
        var options = ModelOptions()
        options.family = family
        options.hidden = 64
        options.layers = ["attention", "hybrid", "hstu"].contains(family) ? 2 : 1
        options.historyDropout = 0.5
        return options
    }
}

/// Trains a model of the next item on a log.
public struct RankingTraining {
    public let task: RankingTask
    public let model: ModelOptions
    public let training: TrainingOptions
    public let ranking: RankingOptions
    public var trainer: Trainer
    /// Numbers of each person's friends; empty without social edges.
    public var friends: [[UInt32]] = []
    /// Learn from validation events too, for as many epochs as `training.epochs` says: for a model whose settings
    /// and length of training validation has already decided.
    public var refit = false

    public init(
        _ task: RankingTask, model: ModelOptions, training: TrainingOptions, ranking: RankingOptions
    ) throws {
        self.task = task
        var model = model
        model.historyLength = ranking.window
        self.model = try model.checked()
        self.training = try training.checked()
        self.ranking = ranking
        trainer = Trainer(self.training)
    }

    public func run() throws -> TrainedRanker {
        let part: Part = refit ? .test : .validation
        let known = (0..<task.userCount).map { task.known($0, before: part) }
        var counts = [Int](repeating: 0, count: task.itemCount)
        for range in known { for place in range { counts[Int(task.log.item[place])] += 1 } }
        let items = Vocabulary(counts.indices.filter { counts[$0] > 0 }.map { task.log.items[$0] })
        let model = model.knowing(friends: friends)
        try Runtime.seed(training.seed)
        let network = try RankingModel(model, items: items.count)
        let trained = TrainedRanker(
            RankingDescription(
                family: model.family, model: model, training: training, ranking: ranking, rule: task.rule,
                seen: task.seen, clock: task.log.clock, data: Fingerprint.of(task.log)),
            items: items, network: network)
        let session = try trained.session(task, before: part, friends: friends)
        var job = RankingJob(
            task: task, known: known, network: network, session: session, training: training, ranking: ranking,
            itemRow: session.itemRow, counts: counts, refit: refit)
        var trainer = trainer
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        trainer.task = Fingerprint.sha256(try encoder.encode(trained.description))
        let history = try trainer.run(&job)
        var result = trained
        result.description.history = history
        return result
    }
}

/// Random stretches of each history every epoch, so that old places of long ones are learned from too.
private struct RankingJob: Trainable {
    let task: RankingTask
    let known: [Range<Int>]
    let network: RankingModel
    let session: RankingSession
    let training: TrainingOptions
    let ranking: RankingOptions
    let itemRow: [Int64]
    let refit: Bool
    private let logChanceOfRow: [Float]
    private let cumulative: [Double]
    private let validation: [Int]
    private var batches: [RankingBatch] = []
    private var epoch = 0

    init(
        task: RankingTask, known: [Range<Int>], network: RankingModel, session: RankingSession,
        training: TrainingOptions, ranking: RankingOptions, itemRow: [Int64], counts: [Int], refit: Bool
    ) {
        self.task = task
        self.known = known
        self.network = network
        self.session = session
        self.training = training
        self.ranking = ranking
        self.itemRow = itemRow
        self.refit = refit
        // Drawn by popularity for sampled softmax, whose correction needs the chances; else uniformly.
        var weights = [Double](repeating: 0, count: session.rowCount)
        let byPopularity = ranking.loss.kind == .sampled
        for (item, row) in itemRow.enumerated() where row > 0 {
            weights[Int(row)] = byPopularity ? Double(counts[item]) : 1
        }
        let total = weights.reduce(0, +)
        logChanceOfRow = weights.map { $0 > 0 ? Float(log($0 / total)) : -30 }
        var sum = 0.0
        cumulative = weights.map { weight in
            sum += weight / total
            return sum
        }
        var generator = SeededGenerator(seed: training.seed, stream: 300)
        validation = Array(task.targets(.validation).shuffled(using: &generator).prefix(ranking.validationQueries))
    }

    var parameters: [(name: String, parameter: Parameter)] { network.parameters }

    mutating func begin(epoch: Int) throws -> Int {
        self.epoch = epoch
        var generator = SeededGenerator(seed: training.seed, stream: 500 + UInt64(epoch))
        var stretches: [RankingBatch.Stretch] = []
        let length = ranking.window
        for range in known where range.count > 1 {
            // The last event of a stretch is an answer only.
            let inputs = range.count - 1
            let windows = max(1, (inputs + length / 2) / length)
            for _ in 0..<windows {
                let end =
                    inputs <= length
                    ? inputs : min(inputs, 1 + Int(generator.uniform() * Double(inputs + length - 1)))
                let places = range.lowerBound + max(0, end - length)..<range.lowerBound + end
                stretches.append(.init(places: places, answered: true, moment: 0))
            }
        }
        stretches.shuffle(using: &generator)
        let (log, rows) = (task.log, itemRow)
        batches = stride(from: 0, to: stretches.count, by: training.batch).map { start in
            RankingBatch(
                Array(stretches[start..<min(stretches.count, start + training.batch)]), log, itemRow: rows)
        }
        if network.meetsCandidates {
            // A question costs a pass for each of its drawn items: some of the places at a time.
            batches = batches.map { $0.thinned(to: Self.candidateQuestions, using: &generator) }
        }
        batches.removeAll { $0.targets.isEmpty }
        return batches.count
    }

    /// Questions in a step, and drawn items for each, of families that meet candidates.
    static let candidateQuestions = 512
    static let candidateNegatives = 15

    func loss(step: Int) throws -> Tensor {
        let batch = batches[step]
        return try network.loss(batch, ranking.loss, sample: sample(step, batch), graph: session.graph)
    }

    private func sample(_ step: Int, _ batch: RankingBatch) -> NegativeSample? {
        guard network.meetsCandidates || ranking.loss.kind != .softmax else { return nil }
        let stream = 1_000_000 &+ UInt64(epoch) &* 100_000 &+ UInt64(step)
        var generator = SeededGenerator(seed: training.seed, stream: stream)
        let count =
            network.meetsCandidates ? batch.targets.count * Self.candidateNegatives : ranking.loss.negatives
        let rows = (0..<count).map { _ in
            let chance = generator.uniform()
            return Int64(min(cumulative.count - 1, cumulative.partitioningIndex { $0 > chance }))
        }
        return NegativeSample(rows: rows, logChanceOfRow: logChanceOfRow)
    }

    func rows(step: Int) -> Int { batches[step].layout.lengths.count }

    /// `1 - NDCG@10` on validation questions: what training is to make small.
    func validationLoss() throws -> Double {
        // A refit has no rows left to validate on; its last epoch is its best.
        if refit { return 1 / Double(epoch + 2) }
        let ranks = try RankingEvaluation.ranks(session, task, validation).ranks
        return 1 - ranks.reduce(0) { $0 + ($1 < 10 ? 1 / log2($1 + 2) : 0) } / Double(max(1, ranks.count))
    }
}
