import WaneCurves
import WaneEvents

/// A log whose half-lives are moved by causes, with what was in force when.
public struct CausedLog: Sendable {
    /// From one touch of a topic to the next.
    public struct Span: Sendable {
        public let user: Int
        public let topic: Int
        /// Seconds from the beginning.
        public let from: Double
        public let to: Double
        /// Without any cause, and as it was: seconds.
        public let baseHalfLife: Double
        public let halfLife: Double
        /// The circumstances that the person is in, with what each multiplies the half-life by: 1 where it does not move them.
        public let multipliers: [(cause: Cause, multiplier: Double)]

        public init(
            user: Int, topic: Int, from: Double, to: Double, baseHalfLife: Double,
            multipliers: [(cause: Cause, multiplier: Double)]
        ) {
            (self.user, self.topic, self.from, self.to) = (user, topic, from, to)
            (self.baseHalfLife, self.multipliers) = (baseHalfLife, multipliers)
            halfLife = multipliers.reduce(baseHalfLife) { $0 * $1.multiplier }
        }
    }

    /// One look at a page of a topic.
    struct Visit {
        let time: Double
        let topic: Int
    }

    public let log: EventLog
    public let spans: [Span]
    public let scenario: Scenario

    /// How a person's life becomes visits.
    public enum Mechanism: String, CaseIterable, Sendable {
        /// Each topic is visited at a rate of its own, which decays since the last visit.
        case rate
        /// A person visits at a rate, and chooses among the topics by how interesting each still is.
        case choice
    }

    public init(_ options: Scenario.Options, mechanism: Mechanism) {
        let scenario = Scenario(options)
        var spans: [Span] = []
        var visits: [[Visit]] = []
        for person in scenario.people.indices {
            var generator = SeededGenerator(seed: options.seed, stream: 1_000 + UInt64(person))
            let life =
                switch mechanism {
                case .rate: RateMechanism.life(of: person, in: scenario, &generator)
                case .choice: ChoiceMechanism.life(of: person, in: scenario, &generator)
                }
            visits.append(life.visits)
            spans += life.spans
        }
        self.scenario = scenario
        self.spans = spans
        log = Self.events(visits, scenario)
    }

    private static let itemsPerTopic = 40
    /// Days for which a page is shown.
    private static let itemLife = 60.0 * Scenario.day

    /// Pages come and go, durations are lognormal, and a tenth of them is missing.
    private static func events(_ visits: [[Visit]], _ scenario: Scenario) -> EventLog {
        var generator = SeededGenerator(seed: scenario.options.seed, stream: 22)
        let topics = scenario.topics
        let items = Vocabulary(
            topics.indices.flatMap { topic in (0..<itemsPerTopic).map { "page-\(topic + 1)-\($0 + 1)" } })
        let births = (0..<items.count).map { _ in (generator.uniform() * 1.3 - 0.3) * scenario.end }
        let (user, item) = (ColumnBuilder<UInt32>(), ColumnBuilder<UInt32>())
        let (time, duration) = (ColumnBuilder<Int64>(), ColumnBuilder<Float>())
        for (person, own) in visits.enumerated() {
            for visit in own {
                user.append(UInt32(person))
                // One that is shown these days, where there is one: the newest of some.
                var chosen = Int.random(in: 0..<itemsPerTopic, using: &generator) + visit.topic * itemsPerTopic
                for _ in 0..<6 {
                    let other = Int.random(in: 0..<itemsPerTopic, using: &generator) + visit.topic * itemsPerTopic
                    let age = visit.time - births[other]
                    if age >= 0, age < itemLife { chosen = other }
                }
                item.append(UInt32(chosen))
                time.append(Int64(Simulator.start + visit.time) * EventLog.second)
                let seconds = 60 * exp(generator.normal())
                duration.append(generator.uniform() < 0.1 ? .nan : Float((seconds * 10).rounded() / 10))
            }
        }
        let byItem = (0..<items.count).map { [UInt32($0 / itemsPerTopic)] }
        return EventLog(
            users: Vocabulary(visits.indices.map { "user-\($0 + 1)" }), items: items, user: user.finish(),
            item: item.finish(), time: time.finish(), duration: duration.finish(),
            topics: ItemTopics(names: Vocabulary(topics.map(\.name)), byItem: byItem, source: .column))
    }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
