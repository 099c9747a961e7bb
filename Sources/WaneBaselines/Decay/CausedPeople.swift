import Foundation
import WaneCurves
import WaneEvents
import WaneState
import WaneTasks

/// Whose events say what causes do, up to the end of the training part.
struct CauseWalk: Sendable {
    let histories: Histories
    let end: Int64
    let friends: FriendActivity?
    let people: [Int]
    /// When everybody is about.
    let hours: [Double]

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

    /// Everybody's gaps.
    ///
    /// - Complexity: one walk through the events, on all cores.
    func people(_ schema: CauseSchema) -> CausedPeople {
        let parts = AllCores.parts(people.count)
        var found = [[CausedPeople.Person]](repeating: [], count: parts.count)
        AllCores.forEach(&found) { place, own in own = walk(parts[place], schema) }
        return CausedPeople(people: found.flatMap { $0 }, prior: schema)
    }

    private func walk(_ range: Range<Int>, _ schema: CauseSchema) -> [CausedPeople.Person] {
        let log = histories.log
        var state = PersonState(
            StateSchema(horizon: 1, clock: .wall, typicalEngagement: 1, causes: schema), keepsGaps: true)
        return range.compactMap { place in
            let user = people[place]
            state.reset()
            for event in histories.events(ofUser: user) {
                guard log.time[event] <= end else { break }
                log.fold(event, histories.event(event), friends: friends, into: &state)
            }
            guard let (history, rhythm) = state.causes?.gaps() else { return nil }
            return CausedPeople.Person(history: history.restarted(schema), rhythm: rhythm)
        }
    }
}

/// People with all their gaps, from which what moves them, and what people have in common in it, is found step by step.
struct CausedPeople: Sendable {
    struct Person: Sendable {
        private(set) var history: GapHistory
        let rhythm: DailyRhythm
        /// What the history says, kept: it is asked for many times a step.
        private(set) var posterior: GapHistory.Posterior

        init(history: GapHistory, rhythm: DailyRhythm) {
            (self.history, self.rhythm) = (history, rhythm)
            posterior = history.posterior
        }

        fileprivate mutating func step(_ schema: CauseSchema) {
            history.step(schema, rhythm)
            posterior = history.posterior
        }
    }

    private(set) var people: [Person]
    /// What was held of everybody when each was last found.
    private var prior: CauseSchema
    init(people: [Person], prior: CauseSchema) { (self.people, self.prior) = (people, prior) }

    /// A step of Newton's method for everybody, and what people have in common fitted anew.
    mutating func step(_ schema: inout CauseSchema, fitsInflow: Bool = true) {
        let current = schema
        prior = schema
        AllCores.forEach(&people) { _, person in person.step(current) }
        schema.moveMeans(people.map(\.posterior))
        for cause in Cause.allCases {
            schema.variance[cause] = max(
                CauseSchema.none, NormalPopulation(summaries(cause), mean: schema.mean[cause]).variance)
        }
        let levels = Self.summaries(
            people.lazy.map(\.posterior.level),
            prior: (current.level.mean, max(CauseSchema.none, current.level.variance)))
        schema.level.variance = max(1e-3, NormalPopulation(levels, mean: schema.level.mean).variance)
        guard fitsInflow else { return }
        let (touches, expected) = people.reduce(into: (1.0, 50.0)) { sum, person in
            sum.0 += person.history.inflow.touches
            sum.1 += person.history.inflow.expected
        }
        schema.inflow = min(1, max(1e-4, touches / expected))
    }

    /// The same people before anything is known of them, each with the measures of somebody else, drawn among people with about as many
    /// gaps.
    func shuffled(_ schema: CauseSchema, seed: UInt64) -> CausedPeople {
        var generator = SeededGenerator(seed: seed, stream: 15)
        let measures = people.map(\.history.measures)
        let counts = measures.map { $0.known.count + $0.others.count }
        let order = people.indices.sorted { (counts[$0], $0) < (counts[$1], $1) }
        var donors = Array(people.indices)
        let group = 20
        // No group of one, who would keep their own.
        let groups = max(1, order.count / group)
        for number in 0..<groups {
            let members = Array(order[order.count * number / groups..<order.count * (number + 1) / groups])
            // A turn by some places: nobody keeps their own.
            let turn = members.count > 1 ? 1 + Int(generator.uniform() * Double(members.count - 1)) : 0
            for (place, member) in members.enumerated() { donors[member] = members[(place + turn) % members.count] }
        }
        return CausedPeople(
            people: people.indices.map {
                Person(
                    history: people[$0].history.restarted(schema).replaced(by: measures[donors[$0]]),
                    rhythm: people[$0].rhythm)
            }, prior: schema)
    }

    /// What each person's gaps say of their sensitivity to a cause: a normal distribution, the prior taken out.
    func summaries(_ cause: Cause) -> [NormalPopulation.Summary] {
        Self.summaries(
            people.lazy.map {
                let own = $0.posterior.sensitivity
                return (own.mean[cause], own.variance[cause])
            }, prior: (prior.mean[cause], prior.variance[cause]))
    }

    private static func summaries(
        _ found: some Sequence<(mean: Double, variance: Double)>, prior: (mean: Double, variance: Double)
    ) -> [NormalPopulation.Summary] {
        found.compactMap { own in
            let precision = 1 / max(1e-9, own.variance) - 1 / prior.variance
            guard precision > 1e-4 else { return nil }
            return NormalPopulation.Summary(
                found: (own.mean / own.variance - prior.mean / prior.variance) / precision, precision: precision)
        }
    }

    /// How much better the sensitivities explain the log than none.
    func evidence(_ cause: Cause) -> CauseFit.Evidence {
        var result = CauseFit.Evidence()
        let own = summaries(cause)
        let fit = NormalPopulation(own)
        (result.mean, result.deviation, result.gain) = (fit.mean, fit.variance.squareRoot(), fit.gain)
        result.overdispersion =
            own.reduce(0) { $0 + min(10, $1.found * $1.found * $1.precision) } / Double(max(1, own.count))
        var (sum, square, count) = (0.0, 0.0, 0.0)
        for person in people {
            let sensitivity = person.posterior.sensitivity.mean[cause]
            var isMet = false
            let measures = person.history.measures
            for x in [measures.known, measures.others].joined() where x[cause.index] != 0 {
                isMet = true
                let added = sensitivity * Double(x[cause.index])
                sum += added
                square += added * added
                count += 1
            }
            if isMet { result.people += 1 }
        }
        if count > 1 { result.spread = max(0, square / count - (sum / count) * (sum / count)).squareRoot() }
        return result
    }
}
