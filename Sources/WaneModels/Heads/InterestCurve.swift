import Foundation

/// One person's interest in one topic from a moment on, while nothing happens; see ``DecayHead``.
public struct InterestCurve: Sendable, Equatable, Codable {
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
    public let gap: Double
    public let personGap: Double
    /// Seconds.
    public let horizon: Double

    /// From the head's raw constants.
    init(_ constants: ArraySlice<Float>, gap: Double, personGap: Double, horizon: Double) {
        let c = constants.map(Double.init)
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        func value(_ column: DecayHead.Column) -> Double { c[column.rawValue] }
        returnAmplitude = sigmoid(value(.returnAmplitude))
        degreeAmplitude = sigmoid(value(.degreeAmplitude))
        returnFloor = sigmoid(value(.returnFloor) + DecayHead.startingFloor)
        degreeFloor = sigmoid(value(.degreeFloor) + DecayHead.startingFloor)
        topicHalfLife = exp(value(.halfLife)) * horizon
        habitHalfLife = exp(value(.habitHalfLife) + DecayHead.startingHabitHalfLife) * horizon
        visitHalfLife = exp(value(.visitHalfLife) + DecayHead.startingVisitHalfLife) * horizon
        func shape(_ column: DecayHead.Column) -> Double { log1p(exp(value(column))) + DecayHead.smallestShape }
        topicShape = shape(.shape)
        habitShape = shape(.habitShape)
        visitShape = shape(.visitShape)
        visitShare = sigmoid(value(.visitShare) + DecayHead.startingVisitShare)
        self.gap = gap
        self.personGap = personGap
        self.horizon = horizon
    }

    private func left(_ elapsed: Double, _ halfLife: Double, _ shape: Double) -> Double {
        1 / (1 + pow((elapsed + DecayHead.smallestTime * horizon) / halfLife, shape))
    }

    private func decaying(after elapsed: Double) -> Double {
        let person = personGap + elapsed
        return left(gap + elapsed, topicHalfLife, topicShape)
            * (visitShare * left(person, visitHalfLife, visitShape)
                + (1 - visitShare) * left(person, habitHalfLife, habitShape))
    }

    /// The interest degree `elapsed` seconds after the moment.
    public func degree(after elapsed: Double) -> Double {
        degreeAmplitude * (degreeFloor + (1 - degreeFloor) * decaying(after: max(0, elapsed)))
    }

    /// The chance of coming back within the horizon that begins `elapsed` seconds after the moment.
    public func returnChance(after elapsed: Double) -> Double {
        returnAmplitude * (returnFloor + (1 - returnFloor) * decaying(after: max(0, elapsed)))
    }

    /// Seconds from the moment until the part that decays has lost half; a thousand years at most.
    public var halfLife: Double {
        let half = decaying(after: 0) / 2
        return time { decaying(after: $0) <= half } ?? Self.longest
    }

    /// Seconds from the moment until the chance of coming back passes below `level`: 0 when it already has,
    /// nothing when it never does.
    public func lapse(below level: Double) -> Double? {
        if returnChance(after: 0) < level { return 0 }
        return time { returnChance(after: $0) < level }
    }

    private static let longest = 3.2e10

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
