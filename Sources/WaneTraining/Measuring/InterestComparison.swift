import WaneBaselines
import WaneBundle
import WaneMetrics
import WaneModels
import WanePrediction
import WaneTasks

/// Models of interest and the classical baselines on the same test rows.
///
/// What is fitted to validation for a model (biases, a threshold) is fitted for each baseline too: a line in the logit
/// of the chance and of the degree, and a threshold. Rows that headlines speak of are chosen on validation.
public struct InterestComparison: Sendable, Encodable, Doubted {
    /// One row's measures on the test part.
    public struct Report: Sendable, Codable {
        public let evaluation: Evaluation
        public let reliability: [Classification.ReliabilityBin]
    }

    /// A model against the best baseline in each of two measures.
    public struct Verdict: Sendable, Codable {
        public let model: String
        public let logLoss: Difference
        public let mae: Difference

        /// In one line, the loser named as such.
        public var words: String {
            "\(model) \(logLoss.outcome) the baseline that is best on validation in log loss (\(logLoss.baseline)) and "
                + "\(mae.outcome) the best there in MAE (\(mae.baseline))"
        }
    }

    public let table: Comparison<Report>
    /// What is to be said before anything else.
    public let doubts: [Doubt]
    /// The best model against rates that differ between pairs and do not decay.
    public let decay: Difference?
    /// Rates with half-lives against those without, all else the same: what decay alone is worth on this log.
    public let ratesDecay: Difference?
    /// How many topics fade, to that model; nothing where it does not say.
    public let fadingTopics: Int?
    public let verdicts: [Verdict]
    public let testQueries: Int
    public let people: Int
    public let baseRate: Double
    /// Microseconds.
    public let horizon: Int64
    private let horizonSeconds: Double
    public let leaks: Bool

    private enum CodingKeys: CodingKey {
        case table, doubts, decay, ratesDecay, fadingTopics, verdicts, testQueries, people, baseRate, horizonSeconds,
            leaks
    }

    public var rows: [Comparison<Report>.Row] { table.rows }

    /// Whether half-lives can be spoken of: some topic fades, and the best model is better than rates that do not decay, or rates that do
    /// are better than rates that differ from them in nothing else. Nothing where no model is compared.
    public var isDecayShown: Bool? {
        decay.map { (fadingTopics ?? 1) > 0 && ($0.isWin || ratesDecay?.isWin == true) }
    }

    /// What is to be said of decay, in one line; nothing where no model is compared. To be better than rates without decay is
    /// needed to speak of it, and does not prove it.
    public var decayWords: String? {
        guard let decay else { return nil }
        if decay.isWin, fadingTopics == 0 {
            return
                "No topic is found to fade: \(decay.model) is better than rates that do not decay (gamma-Poisson) in log loss by what "
                + "else it knows, and has no half-lives to speak of."
        }
        if fadingTopics == 0 {
            return
                "No topic is found to fade: \(decay.model) \(decay.outcome) rates that do not decay (gamma-Poisson) in log loss, and there are no "
                + "half-lives to speak of."
        }
        if decay.isWin {
            return
                "\(decay.model) is better than rates that do not decay (gamma-Poisson) in log loss: half-lives can be spoken of."
        }
        if isDecayShown == true {
            return
                "Decay is shown: rates of each topic (gamma-Poisson) are better with half-lives than without in log loss. \(decay.model) "
                + "\(decay.outcome) rates that do not decay: its half-lives can be spoken of, its chances need more events."
        }
        return
            "Decay is not shown: \(decay.model) \(decay.outcome) rates that do not decay (gamma-Poisson) in log loss, so that its "
            + "half-lives, found in the times between touches, are not borne out by its chances."
    }

    /// All that is said before the figures, the most important first.
    public var sentences: [String] {
        remarks.map(\.words)
    }

    /// The same, each with the difference that it is about.
    public var remarks: [(words: String, about: Difference?)] {
        var all: [(words: String, about: Difference?)] = doubts.map { ($0.words, nil) }
        all += verdicts.map { ($0.words, $0.logLoss) }
        if let decay, let words = decayWords, doubts.isEmpty || !decay.isWin {
            let told = decay.isWin || isDecayShown == false ? decay : ratesDecay
            all.append((words, fadingTopics == 0 ? nil : told))
        }
        return all
    }
}

extension InterestComparison {
    /// Rates that stay and rates that decay, as the training part has them, for everybody's clock alike.
    private static func rates(
        _ task: InterestTask, checkInterruption: () throws -> Void
    ) throws -> [any Baseline] {
        let histories = task.histories
        try checkInterruption()
        let vocabulary = ModelVocabulary(histories.log, trainEnd: task.split.trainEnd)
        let rows = LogRows(vocabulary, of: histories.log)
        let fit = try RenewalFit(
            histories, split: task.split, topicRow: rows.topicRow, topicRows: vocabulary.topicRows,
            resolution: histories.log.resolution(until: task.split.trainEnd), followsHours: false,
            checkInterruption: checkInterruption)
        return try [false, true].map {
            try DecayingGammaPoisson(
                histories, fit, topicRow: rows.topicRow, split: task.split, fades: $0,
                checkInterruption: checkInterruption)
        }
    }

    /// A row's answers on validation and test.
    private struct Answers {
        let name: String
        let isModel: Bool
        var hasCurves = false
        let validation: (returnProbability: [Double], degree: [Double])
        let test: (returnProbability: [Double], degree: [Double])
        var seconds: Double?
    }

    /// Fits every baseline on the training part, measures all rows on the test part.
    ///
    /// - Parameters:
    ///   - models: with names, each at work on the task's log.
    ///   - progress: called with what is being done; may throw to end the work.
    /// - Throws: ``SplitError`` where a part has no query.
    public init(
        _ task: InterestTask, _ record: TrainingRecord, models: [(name: String, predictor: QueryPredictor)],
        progress: (String) throws -> Void = { _ in }
    ) throws {
        let test = try task.queries(.test, count: record.testQueries, seed: record.seed)
        let validation = try task.queries(.validation, count: record.validationQueries, seed: record.seed)
        let horizon = Double(task.split.horizon) / 1e6
        let held = (didReturn: validation.didReturn.map(Double.init), degree: validation.degree.map(Double.init))
        var answers: [Answers] = []
        for (name, predictor) in models {
            try progress("measuring \(name)")
            answers.append(
                Answers(
                    name: name, isModel: true, hasCurves: predictor.bundle.hasCurves,
                    validation: try predictor.predict(validation),
                    test: try predictor.predict(test)))
        }
        let training = try task.queries(.train, count: record.trainQueries, seed: record.seed)
        let rates = try Self.rates(task) { try progress("fitting \(DecayingGammaPoisson.decaying)") }
        for baseline in Baselines.all(with: rates) {
            try progress("fitting \(baseline.name)")
            let start = ContinuousClock.now
            let fitted = baseline.fitted(training, horizon: horizon)
            let own = fitted.predict(validation)
            let (chance, degree) = (
                LogitCalibration(own.returnProbability, held.didReturn), LogitCalibration(own.degree, held.degree)
            )
            func calibrated(_ p: (returnProbability: [Double], degree: [Double])) -> (
                returnProbability: [Double], degree: [Double]
            ) { (chance(p.returnProbability), degree(p.degree)) }
            let answer = calibrated(fitted.predict(test))
            answers.append(
                Answers(
                    name: baseline.name, isModel: false, validation: calibrated(own), test: answer,
                    seconds: start.duration(to: .now) / .seconds(1)))
        }
        try progress("measuring")

        let bootstrap = UserBootstrap(users: test.user, seed: record.seed)
        let (returned, degrees) = (test.didReturn.map(Double.init), test.degree.map(Double.init))
        var table = Comparison<Report>()
        var errors: [Double] = []
        for answer in answers {
            let threshold = Classification.bestThreshold(answer.validation.returnProbability, held.didReturn)
            let evaluation = bootstrap.evaluate(
                degree: answer.test.degree, degreeLabels: degrees, returned: answer.test.returnProbability,
                returnedLabels: returned, threshold: threshold)
            table.add(
                .init(
                    name: answer.name, isModel: answer.isModel,
                    report: Report(
                        evaluation: evaluation,
                        reliability: Classification.reliability(answer.test.returnProbability, returned)),
                    validation: Classification.report(
                        answer.validation.returnProbability, held.didReturn, threshold: 0.5
                    ).logLoss, seconds: answer.seconds))
            errors.append(Regression.report(answer.validation.degree, held.degree).mae)
        }
        let baselines = answers.indices.filter { !answers[$0].isModel }
        let byLoss = table.bestIndex(models: false)
        let byError = baselines.min { errors[$0] < errors[$1] }
        people = Set(test.user).count
        let positives = test.didReturn.count { $0 > 0 }
        let isEnough = people >= Doubt.leastPeople && min(positives, test.count - positives) >= 10
        func against(
            _ baseline: String, _ isAsked: (Answers) -> Bool = { $0.isModel }
        ) -> Difference? {
            func validation(_ index: Int) -> Double { table.rows[index].validation ?? .infinity }
            let models = answers.indices.filter { isAsked(answers[$0]) }
            guard isEnough, let model = models.min(by: { validation($0) < validation($1) }),
                let rival = answers.indices.first(where: { answers[$0].name == baseline && !answers[$0].isModel })
            else { return nil }
            func loss(_ index: Int) -> Double { table.rows[index].report.evaluation.classification.logLoss }
            let intervals = bootstrap.difference(
                returned: answers[model].test.returnProbability, answers[rival].test.returnProbability,
                labels: returned, degree: answers[model].test.degree, answers[rival].test.degree, degreeLabels: degrees)
            return Difference(
                measure: "log loss", model: answers[model].name, baseline: baseline,
                value: loss(model) - loss(rival), interval: intervals.logLoss, lessIsBetter: true)
        }
        // Only of models that have curves can it be said.
        decay =
            answers.contains { $0.isModel && $0.hasCurves }
            ? against(Baselines.withoutDecay) { $0.isModel && $0.hasCurves } : nil
        ratesDecay = decay.flatMap { _ in
            against(DecayingGammaPoisson.steady) { $0.name == DecayingGammaPoisson.decaying && !$0.isModel }
        }
        fadingTopics = decay.flatMap { decay in
            models.first { $0.name == decay.model }?.predictor.bundle.description.halfLives?.fadingTopics
        }
        doubts =
            !answers.contains(where: \.isModel)
            ? []
            : Doubt.all(
                people: people, questions: test.count, share: Double(positives) / Double(max(1, test.count)),
                gain: against(Baselines.constant))
        verdicts =
            !isEnough
            ? []
            : answers.indices.filter { answers[$0].isModel }.compactMap { index in
                guard let byLoss, let byError else { return nil }
                func report(_ index: Int) -> Evaluation { table.rows[index].report.evaluation }
                let intervals = bootstrap.difference(
                    returned: answers[index].test.returnProbability, answers[byLoss].test.returnProbability,
                    labels: returned, degree: answers[index].test.degree, answers[byError].test.degree,
                    degreeLabels: degrees)
                let name = answers[index].name
                return Verdict(
                    model: name,
                    logLoss: Difference(
                        measure: "log loss", model: name, baseline: answers[byLoss].name,
                        value: report(index).classification.logLoss - report(byLoss).classification.logLoss,
                        interval: intervals.logLoss, lessIsBetter: true),
                    mae: Difference(
                        measure: "MAE", model: name, baseline: answers[byError].name,
                        value: report(index).regression.mae - report(byError).regression.mae, interval: intervals.mae,
                        lessIsBetter: true))
            }
        self.table = table
        testQueries = test.count
        baseRate = test.didReturn.reduce(0.0) { $0 + Double($1) } / Double(max(1, test.count))
        self.horizon = task.split.horizon
        horizonSeconds = horizon
        leaks = task.split.random
    }
}
