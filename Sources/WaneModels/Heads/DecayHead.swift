import Foundation
import Torch
import WaneCurves
import WaneState

/// From what is known of a query to its interest curve; see ``InterestCurve`` for what the numbers mean.
///
/// Which part may read what is what tells the parts from one another:
///
/// - the **decay** (`τ`, `p`, `f`) is its topic's, fitted beforehand to the times between all people's touches (`RenewalFit`); `τ`
///   deviates by slow features: how often, how regularly and how deeply the person has touched the topic. It is learned from what
///   the fit found of each pair, before all else, which leaves it: chances of a return at one moment would take differences
///   between people, and their leaving, for decay. Nothing of it moves while one waits, and families differ little in it;
/// - the **rate** right after a touch, the degree and the visit under way read everything, the history's state included;
/// - **presence** reads the person alone, so that it cannot stand in for one topic's decay.
public struct DecayHead: Module {
    let decay: HiddenLayers
    let decayOutput: Linear
    /// How the curve beyond its half-life deviates.
    let tail: HiddenLayers
    let tailOutput: Linear
    let level: HiddenLayers
    let levelOutput: Linear
    let person: HiddenLayers
    let personOutput: Linear
    /// Of each topic's row: `log τ`, shape and floor before their links, and `log λ0`.
    let topics: Embedding
    /// The longest half-life of a visit, in horizons.
    let visitPause: Double
    /// What circumstances add to the first layer of the level, `[headWidth, 4]`, where causes multiply half-lives. They begin at nothing, so that
    /// a log in which no cause moves anything gives the network that it gives without them.
    let circumstances: Linear?
    /// How far a pair's own rate counts beyond what Bayes's rule makes of it, `[1, 1]`: begins at nothing.
    let ownRate: Linear

    typealias Column = InterestCurve.Parameter

    static let topicColumns = 4
    /// How far shape and floor may deviate, before their links.
    static let mostBend = 2.0
    /// Width of the layers of decay and presence.
    static let narrow = 32

    static let slowFeatures = columns(FeatureSchema.slowNames)
    static let personFeatures = columns(
        ["log_events", "log_person_age", "log_person_visits", "person_engagement", "log_topics_met"]
            + FeatureSchema.lastEventNames.filter { $0.hasPrefix("person_count") })

    private static func columns(_ names: [String]) -> [Int64] {
        names.compactMap { FeatureSchema.lastEventIndex($0).map(Int64.init) }
    }

    /// - Parameters:
    ///   - inputs: numbers in a query's whole vector.
    ///   - topicRows: rows of topics, the unknown one's at 0.
    ///   - visitPause: in horizons.
    init(inputs: Int, _ options: ModelOptions, topicRows: Int, visitPause: Double) throws(TorchError) {
        var narrow = options
        narrow.headWidth = Self.narrow
        decay = try HiddenLayers(inputs: Self.slowFeatures.count + Self.topicColumns, narrow)
        decayOutput = try Linear(Self.narrow, 2)
        tail = try HiddenLayers(inputs: Self.slowFeatures.count + options.topicWidth, narrow)
        tailOutput = try Linear(Self.narrow, 2)
        level = try HiddenLayers(inputs: inputs, options)
        levelOutput = try Linear(options.headWidth, 6)
        ownRate = try Linear(zeros: 1, 1)
        person = try HiddenLayers(inputs: Self.personFeatures.count, narrow)
        personOutput = try Linear(Self.narrow, 3)
        topics = try Embedding(topicRows + 1, Self.topicColumns)
        self.visitPause = visitPause
        circumstances =
            ModelFamilies.named(options.family)?.measuresCauses == true
            ? try Linear(zeros: Cause.allCases.count, options.headWidth) : nil
        // Training begins at the topics' own curves.
        for layer in [decayOutput, tailOutput, levelOutput, personOutput] {
            try layer.weight.value.overwrite(with: layer.weight.value.detached() * 0)
            if let bias = layer.bias { try bias.value.overwrite(with: bias.value.detached() * 0) }
        }
        try topics.weight.value.overwrite(with: topics.weight.value.detached() * 0)
    }

    /// How far pairs' `log τ` lie from their topics', and the logarithm of how far those of which the same is known lie apart: each
    /// `[N]`.
    ///
    /// - Parameters:
    ///   - slow: `[N, slow features]`, scaled.
    ///   - own: numbers of their topics, `[N, 4]`.
    func deviations(_ slow: Tensor, _ own: Tensor) throws(TorchError) -> (mean: Tensor, logSpread: Tensor) {
        let inputs = try Tensor.concatenated([slow, (own * 0.5).clamped(-6, 6)], 1)
        let output = try decayOutput(decay(inputs, training: false)).unbound(1)
        return (output[0], try output[1].clamped(-4, 1))
    }

    /// What the outputs' weights make of the inputs, without the biases of levels and of presence: `[Q, 13]`, in the order of
    /// ``Column``.
    ///
    /// - Parameter tracesDecay: whether gradients pass through the decay, for those who ask what it reads; training leaves it.
    func scores(_ x: EncodedQueries, tracesDecay: Bool = false, training: Bool) throws(TorchError) -> Tensor {
        func output(_ layer: Linear, _ h: Tensor) throws(TorchError) -> Tensor {
            try h.matmul(layer.weight.value.transposed())
        }
        let own = try topics(x.topicRow).detached()
        let slow = try x.features.columns(Tensor(Self.slowFeatures))
        var (mean, logSpread) =
            try tracesDecay
            ? deviations(slow, own) : withoutGradients { () throws(TorchError) in try deviations(slow, own) }
        guard let pair = x.rates else {
            throw TorchError(operation: "decay head", message: "needs the rates of its questions' pairs")
        }
        var others: Tensor?
        if let circumstances {
            guard let causes = x.causes else {
                throw TorchError(operation: "decay head", message: "needs the causes of its questions measured")
            }
            let count = Cause.allCases.count
            mean = try mean + causes.slice(1, count..<2 * count).sum(1)
            // What is not known of a person's sensitivities lies beside what pairs deviate by.
            logSpread = try ((logSpread * 2).exp() + causes.slice(1, 2 * count..<3 * count).sum(1)).log() * 0.5
            others = try circumstances(causes.slice(1, 0..<count))
        }
        let decay = try Self.bent(
            own.slice(1, 0..<3), mean,
            by: tailOutput(tail(Tensor.concatenated([slow, x.topic], 1), training: training)))
        let level = try output(levelOutput, self.level(x.x, adding: others, training: training))
        let presence = try output(
            personOutput, person(x.features.columns(Tensor(Self.personFeatures)), training: training))
        let rate = try own.slice(1, 3..<4) + pair + ownRate(pair)
        return try Tensor.concatenated(
            [
                decay, level.slice(1, 0..<1) + rate, level.slice(1, 1..<3),
                presence, level.slice(1, 3..<6), logSpread.unsqueezed(1),
            ], 1)
    }

    /// A raw output as a shape: ``InterestCurve/shape(_:)``.
    private static func shape(_ raw: Tensor) throws(TorchError) -> Tensor {
        try (raw + InterestCurve.Start.shape).softplus() + InterestCurve.Start.smallestShape
    }

    /// Decay with a shape and a floor that deviate while its half-life stays: `[Q, 3]`. What does not halve stays as it is.
    ///
    /// - Parameters:
    ///   - own: the topics' numbers, and `mean` how far `log τ` lies from theirs.
    ///   - deviations: `[Q, 2]`.
    static func bent(_ own: Tensor, _ mean: Tensor, by deviations: Tensor) throws(TorchError) -> Tensor {
        typealias Start = InterestCurve.Start
        let (o, d) = (try own.unbound(1), try (deviations.tanh() * mostBend).unbound(1))
        let floor = try (o[2] + Start.floor).sigmoid()
        let isHalving = try (floor * -1).above(-0.499)
        let share = try (floor * 2).clamped(1e-4, 1 - 1e-3)
        // log(h / τ) = log(1 / (1 - 2 f)) / p
        let logHalfLife = try o[0] + mean - (share * -1 + 1).log() / shape(o[1])
        let bentShare = try (share.log() - (share * -1 + 1).log() + d[1]).sigmoid().clamped(1e-4, 1 - 1e-3)
        let bentShape = try o[1] + d[0]
        let time = try logHalfLife + (bentShare * -1 + 1).log() / shape(bentShape)
        let half = try bentShare * 0.5
        let rawFloor = try half.log() - (half * -1 + 1).log() - Start.floor
        func chosen(_ bent: Tensor, _ own: Tensor) throws(TorchError) -> Tensor {
            try own + isHalving * (bent - own)
        }
        return try Tensor.stacked(
            [chosen(time, o[0] + mean), chosen(bentShape, o[1]), chosen(rawFloor, o[2])], 1)
    }

    /// Those biases, in the order of ``Column``: `[13]`.
    func biases() throws(TorchError) -> Tensor {
        guard let level = levelOutput.bias?.value, let presence = personOutput.bias?.value else {
            return try Tensor.zeros([Column.allCases.count])
        }
        return try Tensor.concatenated(
            [Tensor.zeros([3]), level.slice(0, 0..<3), presence, level.slice(0, 3..<6), Tensor.zeros([1])], 0)
    }

    /// The parameters of curves, before what makes logits shares and logarithms times; returns `[Q, 13]`.
    func curveParameters(_ x: EncodedQueries, tracesDecay: Bool = false, training: Bool) throws(TorchError) -> Tensor {
        try scores(x, tracesDecay: tracesDecay, training: training) + biases()
    }

    /// Curves as tensors, at the queries' elapsed times.
    struct Curves {
        private let logTimeScale: Tensor
        private let shape: Tensor
        let floor: Tensor
        private let rate: Tensor
        private let degreeLevel: Tensor
        private let degreeSlope: Tensor
        let presence: Tensor
        let visitShare: Tensor
        private let logVisitHalfLife: Tensor
        private let visitShape: Tensor
        /// In the person's own hours, where they are followed.
        private let sinceTopic: Tensor
        /// The chance that the visit lasts until now.
        private let visit: Tensor

        /// - Parameters:
        ///   - parameters: `[Q, 13]`.
        ///   - logOwnSinceTopic, logElapsedSinceEvent: `[Q]`, logarithms of horizons.
        init(
            _ parameters: Tensor, logOwnSinceTopic: Tensor, logElapsedSinceEvent: Tensor, visitPause: Double
        ) throws(TorchError) {
            typealias Start = InterestCurve.Start
            let c = try parameters.unbound(1)
            func column(_ column: Column) -> Tensor { c[column.rawValue] }
            logTimeScale = column(.timeScale)
            shape = try DecayHead.shape(column(.shape))
            floor = try (column(.floor) + Start.floor).sigmoid()
            rate = try column(.rate).clamped(Start.logRates.lowerBound, Start.logRates.upperBound).exp()
            degreeLevel = column(.degreeLevel)
            degreeSlope = try column(.degreeSlope).softplus()
            let presenceShape = try column(.presenceShape).softplus() + Start.smallestPresenceShape
            let around = try
                (presenceShape * (column(.presenceHalfLife) + Start.presenceHalfLife - logElapsedSinceEvent)).sigmoid()
            let always = try (column(.presenceFloor) + Start.presenceFloor).sigmoid()
            presence = try always + around - always * around
            visitShare = try (column(.visitShare) + Start.visitShare).sigmoid()
            logVisitHalfLife = try -(column(.visitHalfLife).softplus()) + Foundation.log(visitPause)
            visitShape = try column(.visitShape).softplus() + Start.smallestVisitShape
            sinceTopic = try logOwnSinceTopic.exp()
            visit = try (visitShape * (logVisitHalfLife - logElapsedSinceEvent)).sigmoid()
        }

        /// Touches to be expected within a window, in horizons of the person's own hours, the person being around: `[Q]`.
        func expectedTouches(within window: Tensor) throws(TorchError) -> Tensor {
            let nodes = try Tensor(InterestCurve.rule.map { Float($0.node) })
            let weights = try Tensor(InterestCurve.rule.map { Float($0.weight) })
            let times = try (sinceTopic.unsqueezed(1) + window.unsqueezed(1) * nodes).log()
            // 1 / (1 + (d / τ)^p) = sigmoid(p (log τ - log d))
            let retention = try (shape.unsqueezed(1) * (logTimeScale.unsqueezed(1) - times)).sigmoid()
            let left = try (retention * weights).sum(1)
            return try rate * window * (floor + left - floor * left)
        }

        /// The chance of coming back within a window in which so many touches are expected: `[Q]`.
        func returnProbability(_ touches: Tensor, within window: Tensor) throws(TorchError) -> Tensor {
            let beyond = try (visitShape * (logVisitHalfLife - window.log())).sigmoid()
            let notByVisit = try visitShare * visit * (beyond - 1) + 1
            let notByRate = try ((-touches).exp() - 1) * presence + 1
            return try (notByVisit * notByRate * -1 + 1).clamped(1e-6, 1 - 1e-6)
        }

        /// The degree where a return has this chance. It follows the rate and does not move it: `[Q]`.
        func degree(_ chance: Tensor, _ touches: Tensor) throws(TorchError) -> Tensor {
            let share = try degreeLevel + degreeSlope * (touches.detached() + 1e-6).log()
            return try (chance.detached() * share.sigmoid()).clamped(1e-6, 1 - 1e-6)
        }
    }
}
