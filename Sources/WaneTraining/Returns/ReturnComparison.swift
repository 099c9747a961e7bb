import WaneBaselines
import WaneBundle
import WaneMetrics
import WanePrediction
import WaneTasks

/// Models of the time until a return and classical ones on the same questions.
public struct ReturnComparison: Sendable, Encodable, Doubted {
    public let table: Comparison<ReturnReport>
    /// Microseconds.
    public let horizon: Int64
    private let horizonSeconds: Double
    public let questions: Int
    public let people: Int
    public let observed: Double
    /// In each measure, the model of the greatest likelihood against the baseline that is best in that measure, both
    /// chosen on validation; an interval in log likelihood only.
    public let differences: [Difference]
    /// What is to be said before anything else; the gain is over one curve for everybody.
    public let doubts: [Doubt]

    private enum CodingKeys: CodingKey {
        case table, horizonSeconds, questions, people, observed, differences, doubts
    }

    /// Times at which survival is measured, in horizons.
    public static let grid: [Double] = (0..<20).map { 0.05 * Double($0 + 1) }

    public var rows: [Comparison<ReturnReport>.Row] { table.rows }

    /// - Parameter checkInterruption: called between rows; may throw.
    public init(
        _ task: ReturnTask, _ training: TrainingRecord, models: [ModelBundle],
        baselines: [any ReturnBaseline] = ReturnBaselines.all, checkInterruption: () throws -> Void = {}
    ) throws {
        let test = try task.questions(.test, count: training.testQueries, seed: training.seed)
        let validation = try task.questions(.validation, count: training.validationQueries, seed: training.seed)
        horizon = task.interest.split.horizon
        horizonSeconds = Double(horizon) / 1e6
        questions = test.count
        let users = test.queries.user
        people = Set(users).count
        observed = Double(test.observed.count { $0 }) / Double(max(1, test.count))
        // A grid beyond what the test part can show is of no use.
        let longest = test.duration.max() ?? 1
        let grid = Self.grid.filter { $0 < longest }
        var table = Comparison<ReturnReport>()
        var likelihoods: [[Double]?] = []
        var held: [ReturnReport] = []
        func add(_ name: String, isModel: Bool, _ predict: (ReturnQueries) throws -> ReturnPredictions) throws {
            try checkInterruption()
            func report(_ predictions: ReturnPredictions, _ questions: ReturnQueries) -> ReturnReport {
                ReturnReport(
                    logLikelihood: predictions.logLikelihood, median: predictions.median,
                    survival: predictions.survival, grid: grid, durations: questions.duration,
                    observed: questions.observed, users: questions.queries.user, seed: training.seed)
            }
            let predictions = try predict(test)
            let earlier = try predict(validation)
            let loss = earlier.logLikelihood.map { -$0.reduce(0, +) / Double(max(1, $0.count)) }
            // Rows are chosen by errors and order alone: no survival, no intervals of a likelihood.
            held.append(
                report(ReturnPredictions(logLikelihood: nil, median: earlier.median, survival: nil), validation))
            table.add(.init(name: name, isModel: isModel, report: report(predictions, test), validation: loss))
            likelihoods.append(predictions.logLikelihood)
        }
        for model in models {
            let predictor = QueryPredictor(model, of: task.interest.histories)
            try add(model.description.family, isModel: true) { try predictor.predict($0, grid: grid) }
        }
        let train = try task.questions(.train, count: training.trainQueries, seed: training.seed)
        for baseline in baselines {
            let fitted = baseline.fitted(train)
            try add(baseline.name, isModel: false) { fitted.predict($0, grid: grid) }
        }
        self.table = table
        func inLikelihood(_ model: Int, _ baseline: Int) -> Difference? {
            guard let own = likelihoods[model], let other = likelihoods[baseline] else { return nil }
            let values = zip(own, other).map { $0 - $1 }
            return Difference(
                measure: "log likelihood", model: table.rows[model].name, baseline: table.rows[baseline].name,
                value: values.reduce(0, +) / Double(max(1, values.count)),
                interval: UserBootstrap(users: users, seed: training.seed).interval(of: values), lessIsBetter: false)
        }
        var differences: [Difference] = []
        if let model = table.bestIndex(models: true), let baseline = table.bestIndex(models: false) {
            let a = table.rows[model]
            if let difference = inLikelihood(model, baseline) { differences.append(difference) }
            let others: [(measure: String, of: (ReturnReport) -> Double, less: Bool)] = [
                ("C-index", \.concordance, false), ("MAE", \.mae, true),
            ]
            for (measure, of, less) in others {
                let known = table.rows.indices.filter { !table.rows[$0].isModel && of(held[$0]).isFinite }
                let rival = known.min { less ? of(held[$0]) < of(held[$1]) : of(held[$0]) > of(held[$1]) } ?? baseline
                differences.append(
                    Difference(
                        measure: measure, model: a.name, baseline: table.rows[rival].name,
                        value: of(a.report) - of(table.rows[rival].report), interval: nil, lessIsBetter: less))
            }
        }
        self.differences = differences
        var gain: Difference?
        if people >= Doubt.leastPeople, let model = table.bestIndex(models: true),
            let same = table.rows.firstIndex(where: { $0.name == ReturnBaselines.same && !$0.isModel })
        {
            gain = inLikelihood(model, same)
        }
        doubts =
            table.rows.contains(where: \.isModel)
            ? Doubt.all(people: people, questions: questions, share: observed, gain: gain) : []
    }

    /// All that is said before the figures, the most important first.
    public var sentences: [String] {
        doubts.map(\.words)
            + (people < Doubt.leastPeople
                ? []
                : differences.map { "\($0.measure): \($0.model) \($0.outcome) the best baseline in it, \($0.baseline)" })
    }
}
