import Foundation
import Torch
import WaneCurves
import WaneState

/// What moves a question's answer away from that of an ordinary one, by integrated gradients (Sundararajan et al. 2017).
///
/// The answer is the logit of the chance of coming back. The ordinary question has the training part's mean features, no
/// circumstances, events without anything in them, its last touch and last event a horizon ago, and hours that all count alike; the topic stays. Along the
/// straight line from there to the question each input is credited with the integral of its slope, so that all credits add up to the
/// difference of both answers (completeness).
public struct InterestAttribution: Sendable {
    /// Logits of the chance at both ends.
    public let ordinary: Double
    public let actual: Double
    /// By ``FeatureSchema/lastEventNames``.
    public let features: [Double]
    /// What is due to how long ago the last touch of the topic, and the last event, are.
    public let sinceTopic: Double
    public let sinceEvent: Double
    /// What is due to how much of the horizon counts in the person's own hours.
    public let season: Double
    /// What is due to how often the person came back to the topic, against what its own rate would have brought.
    public let rate: Double
    /// Nothing where causes are not measured.
    public let causes: ByCause<Double>?
    /// By the events that were read, oldest first; none for families that read none. Where several questions were asked at once, all of
    /// them together.
    public let events: [Double]
    /// Whether the credits are all that there are: of questions asked at once that read one history, those of its events are not known.
    public let isComplete: Bool

    public var total: Double {
        let byCause = causes.map { causes in Cause.allCases.reduce(0.0) { $0 + causes[$1] } } ?? 0
        return features.reduce(0, +) + sinceTopic + sinceEvent + season + rate + events.reduce(0, +) + byCause
    }

    /// How far the credits are from the difference that they share out, as a share of it; differences below a twentieth count as
    /// one.
    public var completenessError: Double? {
        isComplete ? abs(total - (actual - ordinary)) / max(0.05, abs(actual - ordinary)) : nil
    }
}

extension InterestModel {
    /// - Parameters:
    ///   - row: the only question whose events are to be credited, in a batch of one stretch; all questions, and no events, when
    ///     absent.
    ///   - steps: at how many places of the line slopes are taken.
    /// - Complexity: `steps` passes forward and back.
    public func integratedGradients(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, row: Int? = nil, steps: Int = 50
    ) throws -> [InterestAttribution] {
        let count = batch.queries.count
        let rows = try Tensor(batch.queries.map(Int64.init))
        let whole = try withoutGradients {
            try self.queries.inputs(batch, queries, events, training: false)
        }
        let sinceTopic = try queries.logOwnSinceTopic.rows(rows)
        let sinceEvent = try queries.logElapsedSinceEvent.rows(rows)
        let chosen = try Tensor((0..<count).map { row == nil || row == $0 ? Float(1) : 0 })
        let horizon = try Tensor.full([count], 1)
        let logOwnHorizon = try queries.ownHorizon.rows(rows).log()
        guard let rates = whole.rates else {
            throw TorchError(operation: "integrated gradients", message: "needs the rates of the questions' pairs")
        }

        /// The inputs at a place of the line, each asking for its slope where there are some to be taken.
        func inputs(at place: Double, takesSlopes: Bool) throws -> (inputs: QueryInputs, leaves: [Tensor]) {
            func leaf(_ x: Tensor) throws -> Tensor {
                let scaled = try (x * place).detached()
                try scaled.setRequiresGradient(takesSlopes)
                return scaled
            }
            var inputs = whole
            var leaves = [
                try leaf(sinceTopic), try leaf(sinceEvent), try leaf(logOwnHorizon), try leaf(whole.features),
                try leaf(rates),
            ]
            inputs.features = leaves[3]
            inputs.rates = leaves[4]
            if let causes = whole.causes {
                let own = try leaf(causes)
                inputs.causes = own
                leaves.append(own)
            }
            if let history = whole.history {
                let own = try leaf(history.events.data)
                inputs.history = history.with(own)
                leaves.append(own)
            }
            return (inputs, leaves)
        }
        func logits(_ inputs: QueryInputs, _ leaves: [Tensor]) throws -> Tensor {
            let encoded = try self.queries.encoded(inputs, batch, training: false)
            let curves = try DecayHead.Curves(
                head.curveParameters(encoded, tracesDecay: true, training: false), logOwnSinceTopic: leaves[0],
                logElapsedSinceEvent: leaves[1], visitPause: head.visitPause)
            let chance = try curves.returnProbability(curves.expectedTouches(within: leaves[2].exp()), within: horizon)
            return try chance.log() - (chance * -1 + 1).log()
        }
        func ends(_ place: Double) throws -> [Float] {
            try withoutGradients {
                let (inputs, leaves) = try inputs(at: place, takesSlopes: false)
                return try logits(inputs, leaves).values()
            }
        }
        var sums: [Tensor] = []
        for step in 0..<steps {
            let (inputs, leaves) = try inputs(at: (Double(step) + 0.5) / Double(steps), takesSlopes: true)
            try (logits(inputs, leaves) * chosen).sum().backward()
            for (place, leaf) in leaves.enumerated() {
                let slope = try leaf.gradient() ?? Tensor.zeros(leaf.shape)
                if step == 0 { sums.append(slope) } else { sums[place] = try sums[place] + slope }
            }
        }
        for (_, parameter) in parameters { try parameter.value.clearGradient() }
        let share = 1 / Double(steps)
        func credits(_ x: Tensor, _ sum: Tensor) throws -> [Float] { try (x * sum * share).values() }
        let (byTopic, byEvent) = (try credits(sinceTopic, sums[0]), try credits(sinceEvent, sums[1]))
        let bySeason = try credits(logOwnHorizon, sums[2])
        let byFeature = try credits(whole.features, sums[3])
        let byCause = try whole.causes.map { try credits($0, sums[5]) }
        let byRate = try credits(rates, sums[4])
        var byEventRow: [Double] = []
        if let history = whole.history, let sum = sums.last {
            byEventRow = try (history.events.data * sum * share).sum(1).values(Float.self).map(Double.init)
        }
        /// How many of the batch's questions read each stretch.
        var readers = [Int](repeating: 0, count: batch.layout.lengths.count)
        for question in batch.questions { readers[question.sequence] += 1 }
        func ofEvents(_ own: Int) -> (credits: [Double], isComplete: Bool) {
            guard whole.history != nil else { return ([], true) }
            let question = batch.questions[own]
            guard row != nil || readers[question.sequence] == 1 else { return ([], false) }
            let credits = (0...question.step).map {
                byEventRow[batch.layout.packed.row(sequence: question.sequence, step: $0)]
            }
            return (row == nil ? [credits.reduce(0, +)] : credits, true)
        }
        let (ordinary, actual) = (try ends(0), try ends(1))
        let width = FeatureSchema.lastEventCount
        /// A cause's measure, what it adds to `log τ`, and the variance of that.
        func ofCauses(_ own: Int) -> ByCause<Double>? {
            guard let byCause else { return nil }
            return ByCause { cause in
                let first = own * CauseEffects.width + cause.index
                return Double(byCause[first]) + Double(byCause[first + 4]) + Double(byCause[first + 8])
            }
        }
        return (0..<count).filter { row == nil || row == $0 }.map { own in
            let events = ofEvents(own)
            return InterestAttribution(
                ordinary: Double(ordinary[own]), actual: Double(actual[own]),
                features: byFeature[own * width..<(own + 1) * width].map(Double.init),
                sinceTopic: Double(byTopic[own]), sinceEvent: Double(byEvent[own]), season: Double(bySeason[own]),
                rate: Double(byRate[own]),
                causes: ofCauses(own),
                events: events.credits, isComplete: events.isComplete)
        }
    }

    /// The weights that a family with attention gives to the events before the questions of a batch of one stretch, oldest first and
    /// adding up to 1: the mean over heads of its last layer that attends. Nothing for other families.
    public func attention(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, row: Int
    ) throws -> [Double]? {
        try withoutGradients {
            var inputs = try self.queries.inputs(batch, queries, events, training: false)
            guard var history = inputs.history else { return nil }
            let record = AttentionRecord()
            history.attention = record
            inputs.history = history
            _ = try self.queries.encoded(inputs, batch, training: false)
            guard let last = record.weights.last else { return nil }
            let step = batch.questions[row].step
            var weights: [Float]
            if last.shape.count == 4 {
                // [1, heads, L, L]: the row of the question's own event.
                weights = try last.select(0, 0).mean(0).select(0, step).slice(0, 0..<step + 1).values()
            } else {
                // [N, M]: windows that end with the question's event.
                let window = last.shape[1]
                let own: [Float] = try last.select(0, row).values()
                let read = min(window, step + 1)
                weights = [Float](repeating: 0, count: step + 1 - read) + own.suffix(read)
            }
            let sum = weights.reduce(0) { $0 + abs($1) }
            if sum > 0 { weights = weights.map { $0 / sum } }
            return weights.map(Double.init)
        }
    }
}
