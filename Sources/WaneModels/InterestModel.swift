import Foundation
import Torch
import WaneData

/// A deep model of the interest task: event vectors, an encoder over them, and the decay head on the state,
/// the topic and the query's features.
public struct InterestModel: Module {
    public let queries: QueryEncoder
    let head: DecayHead

    public var options: ModelOptions { queries.options }
    /// Whether batches need histories.
    public var readsHistory: Bool { queries.readsHistory }

    /// - Parameters:
    ///   - items: how many items the model knows, and `topics` how many topics.
    public init(_ options: ModelOptions, items: Int, topics: Int) throws(TorchError) {
        queries = try QueryEncoder(options, items: items, topics: topics)
        head = try DecayHead(inputs: queries.width, options)
    }

    /// The constants of each query's curve: `[queries of the batch, 11]`.
    public func constants(
        _ batch: HistoryBatch, _ inputs: QueryInputs, training: Bool
    ) throws(TorchError) -> Tensor {
        try head.constants(queries(batch, inputs, training: training).x, training: training)
    }

    /// The chance of coming back and the degree, each `[queries of the batch]`.
    public func callAsFunction(
        _ batch: HistoryBatch, _ inputs: QueryInputs, training: Bool
    ) throws(TorchError) -> (returned: Tensor, degree: Tensor) {
        let places = try Tensor(batch.queries.map(Int64.init))
        return try DecayHead.values(
            constants(batch, inputs, training: training), logGap: inputs.logGap.rows(places),
            logPersonGap: inputs.logPersonGap.rows(places))
    }

    /// The mean log loss of the return plus that of the degree (a share of a success).
    public func loss(_ batch: HistoryBatch, _ inputs: QueryInputs, training: Bool) throws(TorchError) -> Tensor {
        let places = try Tensor(batch.queries.map(Int64.init))
        let encoded = try queries(batch, inputs, training: training)
        let predicted = try DecayHead.values(
            head.constants(encoded.x, training: training), logGap: inputs.logGap.rows(places),
            logPersonGap: inputs.logPersonGap.rows(places))
        let loss = try Self.loss(predicted, inputs, places)
        return try encoded.penalty.map { penalty throws(TorchError) in try loss + penalty } ?? loss
    }

    /// The loss of predictions for the queries at `places`.
    private static func loss(
        _ predicted: (returned: Tensor, degree: Tensor), _ inputs: QueryInputs, _ places: Tensor
    ) throws(TorchError) -> Tensor {
        try Loss.binaryCrossEntropy(predicted.returned, inputs.returned.rows(places))
            + Loss.binaryCrossEntropy(predicted.degree, inputs.degree.rows(places))
    }
}

extension InterestModel {
    /// Fits the eleven biases of the head's output to queries, all else held: levels and half-lives of a later
    /// time than the weights were learned from.
    ///
    /// - Returns: the loss before and after.
    @discardableResult
    public func calibrate(
        _ batches: [HistoryBatch], _ inputs: QueryInputs, steps: Int = 150
    ) throws -> (before: Double, after: Double) {
        guard let bias = head.output.bias, !batches.isEmpty else { return (0, 0) }
        let places = try Tensor(batches.flatMap(\.queries).map(Int64.init))
        let logGap = try inputs.logGap.rows(places)
        let logPersonGap = try inputs.logPersonGap.rows(places)
        // Without the bias: it is all that changes.
        let scores = try withoutGradients {
            try Tensor.concatenated(
                batches.map { batch in
                    try head.hidden(queries(batch, inputs, training: false).x, training: false)
                        .matmul(head.output.weight.value.transposed())
                })
        }
        func loss() throws -> Tensor {
            try Self.loss(
                DecayHead.values(scores + bias.value, logGap: logGap, logPersonGap: logPersonGap), inputs, places)
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

/// A query set as tensors, with the scaled features.
public struct QueryInputs {
    public let table: EventTable
    let features: Tensor
    let topics: Tensor
    let logGap: Tensor
    let logPersonGap: Tensor
    let returned: Tensor
    let degree: Tensor

    public init(
        _ queries: QuerySet, table: EventTable, scaling: FeatureScaling, horizon: Int64
    ) throws(TorchError) {
        self.table = table
        features = try scaling.scaled(queries.anchored)
        topics = try Tensor(queries.topic.map { table.topicRow[Int($0)] })
        let seconds = Float(Double(horizon) / 1e6)
        func logTime(_ gaps: [Float]) -> [Float] {
            gaps.map { Foundation.log($0 / seconds + Float(DecayHead.smallestTime)) }
        }
        logGap = try Tensor(logTime(queries.gap))
        logPersonGap = try Tensor(logTime(queries.personGap))
        returned = try Tensor(queries.returned)
        degree = try Tensor(queries.degree)
    }
}

/// Mean and deviation of the features in the training part, saved with the model.
public struct FeatureScaling: Codable, Sendable, Equatable {
    public let mean: [Float]
    public let deviation: [Float]

    /// - Parameter features: `[rows, width]`, row by row.
    public init(_ features: [Float], width: Int = FeatureBuilder.anchoredCount) {
        let rows = features.count / width
        var sum = [Double](repeating: 0, count: width)
        var square = sum
        for row in 0..<rows {
            for column in 0..<width {
                let value = Double(features[row * width + column])
                sum[column] += value
                square[column] += value * value
            }
        }
        let count = Double(max(1, rows))
        mean = sum.map { Float($0 / count) }
        deviation = zip(sum, square).map { sum, square in
            let variance = max(0, square / count - (sum / count) * (sum / count))
            return variance > 1e-10 ? Float(variance.squareRoot()) : 1
        }
    }

    func scaled(_ features: [Float]) throws(TorchError) -> Tensor {
        let raw = try Tensor(features, shape: [features.count / max(1, mean.count), mean.count])
        // Values far outside the training part's must not dominate.
        return try ((raw - Tensor(mean)) / Tensor(deviation)).clamped(-6, 6)
    }
}

extension InterestModel {
    /// The curve of each query, in the batch's order.
    public func curves(
        _ batch: HistoryBatch, _ inputs: QueryInputs, _ queries: QuerySet, horizon: Int64
    ) throws(TorchError) -> [InterestCurve] {
        let constants = try withoutGradients { () throws(TorchError) in
            try self.constants(batch, inputs, training: false)
        }
        let width = DecayHead.Column.allCases.count
        let values: [Float] = try constants.values()
        return batch.queries.enumerated().map { row, query in
            InterestCurve(
                values[row * width..<(row + 1) * width], gap: Double(queries.gap[query]),
                personGap: Double(queries.personGap[query]), horizon: Double(horizon) / 1e6)
        }
    }
}
