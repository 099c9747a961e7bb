import Foundation
import Torch
import WaneBaselines
import WaneBundle
import WaneEvents
import WaneMetrics
import WaneModels
import WanePrediction
import WaneState
import WaneTasks

/// How a model of the next item is trained, beside what all training shares.
public struct RankingOptions: Codable, Sendable, Equatable {
    public var loss = RankingLoss()
    /// Events in a stretch of history that is read at once.
    public var window = 50
    /// Questions of the validation part that decide when to stop.
    public var validationQueries = 5_000
    /// With fewer, NDCG@10 moves in steps too large to stop by: the log loss of the answers decides.
    static let fewQueries = 500

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

    /// The loss that a family has when none is named: families that meet candidates one by one compare each answer with
    /// a few drawn items, all others with all items.
    public static func loss(_ family: String) -> RankingLoss {
        var loss = RankingLoss()
        if ModelFamilies.named(family)?.meetsCandidates == true {
            loss.kind = .sampled
            loss.negatives = 15
        }
        return loss
    }
}

/// A model of the next item, and at work on the log that it was trained on.
public struct TrainedRanker {
    public var bundle: ModelBundle
    /// With the graph of all that it was trained on, where it has one, and with all that is known before the test counted.
    public let ranker: Ranker
    /// As of before validation, whose questions it may be asked.
    public let beforeValidation: Ranker
}

/// Trains a model of the next item on a log.
public struct RankingTraining {
    public let task: RankingTask
    public let model: ModelOptions
    public let training: TrainingOptions
    public let ranking: RankingOptions
    public var trainer: Trainer
    public var friends = SocialEdges.none
    /// How the log was read, kept with the model.
    public var reading = ReadingOptions()
    /// The model that validation chose, for a refit: it learns from validation events too, for as many epochs as `training.epochs`
    /// says, and believes evidence as far as the chosen one.
    public var chosen: ModelBundle?
    var refit: Bool { chosen != nil }

    /// Questions in a step of families that meet candidates: each costs a pass for each of its drawn items.
    static let candidateQuestions = 512
    /// Graphs as of some moments: a question sees one from before it.
    static let snapshotCount = 8

    public init(
        _ task: RankingTask, model: ModelOptions, training: TrainingOptions, ranking: RankingOptions
    ) throws {
        self.task = task
        var model = model
        model.historyLength = ranking.window
        self.model = try model.checked()
        self.training = try training.checked()
        self.ranking = ranking
        if ModelFamilies.named(model.family)?.meetsCandidates == true, ranking.loss.kind == .softmax {
            throw TrainingError.loss(ranking.loss.kind.rawValue, family: model.family)
        }
        trainer = Trainer(self.training)
    }

    public func run() throws -> TrainedRanker {
        let (task, ranking, refit) = (task, ranking, refit)
        let log = task.log
        let part: Part = refit ? .test : .validation
        let known = (0..<task.userCount).map { task.known($0, before: part) }
        var counts = [Int](repeating: 0, count: task.itemCount)
        for range in known { for index in range { counts[Int(log.item[index])] += 1 } }
        let vocabulary = ModelVocabulary(log, counts: counts, leastEvents: 1)
        let rows = LogRows(vocabulary, of: log)
        var model = model.enablingSocial(for: friends)
        model.repeats = task.seen == .kept
        try Runtime.seed(training.seed)
        // What goes with what is counted over all that is learned from; each question leaves out what its person did afterwards.
        func items(_ ranges: [Range<Int>]) -> [[UInt32]] {
            ranges.map { range in range.map { UInt32(rows.itemRow[Int(log.item[$0])]) } }
        }
        let counted = ModelFamilies.readsCompanions(model.family) ? items(known) : nil
        var network = try RankingModel(
            model, items: vocabulary.itemRows,
            companions: counted.map { ItemCompanions($0, rows: vocabulary.itemRows + 1) })
        let snapshots = network.usesGraph ? snapshotMoments(known) : []
        let graphs =
            network.usesGraph
            ? try GraphSnapshots(
                log, known: known, at: snapshots, itemRow: rows.itemRow, itemRows: vocabulary.itemRows + 1,
                friends: friends) : nil
        let draws = RankingDraws(
            task: task, known: known, counted: counted, rows: rows.itemRow, counts: counts, snapshots: snapshots,
            training: training,
            ranking: ranking, meetsCandidates: network.meetsCandidates, itemRows: vocabulary.itemRows + 1)
        var generator = SeededGenerator(seed: training.seed, stream: 300)
        let validation = Array(
            task.targets(.validation).shuffled(using: &generator).prefix(ranking.validationQueries))
        func ranker(_ network: RankingModel) throws -> Ranker {
            let items = try withoutGradients { try network.smoothed(over: graphs?.last) }
            return try Ranker(network, log, window: ranking.window, itemRow: rows.itemRow, items: items)
        }
        let headline = RankingReport.Headline(items: task.itemCount)
        let isFew = validation.count < RankingOptions.fewQueries
        var job = TrainingJob<RankingDraws.Batch>(parameters: network.trainable) { epoch in
            draws.batches(epoch)
        } rowCount: {
            $0.batch.layout.lengths.count
        } batchLoss: { batch, epoch, step in
            try network.loss(
                batch.batch, ranking.loss, sample: draws.sample(batch.batch, epoch: epoch, step: step),
                graph: graphs.map { $0[batch.snapshot] })
        } validate: { epoch in
            // A refit has no rows left to validate on; its last epoch is its best.
            if refit { return 1 / Double(epoch + 2) }
            if isFew { return try RankingEvaluation.logLoss(ranker(network), task, validation) }
            let ranks = try RankingEvaluation.ranks(ranker(network), task, validation).ranks
            return 1 - RankingReport.mean(of: ranks, headline)
        }
        job.measure = refit ? "(none: a refit learns from it)" : isFew ? "log loss" : "1 - \(headline.name)"
        let data = Fingerprint.of(log)
        var trainer = trainer
        trainer.task = try RunIdentity(
            "ranking", model, nil, data: data,
            more: [
                "\(task.rule)", "\(task.seen)", "\(ranking)", "\(refit)", Fingerprint.of(friends), "\(known.hashed)",
            ]
        ).text
        let history = try trainer.run(&job)
        if case .ranking(let chosen) = chosen?.network { try network.believe(as: chosen) }
        if counted != nil, !refit { try calibrateEvidence(network, rows.itemRow, validation) }
        let beforeValidation = try ranker(network)
        var final = beforeValidation
        if counted != nil, !refit {
            try trainer.checkInterruption()
            // As the classical rows: what was held back for validation is known when the test is asked.
            let later = (0..<task.userCount).map { task.known($0, before: .test) }
            network.companions = ItemCompanions(items(later), rows: vocabulary.itemRows + 1)
            final = try ranker(network)
        }
        return try trained(network, vocabulary, graphs, history, model, data, final, beforeValidation)
    }

    /// How far evidence is to be believed, from validation questions; as many as fit into a quarter of a gigabyte.
    private func calibrateEvidence(
        _ network: RankingModel, _ itemRow: [Int64], _ validation: [Int]
    ) throws {
        let width = Int(itemRow.max() ?? 0) + 1
        let most = max(100, (32 << 20) / width)
        let items = try withoutGradients { try network.smoothed(over: nil) }
        var batches: [(batch: RankingBatch, answers: [Int64], mask: Tensor)] = []
        let known = validation.prefix(most).filter { itemRow[Int(task.log.item[$0])] > 0 }
        for start in stride(from: 0, to: known.count, by: 256) {
            let part = known[start..<min(known.count, start + 256)]
            var mask = [Float](repeating: 0, count: part.count * width)
            var stretches: [RankingBatch.Stretch] = []
            for (row, place) in part.enumerated() {
                let query = task.query(at: place)
                stretches.append(
                    RankingBatch.Stretch(
                        after: query.history, task.log, itemRow: itemRow, window: ranking.window, user: -1,
                        moment: query.moment))
                mask[row * width] = -1e9
                for item in RankingEvaluation.seen(query, task) { mask[row * width + Int(itemRow[Int(item)])] = -1e9 }
            }
            batches.append(
                (
                    RankingBatch(stretches), part.map { itemRow[Int(task.log.item[$0])] },
                    try Tensor(mask, shape: [part.count, width])
                ))
        }
        try network.calibrateEvidence(batches, items, check: trainer.checkInterruption)
    }

    /// How much each item was met up to the end of training, in all or lately, as validation chooses; by the model's
    /// numbers.
    private func popularItems(_ vocabulary: ModelVocabulary) throws -> [Float]? {
        var best: (baseline: any RankingBaseline, validation: Double)?
        for kind in RankingBaselineKind.popularity(task.log) {
            guard let tuned = try RankingEvaluation.tuned(kind, task, seed: training.seed) else { continue }
            if tuned.validation < best?.validation ?? .infinity { best = tuned }
        }
        let fitted = try best?.baseline.fitted(task, before: refit ? .test : .validation)
        guard case .counts(let counts) = fitted?.kept else { return nil }
        return (0..<vocabulary.itemRows).map { counts[vocabulary.logItems[$0]] }
    }

    /// Moments between which lie equal parts of what may be learned from, the last at its end.
    private func snapshotMoments(_ known: [Range<Int>]) -> [Int64] {
        let times = known.flatMap { $0.map { task.log.time[$0] } }.sorted()
        guard let last = times.last else { return [] }
        return (1..<Self.snapshotCount).map { times[times.count * $0 / Self.snapshotCount] } + [last]
    }

    private func trained(
        _ network: RankingModel, _ vocabulary: ModelVocabulary, _ graphs: GraphSnapshots?, _ history: TrainingHistory,
        _ model: ModelOptions, _ data: DataFingerprint, _ ranker: Ranker, _ beforeValidation: Ranker
    ) throws -> TrainedRanker {
        let log = task.log
        let span = log.span ?? 0...1
        // A person's state needs a horizon; nothing in a ranking depends on it.
        let split = Split(
            start: span.lowerBound, trainEnd: task.cuts?.train ?? span.upperBound,
            validationEnd: task.cuts?.validation ?? span.upperBound, end: span.upperBound,
            horizon: 7 * 86_400 * EventLog.second)
        var description = BundleDescription(
            task: .ranking, family: model.family, options: model, training: training.record, split: split,
            clock: log.clock, topicSource: log.topics.source, typicalEngagement: 1,
            scaling: FeatureScaling(mean: [], deviation: []), data: data)
        description.history = history
        description.ranking = RankingRecord(
            rule: task.rule, seen: task.seen, window: ranking.window, loss: ranking.loss)
        var smoothed: SmoothedItems?
        var people = Vocabulary()
        if let graphs {
            let all = try withoutGradients { try network.smoothed(over: graphs.last) }
            (smoothed, people) = try all.ofKnownPeople(log.users)
        }
        let zeros = [UInt32](repeating: 0, count: vocabulary.topics.count)
        var bundle = ModelBundle(
            description: description, vocabulary: vocabulary, scale: EngagementScale(source: .none),
            popularity: Popularity(
                until: span.upperBound, touches: zeros, latelyTouches: zeros, events: 0, latelyEvents: 0,
                topicCount: vocabulary.topicRows), network: .ranking(network), smoothed: smoothed, people: people,
            reading: reading)
        bundle.population = try popularItems(vocabulary).map { .itemCounts($0) }
        return TrainedRanker(bundle: bundle, ranker: ranker, beforeValidation: beforeValidation)
    }
}

extension [Range<Int>] {
    /// One number for what is known: thinned tasks know less of the same log.
    fileprivate var hashed: Int { reduce(17) { ($0 &* 31 &+ $1.lowerBound) &* 31 &+ $1.upperBound } }
}

/// Random stretches of each history every epoch, so that old events of long ones are learned from too.
struct RankingDraws {
    let task: RankingTask
    let known: [Range<Int>]
    let counted: [[UInt32]]?
    let rows: [Int64]
    let snapshots: [Int64]
    let training: TrainingOptions
    let ranking: RankingOptions
    let meetsCandidates: Bool
    private let logChanceOfRow: [Float]
    private let cumulative: [Double]

    typealias Batch = (batch: RankingBatch, snapshot: Int)

    init(
        task: RankingTask, known: [Range<Int>], counted: [[UInt32]]?, rows: [Int64], counts: [Int], snapshots: [Int64],
        training: TrainingOptions, ranking: RankingOptions, meetsCandidates: Bool, itemRows: Int
    ) {
        self.task = task
        self.known = known
        self.counted = counted
        self.rows = rows
        self.snapshots = snapshots
        self.training = training
        self.ranking = ranking
        self.meetsCandidates = meetsCandidates
        // Drawn by popularity for sampled softmax, whose correction needs the chances; else uniformly.
        var weights = [Double](repeating: 0, count: itemRows)
        let byPopularity = ranking.loss.kind == .sampled && !meetsCandidates
        for (item, row) in rows.enumerated() where row > 0 {
            weights[Int(row)] = byPopularity ? Double(counts[item]) : 1
        }
        let total = weights.reduce(0, +)
        logChanceOfRow = weights.map { $0 > 0 ? Float(log($0 / total)) : -30 }
        var sum = 0.0
        cumulative = weights.map { weight in
            sum += weight / total
            return sum
        }
    }

    func batches(_ epoch: Int) -> [Batch] {
        var generator = SeededGenerator(seed: training.seed, stream: 500 + UInt64(epoch))
        var stretches: [(stretch: RankingBatch.Stretch, snapshot: Int)] = []
        let length = ranking.window
        let events = task.log
        for (person, range) in known.enumerated() where range.count > 1 {
            // The last event of a stretch is an answer only.
            let inputs = range.count - 1
            let windows = max(1, (inputs + length / 2) / length)
            for _ in 0..<windows {
                let end =
                    inputs <= length
                    ? inputs : min(inputs, 1 + Int(generator.uniform() * Double(inputs + length - 1)))
                let indices = range.lowerBound + max(0, end - length)..<range.lowerBound + end
                // Where a graph is read, one as of before a target drawn at random; what was known by then is no target.
                var (snapshot, since) = (0, Int64.min)
                if !snapshots.isEmpty {
                    let target = indices.lowerBound + 1 + Int(generator.uniform() * Double(indices.count))
                    let moment = events.time[min(target, indices.upperBound)]
                    snapshot = snapshots.partitioningIndex { $0 >= moment } - 1
                    since = snapshot >= 0 ? snapshots[snapshot] + 1 : .min
                }
                let stretch = RankingBatch.Stretch(
                    indices, events, itemRow: rows, begin: range.lowerBound, since: since,
                    counted: counted?[person])
                stretches.append((stretch, snapshot))
            }
        }
        stretches.shuffle(using: &generator)
        var batches: [Batch] = []
        for snapshot in snapshots.isEmpty ? 0..<1 : -1..<snapshots.count {
            let own = stretches.filter { $0.snapshot == snapshot }.map(\.stretch)
            for start in stride(from: 0, to: own.count, by: training.batch) {
                var batch = RankingBatch(Array(own[start..<min(own.count, start + training.batch)]))
                if meetsCandidates {
                    batch = batch.thinned(to: RankingTraining.candidateQuestions, using: &generator)
                }
                if !batch.targets.isEmpty { batches.append((batch, snapshot)) }
            }
        }
        if !snapshots.isEmpty { batches.shuffle(using: &generator) }
        return batches
    }

    /// Items drawn for a step's loss, where it compares with some items only.
    func sample(_ batch: RankingBatch, epoch: Int, step: Int) -> NegativeSample? {
        guard meetsCandidates || ranking.loss.kind != .softmax else { return nil }
        let stream = 1_000_000 &+ UInt64(epoch) &* 100_000 &+ UInt64(step)
        var generator = SeededGenerator(seed: training.seed, stream: stream)
        let count = meetsCandidates ? batch.targets.count * ranking.loss.negatives : ranking.loss.negatives
        let rows = (0..<count).map { _ in
            let chance = generator.uniform()
            return Int64(min(cumulative.count - 1, cumulative.partitioningIndex { $0 > chance }))
        }
        return NegativeSample(rows: rows, logChanceOfRow: logChanceOfRow)
    }
}
