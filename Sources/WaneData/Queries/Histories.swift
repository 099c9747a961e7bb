/// A log arranged for questions: each person's events in time, and each person's events with each topic.
///
/// A **pair** is a person and a topic they have met; its **touches** are the places of its events.
public struct Histories: Sendable {
    /// Sorted by person and time.
    public let log: EventLog
    public let engagement: Engagement
    /// Where each person's events begin; one longer than there are people.
    public let userStarts: [Int]
    public let pairUser: [UInt32]
    public let pairTopic: [UInt32]
    /// Where each pair's touches begin; one longer than there are pairs.
    public let pairStarts: [Int]
    /// Places in `log`, by pair and time.
    public let touches: [UInt32]
    /// Where each person's pairs begin; one longer than there are people.
    public let userPairs: [Int]
    /// Engagement of all touches before each one; one longer than there are touches.
    let engagementBefore: [Double]
    /// The log's own labels in the same form, where it has them.
    let labelBefore: [Double]?
    /// Times of all touches of each topic, in order.
    let topicTimes: [Int64]
    let topicStarts: [Int]
    /// Times of all events, in order.
    public let allTimes: [Int64]

    /// - Parameter log: with topics; sorted or not.
    /// - Complexity: O(n log n)
    public init(_ log: EventLog, trainEnd: Int64, known: Engagement.Scale? = nil) {
        let log = log.sortedByUser()
        self.log = log
        engagement = Engagement(log, until: trainEnd, known: known)
        let userStarts = log.userStarts()
        self.userStarts = userStarts

        var pairUser: [UInt32] = []
        var pairTopic: [UInt32] = []
        var pairStarts = [0]
        var touches: [UInt32] = []
        var userPairs = [0]
        var entries: [UInt64] = []
        for user in 0..<log.users.count {
            entries.removeAll(keepingCapacity: true)
            for place in userStarts[user]..<userStarts[user + 1] {
                for topic in log.topics[log.item[place]] { entries.append(UInt64(topic) << 32 | UInt64(place)) }
            }
            entries.sort()
            var previous: UInt64 = .max
            for entry in entries {
                if entry >> 32 != previous {
                    previous = entry >> 32
                    if !pairUser.isEmpty { pairStarts.append(touches.count) }
                    pairUser.append(UInt32(user))
                    pairTopic.append(UInt32(previous))
                }
                touches.append(UInt32(truncatingIfNeeded: entry))
            }
            userPairs.append(pairUser.count)
        }
        if !pairUser.isEmpty { pairStarts.append(touches.count) }
        self.pairUser = pairUser
        self.pairTopic = pairTopic
        self.pairStarts = pairStarts
        self.touches = touches
        self.userPairs = userPairs

        func prefix(_ value: (Int) -> Float) -> [Double] {
            var sums = [0.0]
            sums.reserveCapacity(touches.count + 1)
            var sum = 0.0
            for place in touches {
                let value = value(Int(place))
                sum += value.isNaN ? 0 : Double(value)
                sums.append(sum)
            }
            return sums
        }
        let weights = engagement.values
        engagementBefore = prefix { weights[$0] }
        labelBefore = log.label.map { label in prefix { label[$0] } }

        var topicStarts = [Int](repeating: 0, count: log.topics.count + 1)
        for pair in pairTopic.indices {
            topicStarts[Int(pairTopic[pair]) + 1] += pairStarts[pair + 1] - pairStarts[pair]
        }
        for topic in 0..<log.topics.count { topicStarts[topic + 1] += topicStarts[topic] }
        var next = topicStarts
        var topicTimes = [Int64](repeating: 0, count: touches.count)
        for pair in pairTopic.indices {
            for touch in pairStarts[pair]..<pairStarts[pair + 1] {
                topicTimes[next[Int(pairTopic[pair])]] = log.time[Int(touches[touch])]
                next[Int(pairTopic[pair])] += 1
            }
        }
        for topic in 0..<log.topics.count { topicTimes[topicStarts[topic]..<topicStarts[topic + 1]].sort() }
        self.topicTimes = topicTimes
        self.topicStarts = topicStarts
        allTimes = log.time.values.sorted()
    }

    public func eventCount(ofUser user: Int) -> Int { userStarts[user + 1] - userStarts[user] }
    public func touchCount(ofPair pair: Int) -> Int { pairStarts[pair + 1] - pairStarts[pair] }

    /// The pair that a person has touched most, where they have met a topic at all.
    public func busiestPair(ofUser user: Int) -> Int? {
        (userPairs[user]..<userPairs[user + 1]).max { touchCount(ofPair: $0) < touchCount(ofPair: $1) }
    }

    /// A moment as people write it; in a log of positions, the place in the person's own history, from one.
    public func words(_ moment: Int64, user: Int) -> String {
        guard log.clock == .position else { return TimeFormat.words(moment) }
        return "\((moment - log.time[userStarts[user]]) / EventLog.second + 1)"
    }

    /// The moment of a place in the person's own history, from one, in a log of positions.
    public func moment(ofPosition position: Int64, user: Int) -> Int64 {
        log.time[userStarts[user]] + (position - 1) * EventLog.second
    }

    public var pairCount: Int { pairUser.count }
    public var userCount: Int { userStarts.count - 1 }

    @inline(__always)
    public func time(ofTouch touch: Int) -> Int64 { log.time[Int(touches[touch])] }

    /// The person's last event at or before a moment, as a place in the log.
    @inline(__always)
    public func lastEvent(of user: Int, at moment: Int64) -> Int? {
        let range = userStarts[user]..<userStarts[user + 1]
        let next = range.partitioningIndex { log.time[$0] > moment }
        return next > range.lowerBound ? next - 1 : nil
    }

    /// The pair's last touch at or before a moment.
    @inline(__always)
    public func lastTouch(of pair: Int, at moment: Int64) -> Int? {
        let range = pairStarts[pair]..<pairStarts[pair + 1]
        let next = range.partitioningIndex { time(ofTouch: $0) > moment }
        return next > range.lowerBound ? next - 1 : nil
    }

    /// The pair of a person and a topic, where they have met.
    public func pair(user: Int, topic: UInt32) -> Int? {
        guard user >= 0, user < userCount else { return nil }
        let range = userPairs[user]..<userPairs[user + 1]
        let place = range.partitioningIndex { pairTopic[$0] >= topic }
        return place < range.upperBound && pairTopic[place] == topic ? place : nil
    }

    /// The engagement in `(moment, moment + horizon]`, how many touches it is made of, and the mean of the
    /// log's own labels there.
    @inline(__always)
    func outcome(
        of pair: Int, after moment: Int64, horizon: Int64
    ) -> (engagement: Double, touches: Int, label: Double?) {
        let range = pairStarts[pair]..<pairStarts[pair + 1]
        let first = range.partitioningIndex { time(ofTouch: $0) > moment }
        let last = (first..<range.upperBound).partitioningIndex { time(ofTouch: $0) > moment + horizon }
        let label = labelBefore.map { last > first ? ($0[last] - $0[first]) / Double(last - first) : 0 }
        return (engagementBefore[last] - engagementBefore[first], last - first, label)
    }

    /// Touches of a topic, and of all topics' events, up to and including a moment.
    @inline(__always)
    func popularity(of topic: Int, at moment: Int64) -> (topic: Int, all: Int) {
        let range = topicStarts[topic]..<topicStarts[topic + 1]
        let touched = range.partitioningIndex { topicTimes[$0] > moment } - range.lowerBound
        return (touched, allTimes.partitioningIndex { $0 > moment })
    }
}
