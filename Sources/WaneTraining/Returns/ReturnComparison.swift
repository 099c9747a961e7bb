import WaneBaselines
import WaneBundle
import WaneMetrics
import WanePrediction
import WaneTasks

/// Models of the time until a return and classical ones on the same questions.
public struct ReturnComparison: Sendable, Codable {
    public let table: Comparison<ReturnReport>
    /// Microseconds.
    public let horizon: Int64
    public let questions: Int
    public let people: Int
    public let observed: Double
    /// The best model against the best baseline, both chosen on validation, in log likelihood; and in other measures
    /// without an interval.
    public let differences: [Difference]

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
        questions = test.count
        let users = test.queries.user
        people = Set(users).count
        observed = Double(test.observed.count { $0 }) / Double(max(1, test.count))
        // A grid beyond what the test part can show is of no use.
        let longest = test.duration.max() ?? 1
        let grid = Self.grid.filter { $0 < longest }
        var table = Comparison<ReturnReport>()
        var likelihoods: [[Double]?] = []
        func add(_ name: String, isModel: Bool, _ predict: (ReturnQueries) throws -> ReturnPredictions) throws {
            try checkInterruption()
            let predictions = try predict(test)
            let report = ReturnReport(
                logLikelihood: predictions.logLikelihood, median: predictions.median, survival: predictions.survival,
                grid: grid, durations: test.duration, observed: test.observed, users: users, seed: training.seed)
            let held = try predict(validation).logLikelihood.map { -$0.reduce(0, +) / Double(max(1, $0.count)) }
            table.add(.init(name: name, isModel: isModel, report: report, validation: held))
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
        var differences: [Difference] = []
        if let model = table.bestIndex(models: true), let baseline = table.bestIndex(models: false) {
            let (a, b) = (table.rows[model], table.rows[baseline])
            if let own = likelihoods[model], let other = likelihoods[baseline] {
                let values = zip(own, other).map { $0 - $1 }
                differences.append(
                    Difference(
                        measure: "log likelihood", model: a.name, baseline: b.name,
                        value: values.reduce(0, +) / Double(max(1, values.count)),
                        interval: UserBootstrap(users: users, seed: training.seed).interval(of: values),
                        lessIsBetter: false))
            }
            let others: [(String, Double, Double, Bool)] = [
                ("C-index", a.report.concordance, b.report.concordance, false),
                ("MAE", a.report.mae, b.report.mae, true),
            ]
            for (measure, own, other, less) in others {
                differences.append(
                    Difference(
                        measure: measure, model: a.name, baseline: b.name, value: own - other, interval: nil,
                        lessIsBetter: less))
            }
        }
        self.differences = differences
    }

    /// What the table says, in its first lines.
    public var verdicts: [String] {
        differences.map { "\($0.measure): \($0.model) \($0.outcome) the best baseline, \($0.baseline)" }
    }
}
