import WaneCurves
import WaneEvents

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Each topic that a person likes is visited at a rate of its own,
///
///     λ(d) = λ0 · pace · presence(t) · (f + (1 - f) / (1 + (d / τ)^p)),    τ = τ_topic · taste · ∏ exp(sensitivity · dose)
///
/// with `d` the time since the last visit and doses measured at that visit: what a cause does holds from one visit to the next.
enum RateMechanism {
    /// Visits to be expected within one half-life if nothing faded.
    private static let appetite = 1.8
    /// The most that ``Scenario/Person/presence(at:)`` is.
    private static let mostPresence = 2.75

    static func life(
        of number: Int, in scenario: Scenario, _ generator: inout SeededGenerator
    ) -> (visits: [CausedLog.Visit], spans: [CausedLog.Span]) {
        let person = scenario.people[number]
        var visits: [CausedLog.Visit] = []
        var spans: [CausedLog.Span] = []
        var doses = Doses(topics: scenario.topics.count)
        var interests: [Interest?] = Array(repeating: nil, count: scenario.topics.count)
        // Moments at which something happens that was not drawn: first meetings, and what is pushed.
        var given = person.pushed.map { (time: $0.time, topic: $0.topic) }
        given += person.interests.map { (time: $0.start, topic: $0.topic) }
        given += person.turns.filter(\.comes).map { (time: $0.at, topic: $0.topic) }
        given.sort { ($0.time, $0.topic) < ($1.time, $1.topic) }
        var next = 0
        while true {
            var (time, topic) = next < given.count ? given[next] : (Double.infinity, 0)
            var isGiven = true
            for case let interest? in interests where interest.next < time {
                (time, topic, isGiven) = (interest.next, interest.topic, false)
            }
            guard time < min(person.end, scenario.end) else { break }
            if isGiven { next += 1 }
            visits.append(CausedLog.Visit(time: time, topic: topic))
            if let interest = interests[topic] { spans.append(interest.span(until: time, number)) }
            doses.add(topic, at: time)
            guard let liked = person.interests.first(where: { $0.topic == topic }), liked.start <= time else {
                continue
            }
            interests[topic] = interest(topic, at: time, person, number, doses, scenario, &generator)
        }
        for case let interest? in interests { spans.append(interest.span(until: scenario.end, number)) }
        return (visits, spans)
    }

    private struct Interest {
        let topic: Int
        let last: Double
        let next: Double
        let base: Double
        let multipliers: [(cause: Cause, multiplier: Double)]

        func span(until end: Double, _ user: Int) -> CausedLog.Span {
            CausedLog.Span(user: user, topic: topic, from: last, to: end, baseHalfLife: base, multipliers: multipliers)
        }
    }

    private static func interest(
        _ topic: Int, at time: Double, _ person: Scenario.Person, _ number: Int, _ doses: Doses, _ scenario: Scenario,
        _ generator: inout SeededGenerator
    ) -> Interest {
        let planted = scenario.topics[topic]
        let base = planted.halfLife * person.taste
        var multipliers: [(cause: Cause, multiplier: Double)] = []
        var total = 0.0
        for cause in Cause.allCases {
            let dose: Double =
                switch cause {
                case .fatigue: doses.fatigue(topic, at: time)
                case .overload: doses.overload(beside: topic, at: time)
                case .habit: habit(person, topic, at: time)
                case .social: scenario.socialDose(number, topic: topic, at: time)
                }
            let effect = person.sensitivity[cause] * dose
            total += effect
            if abs(dose) >= 0.15 { multipliers.append((cause, exp(effect))) } else { total -= effect }
        }
        let f = Scenario.floor
        let scale = base * exp(total) * pow((0.5 - f) / 0.5, 1 / planted.shape)
        let rate = appetite / base * person.pace * scenario.options.activity
        // By thinning: beyond a moment the rate without presence only falls.
        var (elapsed, next) = (0.0, Double.infinity)
        let turn = person.turns.first { $0.topic == topic && $0.at <= time }
        let isGone = turn.map { !$0.comes } ?? false
        let stop = person.turns.first { $0.topic == topic && !$0.comes && $0.at > time }?.at ?? .infinity
        let boost = turn.map { $0.comes && time < $0.at + 12 * Scenario.day ? 2.0 : 1 } ?? 1
        while !isGone, time + elapsed < scenario.end {
            func share(_ d: Double) -> Double { f + (1 - f) / (1 + pow(d / scale, planted.shape)) }
            let bound = rate * boost * share(elapsed) * mostPresence
            elapsed += -log(1 - generator.uniform()) / bound
            let now = rate * boost * share(elapsed) * person.presence(at: time + elapsed)
            if generator.uniform() < now / bound {
                next = time + elapsed
                break
            }
        }
        return Interest(
            topic: topic, last: time, next: next < stop ? next : .infinity, base: base, multipliers: multipliers)
    }

    /// New hours, new things: what was liked before fades faster until the new is ordinary.
    private static func habit(_ person: Scenario.Person, _ topic: Int, at time: Double) -> Double {
        guard let change = person.circumstances.first(where: { $0.cause == .habit }),
            let liked = person.interests.first(where: { $0.topic == topic }), liked.start < change.span.lowerBound,
            change.span.contains(time)
        else { return 0 }
        return min(1, (change.span.upperBound - time) / (10 * Scenario.day))
    }

    /// How much of a topic, and of everything else, a person has met lately, against what they are used to.
    private struct Doses {
        /// Counts that halve in one and a half days, and in forty, as of the moment.
        private var recent: [Double]
        private var usual: [Double]
        private var moment = 0.0
        private var first: Double?

        init(topics: Int) {
            recent = Array(repeating: 0, count: topics)
            usual = recent
        }

        private static let short = 1.5 * Scenario.day
        private static let long = 40 * Scenario.day

        mutating func add(_ topic: Int, at time: Double) {
            let (a, b) = (exp2(-(time - moment) / Self.short), exp2(-(time - moment) / Self.long))
            for index in recent.indices {
                recent[index] *= a
                usual[index] *= b
            }
            if first == nil { first = time }
            moment = time
            recent[topic] += 1
            usual[topic] += 1
        }

        /// What of a usual count of so much would be recent.
        private func norm(_ count: Double, at time: Double) -> Double {
            let known = 1 - exp2(-(time - (first ?? time)) / Self.long)
            return count * Self.short / Self.long / max(0.15, known)
        }

        func fatigue(_ topic: Int, at time: Double) -> Double {
            let norm = norm(usual[topic], at: time)
            return max(0, min(1, (recent[topic] - 1.5 * norm - 2) / 6))
        }

        func overload(beside topic: Int, at time: Double) -> Double {
            let others = recent.reduce(0, +) - recent[topic]
            let norm = norm(usual.reduce(0, +) - usual[topic], at: time)
            return max(0, min(1, (others / (norm + 3) - 1.2) / 1.2))
        }
    }
}
