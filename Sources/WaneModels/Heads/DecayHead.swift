import Foundation
import Torch
import WaneCurves
import WaneState

/// From what is known of a query to its interest curve; see ``InterestCurve`` for what the numbers mean.
///
/// Which part may read what is what tells the parts from one another:
///
/// - the **decay** (`τ`, `p`, `f`) begins at its topic's, fitted beforehand to all people (``TopicRates``), and deviates by the
///   topic's vector and by slow features: how often, how regularly and how deeply the person has touched the topic. Nothing of
///   it moves while one waits, and families differ little in it;
/// - the **rate** right after a touch, the degree and the visit under way read everything, the history's state included;
/// - **presence** reads the person alone, so that it cannot stand in for one topic's decay.
public struct DecayHead: Module {
    let decay: HiddenLayers
    let decayOutput: Linear
    let level: HiddenLayers
    let levelOutput: Linear
    let person: HiddenLayers
    let personOutput: Linear
    /// Of each topic's row: `log τ`, shape and floor before their links, and `log λ0`. Fitted before training, which leaves it.
    let topics: Embedding
    /// The longest half-life of a visit, in horizons.
    let visitPause: Double

    typealias Column = InterestCurve.Parameter

    /// Topics' numbers are kept divided by this, so that a step of training moves them so many times further.
    static let stride = 5.0
    static let decayColumns = 3
    static let topicColumns = 4
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
        decay = try HiddenLayers(inputs: Self.slowFeatures.count + options.topicWidth, narrow)
        decayOutput = try Linear(Self.narrow, Self.decayColumns)
        level = try HiddenLayers(inputs: inputs, options)
        levelOutput = try Linear(options.headWidth, 5)
        person = try HiddenLayers(inputs: Self.personFeatures.count, narrow)
        personOutput = try Linear(Self.narrow, 3)
        topics = try Embedding(topicRows + 1, Self.topicColumns)
        self.visitPause = visitPause
        // Training begins at the topics' own curves.
        for layer in [decayOutput, levelOutput, personOutput] {
            try layer.weight.value.overwrite(with: layer.weight.value.detached() * 0)
            if let bias = layer.bias { try bias.value.overwrite(with: bias.value.detached() * 0) }
        }
        try topics.weight.value.overwrite(with: topics.weight.value.detached() * 0)
    }

    /// What the outputs' weights make of the inputs, without biases: `[Q, 11]`, in the order of ``Column``.
    func scores(_ x: EncodedQueries, training: Bool) throws(TorchError) -> Tensor {
        func output(_ layer: Linear, _ h: Tensor) throws(TorchError) -> Tensor {
            try h.matmul(layer.weight.value.transposed())
        }
        let slow = try Tensor.concatenated([x.features.columns(Tensor(Self.slowFeatures)), x.topic], 1)
        let own = try topics(x.topicRow) * Self.stride
        let decay = try output(decayOutput, self.decay(slow, training: training)) + own.slice(1, 0..<Self.decayColumns)
        let level = try output(levelOutput, self.level(x.x, training: training))
        let presence = try output(
            personOutput, person(x.features.columns(Tensor(Self.personFeatures)), training: training))
        return try Tensor.concatenated(
            [
                decay, level.slice(1, 0..<1) + own.slice(1, Self.decayColumns..<Self.topicColumns),
                level.slice(1, 1..<3),
                presence, level.slice(1, 3..<5),
            ], 1)
    }

    /// The outputs' biases, in the order of ``Column``: `[11]`.
    func biases() throws(TorchError) -> Tensor {
        guard let decay = decayOutput.bias?.value, let level = levelOutput.bias?.value,
            let presence = personOutput.bias?.value
        else { return try Tensor.zeros([Column.allCases.count]) }
        return try Tensor.concatenated([decay, level.slice(0, 0..<3), presence, level.slice(0, 3..<5)], 0)
    }

    /// The parameters of curves, before what makes logits shares and logarithms times; returns `[Q, 11]`.
    func curveParameters(_ x: EncodedQueries, training: Bool) throws(TorchError) -> Tensor {
        try scores(x, training: training) + biases()
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
        private let visitHalfLife: Tensor
        private let sinceTopic: Tensor
        /// What is left of the visit.
        private let visit: Tensor

        /// - Parameters:
        ///   - parameters: `[Q, 11]`.
        ///   - logElapsedSinceTopic, logElapsedSinceEvent: `[Q]`, logarithms of horizons.
        init(
            _ parameters: Tensor, logElapsedSinceTopic: Tensor, logElapsedSinceEvent: Tensor, visitPause: Double
        ) throws(TorchError) {
            typealias Start = InterestCurve.Start
            let c = try parameters.unbound(1)
            func column(_ column: Column) -> Tensor { c[column.rawValue] }
            logTimeScale = column(.timeScale)
            shape = try (column(.shape) + Start.shape).softplus() + Start.smallestShape
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
            visitHalfLife = try (-(column(.visitHalfLife).softplus())).exp() * visitPause
            sinceTopic = try logElapsedSinceTopic.exp()
            let sinceEvent = try logElapsedSinceEvent.exp() - InterestCurve.smallestTime
            visit = try (sinceEvent / visitHalfLife * -Foundation.log(2)).exp()
        }

        /// Touches to be expected within a window, in horizons, the person being around: `[Q]`.
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
            let ends = try (window / visitHalfLife * -Foundation.log(2)).exp() * -1 + 1
            let notByVisit = try visitShare * visit * ends * -1 + 1
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
