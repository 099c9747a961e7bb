import WaneBaselines
import WaneData
import WaneMetrics

/// Models and baselines measured on the same test rows.
public struct Comparison: Sendable, Codable {
    public struct Row: Sendable, Codable {
        public let name: String
        public let isModel: Bool
        public let evaluation: Evaluation
        public let reliability: [Classification.ReliabilityBin]
        /// Seconds to fit, for baselines measured here.
        public let fitSeconds: Double?
    }

    /// A model against the best baseline: negative differences are in the model's favour.
    public struct Verdict: Sendable, Codable {
        public let model: String
        public let baseline: String
        public let logLoss: Double
        public let logLossInterval: Evaluation.Interval?
        public let maeBaseline: String
        public let mae: Double
        public let maeInterval: Evaluation.Interval?

        /// In one line, the loser named as such.
        public var words: String {
            func outcome(_ difference: Double, _ interval: Evaluation.Interval?) -> String {
                guard let interval else { return difference < 0 ? "is below" : "is not below" }
                if interval.high < 0 { return "beats" }
                return interval.low > 0 ? "LOSES to" : "is level with"
            }
            return "\(model) \(outcome(logLoss, logLossInterval)) the best baseline in log loss (\(baseline))"
                + " and \(outcome(mae, maeInterval)) the best in MAE (\(maeBaseline))"
        }
    }

    public let rows: [Row]
    public let verdicts: [Verdict]
    public let testQueries: Int
    public let people: Int
    public let baseRate: Double
    public let horizon: Int64
    public let leaks: Bool
}

extension Comparison {
    /// A model's answers on the test rows.
    public struct Answers {
        public let name: String
        public let threshold: Double
        public let returned: [Double]
        public let degree: [Double]

        public init(name: String, threshold: Double, returned: [Double], degree: [Double]) {
            self.name = name
            self.threshold = threshold
            self.returned = returned
            self.degree = degree
        }
    }

    /// Fits every baseline on the training part, sets thresholds on validation, and measures all on test.
    ///
    /// - Parameter progress: called with what is being done.
    public init(
        _ task: InterestTask, options: TrainingOptions, test: QuerySet, models: [Answers],
        progress: (String) -> Void = { _ in }
    ) throws {
        let training = try task.queries(.train, count: options.trainQueries, seed: options.seed)
        let validation = try task.queries(.validation, count: options.validationQueries, seed: options.seed)
        let degreeLabels = test.degree.map(Double.init)
        let returnedLabels = test.returned.map(Double.init)
        let bootstrap = UserBootstrap(users: test.user, seed: options.seed)
        let horizon = Double(task.split.horizon) / 1e6
        var rows: [Row] = []
        var answers: [Answers] = []

        func measure(_ answer: Answers, isModel: Bool, seconds: Double?) {
            let evaluation = bootstrap.evaluate(
                degree: answer.degree, degreeLabels: degreeLabels, returned: answer.returned,
                returnedLabels: returnedLabels, threshold: answer.threshold)
            rows.append(
                Row(
                    name: answer.name, isModel: isModel, evaluation: evaluation,
                    reliability: Classification.reliability(answer.returned, returnedLabels), fitSeconds: seconds))
        }
        for baseline in Baselines.all {
            progress("fitting \(baseline.name)")
            let start = ContinuousClock.now
            let fitted = baseline.fitted(training, horizon: horizon)
            let seconds = start.duration(to: .now) / .seconds(1)
            let threshold = Classification.bestThreshold(
                fitted.predict(validation).returned, validation.returned.map(Double.init))
            let (returned, degree) = fitted.predict(test)
            let answer = Answers(name: baseline.name, threshold: threshold, returned: returned, degree: degree)
            measure(answer, isModel: false, seconds: seconds)
            answers.append(answer)
        }
        for model in models { measure(model, isModel: true, seconds: nil) }

        let baselines = zip(answers, rows)
        let byLoss = baselines.min { $0.1.evaluation.classification.logLoss < $1.1.evaluation.classification.logLoss }
        let byError = baselines.min { $0.1.evaluation.regression.mae < $1.1.evaluation.regression.mae }
        verdicts = models.compactMap { model in
            guard let byLoss, let byError, let row = rows.first(where: { $0.isModel && $0.name == model.name }) else {
                return nil
            }
            let loss = bootstrap.difference(
                returned: model.returned, byLoss.0.returned, labels: returnedLabels, degree: model.degree,
                byError.0.degree, degreeLabels: degreeLabels)
            return Verdict(
                model: model.name, baseline: byLoss.0.name,
                logLoss: row.evaluation.classification.logLoss - byLoss.1.evaluation.classification.logLoss,
                logLossInterval: loss.logLoss, maeBaseline: byError.0.name,
                mae: row.evaluation.regression.mae - byError.1.evaluation.regression.mae, maeInterval: loss.mae)
        }
        self.rows = rows
        testQueries = test.count
        people = Set(test.user).count
        baseRate = test.returned.reduce(0.0) { $0 + Double($1) } / Double(max(1, test.count))
        self.horizon = task.split.horizon
        leaks = task.split.random
    }
}
