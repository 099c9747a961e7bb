import Foundation
import WaneCurves
import WaneEvents
import WaneState
import WaneTasks

/// How causes move half-lives: what people have in common in it, and how far they differ, from the times between touches.
///
/// Each person's sensitivities `θ` are a normal distribution around everybody's. One walk through all events keeps everybody's gaps;
/// steps of Newton's method over them find each person's `θ`, and between them the means of all and their variances are fitted
/// (``CausedPeople``). Whether a cause does anything is set against placebos, in which people have the circumstances of others: what a
/// cause gains beyond them, in nats, is credited to it.
public struct CauseFit: Sendable {
    public let schema: CauseSchema
    /// What the log shows of each cause; nothing where causes cannot be measured at all.
    public let evidence: ByCause<Evidence>

    public struct Evidence: Sendable, Equatable, Codable {
        /// Nats by which the sensitivities explain the log better than none; of the best placebo.
        public var gain = 0.0
        public var placebo = 0.0
        /// What its measure adds to `log τ`: mean and deviation over people, shown or not; the mean of the placebos'.
        public var mean = 0.0
        public var deviation = 0.0
        public var placeboMean = 0.0
        /// How much wider than claimed what events say of a person lies, by placebos.
        public var overdispersion = 1.0
        /// People who met the circumstance.
        public var people = 0
        /// Deviation of what it adds to `log τ` at touches in the circumstance; of the placebos.
        public var spread = 0.0
        public var placeboSpread = 0.0

        public init() {}

        /// The share of what it gains that no placebo gains.
        public var credit: Double { isShown ? max(0, 1 - max(placebo, 0) / max(gain, 1e-9)) : 0 }

        /// Whether it moves half-lives: by more than chance gives one in a hundred times (half a chi-squared distribution of a mean and a
        /// variance; gaps are tempered), and the way that its name says. What comes with a longer half-life is no fatigue.
        public var isMoving: Bool { gain > Self.least && mean < 0 }

        /// Whether the log shows that it does: clear of every placebo too.
        public var isShown: Bool { isMoving && gain > max(placebo, 0) * 1.5 }

        private static let least = 4.0
    }

    /// Fewest days of a log that has norms to depart from, and fewest people.
    private static let shortest = 30.0 * 86_400
    private static let fewestPeople = 30
    private static let rounds = 7
    /// People are held to differ at least so much when they are answered: what little their events say of them is heard. What people
    /// have in common is fitted without it.
    private static let leastVariance = 0.1
    private static let placebos = 3
    /// Events of people that are read at most.
    private static let mostEvents = 1_500_000

    /// Why causes cannot be measured; nothing where they can.
    public static func obstacle(_ log: EventLog, split: Split, resolution: Int64) -> String? {
        if log.clock != .wall { return "the log has order only, no times" }
        if resolution > 3_600 * EventLog.second {
            return "the log's times are dates: hours and gaps within days are not known"
        }
        if Double(split.trainEnd - split.start) / 1e6 < shortest {
            return "the log is too short for what is usual to be known"
        }
        return nil
    }

    /// - Parameters:
    ///   - fit: how interest in each of the model's topics decays.
    ///   - topicRow: the model's row of each topic of the log, 0 for none.
    ///   - users: whose events may be read; everyone's when absent.
    /// - Complexity: one walk through the log and 42 steps over its gaps, on all cores.
    public init?(
        _ histories: Histories, split: Split, _ fit: RenewalFit, topicRow: [Int64],
        users: (@Sendable (UInt32) -> Bool)? = nil, checkInterruption: () throws -> Void = {}
    ) rethrows {
        let horizon = log(Double(split.horizon) / 1e6)
        let rows = fit.rows.enumerated().map { row, x -> CauseSchema.Topic? in
            row == 0
                ? nil
                : CauseSchema.Topic(
                    logTime: x[0] + horizon, shape: InterestCurve.shape(x[1]), floor: InterestCurve.floor(x[2]),
                    logRate: x[3] - horizon, frailty: fit.frailty[row])
        }
        let walk = CauseWalk(
            histories, end: split.trainEnd, users: users, mostEvents: Self.mostEvents)
        guard walk.people.count >= Self.fewestPeople else { return nil }
        let byRow = CauseSchema(topics: rows, pairSpread: fit.spread, hours: walk.hours)
        var schema = byRow.renumbered(topicRow)
        try checkInterruption()
        var own = walk.people(schema)
        func run(_ people: inout CausedPeople, _ schema: inout CauseSchema, fitsInflow: Bool) throws {
            for _ in 0..<Self.rounds {
                try checkInterruption()
                people.step(&schema, fitsInflow: fitsInflow)
            }
        }
        func placebo(_ number: Int) throws -> ByCause<Evidence> {
            var other = schema
            (other.mean, other.variance) = (ByCause(repeating: 0), ByCause(repeating: CauseSchema.start))
            var people = own.shuffled(other, seed: UInt64(number + 1))
            try run(&people, &other, fitsInflow: false)
            return ByCause { people.evidence($0) }
        }
        try run(&own, &schema, fitsInflow: true)
        // What circumstances of others seem to do lies further off than what is said of a person allows: gaps go together.
        let temper = try placebo(Self.placebos)
        schema.temper = max(1, Cause.allCases.map { temper[$0].overdispersion }.max() ?? 1)
        try run(&own, &schema, fitsInflow: true)
        let placebos = try (0..<Self.placebos).map { try placebo($0) }
        var evidence = ByCause<Evidence> { own.evidence($0) }
        for cause in Cause.allCases {
            let found = placebos.map { $0[cause] }
            evidence[cause].overdispersion = max(1, temper[cause].overdispersion)
            evidence[cause].placebo = found.map(\.gain).max() ?? 0
            evidence[cause].placeboSpread = found.map(\.spread).max() ?? 0
            evidence[cause].placeboMean = found.reduce(0) { $0 + $1.mean } / Double(Self.placebos)
        }
        var kept = byRow
        (kept.inflow, kept.temper) = (schema.inflow, schema.temper)
        (kept.level, kept.known) = (schema.level, schema.known)
        for cause in Cause.allCases {
            // Where nobody met it, as of friends where there are none, nothing is known of it.
            let isMet = evidence[cause].people > 0
            kept.mean[cause] = isMet ? min(0, schema.mean[cause]) : 0
            kept.variance[cause] = isMet ? max(Self.leastVariance, schema.variance[cause]) : CauseSchema.none
        }
        self.evidence = evidence
        self.schema = kept
    }
}
