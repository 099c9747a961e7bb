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

/// Trains a model of the interest task on a log.
public struct InterestTraining {
    public private(set) var task: InterestTask
    public let model: ModelOptions
    public let training: TrainingOptions
    /// Set by the caller: checkpoint, interruption, progress.
    public var trainer: Trainer
    /// People that training may see; everyone when absent.
    public var users: (@Sendable (UInt32) -> Bool)?
    /// Who knows whom, as the task's log has it.
    public var friends: SocialEdges { task.histories.friends }
    /// How the log was read, kept with the model.
    public var reading = ReadingOptions()

    /// A model to go on from, of the same family and sizes: its weights, and its scales of features.
    public var base: ModelBundle?

    /// What training is kept from: to see what becomes of a model without it.
    public var ablation = Ablation()

    private var rates: RateSchema?

    public struct Ablation: Sendable {
        /// Last-event features that are 0 in every query.
        public var features: [Int] = []
        /// Whether what came of each query is that of another, and what is known of how
        /// interest decays is the same of all topics, and of each pair that of another.
        public var shufflesOutcomes = false
        /// Parts that the model does without.
        public var without: Set<ModelPart> = []

        public init() {}

        func applied(to queries: QuerySet, seed: UInt64) -> QuerySet {
            let own = features.isEmpty ? queries : queries.setting(.features(features), to: 0)
            return shufflesOutcomes ? own.shufflingOutcomes(seed: seed) : own
        }
    }

    /// Queries that are drawn and folded at once: four epochs of the default.
    static let foldedQueries = 200_000

    public init(_ task: InterestTask, model: ModelOptions, training: TrainingOptions) throws {
        self.task = task
        self.model = model.family == LSTMBasic.name ? model : try model.checked()
        self.training = try training.checked()
        trainer = Trainer(self.training)
    }

    public func run() throws -> ModelBundle {
        let log = task.histories.log
        let vocabulary = ModelVocabulary(log, trainEnd: task.split.trainEnd)
        if model.family != LSTMBasic.name {
            var own = self
            let found = try own.findDecay(vocabulary)
            return try own.run(vocabulary, found)
        }
        return try run(vocabulary, nil)
    }

    /// How interest decays in each topic, and what moves that, before anything is trained; from here on every query has its
    /// causes measured.
    private mutating func findDecay(_ vocabulary: ModelVocabulary) throws -> (decay: RenewalFit, causes: CauseRecord?) {
        let histories = task.histories
        let rows = LogRows(vocabulary, of: histories.log)
        let resolution = histories.log.resolution(until: task.split.trainEnd)
        let fit = try RenewalFit(
            histories, split: task.split, topicRow: rows.topicRow, topicRows: vocabulary.topicRows,
            resolution: resolution, followsHours: !ablation.without.contains(.season), users: users,
            checkInterruption: trainer.checkInterruption)
        task = task.following(fit.hours)
        let rates = centred(fit, rows.topicRow)
        self.rates = rates
        task = task.rating(rates.renumbered(rows.topicRow))
        guard ModelFamilies.named(model.family)?.measuresCauses == true else { return (fit, nil) }
        var record = CauseRecord(topics: vocabulary.topicRows + 1)
        record.obstacle = CauseFit.obstacle(histories.log, split: task.split, resolution: resolution)
        if record.obstacle == nil {
            if let causes = try CauseFit(
                histories, split: task.split, fit, topicRow: rows.topicRow, users: users,
                checkInterruption: trainer.checkInterruption)
            {
                record = CauseRecord(causes.schema, causes.evidence)
            } else {
                record.obstacle = "too few people have events enough"
            }
        }
        ablation.without.takeOut(of: &record)
        task = task.measuring(record.schema.renumbered(rows.topicRow))
        return (fit, record)
    }

    private func run(
        _ vocabulary: ModelVocabulary, _ decay: (decay: RenewalFit, causes: CauseRecord?)?
    ) throws -> ModelBundle {
        let log = task.histories.log
        let validation = ablation.applied(
            to: try task.queries(.validation, count: training.validationQueries, seed: training.seed, users: users),
            seed: training.seed)
        try trainer.checkInterruption()
        // Weights come from the same generator as dropout, seeded here and saved with checkpoints.
        try Runtime.seed(training.seed)
        var bundle =
            try decay.map { try trainInterest(vocabulary, validation, $0.decay) } ?? trainBasic(vocabulary, validation)
        bundle.description.causes = decay?.causes
        try trainer.checkInterruption()
        let predictor = QueryPredictor(bundle, of: task.histories)
        let (returnProbability, _) = try predictor.predict(validation)
        bundle.description.threshold = Classification.bestThreshold(
            returnProbability, validation.didReturn.map(Double.init))
        bundle.description.inputs = InputProfile(validation, chances: returnProbability)
        if bundle.hasCurves {
            let returned = validation.didReturn.indices.filter { validation.didReturn[$0] > 0 }
            let degree = returned.reduce(0.0) { $0 + Double(validation.degree[$1]) } / Double(max(1, returned.count))
            bundle.population = .firstTouches(
                FirstTouches(
                    task.histories, trainEnd: task.split.trainEnd, horizon: task.split.horizon,
                    topicRow: LogRows(vocabulary, of: log).topicRow, topicRows: vocabulary.topicRows,
                    degreeOfReturn: Float(degree)))
        }
        return bundle
    }

    private func trainInterest(
        _ vocabulary: ModelVocabulary, _ validation: QuerySet, _ fit: RenewalFit
    ) throws -> ModelBundle {
        let epochs = EpochQueries(task, training, users, ablation)
        // Kept: to draw them again would be a walk through the log.
        let first = try epochs[0]
        let scaling = base?.description.scaling ?? FeatureScaling(first.lastEventFeatures)
        let model = model.enablingSocial(for: friends)
        let horizon = task.split.horizon
        let resolution = task.histories.log.resolution(until: task.split.trainEnd)
        let network = try InterestModel(
            model, items: vocabulary.itemRows, topics: vocabulary.topicRows,
            visitPause: Double(task.schema.visitPause) / Double(horizon))
        let inputs = try TrainingInputs(task, vocabulary, network.queries, friends)
        let (events, rows) = (inputs.events, inputs.rows)
        func windows(_ queries: QuerySet) -> [Float] {
            ReturnWindows.draw(queries, resolution: resolution, horizon: horizon)
        }
        let histories = task.histories
        if let base, case .interest(let other) = base.network {
            func rows(_ names: Vocabulary, _ count: Int, in known: Vocabulary, _ knownCount: Int) -> [Int64?] {
                [0] + (0..<count).map { known.find(names[$0]).flatMap { $0 < knownCount ? Int64($0) + 1 : nil } }
            }
            let old = base.vocabulary
            try network.takeOver(
                other, itemRows: rows(vocabulary.items, vocabulary.itemRows, in: old.items, old.itemRows),
                topicRows: rows(vocabulary.topics, vocabulary.topicRows, in: old.topics, old.topicRows))
        }
        try network.learn(decay(fit, rows.topicRow), scaling: scaling)
        if ablation.without.contains(.presence) { try network.stayForever() }
        let firstTensors = try QueryTensors(
            first, topicRow: rows.topicRow, scaling: scaling, horizon: horizon, windows: windows(first))
        let validationTensors = try QueryTensors(
            validation, topicRow: rows.topicRow, scaling: scaling, horizon: horizon, windows: windows(validation))
        var unshuffled: SeededGenerator?
        let validationBatches = network.queries.batches(validation, histories, size: 4_096, shuffledBy: &unshuffled)
        // Levels as they are in some of the first questions, so that the first steps need not find them.
        let firstBatches = network.queries.batches(first, histories, size: 4_096, shuffledBy: &unshuffled)
        try network.calibrate(
            stride(from: 0, to: firstBatches.count, by: max(1, firstBatches.count / 2)).map { firstBatches[$0] },
            firstTensors, events, steps: 100, learningRate: 0.05)
        let training = training
        typealias Batch = (batch: HistoryBatch, queries: QueryTensors)
        let parameters = network.trainable.filter { parameter in
            !ablation.without.contains { part in part.weights.contains { parameter.name.hasPrefix($0) } }
        }
        var job = TrainingJob<Batch>(parameters: parameters) { epoch in
            let queries = try epochs[epoch]
            let tensors = try QueryTensors(
                queries, topicRow: rows.topicRow, scaling: scaling, horizon: horizon, windows: windows(queries))
            var generator: SeededGenerator? = SeededGenerator(seed: training.seed, stream: 500 + UInt64(epoch))
            return network.queries.batches(queries, histories, size: training.batch, shuffledBy: &generator).map {
                ($0, tensors)
            }
        } rowCount: {
            $0.batch.queries.count
        } batchLoss: { batch, _, _ in
            try network.loss(batch.batch, batch.queries, events, training: true)
        } validate: { _ in
            try TrainingJob<HistoryBatch>.mean(validationBatches, rowCount: { $0.queries.count }) { batch in
                try network.loss(batch, validationTensors, events, training: false)
            }
        }
        var description = try trained(&job, model, scaling)
        description.halfLives = HalfLifeRecord(
            topicSpread: fit.uncertainty, resolution: max(resolution, task.schema.visitPause), left: fit.left,
            hours: fit.hours, fadingTopics: fit.fadingTopics.count, rates: rates)
        try trainer.checkInterruption()
        try network.calibrate(validationBatches, validationTensors, events)
        return try inputs.bundle(description, .interest(network), reading: reading)
    }

    /// People whose returns are counted for it, at most.
    private static let countedPeople = 20_000

    /// How often topics are touched again, with rates by which states' own counts of returns are what is to be expected: a fit leaves bursts out,
    /// and spreads touches over the days of dates, which states do not.
    private func centred(_ fit: RenewalFit, _ topicRow: [Int64]) -> RateSchema {
        let found = fit.rates(horizon: task.split.horizon)
        guard !ablation.without.contains(.rate), !ablation.shufflesOutcomes else { return found.alike }
        let histories = task.histories
        let people = (0..<histories.userCount).filter { users?(UInt32($0)) ?? true }
        var state = PersonState(task.schema.rating(found.renumbered(topicRow)))
        var sums = [(returns: Double, waited: Double)](repeating: (0, 0), count: found.topics.count)
        for number in stride(from: 0, to: people.count, by: max(1, people.count / Self.countedPeople)) {
            state.reset()
            for event in histories.events(ofUser: people[number]) {
                guard histories.log.time[event] < task.split.trainEnd else { break }
                histories.log.fold(event, histories.event(event), friends: nil, into: &state)
            }
            for topic in state.topics {
                guard let (count, waited) = state.returns(to: topic.topic) else { continue }
                let row = Int(topicRow[Int(topic.topic)])
                sums[row].returns += Double(count)
                sums[row].waited += waited
            }
        }
        return found.replacing(
            rates: zip(found.topics, sums).map { numbers, sum in
                let rate = numbers.count == RateSchema.width ? exp(numbers[3]) : 1
                // As sure of what the fit found as of ten returns.
                return rate * (sum.returns + 10) / (rate * sum.waited + 10)
            })
    }

    /// Pairs of which a network learns how `log τ` deviates, at most.
    private static let decayPairs = 40_000

    /// Pairs as they stand at the end of training, with what is known of their decay by then. As they stood after their touches, those
    /// that are soon given up would be too few; at moments between, what many touches mean comes out too long (decision 38).
    private func decay(_ fit: RenewalFit, _ topicRow: [Int64]) -> InterestModel.Decay {
        var generator = SeededGenerator(seed: training.seed, stream: 13)
        let known = fit.pairs.keys.sorted().shuffled(using: &generator).prefix(Self.decayPairs)
        if ablation.without.contains(.pairs) {
            return InterestModel.Decay(
                rows: fit.rows, spread: fit.spread, features: [], row: [], mean: [], variance: [])
        }
        let places = known.map { (userTopic: $0, moment: task.split.trainEnd) }
        let queries = ablation.applied(to: task.queries(at: places), seed: training.seed)
        var (mean, variance): ([Float], [Float]) = ([], [])
        let engagement = FeatureSchema.lastEventIndex("last_engagement") ?? 0
        for row in 0..<queries.count {
            let pair = fit.pairs[queries.userTopic[row]] ?? (0, 0)
            let depth = fit.depthOffset(queries.lastEventFeatures[row * FeatureSchema.lastEventCount + engagement])
            mean.append(Float(pair.mean + depth))
            variance.append(Float(pair.variance))
        }
        var rows = fit.rows
        if ablation.shufflesOutcomes {
            let middle = rows.reduce([Double](repeating: 0, count: rows.first?.count ?? 0)) { sum, row in
                zip(sum, row).map { $0 + $1 / Double(rows.count) }
            }
            rows = rows.map { _ in middle }
            let order = mean.indices.shuffled(using: &generator)
            (mean, variance) = (order.map { mean[$0] }, order.map { variance[$0] })
        }
        return InterestModel.Decay(
            rows: rows, spread: fit.spread, features: queries.lastEventFeatures,
            row: queries.topic.map { topicRow[Int($0)] }, mean: mean, variance: variance)
    }

    private func trainBasic(_ vocabulary: ModelVocabulary, _ validation: QuerySet) throws -> ModelBundle {
        let queries = try task.queries(.train, count: training.trainQueries, seed: training.seed, users: users)
        let inputs = BasicInputs(queries)
        let scaling = FeatureScaling(inputs.values, width: BasicInputs.width)
        let network = try LSTMBasic()
        var job = try BasicBench.job(
            network, inputs: inputs.scaled(scaling), labels: Tensor(queries.degree),
            validationInputs: BasicInputs(validation).scaled(scaling), validationLabels: Tensor(validation.degree),
            batch: training.batch, seed: training.seed)
        let description = try trained(&job, model, scaling)
        let none = try TrainingInputs(task, vocabulary, nil, .none)
        return try none.bundle(description, .basic(network), reading: reading)
    }

    /// Runs a job to its end and says what came of it.
    private func trained(
        _ job: inout some Trainable, _ model: ModelOptions, _ scaling: FeatureScaling
    ) throws -> BundleDescription {
        let log = task.histories.log
        let data = Fingerprint.of(log)
        var trainer = trainer
        trainer.task = try RunIdentity(
            "interest", model, task.split, data: data,
            more: [Fingerprint.of(friends)] + ablation.without.map(\.rawValue).sorted()
        ).text
        var description = BundleDescription(
            task: .interest, family: model.family, options: model, training: training.record, split: task.split,
            clock: log.clock, topicSource: log.topics.source, typicalEngagement: task.typicalEngagement,
            scaling: scaling, data: data)
        if !ablation.without.isEmpty {
            description.training.settings["without"] = ablation.without.map(\.rawValue).sorted().joined(separator: ",")
        }
        description.history = try trainer.run(&job)
        return description
    }
}

/// Training queries by epoch, drawn and folded for several epochs at once: one walk through the log serves them all.
final class EpochQueries {
    private let task: InterestTask
    private let training: TrainingOptions
    private let users: (@Sendable (UInt32) -> Bool)?
    private let size: Int
    private var first = 0
    private var sets: [QuerySet] = []

    private let ablation: InterestTraining.Ablation

    init(
        _ task: InterestTask, _ training: TrainingOptions, _ users: (@Sendable (UInt32) -> Bool)?,
        _ ablation: InterestTraining.Ablation
    ) {
        self.ablation = ablation
        self.task = task
        self.training = training
        self.users = users
        size = max(1, min(8, InterestTraining.foldedQueries / max(1, training.trainQueries)))
    }

    subscript(epoch: Int) -> QuerySet {
        get throws {
            if !(first..<first + sets.count).contains(epoch) {
                first = epoch / size * size
                sets = []
                sets = try task.trainingQueries(
                    epochs: first..<first + size, count: training.trainQueries, seed: training.seed, users: users
                ).enumerated().map {
                    ablation.applied(to: $1, seed: training.seed &+ UInt64(first + $0) &* 31)
                }
            }
            return sets[epoch - first]
        }
    }
}
