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
    /// Seconds that the model's log covers: what takes longer is not marked.
    public let span: Double
    /// Of people in general, who have not begun: there is no touch to count from.
    public let isPopulation: Bool

    public struct Point: Sendable, Codable {
        /// Seconds after the moment.
        public let elapsed: Double
        public let degree: Double
        public let returnProbability: Double
    }

    public init(
        user: String, topic: String, curve: InterestCurve, threshold: Double, ahead: Double,
        clock: EventLog.Clock, moment: String, touches: [Double] = [], halfLife: String, model: String, span: Double,
        isPopulation: Bool = false
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
        self.span = span
        self.isPopulation = isPopulation
    }

    /// Seconds from the moment until the half-life and until the lapse, where they are drawn: within the picture and within what the
    /// log shows. The half-life may have passed.
    public var halfLifeAfter: Double? {
        guard !isPopulation, let halfLife = curve.halfLife, halfLife <= span else { return nil }
        let after = halfLife - curve.elapsedSinceTopic
        return after <= ahead ? after : nil
    }

    public var lapseAfter: Double? {
        guard !isPopulation, let lapse = curve.lapse(below: threshold) else { return nil }
        return lapse > 0 && lapse <= min(ahead, span) ? lapse : nil
    }

    /// How far ahead shows what a curve does: three half-lives from the last touch, one from the moment on at least, and the lapse,
    /// within what the log shows.
    ///
    /// - Parameter span: seconds that the model's log covers.
    public static func enough(_ curve: InterestCurve, threshold: Double, span: Double) -> Double {
        let halfLife = curve.halfLife ?? curve.horizon
        let halving = max(halfLife, 3 * halfLife - curve.elapsedSinceTopic)
        let lapse = curve.lapse(below: threshold).map { 1.3 * $0 } ?? 0
        return max(60, min(max(halving, lapse, curve.horizon / 50), span))
    }

    /// A hundred and twenty-one moments at even steps.
    public var points: [Point] {
        // A place in a picture would show some hours of a day and not others: it shows the best ones.
        let best = curve.bestHours
        return (0...120).map { step in
            let elapsed = ahead * Double(step) / 120
            return Point(
                elapsed: elapsed, degree: best.degree(after: elapsed),
                returnProbability: best.returnProbability(after: elapsed))
        }
    }

    /// What the curve of chances is of.
    private var comesBack: String {
        let horizon = TimeSpan.words(seconds: curve.horizon, clock)
        return "comes back within \(horizon)" + (curve.bestHours == curve ? "" : ", best hours")
    }

    /// From the last touch on: interest as a share of what it was then, and, from the moment on, chance and degree.
    public func chart() -> LineChart {
        if isPopulation { return populationChart }
        let begin = curve.elapsedSinceTopic
        let end = begin + ahead
        let fromTouch = curve.seen(after: -begin)
        let whole = max(1e-12, fromTouch.interest(after: 0))
        let steps = (0...160).map { end * Double($0) / 160 }
        let points = self.points
        // Past touches take a fifth of the width at most.
        let past = touches.map { begin - $0 }.filter { $0 <= 0 && $0 >= -0.25 * end }
        return LineChart(
            title: "\(user) and \(topic)", note: "half-life \(halfLife) · \(model)",
            series: [
                .init(
                    name: "interest, 1 at the last touch",
                    points: steps.map { ($0, fromTouch.interest(after: $0) / whole) }),
                .init(
                    name: comesBack,
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
        if let after = halfLifeAfter {
            let left = curve.seen(after: -begin).interest(after: begin + after) / whole
            marks.append(.init(x: begin + after, y: left, name: "half-life \(halfLife)"))
        }
        if let lapse = lapseAfter {
            marks.append(
                .init(
                    x: begin + lapse, y: curve.bestHours.returnProbability(after: lapse),
                    name: "lapse, \(TimeSpan.words(seconds: begin + lapse, clock)) after the touch"))
        }
        return marks
    }

    /// Of what has not begun: the chance of a first touch and the degree, from now on.
    private var populationChart: LineChart {
        let horizon = TimeSpan.words(seconds: curve.horizon, clock)
        return LineChart(
            title: "\(user) and \(topic)", note: "as for people in general · \(model)",
            series: [
                .init(name: "first touch within \(horizon)", points: points.map { ($0.elapsed, $0.returnProbability) }),
                .init(name: "interest degree", points: points.map { ($0.elapsed, $0.degree) }),
            ], xLabel: "from \(moment) on", yLabel: "", horizontal: .times(clock))
    }

    /// The curve as a picture of its own.
    public func svg() -> String { chart().standalone() }
}
