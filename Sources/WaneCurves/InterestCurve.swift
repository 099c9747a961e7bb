import Foundation

/// One person's interest in one topic from a moment on, while nothing happens: a dozen numbers, computed once an event
/// and then asked for any moment without tensors.
///
/// Interest is a **rate** of touches while the person is around. With elapsed times `g` since the last touch of the topic and
/// `v` since the person's last event,
///
///     R(d; τ, p) = 1 / (1 + (d / τ)^p)
///     λ(d)       = λ0 (f + (1 - f) R(d; τ, p))
///     L(g)       = integral of λ over (g, g + H]
///     P(return)  = 1 - (1 - presence(v) (1 - exp(-L(g)))) (1 - visit(v))
///
/// `presence` is the chance that the person is around at all; `visit` that the visit under way goes on to the topic, a matter of
/// minutes that says nothing of interest. The half-life is that of `λ`, counted from the last touch.
public struct InterestCurve: Sendable, Equatable, Codable {
    /// What a model gives for each query, before logits become shares and logarithms times.
    public enum Parameter: Int, CaseIterable, Sendable {
        case timeScale, shape, floor, rate, degreeLevel, degreeSlope, presenceHalfLife, presenceShape, presenceFloor,
            visitShare, visitHalfLife, visitShape, spread
    }

    /// Times are in horizons; this keeps the logarithm finite right after a touch.
    public static let smallestTime = 1e-5
    /// Where training starts from: see ``values``.
    public enum Start {
        public static let shape = 1.0
        public static let smallestShape = 0.3
        public static let floor = -3.0
        public static let presenceHalfLife = 3.0
        public static let smallestPresenceShape = 0.2
        public static let presenceFloor = -3.0
        public static let smallestVisitShape = 1.0
        public static let visitShare = -2.0
        /// Rates beyond these, in logarithms, are none that a log could show.
        public static let logRates = -12.0...8.0
    }

    /// Touches a horizon, right after a touch, while the person is around.
    public private(set) var rate: Double
    /// The share of the rate that never fades.
    public let floor: Double
    /// Seconds, and the shape without unit.
    public private(set) var timeScale: Double
    public let shape: Double
    /// `degree = P(return) · sigmoid(level + slope · log L)`.
    public let degreeLevel: Double
    public let degreeSlope: Double
    /// Seconds; shape and the share that is always around.
    public let presenceHalfLife: Double
    public let presenceShape: Double
    public let presenceFloor: Double
    /// The chance, right after an event, that the visit touches the topic again, and what halves it: seconds.
    public let visitShare: Double
    public let visitHalfLife: Double
    public let visitShape: Double
    /// Deviation of the half-life's logarithm: between pairs of which the model knows the same, and what the data leave open.
    public let logSpread: Double
    /// Seconds since the last touch of the topic and since the person's last event, at the moment.
    public private(set) var elapsedSinceTopic: Double
    public private(set) var elapsedSinceEvent: Double
    /// Seconds.
    public let horizon: Double
    /// When the person is about, where that is known: the rate passes in their own hours (`Season` in docs/maths.md).
    public private(set) var rhythm: DailyRhythm?
    /// Seconds since 1970; of no meaning without a rhythm.
    private var moment = 0.0
    /// What counts of every horizon, where that is the same all day long; seconds.
    private var window: Double?

    /// - Parameters:
    ///   - parameters: a model's raw outputs, in the order of ``Parameter``.
    ///   - elapsedSinceTopic, elapsedSinceEvent, horizon: seconds.
    ///   - visitPause: the longest half-life of a visit, in seconds.
    ///   - topicSpread: deviation of the topic's log half-life, as far as the data leave it open.
    ///   - rhythm: when the person is about, where that is known, and `moment` of the question, in seconds.
    public init(
        _ parameters: some Collection<Float>, elapsedSinceTopic: Double, elapsedSinceEvent: Double, horizon: Double,
        visitPause: Double, topicSpread: Double, rhythm: DailyRhythm? = nil, moment: Double = 0
    ) {
        (self.rhythm, self.moment) = (rhythm, moment)
        let c = parameters.map(Double.init)
        func value(_ parameter: Parameter) -> Double {
            c.indices.contains(parameter.rawValue) ? c[parameter.rawValue] : 0
        }
        timeScale = exp(value(.timeScale)) * horizon
        shape = Self.shape(value(.shape))
        floor = Self.floor(value(.floor))
        rate = exp(min(Start.logRates.upperBound, max(Start.logRates.lowerBound, value(.rate))))
        degreeLevel = value(.degreeLevel)
        degreeSlope = Self.softplus(value(.degreeSlope))
        presenceHalfLife = exp(value(.presenceHalfLife) + Start.presenceHalfLife) * horizon
        presenceShape = Self.softplus(value(.presenceShape)) + Start.smallestPresenceShape
        presenceFloor = Self.sigmoid(value(.presenceFloor) + Start.presenceFloor)
        visitShare = Self.sigmoid(value(.visitShare) + Start.visitShare)
        visitHalfLife = visitPause * exp(-Self.softplus(value(.visitHalfLife)))
        visitShape = Self.softplus(value(.visitShape)) + Start.smallestVisitShape
        logSpread = (exp(2 * value(.spread)) + topicSpread * topicSpread).squareRoot()
        self.elapsedSinceTopic = elapsedSinceTopic
        self.elapsedSinceEvent = elapsedSinceEvent
        self.horizon = horizon
    }

    private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    private static func softplus(_ x: Double) -> Double { x > 30 ? x : log1p(exp(x)) }

    /// A raw output as a shape, and as a floor.
    public static func shape(_ raw: Double) -> Double { softplus(raw + Start.shape) + Start.smallestShape }
    public static func floor(_ raw: Double) -> Double { sigmoid(raw + Start.floor) }
    /// How a shape moves with its raw output.
    public static func shapeSlope(_ raw: Double) -> Double { sigmoid(raw + Start.shape) }

    /// The half-life in time scales; nothing where the part that never fades is half or more.
    public static func halfLife(shape: Double, floor: Double) -> Double? {
        floor < 0.5 ? pow(0.5 / (0.5 - floor), 1 / shape) : nil
    }

    /// A chance that falls from one value to another in a time, and goes on so: of what has not begun, there is no touch to count
    /// from.
    ///
    /// - Parameters:
    ///   - chance, degree: now; `later` is the chance `span` seconds on.
    public init(chance: Double, later: Double, after span: Double, degree: Double, horizon: Double) {
        let chance = min(1 - 1e-9, max(0, chance))
        let now = -log1p(-chance)
        // λ = λ0 / (1 + d / τ), whose integral is λ0 τ log((d + H + τ) / (d + τ)), passes through both; what does not fall stays.
        let ratio = now > 0 ? -log1p(-min(chance, max(0, later))) / now : 1
        var scale = Self.longest
        if ratio < 1 - 1e-9 {
            func integral(_ from: Double, _ scale: Double) -> Double { scale * log1p(horizon / (from + scale)) }
            var (low, high) = (log(1e-3 * horizon), log(Self.longest))
            for _ in 0..<60 {
                let middle = exp((low + high) / 2)
                if integral(span, middle) / integral(0, middle) < ratio {
                    low = log(middle)
                } else {
                    high = log(middle)
                }
            }
            scale = exp(high)
        }
        timeScale = scale
        shape = 1
        floor = ratio < 1 - 1e-9 ? 0 : 1
        let whole = floor + (1 - floor) * scale * log1p(horizon / scale) / horizon
        rate = now / whole
        // The degree keeps its share of the chance.
        let share = chance > 0 ? min(1 - 1e-9, max(1e-9, degree / chance)) : 1e-9
        degreeLevel = log(share / (1 - share))
        degreeSlope = 0
        (presenceHalfLife, presenceShape, presenceFloor) = (Self.longest, 1, 1)
        (visitShare, visitHalfLife, visitShape, logSpread) = (0, 1, 1, 0)
        (elapsedSinceTopic, elapsedSinceEvent) = (0, 0)
        self.horizon = horizon
    }

    /// Nodes and weights on [0, 1] of the integral over a window, in the share of it that has passed: they crowd where the rate
    /// bends most, right after its begin. `s = u^3`, Gauss and Legendre's rule in `u`.
    public static let rule: [(node: Double, weight: Double)] = {
        let rule = GaussLegendre(places: 16)
        return zip(rule.nodes, rule.weights).map { node, weight in
            let u = (node + 1) / 2
            return (u * u * u, 1.5 * u * u * weight)
        }
    }()

    /// `R`, after seconds since the touch.
    private func retention(_ elapsed: Double) -> Double {
        1 / (1 + pow((elapsed + Self.smallestTime * horizon) / timeScale, shape))
    }

    /// Interest `elapsed` seconds after the moment, as a share of what it was right after the last touch, the person being
    /// around.
    public func interest(after elapsed: Double) -> Double {
        floor + (1 - floor) * retention(elapsedSinceTopic + max(0, elapsed))
    }

    /// Touches to be expected in the horizon that begins `elapsed` seconds after the moment, the person being around.
    public func expectedTouches(after elapsed: Double) -> Double {
        let now = max(0, elapsed)
        let begin = own(from: -elapsedSinceTopic, to: now)
        let window = self.window ?? own(from: now, to: now + horizon)
        return rate * (window / horizon)
            * (floor + (1 - floor) * Self.rule.reduce(0) { $0 + $1.weight * retention(begin + $1.node * window) })
    }

    /// Seconds that count for the person between two times, in seconds from the moment.
    private func own(from start: Double, to end: Double) -> Double {
        rhythm.map { $0.length(from: moment + start, to: moment + end) } ?? end - start
    }

    /// The same at the best hours of the person's day, all day long: a curve that only falls, also where the horizon is no whole number
    /// of days, and is never below the chance of an hour.
    public var bestHours: InterestCurve {
        guard let rhythm, horizon.truncatingRemainder(dividingBy: 86_400) != 0 else { return self }
        var other = self
        // What counts of a window grows and falls along straight lines, which bend where it begins or ends at a whole hour.
        let starts = (0..<24).flatMap { [Double($0) * 3_600, Double($0) * 3_600 - horizon] }
        other.window = starts.map { rhythm.length(from: $0, to: $0 + horizon) }.max()
        return other
    }

    private func presence(_ elapsed: Double) -> Double {
        let elapsed = elapsedSinceEvent + max(0, elapsed) + Self.smallestTime * horizon
        return presenceFloor + (1 - presenceFloor) / (1 + pow(elapsed / presenceHalfLife, presenceShape))
    }

    private func chance(_ elapsed: Double, touches: Double) -> Double {
        let silence = elapsedSinceEvent + max(0, elapsed) + Self.smallestTime * horizon
        func lasts(_ time: Double) -> Double { 1 / (1 + pow(time / visitHalfLife, visitShape)) }
        let visit = visitShare * lasts(silence) * (1 - lasts(horizon))
        return 1 - (1 + presence(elapsed) * expm1(-touches)) * (1 - visit)
    }

    /// The chance of coming back within the horizon that begins `elapsed` seconds after the moment.
    public func returnProbability(after elapsed: Double) -> Double {
        chance(elapsed, touches: expectedTouches(after: elapsed))
    }

    /// The interest degree `elapsed` seconds after the moment.
    public func degree(after elapsed: Double) -> Double { returns(after: elapsed).degree }

    /// The chance of coming back within the horizon that begins `elapsed` seconds after the moment, and the interest degree then.
    public func returns(after elapsed: Double) -> (probability: Double, degree: Double) {
        let touches = expectedTouches(after: elapsed)
        let share = 1 / (1 + exp(-(degreeLevel + degreeSlope * log(touches + 1e-6))))
        let chance = chance(elapsed, touches: touches)
        return (chance, chance * share)
    }

    /// Seconds from the last touch until the rate has fallen to half of what it was then, while the person is around; nothing
    /// where the part that never fades is half of it or more.
    public var halfLife: Double? {
        let halfLife = Self.halfLife(shape: shape, floor: floor).map { timeScale * $0 }
        return halfLife.flatMap { $0 < Self.longest ? $0 : nil }
    }

    /// The half-lives between which eight of ten such pairs lie.
    public var halfLifeInterval: ClosedRange<Double>? {
        halfLife.map { $0 * exp(-1.2816 * logSpread)...$0 * exp(1.2816 * logSpread) }
    }

    /// Seconds from the moment until the chance of coming back passes below `level`: 0 when it already has,
    /// nothing when it never does. With a horizon that is no whole number of days it is the chance at the best hours of a day: a
    /// night is no lapse.
    public func lapse(below level: Double) -> Double? {
        let best = bestHours
        if best.returnProbability(after: 0) < level { return 0 }
        return Self.time(from: horizon * 1e-6) { best.returnProbability(after: $0) - level }
    }

    /// The same curve seen from a later moment, or from an earlier one, the last touch at the earliest.
    public func seen(after elapsed: Double) -> InterestCurve {
        var later = self
        let passed = max(0, elapsedSinceTopic + elapsed) - elapsedSinceTopic
        later.moment += passed
        later.elapsedSinceTopic = elapsedSinceTopic + passed
        later.elapsedSinceEvent = max(0, elapsedSinceEvent + elapsed)
        return later
    }

    /// The same curve with its time scale, or its rate, multiplied.
    public func scaled(time: Double = 1, rate: Double = 1) -> InterestCurve {
        var other = self
        other.timeScale *= time
        other.rate *= rate
        return other
    }

    /// A thousand years.
    public static let longest = 3.2e10

    /// The first time, from `begin` on, at which a value that only falls is below 0, to a microsecond in a week; nothing where it never is.
    ///
    /// False position in the logarithm of time, which takes a quarter of the steps that halving takes; the end that stays is given
    /// less weight each time it does. Source: Dowell and Jarratt, "A modified regula falsi method", 1971 (Illinois).
    private static func time(from begin: Double, _ value: (Double) -> Double) -> Double? {
        var (low, high) = (log(begin), log(longest))
        var (above, below) = (value(begin), value(longest))
        guard below < 0 else { return nil }
        guard above >= 0 else { return begin }
        var kept = 0
        for step in 0..<200 where high - low > 1e-12 {
            // Where one end keeps staying, the middle.
            let share = step % 8 == 7 ? 0.5 : above / (above - below)
            let middle = low + min(0.999, max(0.001, share)) * (high - low)
            let found = value(exp(middle))
            if found < 0 {
                (high, below) = (middle, found)
                if kept > 0 { above /= 2 }
                kept = 1
            } else {
                (low, above) = (middle, found)
                if kept < 0 { below /= 2 }
                kept = -1
            }
        }
        return exp(high)
    }
}
