import Torch
import WaneBaselines
import WaneData

/// A deep model of the time until a return: a query's vector, and a distribution on it.
///
/// Families have a mixture of log-logistic curves; `hawkes` has the intensity of its own continuous-time state.
public struct ReturnModel: Module {
    public let queries: QueryEncoder
    let mixture: ReturnHead?
    let intensity: IntensityHead?

    public var options: ModelOptions { queries.options }
    public var readsHistory: Bool { queries.readsHistory }

    public init(_ options: ModelOptions, items: Int, topics: Int) throws(TorchError) {
        queries = try QueryEncoder(options, items: items, topics: topics)
        let hasIntensity = queries.encoder is ContinuousLSTM
        mixture = hasIntensity ? nil : try ReturnHead(inputs: queries.width, options)
        intensity = hasIntensity ? try IntensityHead(inputs: queries.width, options) : nil
    }

    private func distribution(
        _ batch: HistoryBatch, _ inputs: QueryInputs, training: Bool
    ) throws(TorchError) -> (any ReturnDistribution, penalty: Tensor?) {
        let encoded = try queries(batch, inputs, training: training)
        if let mixture { return (try mixture(encoded.x, training: training), encoded.penalty) }
        guard let intensity, let lstm = queries.encoder as? ContinuousLSTM, let history = encoded.history else {
            throw TorchError(operation: "return model", message: "\(options.family) has no distribution")
        }
        let left = try lstm.left(history).rows(Tensor(batch.states))
        return (try intensity(left, encoded.x), encoded.penalty)
    }

    /// The mean negative log likelihood of the batch's durations.
    public func loss(
        _ batch: HistoryBatch, _ inputs: QueryInputs, _ answers: ReturnAnswers, training: Bool
    ) throws(TorchError) -> Tensor {
        let places = try Tensor(batch.queries.map(Int64.init))
        let (distribution, penalty) = try distribution(batch, inputs, training: training)
        let loss = try distribution.loss(answers.duration.rows(places), observed: answers.observed.rows(places))
        return try penalty.map { penalty throws(TorchError) in try loss + penalty } ?? loss
    }

    /// For the batch's questions in its order: log likelihood of their own durations, median, and survival at each
    /// time of `grid`, `[questions, grid]` row by row.
    public func predict(
        _ batch: HistoryBatch, _ inputs: QueryInputs, _ answers: ReturnAnswers, grid: [Double]
    ) throws(TorchError) -> (logLikelihood: [Float], median: [Float], survival: [Float]) {
        try withoutGradients { () throws(TorchError) in
            let places = try Tensor(batch.queries.map(Int64.init))
            let (distribution, _) = try distribution(batch, inputs, training: false)
            let likelihood = try distribution.logLikelihood(
                answers.duration.rows(places), observed: answers.observed.rows(places))
            let count = batch.queries.count
            let median = try distribution.median(count, longest: ReturnPredictions.longest)
            var columns: [Tensor] = []
            for time in grid { columns.append(try distribution.logSurvival(.full([count], time)).exp()) }
            return (
                try likelihood.values(), try median.values(), try Tensor.stacked(columns, 1).values()
            )
        }
    }
}

/// Durations in horizons and whether their returns were seen, `[questions]`.
public struct ReturnAnswers {
    let duration: Tensor
    let observed: Tensor

    public init(_ questions: ReturnQueries) throws(TorchError) {
        duration = try Tensor(questions.duration.map(Float.init))
        observed = try Tensor(questions.observed.map { $0 ? Float(1) : 0 })
    }
}
