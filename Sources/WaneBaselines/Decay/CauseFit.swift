import Dispatch
import Foundation
import WaneCurves
import WaneEvents
import WaneState
import WaneTasks

/// How causes move half-lives: what people have in common in it, and how far they differ, from the times between touches.
///
/// Each person's sensitivities `θ` are a normal distribution around everybody's; ``CauseState`` finds theirs in one walk through
/// their events, and this fits the mean and the variance of all by expectation and maximization over such walks. Whether a
/// cause does anything is set against placebos, in which people have the circumstances of others: what a cause gains beyond
/// them, in nats, is credited to it.
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

        /// Whether the log shows it: beyond any placebo, and by more than chance gives.
        public var isShown: Bool { gain > max(placebo, 0) * 1.5 + 5 }
    }

    /// Fewest days of a log that has norms to depart from, and fewest people.
    private static let shortest = 30.0 * 86_400
    private static let fewestPeople = 30
    private static let rounds = 5
    /// People differ at least so much: what little their events say of them is heard.
    private static let leastVariance = 0.04
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
    /// - Complexity: some walks through the log, on all cores.
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
        for _ in 0..<3 {
            try checkInterruption()
            schema = walk.run(schema).updated(schema)
        }
        let first = walk.run(schema)
        // Placebos: what circumstances of others seem to do is what the measures are off by.
        var placebos = ByCause<[Evidence]>(repeating: [])
        for number in 0..<Self.placebos {
            try checkInterruption()
            var other = schema
            (other.mean, other.variance) = (ByCause(repeating: 0), ByCause(repeating: 0.05))
            let found = walk.shuffled(seed: UInt64(number + 1), touches: first.measures).run(other)
            for cause in Cause.allCases { placebos[cause].append(found.evidence(cause, other)) }
        }
        func largest(_ cause: Cause, _ value: (Evidence) -> Double) -> Double { placebos[cause].map(value).max() ?? 0 }
        let temper = ByCause { cause in max(1, largest(cause, \.overdispersion)) }
        schema.temper = Cause.allCases.map { temper[$0] }.max() ?? 1
        for _ in 0..<Self.rounds {
            try checkInterruption()
            schema = walk.run(schema).updated(schema)
        }
        let last = walk.run(schema)
        var evidence = ByCause<Evidence> { last.evidence($0, schema) }
        for cause in Cause.allCases {
            evidence[cause].overdispersion = temper[cause]
            evidence[cause].placebo = largest(cause, \.gain) / schema.temper
            evidence[cause].placeboSpread = largest(cause, \.spread)
            evidence[cause].placeboMean = placebos[cause].reduce(0) { $0 + $1.mean } / Double(Self.placebos)
        }
        // Forward less placebo: what others' circumstances seem to do as well is no effect of a person's own.
        var kept = byRow
        (kept.inflow, kept.temper) = (schema.inflow, schema.temper)
        for cause in Cause.allCases {
            // Where nobody met it, as of friends where there are none, nothing is known of it.
            let isMet = evidence[cause].people > 0
            kept.mean[cause] = isMet ? schema.mean[cause] - evidence[cause].placeboMean : 0
            kept.variance[cause] = isMet ? max(Self.leastVariance, schema.variance[cause]) : CauseSchema.none
        }
        self.evidence = evidence
        self.schema = kept
    }
}

/// Walks through all people's events, each with the circumstances that they met or with those of somebody else.
struct CauseWalk: Sendable {
    let histories: Histories
    let end: Int64
    let friends: FriendActivity?
    let people: [Int]
    /// When everybody is about.
    let hours: [Double]
    /// Of each person, the measures of somebody else, in order.
    private var replaced: [[ByCause<Float>]] = []

    init(
        _ histories: Histories, end: Int64, users: (@Sendable (UInt32) -> Bool)?,
        mostEvents: Int
    ) {
        self.histories = histories
        self.end = end
        friends = FriendActivity(histories)
        let readable = (0..<histories.userCount).filter { user in
            let events = histories.events(ofUser: user)
            return events.count > 1 && histories.log.time[events.lowerBound + 1] <= end
                && (users?(UInt32(user)) ?? true)
        }
        let all = readable.reduce(0) { $0 + histories.events(ofUser: $1).count }
        let stride = max(1, (all + mostEvents - 1) / mostEvents)
        people = Swift.stride(from: 0, to: readable.count, by: stride).map { readable[$0] }
        hours = DailyRhythm.shares(people.lazy.map { DailyRhythm.counts(histories.moments(ofUser: $0, until: end)) })
    }

    /// The same with each person's measures those of somebody else, drawn among people with about as many touches.
    func shuffled(seed: UInt64, touches: [[ByCause<Float>]]) -> CauseWalk {
        var other = self
        var generator = SeededGenerator(seed: seed, stream: 15)
        let order = touches.indices.sorted { (touches[$0].count, $0) < (touches[$1].count, $1) }
        var donors = Array(touches.indices)
        let group = 20
        // No group of one, who would keep their own.
        let groups = max(1, order.count / group)
        for number in 0..<groups {
            let members = Array(order[order.count * number / groups..<order.count * (number + 1) / groups])
            // A turn by some places: nobody keeps their own.
            let turn = members.count > 1 ? 1 + Int(generator.uniform() * Double(members.count - 1)) : 0
            for (place, member) in members.enumerated() { donors[member] = members[(place + turn) % members.count] }
        }
        other.replaced = donors.map { touches[$0] }
        return other
    }

    /// What a walk found.
    struct Result: Sendable {
        /// Of each person: mean and variance of their sensitivities, and the measures of their touches.
        var mean: [ByCause<Double>]
        var variance: [ByCause<Double>]
        var measures: [[ByCause<Float>]]
        var inflow = (touches: 0.0, expected: 0.0)

        /// The schema with what people have in common fitted anew.
        func updated(_ schema: CauseSchema) -> CauseSchema {
            var next = schema
            for cause in Cause.allCases {
                let fit = Population(summaries(cause, schema))
                next.mean[cause] = fit.mean
                next.variance[cause] = max(CauseSchema.none, fit.variance)
            }
            next.inflow = min(1, max(1e-4, (inflow.touches + 1) / (inflow.expected + 50)))
            return next
        }

        /// What each person's events say of their sensitivity to a cause: a normal distribution, the prior taken out.
        func summaries(_ cause: Cause, _ schema: CauseSchema) -> [Population.Summary] {
            let (center, prior) = (schema.mean[cause], schema.variance[cause])
            return mean.indices.compactMap { person in
                let precision = 1 / max(1e-9, variance[person][cause]) - 1 / prior
                guard precision > 1e-4 else { return nil }
                let found = (mean[person][cause] / variance[person][cause] - center / prior) / precision
                return Population.Summary(found: found, precision: precision)
            }
        }

        /// How much better the sensitivities explain the log than none.
        func evidence(_ cause: Cause, _ schema: CauseSchema) -> CauseFit.Evidence {
            var result = CauseFit.Evidence()
            let own = summaries(cause, schema)
            let fit = Population(own)
            (result.mean, result.deviation, result.gain) = (fit.mean, fit.variance.squareRoot(), fit.gain)
            result.people = measures.count { $0.contains { $0[cause] != 0 } }
            result.overdispersion =
                own.reduce(0) { $0 + $1.found * $1.found * $1.precision } / Double(max(1, own.count))
            var (sum, square, count) = (0.0, 0.0, 0.0)
            for person in mean.indices {
                for x in measures[person] where x[cause] != 0 {
                    let added = mean[person][cause] * Double(x[cause])
                    sum += added
                    square += added * added
                    count += 1
                }
            }
            if count > 1 { result.spread = max(0, square / count - (sum / count) * (sum / count)).squareRoot() }
            return result
        }
    }

    private struct Slots: @unchecked Sendable {
        let results: UnsafeMutablePointer<Result>
    }

    func run(_ schema: CauseSchema) -> Result {
        let empty = Result(mean: [], variance: [], measures: [])
        // As many on every machine: what is summed is summed in one order.
        let parts = max(1, min(people.count, 64))
        var results = [Result](repeating: empty, count: parts)
        results.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let slots = Slots(results: base)
            DispatchQueue.concurrentPerform(iterations: parts) { part in
                let range = people.count * part / parts..<people.count * (part + 1) / parts
                slots.results[part] = walk(range, schema)
            }
        }
        return results.reduce(into: empty) { all, part in
            all.mean += part.mean
            all.variance += part.variance
            all.measures += part.measures
            all.inflow.touches += part.inflow.touches
            all.inflow.expected += part.inflow.expected
        }
    }

    private func walk(_ range: Range<Int>, _ schema: CauseSchema) -> Result {
        var result = Result(mean: [], variance: [], measures: [])
        let log = histories.log
        var state = PersonState(
            StateSchema(horizon: 1, clock: .wall, typicalEngagement: 1, causes: schema))
        for place in range {
            let user = people[place]
            state.reset()
            var measures: [ByCause<Float>] = []
            let donor = replaced.isEmpty ? [] : replaced[place]
            for event in histories.events(ofUser: user) {
                let time = log.time[event]
                guard time <= end else { break }
                let topics = log.topics[log.item[event]]
                state.apply(histories.event(event), topics: topics) { topic in
                    friends?.measure(user, topic, at: time) ?? 0
                } replaced: {
                    donor.isEmpty ? nil : donor[measures.count % donor.count]
                }
                for topic in topics {
                    guard let own = state.measures(of: topic) else { continue }
                    measures.append(own.values)
                }
            }
            guard let finished = state.causes?.finished() else { continue }
            let found = finished.found
            result.mean.append(found.mean)
            result.variance.append(found.variance)
            result.measures.append(measures)
            result.inflow.touches += finished.inflow.touches
            result.inflow.expected += finished.inflow.expected
        }
        return result
    }
}

/// What people have in common: a normal distribution of their numbers, of which each person's events say a normal distribution.
struct Population {
    struct Summary {
        let found: Double
        let precision: Double
    }

    private(set) var mean = 0.0
    private(set) var variance = 0.0
    /// Nats by which it explains what was found better than no number at all does.
    private(set) var gain = 0.0

    /// Maximum likelihood, by expectation and maximization.
    init(_ people: [Summary]) {
        guard !people.isEmpty else { return }
        let count = Double(people.count)
        variance = 0.1
        for _ in 0..<200 {
            var (sum, weights) = (0.0, 0.0)
            for person in people {
                let weight = 1 / (variance + 1 / person.precision)
                sum += weight * person.found
                weights += weight
            }
            mean = min(2, max(-2, sum / weights))
            var square = 0.0
            for person in people {
                let posterior = 1 / (person.precision + 1 / variance)
                let off = posterior * person.precision * (person.found - mean)
                square += posterior + off * off
            }
            let next = min(1, max(1e-6, square / count))
            let isDone = abs(next - variance) < 1e-6
            variance = next
            if isDone { break }
        }
        gain = gain(people)
        // Towards no variance the steps get ever smaller: none is tried as well, and no effect at all.
        var alike = self
        alike.variance = 1e-6
        let precisions = people.reduce(0) { $0 + $1.precision }
        alike.mean = min(2, max(-2, people.reduce(0) { $0 + $1.precision * $1.found } / precisions))
        alike.gain = alike.gain(people)
        if alike.gain > gain { self = alike }
        if gain < 0 { (mean, variance, gain) = (0, 1e-6, 0) }
    }

    private func gain(_ people: [Summary]) -> Double {
        people.reduce(0) { sum, person in
            let (own, all) = (1 / person.precision, 1 / person.precision + variance)
            let off = person.found - mean
            return sum + (person.found * person.found / own - off * off / all + log(own / all)) / 2
        }
    }
}
