import Foundation
import Torch
import WaneBaselines
import WaneData
import WaneMetrics
import WaneModels

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
    static let limit = 40

    init(name: String, isModel: Bool, chances: [Double], mean: [Double]) {
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
        let chances = first.indices.map { place in lists.reduce(0) { $0 + $1[place] } * share }
        let mean = parts[0].mean.indices.map { row in parts.reduce(0) { $0 + $1.mean[row] } * share }
        return CohortAnswers(name: name, isModel: true, chances: chances, mean: mean)
    }
}

/// A cohort's questions with BG/NBD and Pareto/NBD as fitted to what was known when each was asked.
public struct CohortClassics: Sendable {
    public typealias Models = (bg: BGNBD, pareto: ParetoNBD)

    let earlier: [(questions: [CohortTask.Question], models: Models)]
    let test: (questions: [CohortTask.Question], models: Models)

    /// Earlier moments that are learned from.
    static let moments = 7
    /// Customers that a fit begins with; at earlier moments these are enough.
    static let sample = 2_500

    /// - Parameter report: told of each fit.
    public init(_ task: CohortTask, report: (String) -> Void = { _ in }) {
        earlier = task.earlier(Self.moments).enumerated().map { place, when in
            report("fitting BG/NBD and Pareto/NBD at moment \(place + 1) of \(Self.moments)")
            let asked = task.questions(at: when.moment, ahead: when.ahead)
            return (asked, Self.fitted(asked))
        }
        report("fitting BG/NBD and Pareto/NBD at the end of what is known")
        let asked = task.test
        let start = Self.fitted(asked)
        let customers = asked.map(\.customer)
        test = (
            asked,
            (BGNBD.fitted(customers, from: start.bg).model, ParetoNBD.fitted(customers, from: start.pareto).model)
        )
    }

    private static func fitted(_ questions: [CohortTask.Question]) -> Models {
        let every = max(1, questions.count / sample)
        let customers = stride(from: 0, to: questions.count, by: every).map { questions[$0].customer }
        return (BGNBD.fitted(customers).model, ParetoNBD.fitted(customers).model)
    }
}

/// Trains a correction of BG/NBD on the same question asked at earlier moments.
public struct CohortTraining {
    public let task: CohortTask
    public let classics: CohortClassics
    public let model: ModelOptions
    public let training: TrainingOptions
    public var trainer: Trainer

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

    public func run() throws -> CohortAnswers {
        let histories = task.histories
        let start = histories.log.time.values.min() ?? 0
        let split = Split(
            start: start, trainEnd: task.knownUntil, validationEnd: task.knownUntil, end: task.end,
            horizon: task.ahead / 3)
        let interest = try InterestTask(histories, split: split, seed: training.seed)
        let vocabulary = ModelVocabulary(histories, trainEnd: task.knownUntil)
        let table = try EventTable(
            histories, vocabulary: vocabulary, split: split, family: model.family, friends: [])

        var known: [CohortTask.Question] = []
        var models: [(bg: BGNBD, pareto: ParetoNBD)] = []
        for (asked, fitted) in classics.earlier {
            known += asked
            models += [(bg: BGNBD, pareto: ParetoNBD)](repeating: fitted, count: asked.count)
        }
        let test = classics.test.questions
        let testModels = [(bg: BGNBD, pareto: ParetoNBD)](repeating: classics.test.models, count: test.count)

        func querySet(_ questions: [CohortTask.Question]) -> QuerySet {
            interest.queries(at: questions.map { (histories.userPairs[$0.user], $0.moment) })
        }
        func isHeldBack(_ user: Int) -> Bool {
            var generator = SeededGenerator(seed: training.seed &+ UInt64(user), stream: 77)
            return generator.next() % UInt64(Self.validationShare) == 0
        }
        func part(_ keep: (Int) -> Bool) -> (questions: [CohortTask.Question], models: [(bg: BGNBD, pareto: ParetoNBD)])
        {
            let places = known.indices.filter { keep(known[$0].user) }
            return (places.map { known[$0] }, places.map { models[$0] })
        }
        let train = part { !isHeldBack($0) }
        let validation = part(isHeldBack)
        let trainQueries = querySet(train.questions)
        let scaling = FeatureScaling(trainQueries.anchored)
        func inputs(
            _ questions: [CohortTask.Question], _ queries: QuerySet, _ models: [(bg: BGNBD, pareto: ParetoNBD)]
        ) throws -> CohortInputs {
            try CohortInputs(
                questions, QueryInputs(queries, table: table, scaling: scaling, horizon: split.horizon), models: models)
        }
        try Runtime.seed(training.seed)
        let network = try CohortModel(model, items: vocabulary.items.count, topics: vocabulary.topics.count)
        let validationQueries = querySet(validation.questions)
        var job = CohortJob(
            network: network, training: training, histories: histories, queries: trainQueries,
            inputs: try inputs(train.questions, trainQueries, train.models), validationQueries: validationQueries,
            validation: try inputs(validation.questions, validationQueries, validation.models))
        _ = try trainer.run(&job)

        let testQueries = querySet(test)
        let testInputs = try inputs(test, testQueries, testModels)
        let limit = CohortAnswers.limit
        var chances = [Double](repeating: 0, count: test.count * limit)
        var mean = [Double](repeating: 0, count: test.count)
        var unshuffled: SeededGenerator?
        for batch in network.queries.batches(testQueries, histories, size: 4_096, shuffledBy: &unshuffled) {
            let part = try network.probabilities(batch, testInputs, limit: limit)
            for (row, place) in batch.queries.enumerated() {
                mean[place] = Double(part.mean[row])
                for count in 0..<limit { chances[place * limit + count] = Double(part.chances[row * limit + count]) }
            }
        }
        return CohortAnswers(name: model.family, isModel: true, chances: chances, mean: mean)
    }
}

private struct CohortJob: Trainable {
    let network: CohortModel
    let training: TrainingOptions
    let histories: Histories
    let queries: QuerySet
    let inputs: CohortInputs
    let validationQueries: QuerySet
    let validation: CohortInputs
    private var batches: [HistoryBatch] = []

    init(
        network: CohortModel, training: TrainingOptions, histories: Histories, queries: QuerySet,
        inputs: CohortInputs, validationQueries: QuerySet, validation: CohortInputs
    ) {
        self.network = network
        self.training = training
        self.histories = histories
        self.queries = queries
        self.inputs = inputs
        self.validationQueries = validationQueries
        self.validation = validation
    }

    var parameters: [(name: String, parameter: Parameter)] { network.parameters }

    mutating func begin(epoch: Int) throws -> Int {
        var generator: SeededGenerator? = SeededGenerator(seed: training.seed, stream: 500 + UInt64(epoch))
        batches = network.queries.batches(queries, histories, size: training.batch, shuffledBy: &generator)
        return batches.count
    }

    func loss(step: Int) throws -> Tensor { try network.loss(batches[step], inputs, training: true) }

    func rows(step: Int) -> Int { batches[step].queries.count }

    func validationLoss() throws -> Double {
        try withoutGradients {
            var unshuffled: SeededGenerator?
            var (sum, rows) = (0.0, 0)
            for batch in network.queries.batches(validationQueries, histories, size: 8_192, shuffledBy: &unshuffled) {
                sum += try network.loss(batch, validation, training: false).item() * Double(batch.queries.count)
                rows += batch.queries.count
            }
            return sum / Double(max(1, rows))
        }
    }
}

/// Models of a cohort and the classics of customer bases on the same questions.
public struct CohortComparison: Sendable, Codable {
    public struct Row: Sendable, Codable {
        public let name: String
        public let isModel: Bool
        public let auc: Double
        public let prAUC: Double
        public let logLoss: Double
        public let brier: Double
        public let ece: Double
        public let mae: Double
        public let maeOfMean: Double
        public let rmse: Double
        /// Predicted over true, of all counts together.
        public let total: Double
    }

    public var rows: [Row] = []
    public let questions: Int
    public let returned: Double
    private let counts: [Double]

    private enum CodingKeys: String, CodingKey { case rows, questions, returned, counts }

    public init(_ task: CohortTask, _ classics: CohortClassics, _ answers: [CohortAnswers]) {
        let test = classics.test.questions
        counts = test.map { Double($0.count) }
        questions = test.count
        returned = counts.reduce(0) { $0 + ($1 > 0 ? 1 : 0) } / Double(max(1, counts.count))
        let fitted = classics.test.models
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
        let nobody = [Double](repeating: returned, count: test.count)
        add(CohortAnswers(name: "nobody comes back", chance: nobody, mean: [Double](repeating: 0, count: test.count)))
    }

    private mutating func add(_ answer: CohortAnswers) {
        let labels = counts.map { $0 > 0 ? 1.0 : 0 }
        let chance = answer.chance.map { min(1 - 1e-6, max(1e-6, $0)) }
        let c = Classification.report(chance, labels, threshold: 0.5)
        let median = Regression.report(answer.median, counts)
        let mean = Regression.report(answer.mean, counts)
        rows.append(
            Row(
                name: answer.name, isModel: answer.isModel, auc: c.rocAUC, prAUC: c.prAUC, logLoss: c.logLoss,
                brier: c.brier, ece: c.ece, mae: median.mae, maeOfMean: mean.mae, rmse: mean.rmse,
                total: answer.mean.reduce(0, +) / max(1e-9, counts.reduce(0, +))))
    }
}
