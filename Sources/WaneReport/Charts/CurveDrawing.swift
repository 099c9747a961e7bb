import Foundation
import WaneCurves
import WaneEvents
import WaneTasks

/// A person's interest curve, ready to be drawn.
public struct CurveDrawing: Sendable {
    public let user: String
    public let topic: String
    public let curve: InterestCurve
    /// The chance of coming back below which a person counts as gone.
    public let threshold: Double
    /// Seconds.
    public let ahead: Double
    public let clock: EventLog.Clock
    /// As people write it.
    public let moment: String

    public struct Point: Sendable, Codable {
        /// Seconds after the moment.
        public let elapsed: Double
        public let degree: Double
        public let returnProbability: Double
    }

    public init(
        user: String, topic: String, curve: InterestCurve, threshold: Double, ahead: Double,
        clock: EventLog.Clock, moment: String
    ) {
        self.user = user
        self.topic = topic
        self.curve = curve
        self.threshold = threshold
        self.ahead = ahead
        self.clock = clock
        self.moment = moment
    }

    /// A hundred and twenty-one moments at even steps.
    public var points: [Point] {
        (0...120).map { point(after: ahead * Double($0) / 120) }
    }

    private func point(after elapsed: Double) -> Point {
        Point(
            elapsed: elapsed, degree: curve.degree(after: elapsed),
            returnProbability: curve.returnProbability(after: elapsed))
    }

    /// - Parameter logarithmic: time on a logarithmic axis, where what fades in minutes and what lasts for weeks
    ///   are both seen.
    public func chart(logarithmic: Bool = false) -> LineChart {
        let first = log10(curve.horizon / 10_000)
        let points =
            logarithmic
            ? (0...120).map { point(after: pow(10, first + (log10(ahead) - first) * Double($0) / 120)) } : self.points
        let place: (Double) -> Double = { logarithmic ? log10($0) : $0 }
        let clock = clock
        let horizon = TimeSpan.words(seconds: curve.horizon, clock)
        return LineChart(
            title: "\(user) and \(topic)",
            series: [
                .init(
                    name: "comes back within \(horizon)",
                    points: points.map { (place($0.elapsed), $0.returnProbability) }),
                .init(name: "interest degree", points: points.map { (place($0.elapsed), $0.degree) }),
            ],
            xLabel: clock == .wall ? "after \(moment)" : "after position \(moment)", yLabel: "",
            xTick: { TimeSpan.words(seconds: logarithmic ? pow(10, $0) : $0, clock) },
            marks: halfLifeMark.map { (place($0.x), $0.name) })
    }

    private var halfLifeMark: [(x: Double, name: String)] {
        // It counts from the last touch.
        guard let halfLife = curve.halfLife, halfLife >= curve.elapsedSinceTopic,
            halfLife - curve.elapsedSinceTopic <= ahead
        else { return [] }
        return [
            (
                max(halfLife - curve.elapsedSinceTopic, curve.horizon / 10_000),
                "half-life \(TimeSpan.words(seconds: halfLife, clock))"
            )
        ]
    }

    /// The curve as a picture of its own.
    public func svg() -> String { chart().svg(standalone: true) }
}
