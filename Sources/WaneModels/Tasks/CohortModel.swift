import Foundation
import Torch
import WaneBaselines
import WaneTasks

/// How often a person comes back within a span: a deep correction of BG/NBD.
///
/// A zero-inflated negative binomial over counts, whose chance of being gone, mean and size start from BG/NBD's own
/// answer and move with what the family reads of the history and with the person's place among customers:
///
///     P(n) = gone [n = 0] + (1 - gone) NB(n; mean, size)
///
/// Source of the distribution: Lambert, Technometrics 34 (1992), for Poisson; Greene 1994 for this one.
public struct CohortModel: Module {
    /// Numbers of each question beside its query's vector; see ``CohortTensors``.
    static let extraWidth = 14

    public let queries: QueryEncoder
    let layers: HiddenLayers
    let output: Linear

    public var readsHistory: Bool { queries.readsHistory }
    public var options: ModelOptions { queries.options }

    public init(_ options: ModelOptions, items: Int, topics: Int) throws(TorchError) {
        queries = try QueryEncoder(options, items: items, topics: topics)
        layers = try HiddenLayers(inputs: queries.width + Self.extraWidth, options)
        output = try Linear(options.headWidth, 3)
        // Begins as BG/NBD itself.
        try output.weight.value.overwrite(with: output.weight.value * 0.05)
    }

    /// The logit of being gone, and the logarithms of the count's mean and size, each `[questions]`.
    func distribution(
        _ batch: HistoryBatch, _ inputs: CohortTensors, _ events: EventTensors, training: Bool
    ) throws(TorchError) -> (goneLogit: Tensor, logMean: Tensor, logSize: Tensor, penalty: Tensor?) {
        let places = try Tensor(batch.queries.map(Int64.init))
        let encoded = try queries(batch, inputs.queries, events, training: training)
        let x = try Tensor.concatenated([encoded.x, inputs.extra.rows(places)], 1)
        let z = try output(layers(x, training: training))
        return (
            try z.select(1, 0) + inputs.goneLogit.rows(places), try z.select(1, 1) + inputs.logMean.rows(places),
            try z.select(1, 2), encoded.penalty
        )
    }

    /// The mean negative log likelihood of the counts.
    public func loss(
        _ batch: HistoryBatch, _ inputs: CohortTensors, _ events: EventTensors, training: Bool
    ) throws(TorchError) -> Tensor {
        let c = try distribution(batch, inputs, events, training: training)
        let n = try inputs.counts.rows(Tensor(batch.queries.map(Int64.init)))
        let (mean, size) = (try c.logMean.exp(), try c.logSize.exp())
        let logTotal = try (mean + size).log()
        let logStays = try (-c.goneLogit).logSigmoid()
        let none = try size * (c.logSize - logTotal)
        // log(gone + stays P(0)), and the count's own term where there is one.
        let zero = try Tensor.stacked([c.goneLogit.logSigmoid(), logStays + none], 1).logSumExp(1)
        let some =
            try logStays + (n + size).logGamma() - size.logGamma() - (n + 1).logGamma() + none
            + n * (c.logMean - logTotal)
        let came = try n.above(0.5)
        let loss = try -((zero + came * (some - zero)).mean())
        return try c.penalty.map { penalty throws(TorchError) in try loss + penalty } ?? loss
    }

    /// The chance of each count from 0 to `limit - 1`, `[questions, limit]`, and the mean.
    public func probabilities(
        _ batch: HistoryBatch, _ inputs: CohortTensors, _ events: EventTensors, limit: Int
    ) throws(TorchError) -> (chances: [Float], mean: [Float]) {
        try withoutGradients { () throws(TorchError) in
            let c = try distribution(batch, inputs, events, training: false)
            let (mean, size) = (try c.logMean.exp(), try c.logSize.exp())
            let logTotal = try (mean + size).log()
            let stays = try (-c.goneLogit).sigmoid()
            var columns: [Tensor] = []
            var logFactorials = [0.0]
            for count in 1..<max(2, limit) {
                logFactorials.append(logFactorials[count - 1] + Foundation.log(Double(count)))
            }
            for count in 0..<limit {
                let n = Double(count)
                let constant = logFactorials[count]
                let log =
                    try (size + n).logGamma() - size.logGamma() + size * (c.logSize - logTotal)
                    + (c.logMean - logTotal) * n - constant
                let chance = try stays * log.exp()
                columns.append(count == 0 ? try chance + c.goneLogit.sigmoid() : chance)
            }
            return (try Tensor.stacked(columns, 1).values(), try (stays * mean).values())
        }
    }
}

/// Questions about a cohort as tensors.
public struct CohortTensors {
    let queries: QueryTensors
    let extra: Tensor
    let goneLogit: Tensor
    let logMean: Tensor
    let counts: Tensor

    /// - Parameters:
    ///   - classics: BG/NBD and Pareto/NBD as fitted at the questions' own moment.
    public init(
        _ questions: [CohortTask.Question], _ queries: QueryTensors, classics: [CohortClassic]
    ) throws(TorchError) {
        self.queries = queries
        var extra: [Float] = []
        var (odds, means, counts) = ([Float](), [Float](), [Float]())
        let week = 7 * 86_400e6
        for (question, model) in zip(questions, classics) {
            let c = question.customer
            let ahead = Double(question.ahead) / week
            let age = max(c.t, 0.5)
            let alive = min(1 - 1e-4, max(1e-4, model.bg.alive(c)))
            let expected = max(1e-4, model.bg.expectedPurchases(c, ahead: ahead))
            let returns = min(1 - 1e-4, max(1e-4, model.bg.returns(c, ahead: ahead)))
            let pareto = min(1 - 1e-4, max(1e-4, model.pareto.returns(c, ahead: ahead)))
            let paretoMean = max(1e-4, model.pareto.expectedPurchases(c, ahead: ahead))
            let silent = c.t - c.tx
            extra.append(contentsOf: [
                Float(log1p(c.x)), Float(c.tx / age), Float(silent / age), Float(log(ahead / age)),
                Float(question.lastInterval / age), Float(log(returns / (1 - returns))), Float(log(expected)),
                Float(log(pareto / (1 - pareto))), Float(log(paretoMean)), c.x > 0 ? 1 : 0,
                Float(c.x > 0 ? log((silent + 0.5) / (c.tx / c.x + 0.5)) : 0), Float(log(age) - 3),
                Float(c.x > 1 ? log((silent + 0.5) / (question.lastInterval + 0.5)) : 0),
                Float(log(alive / (1 - alive))),
            ])
            odds.append(Float(log((1 - alive) / alive)))
            means.append(Float(log(expected / alive)))
            counts.append(Float(question.count))
        }
        self.extra = try Tensor(extra, shape: [questions.count, CohortModel.extraWidth])
        goneLogit = try Tensor(odds)
        logMean = try Tensor(means)
        self.counts = try Tensor(counts)
    }
}
