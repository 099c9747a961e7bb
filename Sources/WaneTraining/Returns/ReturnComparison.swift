import WaneBaselines
import WaneData
import WaneMetrics

/// Models of the time until a return and classical ones on the same questions.
public struct ReturnComparison: Sendable, Codable {
    public struct Row: Sendable, Codable {
        public let name: String
        public let isModel: Bool
        public let report: ReturnReport
    }

    public var rows: [Row] = []
    /// Microseconds.
    public let horizon: Int64
    public let questions: Int
    public let people: Int
    public let observed: Double
    /// The 95 % interval of the best model's log likelihood minus the best baseline's.
    public var difference: Evaluation.Interval?

    /// Times at which survival is measured, in horizons.
    public static let grid: [Double] = (0..<20).map { 0.05 * Double($0 + 1) }

    public init(
        _ task: ReturnTask, _ training: TrainingOptions, models: [TrainedReturnModel],
        baselines: [any ReturnBaseline] = ReturnBaselines.all
    ) throws {
        let test = try task.questions(.test, count: training.testQueries, seed: training.seed)
        horizon = task.interest.split.horizon
        questions = test.count
        let users = test.queries.user
        people = Set(users).count
        observed = Double(test.observed.count { $0 }) / Double(max(1, test.count))
        // A grid beyond what the test part can show is of no use.
        let longest = test.duration.max() ?? 1
        let grid = Self.grid.filter { $0 < longest }
        var likelihoods: [(isModel: Bool, values: [Double])] = []
        func add(_ name: String, _ predictions: ReturnPredictions, isModel: Bool) {
            let report = ReturnReport(
                logLikelihood: predictions.logLikelihood, median: predictions.median, survival: predictions.survival,
                grid: grid, durations: test.duration, observed: test.observed, users: users, seed: training.seed)
            rows.append(Row(name: name, isModel: isModel, report: report))
            if let values = predictions.logLikelihood { likelihoods.append((isModel, values)) }
        }
        for model in models { add(model.family, try model.predict(test, grid: grid), isModel: true) }
        let train = try task.questions(.train, count: training.trainQueries, seed: training.seed)
        for baseline in baselines {
            add(baseline.name, baseline.fitted(train).predict(test, grid: grid), isModel: false)
        }
        func best(_ models: Bool) -> [Double]? {
            likelihoods.filter { $0.isModel == models }.max { $0.values.reduce(0, +) < $1.values.reduce(0, +) }?.values
        }
        if let a = best(true), let b = best(false) {
            difference = UserBootstrap(users: users, seed: training.seed).interval(of: zip(a, b).map { $0 - $1 })
        }
    }

    /// What the table says, in its first lines.
    public var verdicts: [String] {
        func best(_ models: Bool, _ value: (ReturnReport) -> Double?) -> Row? {
            rows.filter { $0.isModel == models && value($0.report) != nil }
                .max { value($0.report) ?? 0 < value($1.report) ?? 0 }
        }
        var lines: [String] = []
        let measures: [(String, (ReturnReport) -> Double?)] = [
            ("log likelihood", { $0.logLikelihood }), ("C-index", { $0.concordance }), ("MAE", { -$0.mae }),
        ]
        for (name, value) in measures {
            guard let model = best(true, value), let baseline = best(false, value), let a = value(model.report),
                let b = value(baseline.report)
            else { continue }
            var line = "\(name): \(model.name) \(a > b ? "beats" : "LOSES to") the best baseline, \(baseline.name)"
            if name == "log likelihood", let difference, difference.low <= 0, difference.high >= 0 {
                line += ", though the interval of the difference holds 0"
            }
            lines.append(line)
        }
        return lines
    }
}
