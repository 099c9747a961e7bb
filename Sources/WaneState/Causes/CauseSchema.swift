import WaneCurves

/// What a ``CauseState`` has to know beside a person's events: how interest in each topic decays, and how far people differ in
/// what causes do to them. Fitted by `CauseFit`; the same for all people of a model.
public struct CauseSchema: Sendable {
    /// How often a topic is touched again, as `RenewalFit` finds it: `λ0 (f + (1 - f) / (1 + (d / τ)^p))`.
    public struct Topic: Sendable, Equatable {
        /// `log τ` in seconds, `p`, `f`, `log λ0` in touches a second.
        public let logTime: Double
        public let shape: Double
        public let floor: Double
        public let logRate: Double
        /// `k`: pairs' rates have the variance `1 / k`.
        public let frailty: Double

        public init(logTime: Double, shape: Double, floor: Double, logRate: Double, frailty: Double) {
            (self.logTime, self.shape, self.floor) = (logTime, shape, floor)
            (self.logRate, self.frailty) = (logRate, frailty)
        }
    }

    /// By the numbers that states' topics have; nothing for topics that are not known.
    public var topics: [Topic?]
    /// Deviation of `log τ` between the pairs of a topic.
    public var pairSpread: Double
    /// What a cause's measure multiplies `log τ` by: mean and variance over people.
    public var mean: ByCause<Double>
    public var variance: ByCause<Double>
    /// How far a person's `log τ` lie from those of their topics: mean and variance over people.
    public var level = (mean: 0.0, variance: 0.05)
    /// How far `log τ` lies from that where circumstances are known: a topic that one has had for some time.
    public var known = 0.0
    /// Causes that move half-lives: what others seem to do is noise, or something else than they say, and moves no answer.
    public var moving = ByCause(repeating: true)
    /// Touches of a topic that come with each event above the usual inflow of everything.
    public var inflow: Double
    /// What the information of a gap is divided by: gaps of a person go together more than they are said to.
    public var temper = 1.0
    /// When people are about: shares of the 24 hours, UTC.
    public var hours: [Double]

    public init(
        topics: [Topic?], pairSpread: Double, mean: ByCause<Double> = ByCause(repeating: 0),
        variance: ByCause<Double> = ByCause(repeating: start), inflow: Double = 0.02,
        hours: [Double] = Array(repeating: 1 / 24, count: 24)
    ) {
        (self.topics, self.pairSpread, self.mean, self.variance) = (topics, pairSpread, mean, variance)
        (self.inflow, self.hours) = (inflow, hours)
    }

    /// The variance of a cause that moves nobody.
    public static let none = 1e-6
    /// The variance of what is the same for everybody, and not yet known well.
    public static let alike = 0.01
    /// The variance of a cause that nothing is known of.
    public static let start = 0.1

    public static func == (a: CauseSchema, b: CauseSchema) -> Bool {
        a.topics == b.topics && a.pairSpread == b.pairSpread && a.mean == b.mean && a.variance == b.variance
            && a.level == b.level && a.known == b.known && a.inflow == b.inflow && a.temper == b.temper
            && a.hours == b.hours && a.moving == b.moving
    }

    /// The same with the topics of another numbering.
    ///
    /// - Parameter rows: the number here of each of the other's topics; below 0 or beyond for none.
    public func renumbered(_ rows: [Int64]) -> CauseSchema {
        var other = self
        other.topics = rows.map { topics.indices.contains(Int($0)) ? topics[Int($0)] : nil }
        return other
    }
}

extension CauseSchema: Equatable {}

/// What a person's circumstances are at a touch: each 0 in an ordinary week, and about 1 where it is at its fullest.
public struct CauseMeasures: Sendable, Equatable {
    public var values = ByCause<Float>(repeating: 0)
    /// Seconds from the touch that the burst it lies in explains by itself: what comes within them says nothing of decay.
    public var burst: Float = 0
    /// Whether the person met the topic in the last days, so that what is usual of it is not known.
    public var isNew = true
    /// Whether what is ordinary has been known for some time, of the person and of the topic.
    public var isKnown = false
    /// Events a day above the usual, of everything but the topic.
    public var inflow: Float = 0
    /// In words for people: visits to the topic in the last day and a half, and in an ordinary one; the same of all else.
    public var recent: (topic: Float, others: Float) = (0, 0)
    public var usual: (topic: Float, others: Float) = (0, 0)
    /// Whether those are of what the person was shown too.
    public var countsExposures = false

    public init() {}

    /// Whether a circumstance is met so far that it is spoken of.
    public func isMet(_ cause: Cause) -> Bool { abs(values[cause]) >= 0.3 }

    /// Whether a touch lies in no burst and in no flood.
    var isOrdinary: Bool { burst == 0 && values[.overload] == 0 }

    public static func == (a: CauseMeasures, b: CauseMeasures) -> Bool {
        a.values == b.values && a.burst == b.burst && a.inflow == b.inflow && a.recent == b.recent && a.usual == b.usual
            && a.isNew == b.isNew && a.isKnown == b.isKnown && a.countsExposures == b.countsExposures
    }
}

/// What the causes do to one person's half-life of one topic, as far as their events show it.
public struct CauseEffects: Sendable, Equatable {
    public var measures = CauseMeasures()
    /// What each cause adds to `log τ`, and the variance of that.
    public var offset = ByCause<Double>(repeating: 0)
    public var variance = ByCause<Double>(repeating: 0)
    /// Whether each moves half-lives; one that does not adds nothing, and no model reads its measure.
    public var isMoving = ByCause(repeating: true)

    public init() {}

    /// What all add.
    public var total: Double { Cause.allCases.reduce(0) { $0 + offset[$1] } }
}

extension CauseEffects {
    /// How many numbers ``write(to:)`` writes: measures, what each cause adds to `log τ`, and the variances of that.
    public static let width = 12

    /// As a row of numbers, in the order of the causes.
    public func write(to row: UnsafeMutablePointer<Float>) {
        for cause in Cause.allCases {
            row[cause.index] = isMoving[cause] ? measures.values[cause] : 0
            row[4 + cause.index] = Float(offset[cause])
            row[8 + cause.index] = Float(variance[cause])
        }
    }
}
