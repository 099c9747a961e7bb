import Foundation
import Torch
import WaneCurves
import WaneTasks

/// A deep model of the interest task: event vectors, an encoder over them, and the decay head on the state,
/// the topic and the query's features.
public struct InterestModel: Module {
    public let queries: QueryEncoder
    let head: DecayHead

    public var options: ModelOptions { queries.options }
    /// Whether batches need histories.
    public var readsHistory: Bool { queries.readsHistory }

    /// - Parameters:
    ///   - items: how many items have a vector, and `topics` how many topics.
    public init(_ options: ModelOptions, items: Int, topics: Int) throws(TorchError) {
        queries = try QueryEncoder(options, items: items, topics: topics)
        head = try DecayHead(inputs: queries.width, options)
    }

    /// The parameters of each query's curve: `[queries of the batch, 11]`.
    ///
    /// - Parameter state: the history's state where it is known already, `[1, hidden]`.
    public func curveParameters(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, state: Tensor? = nil, training: Bool
    ) throws(TorchError) -> Tensor {
        try head.curveParameters(
            self.queries(batch, queries, events, state: state, training: training).x, training: training)
    }

    /// The chance of coming back and the degree, each `[queries of the batch]`.
    public func callAsFunction(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, training: Bool
    ) throws(TorchError) -> (returnProbability: Tensor, degree: Tensor) {
        let rows = try Tensor(batch.queries.map(Int64.init))
        return try DecayHead.values(
            curveParameters(batch, queries, events, training: training),
            logElapsedSinceTopic: queries.logElapsedSinceTopic.rows(rows),
            logElapsedSinceEvent: queries.logElapsedSinceEvent.rows(rows))
    }

    /// The mean log loss of the return plus that of the degree (a share of a success).
    public func loss(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, training: Bool
    ) throws(TorchError) -> Tensor {
        let rows = try Tensor(batch.queries.map(Int64.init))
        let encoded = try self.queries(batch, queries, events, training: training)
        let predicted = try DecayHead.values(
            head.curveParameters(encoded.x, training: training),
            logElapsedSinceTopic: queries.logElapsedSinceTopic.rows(rows),
            logElapsedSinceEvent: queries.logElapsedSinceEvent.rows(rows))
        let loss = try Self.loss(predicted, queries, rows)
        return try encoded.penalty.map { penalty throws(TorchError) in try loss + penalty } ?? loss
    }

    /// The loss of predictions for the queries at `rows`.
    private static func loss(
        _ predicted: (returnProbability: Tensor, degree: Tensor), _ queries: QueryTensors, _ rows: Tensor
    ) throws(TorchError) -> Tensor {
        try Loss.binaryCrossEntropy(predicted.returnProbability, queries.didReturn.rows(rows))
            + Loss.binaryCrossEntropy(predicted.degree, queries.degree.rows(rows))
    }
}

extension InterestModel {
    /// Fits the eleven biases of the head's output to queries, all else held: levels and half-lives of a later
    /// time than the weights were learned from.
    ///
    /// - Returns: the loss before and after.
    @discardableResult
    public func calibrate(
        _ batches: [HistoryBatch], _ queries: QueryTensors, _ events: EventTensors, steps: Int = 150
    ) throws -> (before: Double, after: Double) {
        guard let bias = head.output.bias, !batches.isEmpty else { return (0, 0) }
        let rows = try Tensor(batches.flatMap(\.queries).map(Int64.init))
        let logElapsedSinceTopic = try queries.logElapsedSinceTopic.rows(rows)
        let logElapsedSinceEvent = try queries.logElapsedSinceEvent.rows(rows)
        // Without the bias: it is all that changes.
        let scores = try withoutGradients {
            try Tensor.concatenated(
                batches.map { batch in
                    try head.layers(self.queries(batch, queries, events, training: false).x, training: false)
                        .matmul(head.output.weight.value.transposed())
                })
        }
        func loss() throws -> Tensor {
            try Self.loss(
                DecayHead.values(
                    scores + bias.value, logElapsedSinceTopic: logElapsedSinceTopic,
                    logElapsedSinceEvent: logElapsedSinceEvent), queries, rows)
        }
        var optimizer = try Optimizer(.adam(), [("bias", bias)])
        let before = try loss().item()
        for _ in 0..<steps {
            try optimizer.clearGradients()
            try loss().backward()
            try optimizer.step(learningRate: 0.02)
        }
        try optimizer.clearGradients()
        return (before, try loss().item())
    }
}
