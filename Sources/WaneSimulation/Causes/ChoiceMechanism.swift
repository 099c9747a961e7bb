import WaneCurves
import WaneEvents

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A person who comes online in sessions and, at each visit, chooses among what still interests them.
///
/// How often they come follows the sum of how interesting everything still is, and each choice follows its parts, so
/// that the rate at which a session begins with a topic is in proportion to how interesting that topic is. Interests
/// draw on one attention all the same: within a session a visit to one topic is not a visit to another.
///
/// Causes change the speed at which an interest fades from the moment at which they set in; what has faded by then
/// stays as it is.
enum ChoiceMechanism {
    /// Visits in order of time, and for each liked topic what its half-life was from each visit to the next.
    static func life(
        of number: Int, in scenario: Scenario, _ generator: inout SeededGenerator
    ) -> (visits: [CausedLog.Visit], spans: [CausedLog.Span]) {
        var life = Life(of: number, in: scenario)
        life.pass(&generator)
        return (life.visits, life.spans)
    }

    /// Sessions a day of a person of pace 1 for whom one topic is as interesting as can be, and nothing else is.
    private static let sessionsPerDay = 0.58
    /// The chance that another visit follows in a session.
    private static let goesOn = 0.33
    /// Visits a day to a liked topic that a person expects before they know better.
    private static let expectedPerDay = 0.35
    /// The length of a step of the clock at which the state of the causes is looked at again.
    private static let hour = 3_600.0
    private static let hoursPerDay = 24
    /// How often a person hears from their friends.
    private static let hoursBetweenNews = 6
}

// MARK: A life

extension ChoiceMechanism {
    /// One person's life up to a moment.
    private struct Life {
        private let number: Int
        private let scenario: Scenario
        private let person: Scenario.Person
        /// When there is nothing more of them.
        private let leaves: Double
        /// Sessions a second where presence and the sum of interests are 1.
        private let pace: Double
        /// The most that presence can be.
        private let busiest: Double
        /// Visits whose times are given, in order, and the number of those that are past.
        private let plan: [CausedLog.Visit]
        private var planned = 0

        private var now = 0.0
        /// The next visit of the session that they are in.
        private var following: Double?
        private var interests: [Interest]
        /// The place of each topic in `interests`: nothing for those that they do not like.
        private let places: [Int?]
        private var arrivals: Arrivals

        private(set) var visits: [CausedLog.Visit] = []
        private(set) var spans: [CausedLog.Span] = []

        init(of number: Int, in scenario: Scenario) {
            let person = scenario.people[number]
            (self.number, self.scenario, self.person) = (number, scenario, person)
            leaves = min(person.end, scenario.end)
            pace = ChoiceMechanism.sessionsPerDay / Scenario.day * person.pace * scenario.options.activity
            // At the hour around which they are about, whichever of the two holds on the first day.
            busiest = [person.hour, person.laterHour].map { person.presence(at: $0 * ChoiceMechanism.hour) }.max() ?? 1
            plan = Self.plan(person, until: leaves)
            interests = person.interests.map { Interest($0.topic, from: $0.start, of: number, in: scenario) }
            var places = [Int?](repeating: nil, count: scenario.topics.count)
            for (place, interest) in person.interests.enumerated() { places[interest.topic] = place }
            self.places = places
            arrivals = Arrivals(topics: scenario.topics.count)
        }

        /// First meetings, what is pushed, and turns to a topic.
        private static func plan(_ person: Scenario.Person, until end: Double) -> [CausedLog.Visit] {
            let met = person.interests.map { CausedLog.Visit(time: $0.start, topic: $0.topic) }
            let pushed = person.pushed.map { CausedLog.Visit(time: $0.time, topic: $0.topic) }
            let turned = person.turns.filter(\.comes).map { CausedLog.Visit(time: $0.at, topic: $0.topic) }
            return (met + pushed + turned).filter { $0.time < end }.sorted {
                $0.time != $1.time ? $0.time < $1.time : $0.topic < $1.topic
            }
        }

        /// Lives until the end of the scenario; somebody who has left still has interests that fade.
        mutating func pass(_ generator: inout SeededGenerator) {
            var hour = 0
            while now < scenario.end {
                let strikes = min(scenario.end, Double(hour + 1) * ChoiceMechanism.hour)
                visit(in: hour, before: min(strikes, leaves), &generator)
                now = strikes
                strike(hour)
                hour += 1
            }
            for place in interests.indices { close(place) }
        }

        // MARK: Visits

        /// Everything that they look at before a moment.
        private mutating func visit(in hour: Int, before limit: Double, _ generator: inout SeededGenerator) {
            while now < limit {
                let given = planned < plan.count ? plan[planned].time : .infinity
                let stop = min(limit, given, following ?? .infinity)
                if following == nil, let time = comesOnline(before: stop, generator: &generator) {
                    now = time
                    choose(in: hour, &generator)
                } else {
                    now = stop
                    guard stop < limit else { return }
                    if stop == given {
                        look(at: plan[planned].topic, in: hour)
                        planned += 1
                    } else {
                        choose(in: hour, &generator)
                    }
                }
            }
        }

        /// When they come online of their own accord, if they do before a moment.
        ///
        /// Interests only fall until then, so the rate of now at the busiest hour is a bound for thinning (Lewis and
        /// Shedler 1979). The floors of the interests are the small rate at which they come even when they have lost
        /// interest in everything.
        private func comesOnline(before stop: Double, generator: inout SeededGenerator) -> Double? {
            let most = busiest * attraction(at: now)
            guard most > 0, pace > 0 else { return nil }
            var time = now
            while true {
                time += -log(1 - generator.uniform()) / (pace * most)
                guard time < stop else { return nil }
                if generator.uniform() * most < person.presence(at: time) * attraction(at: time) { return time }
            }
        }

        /// How interesting everything is together.
        private func attraction(at time: Double) -> Double {
            interests.reduce(0) { $0 + $1.level(at: time) }
        }

        /// One visit of a session: to what is interesting now, the more often the more it is; perhaps another follows.
        private mutating func choose(in hour: Int, _ generator: inout SeededGenerator) {
            following = nil
            var rest = generator.uniform() * attraction(at: now)
            var chosen: Int?
            for interest in interests {
                let level = interest.level(at: now)
                guard level > 0 else { continue }
                chosen = interest.topic
                rest -= level
                if rest < 0 { break }
            }
            guard let chosen else { return }
            look(at: chosen, in: hour)
            if generator.uniform() < ChoiceMechanism.goesOn { following = now + Self.pause(&generator) }
        }

        /// Seconds to minutes between two visits of a session.
        private static func pause(_ generator: inout SeededGenerator) -> Double {
            min(1_200, max(5, exp(log(80) + 0.9 * generator.normal())))
        }

        /// A visit of whatever kind, now: the topic is as interesting as can be, if they like it and have met it.
        private mutating func look(at topic: Int, in hour: Int) {
            visits.append(CausedLog.Visit(time: now, topic: topic))
            arrivals.add(topic, in: hour)
            guard let place = places[topic], now >= interests[place].start else { return }
            close(place)
            interests[place].renew(at: now)
        }

        // MARK: Causes

        /// At the end of an hour: what the causes do from now on.
        private mutating func strike(_ hour: Int) {
            arrivals.strike(hour)
            let hasNews = hour % ChoiceMechanism.hoursBetweenNews == 0
            let isNewDay = (hour + 1) % ChoiceMechanism.hoursPerDay == 0
            for place in interests.indices {
                let topic = interests[place].topic
                if hasNews, interests[place].friendsTurn <= now {
                    interests[place].social = scenario.socialDose(number, topic: topic, at: now)
                }
                let (own, others) = (arrivals.recent(topic), arrivals.recent(otherThan: topic))
                let doses = interests[place].doses(at: now, own: own, others: others)
                if doses != interests[place].doses {
                    close(place)
                    interests[place].change(to: doses, sensitivity: person.sensitivity, at: now)
                }
                if isNewDay { interests[place].getUsed(toOwn: own, others: others) }
            }
        }

        /// Writes down what was in force for a topic until now, if they have met it.
        private mutating func close(_ place: Int) {
            let interest = interests[place]
            guard interest.isMet, interest.since < now else { return }
            let multipliers = Cause.allCases.filter { interest.doses[$0.index] != 0 }.map {
                (cause: $0, multiplier: interest.multiplier($0, person.sensitivity))
            }
            spans.append(
                CausedLog.Span(
                    user: number, topic: interest.topic, from: interest.since, to: now,
                    baseHalfLife: interest.halfLife, multipliers: multipliers))
        }
    }
}

// MARK: An interest

extension ChoiceMechanism {
    /// How interesting a liked topic is to a person, and what moves that.
    private struct Interest {
        let topic: Int
        /// When they meet it first.
        let start: Double
        /// Of `level` when no cause is in force.
        let halfLife: Double
        /// When the first of their friends turns from it or to it.
        let friendsTurn: Double
        private let shape: Double
        private let scale: Double
        /// When they turn from it themselves.
        private let dropped: Double
        /// The span of a change of habit that concerns it.
        private let habit: Range<Double>?

        private(set) var isMet = false
        /// The last visit, or the last change of what is in force since then.
        private(set) var since = 0.0
        /// The time from the last visit until `since`, in scales of the curve as they were.
        private var faded = 0.0
        /// How much of it fades in a second.
        private var speed: Double
        /// What is in force, by the index of the cause.
        private(set) var doses = SIMD4<Double>.zero
        /// How far friends have turned from it, by the last news.
        var social = 0.0
        private var usual: Usual
        private var usualOthers: Usual

        init(_ topic: Int, from start: Double, of number: Int, in scenario: Scenario) {
            let person = scenario.people[number]
            (self.topic, self.start, shape) = (topic, start, scenario.topics[topic].shape)
            halfLife = scenario.topics[topic].halfLife * person.taste
            // The level, floor and all, is a half where the curve alone is somewhat below: there d / scale is this.
            scale = halfLife / pow(0.5 / (0.5 - Scenario.floor), 1 / shape)
            speed = 1 / scale
            dropped = person.turns.first { $0.topic == topic && !$0.comes }?.at ?? .infinity
            habit = person.circumstances.first { $0.cause == .habit && start < $0.span.lowerBound }?.span
            friendsTurn =
                person.friends.lazy.flatMap { scenario.people[$0].turns }.filter { $0.topic == topic }.map(\.at).min()
                ?? .infinity
            let expected =
                ChoiceMechanism.expectedPerDay * person.pace * scenario.options.activity * Arrivals.steadyDays
            // The slack is what a session or two may add to a quiet week without being too much.
            usual = Usual(level: expected, times: 2, slack: 4)
            usualOthers = Usual(level: expected * Double(max(0, person.interests.count - 2)), times: 1.5, slack: 6)
        }

        /// How interesting it is: 1 just after a visit, and never less than the floor while it is liked.
        func level(at time: Double) -> Double {
            guard isMet, time < dropped else { return 0 }
            let age = faded + (time - since) * speed
            return Scenario.floor + (1 - Scenario.floor) / (1 + pow(age, shape))
        }

        mutating func renew(at time: Double) { (isMet, since, faded) = (true, time, 0) }

        /// What a cause multiplies the half-life by.
        func multiplier(_ cause: Cause, _ sensitivity: ByCause<Double>) -> Double {
            exp(sensitivity[cause] * doses[cause.index])
        }

        /// From now on it fades as other doses have it.
        mutating func change(to new: SIMD4<Double>, sensitivity: ByCause<Double>, at time: Double) {
            if isMet { faded += (time - since) * speed }
            (since, doses) = (time, new)
            speed = Cause.allCases.reduce(1 / scale) { $0 / multiplier($1, sensitivity) }
        }

        /// The doses to be in force, given what came lately of this topic and of others.
        func doses(at time: Double, own: Double, others: Double) -> SIMD4<Double> {
            var new = SIMD4<Double>.zero
            new[Cause.fatigue.index] = usual.dose(own)
            new[Cause.overload.index] = usualOthers.dose(others)
            new[Cause.habit.index] = habitDose(at: time)
            new[Cause.social.index] = social
            for index in new.indices { new[index] = Self.settled(doses[index], new[index]) }
            return new
        }

        /// Fullest at the beginning of the span, nothing at its end.
        private func habitDose(at time: Double) -> Double {
            guard let habit, habit.contains(time) else { return 0 }
            return (habit.upperBound - time) / (habit.upperBound - habit.lowerBound)
        }

        /// A dose in force stays until another is appreciably different, and is a number of tenths; a small one is
        /// none. What is in force is thus exactly what the spans say, and not every visit cuts them in pieces.
        private static func settled(_ held: Double, _ dose: Double) -> Double {
            if held == 0 ? abs(dose) < 0.15 : abs(dose) < 0.1 { return 0 }
            if held != 0, abs(dose - held) < 0.25 { return held }
            let tenths = max(2, (abs(dose) * 10).rounded()) / 10
            return dose < 0 ? -tenths : tenths
        }

        /// Once a day. Nobody is used to a topic that they have not met.
        mutating func getUsed(toOwn own: Double, others: Double) {
            if isMet { usual.follow(own) }
            usualOthers.follow(others)
        }
    }
}

// MARK: How much comes in

extension ChoiceMechanism {
    /// How much came of each topic lately, visits of all kinds: each counts 1 at first and, hour by hour, evenly less
    /// until it is forgotten after some days.
    private struct Arrivals {
        /// Hours until a visit is forgotten.
        private static let kept = 120
        /// What one visit a day adds up to.
        static let steadyDays = Double(kept) / Double(ChoiceMechanism.hoursPerDay) / 2

        private var remembered: [(hour: Int, topic: Int)] = []
        private var forgotten = 0
        /// By topic: visits that are remembered, and the hours that are left to them together.
        private var counts: [Int]
        private var left: [Int]
        private var total = 0
        /// The topic of which most came, and what is left of the next.
        private var loudest = 0
        private var second = 0

        init(topics: Int) {
            counts = Array(repeating: 0, count: topics)
            left = counts
        }

        mutating func add(_ topic: Int, in hour: Int) {
            remembered.append((hour, topic))
            counts[topic] += 1
            left[topic] += Self.kept
        }

        /// At the end of an hour.
        mutating func strike(_ hour: Int) {
            (total, loudest, second) = (0, 0, 0)
            for topic in left.indices {
                left[topic] -= counts[topic]
                total += left[topic]
                if topic == 0 { continue }
                if left[topic] > left[loudest] {
                    (loudest, second) = (topic, left[loudest])
                } else {
                    second = max(second, left[topic])
                }
            }
            while forgotten < remembered.count, remembered[forgotten].hour + Self.kept <= hour + 1 {
                counts[remembered[forgotten].topic] -= 1
                forgotten += 1
            }
        }

        func recent(_ topic: Int) -> Double { Double(left[topic]) / Double(Self.kept) }

        /// Of everything else, but for the topic of which most came: much of one other topic is not much of everything.
        func recent(otherThan topic: Int) -> Double {
            let most = topic == loudest ? second : left[loudest]
            return Double(total - left[topic] - most) / Double(Self.kept)
        }
    }

    /// How much a person is used to.
    private struct Usual {
        private(set) var level: Double
        /// More than this many times the level, and so much more, is too much.
        let times: Double
        let slack: Double

        /// Each day it goes one small step towards what came lately, however far that is, so that it comes to lie about
        /// the median, and a burst does not drag it further than as many ordinary days would.
        mutating func follow(_ recent: Double) {
            let step = 0.015 * (level + 0.3)
            level = max(0, level + min(step, max(-step, recent - level)))
        }

        /// From 0 where as much came as is still ordinary to 1 at twice that.
        func dose(_ recent: Double) -> Double {
            let ample = times * level + slack
            return min(1, max(0, recent / ample - 1))
        }
    }
}
