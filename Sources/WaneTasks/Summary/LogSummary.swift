import WaneEvents
import WaneState

/// What a log holds, in figures: what a person wants to know before training on it.
public struct LogSummary: Sendable, Encodable {
    public let events: Int
    public let users: Int
    public let items: Int
    public let topics: Int
    public let topicSource: ItemTopics.Source
    public let clock: EventLog.Clock
    public let start: Moment
    public let end: Moment
    public let hasDurations: Bool
    public let hasWeights: Bool
    public let hasLabels: Bool
    /// Events that equal another in person, item and time.
    public let repeatedEvents: Int
    /// Rows that say what people were shown, not what they did; not among the events.
    public let exposures: Int
    public let usersWithOneEvent: Int
    /// Events a person: lowest, quartiles, highest.
    public let eventsPerUser: [Int]
    /// Seconds from one touch of a topic to the next: lowest, quartiles, highest.
    public let returnGapsSeconds: [Double]
    public let busiestTopics: [TopicCount]
    public let returnCurve: [ReturnPoint]
    public let warnings: [String]

    public struct TopicCount: Sendable, Codable {
        public let name: String
        public let events: Int
        public let users: Int
    }

    /// Of the people whose last touch of a topic is `age` ago, how many come back within the horizon.
    public struct ReturnPoint: Sendable, Codable {
        public let ageSeconds: Double
        public let share: Double
        public let cases: Int
    }

    /// When something was; in JSON as RFC 3339 has it, and nothing where a log has its order only.
    public struct Moment: Sendable, Encodable {
        /// Microseconds.
        public let time: Int64
        let clock: EventLog.Clock

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            if clock == .wall { try container.encode(TimeFormat.rfc3339(time)) } else { try container.encodeNil() }
        }
    }

    /// - Parameters:
    ///   - log: with topics.
    ///   - times: of the log's events in order, where the caller has them.
    ///   - horizon: microseconds.
    /// - Complexity: O(n log n)
    public init(_ histories: Histories, times: [Int64]? = nil, horizon: Int64, report: ReadingReport) {
        let log = histories.log
        events = log.count
        users = log.users.count
        items = log.exposures == nil ? log.items.count : Set(log.item).count
        topics = log.topics.count
        topicSource = log.topics.source
        clock = log.clock
        let times = times ?? RadixSort.sorted(log.time)
        start = Moment(time: times.first ?? 0, clock: log.clock)
        end = Moment(time: times.last ?? 0, clock: log.clock)
        hasDurations = log.duration != nil
        hasWeights = log.weight != nil
        hasLabels = log.label != nil
        // Wherever they stand among those of one moment: `a, b, a`.
        var repeated = 0
        var first = 0
        while first < log.count {
            var next = first + 1
            while next < log.count, log.user[next] == log.user[first], log.time[next] == log.time[first] { next += 1 }
            if next > first + 1 { repeated += next - first - Set(log.item[first..<next]).count }
            first = next
        }
        repeatedEvents = repeated
        exposures = report.exposures
        let perUser = (0..<histories.userCount).map { histories.userStarts[$0 + 1] - histories.userStarts[$0] }.sorted()
        usersWithOneEvent = perUser.count { $0 == 1 }
        func quartiles<Number>(_ sorted: [Number]) -> [Number] {
            sorted.isEmpty ? [] : [0, 0.25, 0.5, 0.75, 1].map { sorted[Int($0 * Double(sorted.count - 1))] }
        }
        eventsPerUser = quartiles(perUser)

        var gaps: [UInt64] = []
        gaps.reserveCapacity(log.count)
        var touches = [Int](repeating: 0, count: log.topics.count)
        var people = touches
        // Within a day no dates tell anything.
        let resolution = log.clock == .wall ? Double(log.resolution(until: .max)) : 0
        let ages = (0..<12).map { Double(horizon) / 512 * Double(1 << $0) }.filter { $0 >= resolution }
        var atRisk = [Int](repeating: 0, count: ages.count)
        var returned = atRisk
        for userTopic in 0..<histories.userTopicCount {
            let topic = Int(histories.userTopicTopic[userTopic])
            people[topic] += 1
            let range = histories.topicEvents(ofUserTopic: userTopic)
            touches[topic] += range.count
            let lastOfUser = log.time[histories.userStarts[Int(histories.userTopicUser[userTopic]) + 1] - 1]
            let limit = log.clock == .wall ? end.time : lastOfUser
            for touch in range {
                let at = histories.time(ofTopicEvent: touch)
                let next = touch + 1 < range.upperBound ? histories.time(ofTopicEvent: touch + 1) : Int64.max
                if next != .max { gaps.append(UInt64(next - at)) }
                for (index, age) in ages.enumerated() {
                    let moment = at + Int64(age)
                    guard moment < next, moment + horizon <= limit else { break }
                    atRisk[index] += 1
                    if next <= moment + horizon { returned[index] += 1 }
                }
            }
        }
        RadixSort.sort(&gaps)
        returnGapsSeconds = quartiles(gaps).map { Double($0) / 1e6 }
        busiestTopics = touches.indices.filter { touches[$0] > 0 }.sorted { (touches[$0], $1) > (touches[$1], $0) }
            .prefix(10).map {
                TopicCount(name: log.topics.names[$0], events: touches[$0], users: people[$0])
            }
        returnCurve = ages.indices.compactMap { index in
            guard atRisk[index] >= 20 else { return nil }
            return ReturnPoint(
                ageSeconds: ages[index] / 1e6, share: Double(returned[index]) / Double(atRisk[index]),
                cases: atRisk[index])
        }

        var warnings = report.warnings
        if start.time == end.time { warnings.append("all events have the same time") }
        if users == 1 { warnings.append("the log has one person: nothing can be learned across people") }
        if !times.isEmpty { warnings += LogSpan(times, clock: log.clock).notes }
        if repeated > 0 {
            warnings.append(
                "\(repeated) \(repeated == 1 ? "event repeats" : "events repeat") another of the same person, item and time; \(repeated == 1 ? "it is" : "they are") kept"
            )
        }
        self.warnings = warnings
    }
}
