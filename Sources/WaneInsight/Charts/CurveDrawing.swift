import WaneData
import WaneModels

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
    public let moment: Int64

    public struct Point: Sendable, Codable {
        /// Seconds after the moment.
        public let elapsed: Double
        public let degree: Double
        public let returnChance: Double
    }

    public init(
        user: String, topic: String, curve: InterestCurve, threshold: Double, ahead: Double,
        clock: EventLog.Clock, moment: Int64
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
        (0...120).map { step in
            let elapsed = ahead * Double(step) / 120
            return Point(
                elapsed: elapsed, degree: curve.degree(after: elapsed), returnChance: curve.returnChance(after: elapsed)
            )
        }
    }

    public var momentWords: String {
        clock == .wall ? TimeFormat.words(moment) : "position \(moment / EventLog.second)"
    }

    public func chart() -> LineChart {
        let horizon = TimeSpan.words(seconds: curve.horizon, clock)
        return LineChart(
            title: "\(user) and \(topic)",
            series: [
                .init(name: "comes back within \(horizon)", points: points.map { ($0.elapsed, $0.returnChance) }),
                .init(name: "interest degree", points: points.map { ($0.elapsed, $0.degree) }),
            ],
            xLabel: "after \(momentWords)", yLabel: "",
            xTick: { TimeSpan.words(seconds: $0, clock) },
            marks: halfLifeMark)
    }

    private var halfLifeMark: [(x: Double, name: String)] {
        curve.halfLife <= ahead ? [(curve.halfLife, "half-life \(TimeSpan.words(seconds: curve.halfLife, clock))")] : []
    }

    /// The curve as a picture of its own.
    public func svg() -> String { chart().svg(standalone: true) }
}
