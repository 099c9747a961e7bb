import Foundation

/// One person's interest in one topic from a moment on, while nothing happens: a dozen numbers, computed once an event
/// and then asked for any moment without tensors.
///
/// With elapsed times `g` since the last touch of the topic and `v` since the person's last event,
///
///     retention(d; τ, p) = 1 / (1 + (d / τ)^p)
///     I = a (f + (1 - f) · retention(g; τ, p) · (k retention(v; ν, q) + (1 - k) retention(v; υ, s)))
///
/// taken once for the chance of coming back within the horizon and once for the interest degree.
public struct InterestCurve: Sendable, Equatable, Codable {
    /// What a model gives for each query, before logits become shares and logarithms times.
    public enum Parameter: Int, CaseIterable, Sendable {
        case returnAmplitude, returnFloor, degreeAmplitude, degreeFloor, halfLife, shape, habitHalfLife, habitShape,
            visitHalfLife, visitShape, visitShare
    }

    /// Times are in horizons; this keeps the logarithm finite right after a touch.
    public static let smallestTime = 1e-5
    public static let smallestShape = 0.2
    /// Where training starts from: nearly all interest fades; habits last for some horizons, visits for a
    /// small part of one. Half-lives are logarithms of horizons.
    public static let startingFloor = -5.0
    public static let startingHabitHalfLife = 2.0
    public static let startingVisitHalfLife = -6.0
    public static let startingVisitShare = -2.0

    /// The chance of coming back, and the degree, right after a touch.
    public let returnAmplitude: Double
    public let degreeAmplitude: Double
    /// The shares of them that never fade.
    public let returnFloor: Double
    public let degreeFloor: Double
    /// Seconds, and the shape without unit: of the topic, of the person's habit, and of the visit under way.
    public let topicHalfLife: Double
    public let topicShape: Double
    public let habitHalfLife: Double
    public let habitShape: Double
    public let visitHalfLife: Double
    public let visitShape: Double
    /// The visit's share of the person's part; the habit has the rest.
    public let visitShare: Double
    /// Seconds since the last touch of the topic and since the person's last event, at the moment.
    public let elapsedSinceTopic: Double
    public let elapsedSinceEvent: Double
    /// Seconds.
    public let horizon: Double

    /// - Parameters:
    ///   - parameters: a model's raw outputs, in the order of ``Parameter``.
    ///   - elapsedSinceTopic, elapsedSinceEvent, horizon: seconds.
    public init(
        _ parameters: some Collection<Float>, elapsedSinceTopic: Double, elapsedSinceEvent: Double, horizon: Double
    ) {
        let c = parameters.map(Double.init)
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        func value(_ parameter: Parameter) -> Double {
            c.indices.contains(parameter.rawValue) ? c[parameter.rawValue] : 0
        }
        returnAmplitude = sigmoid(value(.returnAmplitude))
        degreeAmplitude = sigmoid(value(.degreeAmplitude))
        returnFloor = sigmoid(value(.returnFloor) + Self.startingFloor)
        degreeFloor = sigmoid(value(.degreeFloor) + Self.startingFloor)
        topicHalfLife = exp(value(.halfLife)) * horizon
        habitHalfLife = exp(value(.habitHalfLife) + Self.startingHabitHalfLife) * horizon
        visitHalfLife = exp(value(.visitHalfLife) + Self.startingVisitHalfLife) * horizon
        func shape(_ parameter: Parameter) -> Double {
            let x = value(parameter)
            return (x > 30 ? x : log1p(exp(x))) + Self.smallestShape
        }
        topicShape = shape(.shape)
        habitShape = shape(.habitShape)
        visitShape = shape(.visitShape)
        visitShare = sigmoid(value(.visitShare) + Self.startingVisitShare)
        self.elapsedSinceTopic = elapsedSinceTopic
        self.elapsedSinceEvent = elapsedSinceEvent
        self.horizon = horizon
    }

    /// A chance that falls from one value to another in a time, and goes on so: of what has not begun, there is no touch to count
    /// from.
    ///
    /// - Parameters:
    ///   - chance, degree: now; `later` is the chance `span` seconds on.
    public init(chance: Double, later: Double, after span: Double, degree: Double, horizon: Double) {
        returnAmplitude = chance
        degreeAmplitude = degree
        // retention(d) = 1 / (1 + d / tau) passes through both; what does not fall stays.
        let ratio = chance > 0 ? later / chance : 1
        let falls = ratio < 1
        returnFloor = falls ? 0 : 1
        degreeFloor = falls ? 0 : 1
        topicHalfLife = falls ? max(1e-3 * horizon, span * ratio / (1 - ratio)) : Self.longest
        topicShape = 1
        (habitHalfLife, visitHalfLife) = (1e6 * Self.longest, 1e6 * Self.longest)
        (habitShape, visitShape, visitShare) = (1, 1, 0)
        (elapsedSinceTopic, elapsedSinceEvent) = (0, 0)
        self.horizon = horizon
    }

    private func retention(_ elapsed: Double, _ halfLife: Double, _ shape: Double) -> Double {
        1 / (1 + pow((elapsed + Self.smallestTime * horizon) / halfLife, shape))
    }

    /// What is left, after a time, of the part that fades: 1 right after a touch.
    ///
    /// - Parameter elapsed: seconds after the moment; before it counts as at it.
    public func retention(after elapsed: Double) -> Double {
        let elapsed = max(0, elapsed)
        let person = elapsedSinceEvent + elapsed
        return retention(elapsedSinceTopic + elapsed, topicHalfLife, topicShape)
            * (visitShare * retention(person, visitHalfLife, visitShape)
                + (1 - visitShare) * retention(person, habitHalfLife, habitShape))
    }

    /// The interest degree `elapsed` seconds after the moment.
    public func degree(after elapsed: Double) -> Double {
        degreeAmplitude * (degreeFloor + (1 - degreeFloor) * retention(after: elapsed))
    }

    /// The chance of coming back within the horizon that begins `elapsed` seconds after the moment.
    public func returnProbability(after elapsed: Double) -> Double {
        returnAmplitude * (returnFloor + (1 - returnFloor) * retention(after: elapsed))
    }

    /// Seconds from the moment until the part that decays has lost half; a thousand years at most.
    public var halfLife: Double {
        let half = retention(after: 0) / 2
        return time { retention(after: $0) <= half } ?? Self.longest
    }

    /// Seconds from the moment until the chance of coming back passes below `level`: 0 when it already has,
    /// nothing when it never does.
    public func lapse(below level: Double) -> Double? {
        if returnProbability(after: 0) < level { return 0 }
        return time { returnProbability(after: $0) < level }
    }

    /// The same curve seen from a later moment.
    public func seen(after elapsed: Double) -> InterestCurve {
        InterestCurve(self, after: max(0, elapsed))
    }

    private init(_ other: InterestCurve, after elapsed: Double) {
        returnAmplitude = other.returnAmplitude
        degreeAmplitude = other.degreeAmplitude
        returnFloor = other.returnFloor
        degreeFloor = other.degreeFloor
        topicHalfLife = other.topicHalfLife
        topicShape = other.topicShape
        habitHalfLife = other.habitHalfLife
        habitShape = other.habitShape
        visitHalfLife = other.visitHalfLife
        visitShape = other.visitShape
        visitShare = other.visitShare
        elapsedSinceTopic = other.elapsedSinceTopic + elapsed
        elapsedSinceEvent = other.elapsedSinceEvent + elapsed
        horizon = other.horizon
    }

    /// A thousand years.
    public static let longest = 3.2e10

    /// The first time at which a condition that stays true becomes so, by bisection in the logarithm.
    private func time(_ passed: (Double) -> Bool) -> Double? {
        var (low, high) = (horizon * 1e-6, Self.longest)
        guard passed(high) else { return nil }
        guard !passed(low) else { return low }
        for _ in 0..<80 {
            let middle = (low * high).squareRoot()
            if passed(middle) { high = middle } else { low = middle }
        }
        return high
    }
}
