import Foundation
import Torch
import WaneBaselines
import WaneBundle
import WaneEvents
import WaneMetrics
import WaneModels
import WanePrediction
import WaneTasks

/// What a model says of each question of a cohort.
public struct CohortAnswers: Sendable {
    public let name: String
    public let isModel: Bool
    /// The chance of at least one return.
    public var chance: [Double]
    /// The count that half of such people stay below, which has the least expected absolute error, and the mean.
    public var median: [Double]
    public var mean: [Double]
    /// The chance of each count from 0 up, `[questions, limit]`; nothing for models without.
    var chances: [Double]?

    /// Counts beyond are as good as this one.
    public static let limit = 40

    public init(name: String, isModel: Bool, chances: [Double], mean: [Double]) {
        self.name = name
        self.isModel = isModel
        self.chances = chances
        self.mean = mean
        let limit = Self.limit
        chance = mean.indices.map { 1 - chances[$0 * limit] }
        median = mean.indices.map { row in
            var sum = 0.0
            for count in 0..<limit {
                sum += chances[row * limit + count]
                if sum >= 0.5 { return Double(count) }
            }
            return Double(limit)
        }
    }

    /// Models that predict a mean, not a distribution: the mean stands in for the median.
    public init(name: String, chance: [Double], mean: [Double]) {
        self.name = name
        isModel = false
        self.chance = chance
        self.mean = mean
        median = mean
    }

    /// The mean of several distributions.
    static func mean(_ parts: [CohortAnswers], name: String) -> CohortAnswers? {
        let lists = parts.compactMap(\.chances)
        guard let first = lists.first, lists.count == parts.count else { return nil }
        let share = 1 / Double(parts.count)
        let chances = first.indices.map { index in lists.reduce(0) { $0 + $1[index] } * share }
        let mean = parts[0].mean.indices.map { row in parts.reduce(0) { $0 + $1.mean[row] } * share }
        return CohortAnswers(name: name, isModel: true, chances: chances, mean: mean)
    }
}

/// A cohort's questions with BG/NBD and Pareto/NBD as fitted to what was known when each was asked.
public struct CohortClassics: Sendable {
    let earlier: [(questions: [CohortTask.Question], classic: CohortClassic)]
    let test: (questions: [CohortTask.Question], classic: CohortClassic)

    /// Earlier moments that are learned from.
    static let moments = 7

    /// - Parameter report: told of each fit; may throw to end the work.
    public init(_ task: CohortTask, report: (String) throws -> Void = { _ in }) rethrows {
        var earlier: [(questions: [CohortTask.Question], classic: CohortClassic)] = []
        for (index, when) in task.earlier(Self.moments).enumerated() {
            try report("fitting BG/NBD and Pareto/NBD at moment \(index + 1) of \(Self.moments)")
            let asked = task.questions(at: when.moment, ahead: when.ahead)
            earlier.append((asked, CohortClassic(sampleOf: asked.map(\.customer))))
        }
        self.earlier = earlier
        try report("fitting BG/NBD and Pareto/NBD at the end of what is known")
        let asked = task.test
        let customers = asked.map(\.customer)
        test = (asked, CohortClassic(customers, from: CohortClassic(sampleOf: customers)))
    }
}

/// Trains a correction of BG/NBD on the same question asked at earlier moments.
public struct CohortTraining {
    public let task: CohortTask
    public let classics: CohortClassics
    public let model: ModelOptions
    public let training: TrainingOptions
    public var trainer: Trainer
    /// How the log was read, kept with the model.
    public var reading = ReadingOptions()

    /// One person in this many is for validation.
    static let validationShare = 6

    public init(
        _ task: CohortTask, _ classics: CohortClassics, model: ModelOptions, training: TrainingOptions
    ) throws {
        self.task = task
        self.classics = classics
        self.model = try model.checked()
        self.training = try training.checked()
        trainer = Trainer(self.training)
    }

    public func run() throws -> (bundle: ModelBundle, answers: CohortAnswers) {
        let (histories, training) = (task.histories, training)
        let start = histories.log.span?.lowerBound ?? 0
        let span = task.knownUntil - start
        let split = Split(
            start: start, trainEnd: task.knownUntil + 1, validationEnd: task.knownUntil + 1, end: task.end,
            horizon: max(1, task.ahead / 3), snapshots: (1...8).map { start + span * Int64($0) / 8 })
        let interest = InterestTask(histories, split: split, seed: training.seed)
        let vocabulary = ModelVocabulary(histories.log, trainEnd: task.knownUntil + 1)

        var known: [(question: CohortTask.Question, classic: CohortClassic)] = []
        for (asked, classic) in classics.earlier { known += asked.map { ($0, classic) } }
        func isHeldBack(_ user: Int) -> Bool {
            var generator = SeededGenerator(seed: training.seed &+ UInt64(user), stream: 77)
            return generator.next() % UInt64(Self.validationShare) == 0
        }
        func querySet(_ questions: [CohortTask.Question]) -> QuerySet {
            interest.queries(at: questions.map { (histories.userTopicStarts[$0.user], $0.moment) })
        }
        let train = known.filter { !isHeldBack($0.question.user) }
        let held = known.filter { isHeldBack($0.question.user) }
        let (trainQueries, heldQueries) = (querySet(train.map(\.question)), querySet(held.map(\.question)))
        let scaling = FeatureScaling(trainQueries.lastEventFeatures)
        try Runtime.seed(training.seed)
        let network = try CohortModel(model, items: vocabulary.itemRows, topics: vocabulary.topicRows)
        let inputs = try TrainingInputs(interest, vocabulary, network.queries, .none)
        let events = inputs.events
        func tensors(
            _ part: [(question: CohortTask.Question, classic: CohortClassic)], _ queries: QuerySet
        ) throws -> CohortTensors {
            try CohortTensors(
                part.map(\.question),
                QueryTensors(queries, topicRow: inputs.rows.topicRow, scaling: scaling, horizon: split.horizon),
                classics: part.map(\.classic))
        }
        let (own, validation) = (try tensors(train, trainQueries), try tensors(held, heldQueries))
        var unshuffled: SeededGenerator?
        let validationBatches = network.queries.batches(
            heldQueries, histories, size: 8_192, shuffledBy: &unshuffled)
        var job = TrainingJob<HistoryBatch>(parameters: network.parameters) { epoch in
            var generator: SeededGenerator? = SeededGenerator(seed: training.seed, stream: 500 + UInt64(epoch))
            return network.queries.batches(trainQueries, histories, size: training.batch, shuffledBy: &generator)
        } rowCount: {
            $0.queries.count
        } batchLoss: { batch, _, _ in
            try network.loss(batch, own, events, training: true)
        } validate: { _ in
            try TrainingJob<HistoryBatch>.mean(validationBatches, rowCount: { $0.queries.count }) { batch in
                try network.loss(batch, validation, events, training: false)
            }
        }
        let data = Fingerprint.of(histories.log)
        var trainer = trainer
        trainer.task = try RunIdentity("cohort", model, split, data: data).text
        var description = BundleDescription(
            task: .cohort, family: model.family, options: model, training: training.record, split: split,
            clock: .wall, topicSource: .single, typicalEngagement: interest.typicalEngagement, scaling: scaling,
            data: data)
        description.history = try trainer.run(&job)
        description.cohort = CohortRecord(
            knownUntil: task.knownUntil, ahead: task.ahead, classic: classics.test.classic)
        let bundle = try inputs.bundle(
            description, .cohort(network, classics.test.classic), reading: reading)

        let test = classics.test.questions
        let (chances, mean) = try QueryPredictor(bundle, of: histories).predict(
            test, querySet(test), classic: classics.test.classic, limit: CohortAnswers.limit)
        return (bundle, CohortAnswers(name: model.family, isModel: true, chances: chances, mean: mean))
    }
}

/// Models of a cohort and the classics of customer bases on the same questions.
public struct CohortComparison: Sendable, Codable, Doubted {
    public struct Report: Sendable, Codable {
        public let auc: Double
        public let prAUC: Double
        /// Nothing for the row that is certain of everybody.
        public let logLoss: Double?
        public let brier: Double?
        public let ece: Double?
        public let mae: Double
        public let maeOfMean: Double
        public let rmse: Double
        /// Predicted over true, of all counts together.
        public let total: Double
    }

    public private(set) var table = Comparison<Report>()
    public var rows: [Comparison<Report>.Row] { table.rows }
    public let questions: Int
    public let returned: Double
    /// What is to be said before anything else.
    public let doubts: [Doubt]
    private let counts: [Double]

    private enum CodingKeys: String, CodingKey { case table, questions, returned, doubts, counts }

    public init(_ task: CohortTask, _ classics: CohortClassics, _ answers: [CohortAnswers]) {
        let test = classics.test.questions
        counts = test.map { Double($0.count) }
        questions = test.count
        returned = counts.reduce(0) { $0 + ($1 > 0 ? 1 : 0) } / Double(max(1, counts.count))
        doubts = Doubt.all(people: questions, questions: questions, share: returned, gain: nil)
        let fitted = classics.test.classic
        let ahead = Double(task.ahead) / (7 * 86_400e6)
        for answer in answers { add(answer) }
        if let all = CohortAnswers.mean(answers, name: "mean of \(answers.count) models"), answers.count > 1 {
            add(all)
        }
        add(
            CohortAnswers(
                name: "BG/NBD", chance: test.map { fitted.bg.returns($0.customer, ahead: ahead) },
                mean: test.map { fitted.bg.expectedPurchases($0.customer, ahead: ahead) }))
        add(
            CohortAnswers(
                name: "Pareto/NBD", chance: test.map { fitted.pareto.returns($0.customer, ahead: ahead) },
                mean: test.map { fitted.pareto.expectedPurchases($0.customer, ahead: ahead) }))
        let nobody = [Double](repeating: 0, count: test.count)
        add(CohortAnswers(name: "nobody comes back", chance: nobody, mean: nobody))
    }

    private mutating func add(_ answer: CohortAnswers) {
        let labels = counts.map { $0 > 0 ? 1.0 : 0 }
        let chance = answer.chance.map { min(1 - 1e-6, max(1e-6, $0)) }
        let c = Classification.report(chance, labels, threshold: 0.5)
        // Certainty has no log loss to speak of.
        let isCertain = answer.chance.allSatisfy { $0 == 0 }
        let median = Regression.report(answer.median, counts)
        let mean = Regression.report(answer.mean, counts)
        table.add(
            .init(
                name: answer.name, isModel: answer.isModel,
                report: Report(
                    auc: c.rocAUC, prAUC: c.prAUC, logLoss: isCertain ? nil : c.logLoss,
                    brier: isCertain ? nil : c.brier, ece: isCertain ? nil : c.ece, mae: median.mae,
                    maeOfMean: mean.mae, rmse: mean.rmse,
                    total: answer.mean.reduce(0, +) / max(1e-9, counts.reduce(0, +))), validation: nil))
    }
}
