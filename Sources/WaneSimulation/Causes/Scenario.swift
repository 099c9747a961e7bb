import WaneCurves
import WaneEvents

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What happens in people's lives while a log is made, whatever it does to them: what they like, when they are about, who their
/// friends are, and which circumstances they meet. The same seed makes the same scenario whatever the effect is, so that a twin
/// has the same circumstances at the same times.
///
/// Times are seconds from the beginning.
public struct Scenario: Sendable {
    public struct Options: Sendable {
        public var users = 1_000
        public var topics = 12
        public var days = 180.0
        /// What moves a person is raised to this power: 1 as planted, 0 for circumstances without an effect.
        public var effect = 1.0
        /// Visits, against the usual.
        public var activity = 1.0
        public var seed: UInt64 = 1

        public init() {}
    }

    public struct Topic: Sendable {
        public let name: String
        /// Of the rate at which it is visited, with the floor.
        public let halfLife: Double
        public let shape: Double
    }

    /// Something that a person meets.
    public struct Circumstance: Sendable {
        public let cause: Cause
        /// Nothing for what concerns all topics.
        public let topic: Int?
        public let span: Range<Double>
    }

    public struct Person: Sendable {
        /// Topics that they like, with the moment at which they meet each first; one beyond the end is never met.
        public internal(set) var interests: [(topic: Int, start: Double)] = []
        /// What their half-lives are multiplied by.
        public internal(set) var taste = 1.0
        /// How often they visit, against others.
        public internal(set) var pace = 1.0
        /// The hour of the day around which they are about, before and after a change of habit.
        public internal(set) var hour = 12.0
        public internal(set) var laterHour = 12.0
        /// Moments at which things are shown to them that they did not ask for: they do look.
        public internal(set) var pushed: [(time: Double, topic: Int)] = []
        public internal(set) var circumstances: [Circumstance] = []
        /// The logarithm of what a cause multiplies their half-lives by where it is at its fullest: 0 for those that do not move
        /// them. For social causes: when friends leave; the inverse when they come.
        public internal(set) var sensitivity = ByCause(repeating: 0.0)
        /// Whether friends move them, whatever the effect of that is.
        var followsFriends = false
        public internal(set) var friends: [Int] = []
        /// Topics that they drop or take up at a moment because of nothing that the log shows; friends see it.
        public internal(set) var turns: [(topic: Int, at: Double, comes: Bool)] = []
        /// When they leave for good.
        public internal(set) var end: Double

        /// How strongly they are about at a moment of the day: mean 1 over a day.
        public func presence(at time: Double) -> Double {
            let hour = changed(at: time) ? laterHour : hour
            let angle = (time / 3_600 - hour) / 24 * 2 * .pi
            // exp(κ cos) / I0(κ), κ = 1.5.
            return exp(1.5 * cos(angle)) / 1.646_723_189_773
        }

        /// Whether a change of habit lies behind them.
        func changed(at time: Double) -> Bool {
            circumstances.contains { $0.cause == .habit && time >= $0.span.lowerBound }
        }
    }

    public let options: Options
    public let topics: [Topic]
    public private(set) var people: [Person] = []
    /// Which community each person is of: friends are mostly of one, and like the same things.
    private var community: [Int] = []

    public static let day = 86_400.0
    public var end: Double { options.days * Self.day }
    /// How long it takes until the new is ordinary.
    static let habitLength = 35.0 * day
    static let floor = 0.02

    public init(_ options: Options) {
        self.options = options
        let halfLives = 0.7...10.0
        var generator = SeededGenerator(seed: options.seed, stream: 21)
        // In no order, so that neither numbers nor shapes say anything of a half-life.
        var order = SeededGenerator(seed: options.seed, stream: 20)
        let places = (0..<options.topics).shuffled(using: &order)
        topics = places.enumerated().map { index, place in
            let share = options.topics > 1 ? Double(place) / Double(options.topics - 1) : 0.5
            let (low, high) = (log(halfLives.lowerBound), log(halfLives.upperBound))
            return Topic(
                name: "topic-\(index + 1)", halfLife: exp(low + share * (high - low)) * Self.day,
                shape: [1.3, 1.8, 2.5][index % 3])
        }
        befriend(&generator)
        for person in people.indices {
            live(person, &generator)
            let end = people[person].end
            people[person].pushed = people[person].pushed.filter { $0.time < end }.sorted {
                ($0.time, $0.topic) < ($1.time, $1.topic)
            }
        }
        socialTurns(&generator)
    }

    // MARK: Who there is

    private static let communitySize = 25

    private mutating func befriend(_ generator: inout SeededGenerator) {
        let count = options.users
        people = Array(repeating: Person(end: end), count: count)
        let communities = max(1, count / Self.communitySize)
        community = (0..<count).map { _ in Int.random(in: 0..<communities, using: &generator) }
        var members = [[Int]](repeating: [], count: communities)
        for person in 0..<count { members[community[person]].append(person) }
        // Homophily: a community has topics that its people like more often, and a taste.
        let liked = (0..<communities).map { _ in (0..<options.topics).map { _ in generator.uniform() } }
        let tastes = (0..<communities).map { _ in generator.normal() * 0.2 }
        for person in 0..<count {
            let own = community[person]
            people[person].taste = exp(generator.normal() * 0.35 + tastes[own])
            people[person].pace = exp(generator.normal() * 0.4)
            people[person].hour = (8 + 14 * generator.uniform())
            people[person].laterHour = people[person].hour
            let many = 4 + Int(generator.uniform() * 5)
            let order = (0..<options.topics).sorted {
                let (a, b) = (liked[own][$0] + 0.6 * hash(person, $0), liked[own][$1] + 0.6 * hash(person, $1))
                return a != b ? a > b : $0 < $1
            }
            for topic in order.prefix(min(many, options.topics)) {
                people[person].interests.append((topic, pow(generator.uniform(), 2) * 0.5 * end))
            }
            if generator.uniform() < 0.1 { people[person].end = end * (0.4 + 0.6 * generator.uniform()) }
            let friends = 4 + Int(generator.uniform() * 8)
            var chosen: Set<Int> = []
            for _ in 0..<friends {
                let other =
                    generator.uniform() < 0.85
                    ? members[own][Int.random(in: 0..<members[own].count, using: &generator)]
                    : Int.random(in: 0..<count, using: &generator)
                if other != person { chosen.insert(other) }
            }
            people[person].friends = chosen.sorted()
        }
        // Friendship goes both ways.
        var all = people.map { Set($0.friends) }
        for person in people.indices { for friend in people[person].friends { all[friend].insert(person) } }
        for person in people.indices { people[person].friends = all[person].sorted() }
    }

    /// A number in 0..<1 of a person and a topic.
    private func hash(_ person: Int, _ topic: Int) -> Double {
        var generator = SeededGenerator(seed: options.seed &+ UInt64(person), stream: 40 + UInt64(topic))
        return generator.uniform()
    }

    // MARK: What they meet

    /// A quarter of the people meet nothing; of what the others meet, half of it does not move them.
    private mutating func live(_ person: Int, _ generator: inout SeededGenerator) {
        guard generator.uniform() >= 0.25 else { return }
        let many = generator.uniform() < 0.6 ? 1 : 2
        for cause in Cause.allCases.shuffled(using: &generator).prefix(many) {
            let isMoved = generator.uniform() < 0.5
            let strength = -(0.7 + 0.6 * generator.uniform())
            people[person].sensitivity[cause] = isMoved ? strength * options.effect : 0
            people[person].followsFriends = people[person].followsFriends || cause == .social && isMoved
            switch cause {
            case .fatigue: binges(person, &generator)
            case .overload: floods(person, &generator)
            case .habit: changes(person, &generator)
            case .social: people[person].circumstances.append(Circumstance(cause: .social, topic: nil, span: 0..<end))
            }
        }
    }

    private func moment(_ generator: inout SeededGenerator) -> Double { (0.15 + 0.8 * generator.uniform()) * end }

    private mutating func push(
        _ person: Int, _ span: Range<Double>, _ count: Double, _ generator: inout SeededGenerator,
        _ topic: (inout SeededGenerator) -> Int
    ) {
        var at = span.lowerBound
        let pause = (span.upperBound - span.lowerBound) / count
        while true {
            at += -log(1 - generator.uniform()) * pause
            guard at < min(span.upperBound, end) else { return }
            people[person].pushed.append((at, topic(&generator)))
        }
    }

    /// Days in which one topic is everywhere.
    private mutating func binges(_ person: Int, _ generator: inout SeededGenerator) {
        let interests = people[person].interests
        for _ in 0..<(4 + Int(generator.uniform() * 4)) {
            let interest = interests[Int.random(in: 0..<interests.count, using: &generator)]
            let start = interest.start + (end - interest.start) * (0.1 + 0.85 * generator.uniform())
            let stop = min(end, start + (2 + 3 * generator.uniform()) * Self.day)
            guard start < stop else { continue }
            let span = start..<stop
            people[person].circumstances.append(Circumstance(cause: .fatigue, topic: interest.topic, span: span))
            push(person, span, 10 + 20 * generator.uniform(), &generator) { _ in interest.topic }
        }
    }

    /// Weeks in which far more comes in than usual, of all kinds.
    private mutating func floods(_ person: Int, _ generator: inout SeededGenerator) {
        for _ in 0..<(2 + Int(generator.uniform() * 3)) {
            let start = moment(&generator)
            let span = start..<min(end, start + (6 + 9 * generator.uniform()) * Self.day)
            people[person].circumstances.append(Circumstance(cause: .overload, topic: nil, span: span))
            // Most of it is of what they never asked for.
            let known = Set(people[person].interests.map(\.topic))
            let others = (0..<options.topics).filter { !known.contains($0) }
            let topics = options.topics
            let days = (span.upperBound - span.lowerBound) / Self.day
            push(person, span, (8 + 12 * generator.uniform()) * days, &generator) {
                $0.uniform() < 0.8 && !others.isEmpty
                    ? others[Int.random(in: 0..<others.count, using: &$0)] : Int.random(in: 0..<topics, using: &$0)
            }
        }
    }

    /// One day the person's time is another: other hours, other things.
    private mutating func changes(_ person: Int, _ generator: inout SeededGenerator) {
        let start = (0.3 + 0.4 * generator.uniform()) * end
        people[person].circumstances.append(
            Circumstance(cause: .habit, topic: nil, span: start..<min(end, start + Self.habitLength)))
        people[person].laterHour = people[person].hour + 6 + 6 * generator.uniform()
        let known = Set(people[person].interests.map(\.topic))
        let others = (0..<options.topics).filter { !known.contains($0) }.shuffled(using: &generator)
        for topic in others.prefix(2) {
            people[person].interests.append((topic, min(end, start + 5 * Self.day * generator.uniform())))
        }
    }

    /// Some people of a community drop a topic, or take it up, within days of each other: each for reasons of their own.
    private mutating func socialTurns(_ generator: inout SeededGenerator) {
        var members: [Int: [Int]] = [:]
        for person in people.indices { members[community[person], default: []].append(person) }
        for own in members.keys.sorted() {
            let people = members[own] ?? []
            for _ in 0..<6 {
                let topic = Int.random(in: 0..<options.topics, using: &generator)
                let comes = generator.uniform() < 0.4
                let start = (0.15 + 0.75 * generator.uniform()) * end
                for person in people where !self.people[person].followsFriends && generator.uniform() < 0.6 {
                    let likes = self.people[person].interests.contains { $0.topic == topic && $0.start < start }
                    let turned = self.people[person].turns.contains { $0.topic == topic }
                    guard likes, !turned else { continue }
                    self.people[person].turns.append((topic, start + 6 * Self.day * generator.uniform(), comes))
                }
            }
        }
    }

    /// How far friends of a person have turned from a topic in the last weeks, less those who turned to it: -1...1.
    public func socialDose(_ person: Int, topic: Int, at time: Double) -> Double {
        var (gone, come, all) = (0.0, 0.0, 0.0)
        for friend in people[person].friends {
            let friend = people[friend]
            guard friend.interests.contains(where: { $0.topic == topic && $0.start < time }), time < friend.end else {
                continue
            }
            all += 1
            for turn in friend.turns where turn.topic == topic && turn.at <= time && time < turn.at + 21 * Self.day {
                if turn.comes { come += 1 } else { gone += 1 }
            }
        }
        return all == 0 ? 0 : max(-1, min(1, 2 * (gone - come) / max(3, all)))
    }
}
