import Torch
import WaneBaselines
import WaneBundle
import WaneCurves
import WaneEvents
import WaneModels
import WaneTasks

/// A model asked many questions about one log at once, in batches as large as is fast: what measuring needs.
///
/// The same answers as ``Predictor`` gives from states, to the last digits of float32.
public struct QueryPredictor {
    public let bundle: ModelBundle
    public let histories: Histories
    private let events: EventTensors

    /// - Parameters:
    ///   - histories: the asked log's, with engagement as the model measures it.
    public init(_ bundle: ModelBundle, _ log: AskedLog, _ histories: Histories) {
        self.init(bundle, histories, rows: log.rows, userOf: log.userOf)
    }

    /// The log that the model was just trained on, whose items and topics it numbered itself.
    ///
    /// - Parameter userOf: the model's number of each person whose friends it knows; nothing where it knows nobody's.
    public init(_ bundle: ModelBundle, _ histories: Histories, rows: LogRows, userOf: [Int64]?) {
        self.bundle = bundle
        self.histories = histories
        events = EventTensors(
            histories.log, engagement: histories.engagement, userStarts: histories.userStarts, rows: rows,
            horizon: bundle.description.split.horizon, smoothed: bundle.smoothed, userOf: userOf)
    }

    /// The chance of coming back within the horizon and the interest degree, for each query.
    public func predict(_ queries: QuerySet) throws -> (returnProbability: [Double], degree: [Double]) {
        var returnProbability = [Double](repeating: 0, count: queries.count)
        var degree = returnProbability
        switch bundle.network {
        case .interest(let network):
            try forEachBatch(queries, network.queries) { batch, tensors in
                let (r, y) = try network(batch, tensors, events, training: false)
                for (value, row) in zip(try r.values(Float.self), batch.queries) {
                    returnProbability[row] = Double(value)
                }
                for (value, row) in zip(try y.values(Float.self), batch.queries) { degree[row] = Double(value) }
            }
        case .basic(let network):
            let rows = BasicInputs(queries)
            let values = try withoutGradients {
                try network(rows.scaled(bundle.description.scaling), training: false).values(Float.self)
            }
            for (row, value) in values.enumerated() {
                degree[row] = min(1 - 1e-6, max(1e-6, Double(value)))
                returnProbability[row] = degree[row]
            }
        case .ranking, .returns, .cohort:
            throw BundleFolderError.otherTask(path: "the model", answers: bundle.task)
        }
        return (returnProbability, degree)
    }

    /// The raw parameters of each query's curve, `[queries, 13]` row by row; none for a model without curves.
    public func curveParameters(_ queries: QuerySet) throws -> [Float] {
        guard case .interest(let network) = bundle.network else { return [] }
        let width = InterestCurve.Parameter.allCases.count
        var parameters = [Float](repeating: 0, count: queries.count * width)
        try forEachBatch(queries, network.queries) { batch, tensors in
            let values = try network.curveParameters(batch, tensors, events, training: false).values(Float.self)
            for (row, query) in batch.queries.enumerated() {
                parameters.replaceSubrange(
                    query * width..<(query + 1) * width, with: values[row * width..<(row + 1) * width])
            }
        }
        return parameters
    }

    /// The curve of each query; none for a model without curves.
    public func curves(_ queries: QuerySet) throws -> [InterestCurve] {
        let queries = measured(queries)
        let parameters = try curveParameters(queries)
        let width = InterestCurve.Parameter.allCases.count
        guard !parameters.isEmpty else { return [] }
        return (0..<queries.count).map { row in
            bundle.curve(
                parameters[row * width..<(row + 1) * width],
                topicRow: Int(events.rows.topicRow[Int(queries.topic[row])]),
                elapsedSinceTopic: Double(queries.elapsedSinceTopic[row]),
                elapsedSinceEvent: Double(queries.elapsedSinceEvent[row]),
                rhythm: queries.rhythm(row), moment: Double(queries.moment[row]) / 1e6)
        }
    }

    /// What a model of return times says of questions whose answers are known.
    public func predict(_ questions: ReturnQueries, grid: [Double]) throws -> ReturnPredictions {
        guard case .returns(let network) = bundle.network else {
            throw BundleFolderError.otherTask(path: "the model", answers: bundle.task)
        }
        let queries = measured(questions.queries)
        let answers = try ReturnAnswers(
            questions, queries, horizon: bundle.description.split.horizon, pause: bundle.description.visitPause)
        var likelihood = [Double](repeating: 0, count: questions.count)
        var median = likelihood
        var survival = [Double](repeating: 0, count: questions.count * grid.count)
        try forEachBatch(queries, network.queries, size: 2_048) { batch, tensors in
            let part = try network.predict(batch, tensors, events, answers, grid: grid)
            for (row, query) in batch.queries.enumerated() {
                likelihood[query] = Double(part.logLikelihood[row])
                median[query] = Double(part.median[row])
                for column in grid.indices {
                    survival[query * grid.count + column] = Double(part.survival[row * grid.count + column])
                }
            }
        }
        return ReturnPredictions(logLikelihood: likelihood, median: median, survival: survival)
    }

    /// The chance of each count from 0 up and the mean, for questions about a cohort.
    ///
    /// - Parameters:
    ///   - limit: counts from here on are as good as it.
    ///   - classic: the classical models as of the questions' moment.
    public func predict(
        _ questions: [CohortTask.Question], _ queries: QuerySet, classic: CohortClassic, limit: Int
    ) throws -> (chances: [Double], mean: [Double]) {
        guard case .cohort(let network, _) = bundle.network else {
            throw BundleFolderError.otherTask(path: "the model", answers: bundle.task)
        }
        var chances = [Double](repeating: 0, count: questions.count * limit)
        var mean = [Double](repeating: 0, count: questions.count)
        let tensors = try QueryTensors(
            queries, topicRow: events.rows.topicRow, scaling: bundle.description.scaling,
            horizon: bundle.description.split.horizon)
        let inputs = try CohortTensors(
            questions, tensors, classics: [CohortClassic](repeating: classic, count: questions.count))
        var unshuffled: SeededGenerator?
        for batch in network.queries.batches(queries, histories, size: 4_096, shuffledBy: &unshuffled) {
            let part = try network.probabilities(batch, inputs, events, limit: limit)
            for (row, query) in batch.queries.enumerated() {
                mean[query] = Double(part.mean[row])
                for count in 0..<limit { chances[query * limit + count] = Double(part.chances[row * limit + count]) }
            }
        }
        return (chances, mean)
    }

    /// The log's items and topics by the model's rows.
    public var rows: LogRows { events.rows }

    /// What each query's answer is due to: see ``InterestAttribution``.
    public func attributions(_ queries: QuerySet, steps: Int = 50) throws -> [InterestAttribution] {
        guard case .interest(let network) = bundle.network else {
            throw PredictionError.noCurves(family: bundle.description.family)
        }
        var found = [InterestAttribution?](repeating: nil, count: queries.count)
        try forEachBatch(queries, network.queries, size: 256, takesSlopes: true) { batch, tensors in
            let own = try network.integratedGradients(batch, tensors, events, steps: steps)
            for (query, attribution) in zip(batch.queries, own) { found[query] = attribution }
        }
        return found.compactMap { $0 }
    }

    /// Queries with their causes and their people's hours measured, where the model reads them.
    public func measured(_ queries: QuerySet) -> QuerySet {
        let lacksCauses = queries.causes.isEmpty && bundle.description.causes != nil
        let lacksRates = queries.rates.isEmpty && bundle.description.halfLives?.rates != nil
        let lacksHours = queries.hours.isEmpty && bundle.stateSchema.hours != nil
        guard lacksCauses || lacksRates || lacksHours else { return queries }
        var queries = queries
        queries.measure(histories, bundle.stateSchema(rows))
        return queries
    }

    private func forEachBatch(
        _ queries: QuerySet, _ encoder: QueryEncoder, size: Int? = nil, takesSlopes: Bool = false,
        _ body: (HistoryBatch, QueryTensors) throws -> Void
    ) throws {
        guard queries.count > 0 else { return }
        let queries = measured(queries)
        func all() throws {
            let tensors = try QueryTensors(
                queries, topicRow: events.rows.topicRow, scaling: bundle.description.scaling,
                horizon: bundle.description.split.horizon)
            var unshuffled: SeededGenerator?
            let batches = encoder.batches(
                queries, histories, size: size ?? (encoder.readsHistory ? 4_096 : 8_192), shuffledBy: &unshuffled)
            for batch in batches { try body(batch, tensors) }
        }
        if takesSlopes { try all() } else { try withoutGradients { try all() } }
    }
}
