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
    /// Seconds from touches of the topic up to the moment.
    public let touches: [Double]
    /// As people read it, within what the log resolves and spans.
    public let halfLife: String
    /// What drew it: a family and its seed.
    public let model: String

    public struct Point: Sendable, Codable {
        /// Seconds after the moment.
        public let elapsed: Double
        public let degree: Double
        public let returnProbability: Double
    }

    public init(
        user: String, topic: String, curve: InterestCurve, threshold: Double, ahead: Double,
        clock: EventLog.Clock, moment: String, touches: [Double] = [], halfLife: String, model: String
    ) {
        self.user = user
        self.topic = topic
        self.curve = curve
        self.threshold = threshold
        self.ahead = ahead
        self.clock = clock
        self.moment = moment
        self.touches = touches
        self.halfLife = halfLife
        self.model = model
    }

    /// How far ahead shows what a curve does: three half-lives and the lapse, within what the log shows.
    ///
    /// - Parameter span: seconds that the model's log covers.
    public static func enough(_ curve: InterestCurve, threshold: Double, span: Double) -> Double {
        let halving = max(0, 3 * (curve.halfLife ?? curve.horizon) - curve.elapsedSinceTopic)
        let lapse = curve.lapse(below: threshold).map { 1.3 * $0 } ?? 0
        return max(60, min(max(halving, lapse, curve.horizon / 50), span))
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

    /// From the last touch on: interest as a share of what it was then, and, from the moment on, chance and degree.
    public func chart() -> LineChart {
        let begin = curve.elapsedSinceTopic
        let end = begin + ahead
        let fromTouch = curve.seen(after: -begin)
        let whole = max(1e-12, fromTouch.interest(after: 0))
        let steps = (0...160).map { end * Double($0) / 160 }
        let points = self.points
        let horizon = TimeSpan.words(seconds: curve.horizon, clock)
        // Past touches take a fifth of the width at most.
        let past = touches.map { begin - $0 }.filter { $0 <= 0 && $0 >= -0.25 * end }
        return LineChart(
            title: "\(user) and \(topic)", note: "half-life \(halfLife) · \(model)",
            series: [
                .init(
                    name: "interest, 1 at the last touch",
                    points: steps.map { ($0, fromTouch.interest(after: $0) / whole) }),
                .init(
                    name: "comes back within \(horizon)",
                    points: points.map { (begin + $0.elapsed, $0.returnProbability) }),
                .init(name: "interest degree", points: points.map { (begin + $0.elapsed, $0.degree) }),
            ],
            xLabel: "since the last touch; asked at \(moment)", yLabel: "", horizontal: .times(clock),
            marks: marks(end, whole), events: past)
    }

    private func marks(_ end: Double, _ whole: Double) -> [LineChart.Mark] {
        let begin = curve.elapsedSinceTopic
        var marks: [LineChart.Mark] = []
        if begin > 0.02 * end { marks.append(.init(x: begin, name: "asked")) }
        if let halfLife = curve.halfLife, halfLife <= end {
            let left = curve.seen(after: -begin).interest(after: halfLife) / whole
            marks.append(.init(x: halfLife, y: left, name: "half-life \(self.halfLife)"))
        }
        if let lapse = curve.lapse(below: threshold), lapse > 0, lapse <= ahead {
            marks.append(
                .init(
                    x: begin + lapse, y: curve.returnProbability(after: lapse),
                    name: "lapses after \(TimeSpan.words(seconds: begin + lapse, clock))"))
        }
        return marks
    }

    /// The curve as a picture of its own.
    public func svg() -> String { chart().standalone() }
}
