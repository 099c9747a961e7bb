import Foundation
import Torch
import WaneBaselines
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
    ///   - visitPause: the pause that ends a visit, in horizons.
    public init(_ options: ModelOptions, items: Int, topics: Int, visitPause: Double) throws(TorchError) {
        queries = try QueryEncoder(options, items: items, topics: topics)
        head = try DecayHead(inputs: queries.width, options, topicRows: topics, visitPause: visitPause)
    }

    /// What is known of decay before training: the topics' own numbers, and pairs to learn deviations from.
    public struct Decay: Sendable {
        /// Of each row: `log τ` in horizons, shape and floor before their links, `log λ0` in touches a horizon.
        public let rows: [[Double]]
        /// Deviation of `log τ` between pairs.
        public let spread: Double
        /// By pair: the features as they stood at some moment, the row, the mean and the variance of how far its `log τ` lies from
        /// its topic's.
        public let features: [Float]
        public let row: [Int64]
        public let mean: [Float]
        public let variance: [Float]

        public init(
            rows: [[Double]], spread: Double, features: [Float], row: [Int64], mean: [Float], variance: [Float]
        ) {
            (self.rows, self.spread, self.features) = (rows, spread, features)
            (self.row, self.mean, self.variance) = (row, mean, variance)
        }
    }

    /// Takes the topics' numbers, and learns what slow features say of a pair's `log τ`: a normal distribution's mean and spread,
    /// by the cross-entropy to what is known of each pair. Training leaves both.
    public func learn(_ decay: Decay, scaling: FeatureScaling) throws(TorchError) {
        let table = head.topics.weight.value
        try table.overwrite(with: Tensor(decay.rows.flatMap { $0.map { Float($0) } }, shape: table.shape))
        if let bias = head.decayOutput.bias {
            try bias.value.overwrite(with: Tensor([0, Float(Foundation.log(max(0.02, decay.spread)))]))
        }
        guard !decay.row.isEmpty else { return }
        let slow = try scaling.scaled(decay.features).columns(Tensor(DecayHead.slowFeatures))
        let own = try head.topics(Tensor(decay.row)).detached()
        let (mean, variance) = (try Tensor(decay.mean), try Tensor(decay.variance))
        let parameters = head.decay.parameters + head.decayOutput.parameters
        var optimizer = try Optimizer(.adamW(), parameters)
        let size = Self.decayBatch
        let batches = (decay.row.count + size - 1) / size
        let epochs = max(1, Self.decaySteps / batches)
        for epoch in 0..<epochs {
            let rate = 3e-3 * (1 - Double(epoch) / Double(epochs))
            for batch in 0..<batches {
                let rows = batch * size..<min(decay.row.count, (batch + 1) * size)
                try optimizer.clearGradients()
                let (found, logSpread) = try head.deviations(slow.slice(0, rows), own.slice(0, rows))
                let off = try (found - mean.slice(0, rows)).power(2) + variance.slice(0, rows)
                try (logSpread + off * (logSpread * -2).exp() * 0.5).mean().backward()
                try optimizer.step(learningRate: rate)
            }
        }
        try optimizer.clearGradients()
    }

    static let decayBatch = 2_000
    static let decaySteps = 1_000

    /// Nobody is ever gone.
    public func stayForever() throws(TorchError) {
        guard let bias = head.personOutput.bias else { return }
        try bias.value.overwrite(with: Tensor([0, 0, Self.always]))
    }

    /// A floor of presence, before its link, that is 1 to a float.
    private static let always: Float = 30

    /// What training moves: all but decay, which ``learn(_:scaling:)`` finds.
    public var trainable: [(name: String, parameter: Parameter)] {
        parameters.filter { !$0.name.hasPrefix("head.topics.") && !$0.name.hasPrefix("head.decay") }
    }

    /// The parameters of each query's curve: `[queries of the batch, 13]`.
    ///
    /// - Parameter state: the history's state where it is known already, `[1, hidden]`.
    public func curveParameters(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, state: Tensor? = nil, training: Bool
    ) throws(TorchError) -> Tensor {
        try head.curveParameters(
            self.queries(batch, queries, events, state: state, training: training), training: training)
    }

    private func curves(_ parameters: Tensor, _ queries: QueryTensors, _ rows: Tensor) throws(TorchError)
        -> DecayHead.Curves
    {
        try DecayHead.Curves(
            parameters, logOwnSinceTopic: queries.logOwnSinceTopic.rows(rows),
            logElapsedSinceEvent: queries.logElapsedSinceEvent.rows(rows), visitPause: head.visitPause)
    }

    /// The chance of coming back and the degree, each `[queries of the batch]`.
    public func callAsFunction(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, training: Bool
    ) throws(TorchError) -> (returnProbability: Tensor, degree: Tensor) {
        let rows = try Tensor(batch.queries.map(Int64.init))
        let curves = try curves(curveParameters(batch, queries, events, training: training), queries, rows)
        let horizon = try Tensor.full([batch.queries.count], 1)
        let touches = try curves.expectedTouches(within: queries.ownHorizon.rows(rows))
        let chance = try curves.returnProbability(touches, within: horizon)
        return (chance, try curves.degree(chance, touches))
    }

    /// The mean of the log losses of the return within the horizon, of the return within a window drawn for each query, and of
    /// the degree (a share of a success), with what each part of the curve costs that is not the rate's decay.
    public func loss(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, training: Bool
    ) throws(TorchError) -> Tensor {
        let rows = try Tensor(batch.queries.map(Int64.init))
        let encoded = try self.queries(batch, queries, events, training: training)
        let curves = try curves(head.curveParameters(encoded, training: training), queries, rows)
        let loss = try Self.loss(curves, queries, rows)
        return try encoded.penalty.map { penalty throws(TorchError) in try loss + penalty } ?? loss
    }

    /// What explains returns other than by a rate that fades costs a little, so that it is used only where it is needed: in
    /// nats a query.
    static let costOfVisits = 0.005
    static let costOfAbsence = 0.005

    /// The loss of curves for the queries at `rows`.
    private static func loss(
        _ curves: DecayHead.Curves, _ queries: QueryTensors, _ rows: Tensor
    ) throws(TorchError) -> Tensor {
        let horizon = try Tensor.full([rows.count], 1)
        let touches = try curves.expectedTouches(within: queries.ownHorizon.rows(rows))
        let chance = try curves.returnProbability(touches, within: horizon)
        let window = try queries.window.rows(rows)
        let within = try curves.returnProbability(
            curves.expectedTouches(within: queries.ownWindow.rows(rows)), within: window)
        let loss =
            try Loss.binaryCrossEntropy(chance, queries.didReturn.rows(rows))
            + Loss.binaryCrossEntropy(within, queries.didReturnWithin.rows(rows))
            + Loss.binaryCrossEntropy(curves.degree(chance, touches), queries.degree.rows(rows))
        return try loss + curves.visitShare.mean() * costOfVisits - curves.presence.mean() * costOfAbsence
    }
}

extension InterestModel {
    /// Fits the biases of the head's output to queries, all else held: levels of a later time than the weights were learned
    /// from. Decay has none: a half-life is not a level.
    ///
    /// - Returns: the loss before and after.
    @discardableResult
    public func calibrate(
        _ batches: [HistoryBatch], _ queries: QueryTensors, _ events: EventTensors, steps: Int = 150,
        learningRate: Double = 0.02
    ) throws -> (before: Double, after: Double) {
        guard let level = head.levelOutput.bias, let person = head.personOutput.bias, !batches.isEmpty else {
            return (0, 0)
        }
        let rows = try Tensor(batches.flatMap(\.queries).map(Int64.init))
        // Without the biases: they are all that changes.
        let scores = try withoutGradients {
            try Tensor.concatenated(
                batches.map { batch in
                    try head.scores(
                        self.queries(batch, queries, events, training: false), training: false)
                })
        }
        func loss() throws -> Tensor { try Self.loss(curves(scores + head.biases(), queries, rows), queries, rows) }
        var optimizer = try Optimizer(.adam(), [("level", level), ("person", person)])
        let before = try loss().item()
        for _ in 0..<steps {
            try optimizer.clearGradients()
            try loss().backward()
            try optimizer.step(learningRate: learningRate)
        }
        try optimizer.clearGradients()
        return (before, try loss().item())
    }
}
