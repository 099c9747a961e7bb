import Torch
import WaneBaselines
import WaneTasks

/// A deep model of the time until a return: a query's vector, and a distribution on it.
///
/// Families have a mixture of log-logistic curves; `hawkes` has the intensity of its own continuous-time state.
public struct ReturnModel: Module {
    public let queries: QueryEncoder
    let mixture: ReturnHead?
    let intensity: IntensityHead?

    public var options: ModelOptions { queries.options }
    /// Horizons; what is farther is as good as never.
    public static let longest = ReturnPredictions.longest
    public var readsHistory: Bool { queries.readsHistory }

    public init(_ options: ModelOptions, items: Int, topics: Int) throws(TorchError) {
        queries = try QueryEncoder(options, items: items, topics: topics)
        let hasIntensity = queries.encoder is ContinuousLSTM
        mixture = hasIntensity ? nil : try ReturnHead(inputs: queries.width, options)
        intensity = hasIntensity ? try IntensityHead(inputs: queries.width, options) : nil
    }

    private func distribution(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, training: Bool
    ) throws(TorchError) -> (any ReturnDistribution, penalty: Tensor?) {
        let encoded = try self.queries(batch, queries, events, training: training)
        if let mixture { return (try mixture(encoded.x, training: training), encoded.penalty) }
        guard let intensity, let lstm = self.queries.encoder as? ContinuousLSTM, let history = encoded.history else {
            throw TorchError(operation: "return model", message: "\(options.family) has no distribution")
        }
        let left = try lstm.left(history).rows(Tensor(batch.states))
        return (try intensity(left, encoded.x), encoded.penalty)
    }

    /// The mean negative log likelihood of the batch's durations.
    public func loss(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, _ answers: ReturnAnswers,
        training: Bool
    ) throws(TorchError) -> Tensor {
        let rows = try Tensor(batch.queries.map(Int64.init))
        let (distribution, penalty) = try distribution(batch, queries, events, training: training)
        let likelihood = try distribution.logLikelihood(
            answers.duration.rows(rows), observed: answers.observed.rows(rows), entry: answers.entry.rows(rows))
        let loss = try -(likelihood.mean())
        return try penalty.map { penalty throws(TorchError) in try loss + penalty } ?? loss
    }

    /// For the batch's questions in its order: log likelihood of their own durations, median, and survival at each
    /// time of `grid`, `[questions, grid]` row by row.
    public func predict(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, _ answers: ReturnAnswers,
        grid: [Double]
    ) throws(TorchError) -> (logLikelihood: [Float], median: [Float], survival: [Float]) {
        try withoutGradients { () throws(TorchError) in
            let rows = try Tensor(batch.queries.map(Int64.init))
            let (distribution, _) = try distribution(batch, queries, events, training: false)
            let entry = try answers.entry.rows(rows)
            let likelihood = try distribution.logLikelihood(
                answers.duration.rows(rows), observed: answers.observed.rows(rows), entry: entry)
            let count = batch.queries.count
            let median = try distribution.quantile(0.5, entry: entry, longest: Self.longest)
            var columns: [Tensor] = []
            for time in grid { columns.append(try distribution.logSurvival(.full([count], time)).exp()) }
            return (
                try likelihood.values(), try median.values(), try Tensor.stacked(columns, 1).values()
            )
        }
    }

    /// Quantiles of the time of return, in horizons from the touch on, given that there was none by `entry`: one
    /// array a share, each in the batch's order.
    ///
    /// - Parameter entry: horizons since the touch, for each query of the set.
    public func quantiles(
        _ shares: [Double], _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, entry: [Float]
    ) throws(TorchError) -> [[Float]] {
        try withoutGradients { () throws(TorchError) in
            let (distribution, _) = try distribution(batch, queries, events, training: false)
            let own = try Tensor(batch.queries.map { entry[$0] })
            var answers: [[Float]] = []
            for share in shares {
                answers.append(
                    try distribution.quantile(share, entry: own, longest: Self.longest).values())
            }
            return answers
        }
    }
}

/// Durations in horizons, whether their returns were seen, and when the question was asked, `[questions]`.
public struct ReturnAnswers {
    let duration: Tensor
    let observed: Tensor
    let entry: Tensor

    public init(_ questions: ReturnQueries) throws(TorchError) {
        duration = try Tensor(questions.duration.map(Float.init))
        observed = try Tensor(questions.observed.map { $0 ? Float(1) : 0 })
        entry = try Tensor(questions.entry.map(Float.init))
    }
}
