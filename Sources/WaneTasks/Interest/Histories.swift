import WaneEvents
import WaneState

/// A log arranged for questions: each user's events in time, and each user's events with each topic.
///
/// A **user-topic** is a user and a topic they have met; its **topic events** are the indices of its events.
public struct Histories: Sendable {
    /// Sorted by user and time.
    public let log: EventLog
    public let scale: EngagementScale
    /// Engagement of each event.
    public let engagement: [Float]
    /// Where each user's events begin; one longer than there are users.
    public let userStarts: [Int]
    public let userTopicUser: [UInt32]
    public let userTopicTopic: [UInt32]
    /// Where the topic events of each user-topic begin; one longer than there are user-topics.
    public let topicEventStarts: [Int]
    /// Indices in `log`, by user-topic and time.
    public let topicEvents: [UInt32]
    /// Where each user's user-topics begin; one longer than there are users.
    public let userTopicStarts: [Int]
    /// Engagement of all topic events before each one; one longer than there are topic events.
    private let engagementBefore: [Double]
    /// The log's own labels in the same form, where it has them.
    private let labelBefore: [Double]?

    /// Who knows whom, by the log's numbers of people.
    public private(set) var friends = SocialEdges.none

    /// The same with its people's friends known.
    public func knowing(_ friends: SocialEdges) -> Histories {
        var other = self
        other.friends = friends
        return other
    }

    /// A log to learn from: the scale of engagement comes from its events before `trainEnd`.
    ///
    /// - Parameter log: with topics; sorted or not.
    /// - Complexity: O(n log n)
    public init(_ log: EventLog, trainEnd: Int64) {
        let log = log.sortedByUser()
        let scale = EngagementScale(log, until: trainEnd)
        self.init(sorted: log, scale: scale, engagement: scale.engagements(log))
    }

    /// A log whose engagement was measured before, on a scale that another log gave.
    ///
    /// - Parameter log: with topics; sorted by user and time.
    public init(sorted log: EventLog, scale: EngagementScale, engagement: [Float]) {
        self.log = log
        self.scale = scale
        self.engagement = engagement
        let userStarts = log.userStarts()
        self.userStarts = userStarts

        var userTopicUser: [UInt32] = []
        var userTopicTopic: [UInt32] = []
        var topicEventStarts = [0]
        var topicEvents: [UInt32] = []
        topicEvents.reserveCapacity(log.count)
        var userTopicStarts = [0]
        var entries: [UInt64] = []
        for user in 0..<log.users.count {
            entries.removeAll(keepingCapacity: true)
            for index in userStarts[user]..<userStarts[user + 1] {
                for topic in log.topics[log.item[index]] { entries.append(UInt64(topic) << 32 | UInt64(index)) }
            }
            entries.sort()
            var previous: UInt64 = .max
            for entry in entries {
                if entry >> 32 != previous {
                    previous = entry >> 32
                    if !userTopicUser.isEmpty { topicEventStarts.append(topicEvents.count) }
                    userTopicUser.append(UInt32(user))
                    userTopicTopic.append(UInt32(previous))
                }
                topicEvents.append(UInt32(truncatingIfNeeded: entry))
            }
            userTopicStarts.append(userTopicUser.count)
        }
        if !userTopicUser.isEmpty { topicEventStarts.append(topicEvents.count) }
        self.userTopicUser = userTopicUser
        self.userTopicTopic = userTopicTopic
        self.topicEventStarts = topicEventStarts
        self.topicEvents = topicEvents
        self.userTopicStarts = userTopicStarts

        func prefix(_ value: (Int) -> Float) -> [Double] {
            var sums = [0.0]
            sums.reserveCapacity(topicEvents.count + 1)
            var sum = 0.0
            for index in topicEvents {
                let value = value(Int(index))
                sum += value.isNaN ? 0 : Double(value)
                sums.append(sum)
            }
            return sums
        }
        engagementBefore = prefix { engagement[$0] }
        labelBefore = log.label.map { label in prefix { label[$0] } }
    }

    public var userCount: Int { userStarts.count - 1 }
    public var userTopicCount: Int { userTopicUser.count }

    public func events(ofUser user: Int) -> Range<Int> { userStarts[user]..<userStarts[user + 1] }

    /// Moments of a user's events up to one, in order.
    public func moments(ofUser user: Int, until end: Int64) -> some Sequence<Int64> {
        events(ofUser: user).lazy.map { log.time[$0] }.prefix { $0 <= end }
    }

    public func userTopics(ofUser user: Int) -> Range<Int> { userTopicStarts[user]..<userTopicStarts[user + 1] }
    public func topicEvents(ofUserTopic userTopic: Int) -> Range<Int> {
        topicEventStarts[userTopic]..<topicEventStarts[userTopic + 1]
    }

    /// The user-topic with the most events, where the user has met a topic at all.
    public func busiestUserTopic(ofUser user: Int) -> Int? {
        userTopics(ofUser: user).max {
            topicEvents(ofUserTopic: $0).count < topicEvents(ofUserTopic: $1).count
        }
    }

    /// An event as a state takes it.
    @inline(__always)
    public func event(_ index: Int) -> StateEvent {
        StateEvent(time: log.time[index], item: log.item[index], engagement: engagement[index])
    }

    @inline(__always)
    public func time(ofTopicEvent topicEvent: Int) -> Int64 { log.time[Int(topicEvents[topicEvent])] }

    /// The user's last event at or before a moment, as an index in the log.
    @inline(__always)
    public func lastEvent(of user: Int, at moment: Int64) -> Int? {
        let range = events(ofUser: user)
        let next = range.partitioningIndex { log.time[$0] > moment }
        return next > range.lowerBound ? next - 1 : nil
    }

    /// The last topic event of a user-topic at or before a moment.
    @inline(__always)
    public func lastTopicEvent(of userTopic: Int, at moment: Int64) -> Int? {
        let range = topicEvents(ofUserTopic: userTopic)
        let next = range.partitioningIndex { time(ofTopicEvent: $0) > moment }
        return next > range.lowerBound ? next - 1 : nil
    }

    /// The user-topic of a user and a topic, where they have met.
    public func userTopic(user: Int, topic: UInt32) -> Int? {
        guard user >= 0, user < userCount else { return nil }
        let range = userTopics(ofUser: user)
        let index = range.partitioningIndex { userTopicTopic[$0] >= topic }
        return index < range.upperBound && userTopicTopic[index] == topic ? index : nil
    }

    /// The engagement in `(moment, moment + horizon]`, how many topic events it is made of, the first of them, and the mean of
    /// the log's own labels there.
    @inline(__always)
    func outcome(
        of userTopic: Int, after moment: Int64, horizon: Int64
    ) -> (engagement: Double, events: Int, first: Int, label: Double?) {
        let range = topicEvents(ofUserTopic: userTopic)
        let first = range.partitioningIndex { time(ofTopicEvent: $0) > moment }
        let last = (first..<range.upperBound).partitioningIndex { time(ofTopicEvent: $0) > moment + horizon }
        let label = labelBefore.map { last > first ? ($0[last] - $0[first]) / Double(last - first) : 0 }
        return (engagementBefore[last] - engagementBefore[first], last - first, first, label)
    }
}
