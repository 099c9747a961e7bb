import WaneEvents

/// How often each topic was touched up to a moment, in all and over the last horizon: what a state knows of
/// everybody else. Frozen; whoever follows a stream makes a new one each closed hour.
public struct Popularity: Sendable, Equatable {
    /// Microseconds: events at or before it are counted.
    public let until: Int64
    /// Touches by topic number, in all and within a horizon before `until`.
    public let touches: [UInt32]
    public let latelyTouches: [UInt32]
    /// Events of everybody, in all and lately.
    public let events: Int
    public let latelyEvents: Int
    /// How many topics there are to share the events among: those that training met.
    public let topicCount: Int

    public init(
        until: Int64, touches: [UInt32], latelyTouches: [UInt32], events: Int, latelyEvents: Int, topicCount: Int
    ) {
        self.until = until
        self.touches = touches
        self.latelyTouches = latelyTouches
        self.events = events
        self.latelyEvents = latelyEvents
        self.topicCount = topicCount
    }

    /// The same counts under other numbers: `numbers` has, for each new number, the old one, or -1 for a topic that
    /// was never counted.
    public func renumbered(_ numbers: [Int]) -> Popularity {
        func moved(_ counts: [UInt32]) -> [UInt32] {
            numbers.map { counts.indices.contains($0) ? counts[$0] : 0 }
        }
        return Popularity(
            until: until, touches: moved(touches), latelyTouches: moved(latelyTouches), events: events,
            latelyEvents: latelyEvents, topicCount: topicCount)
    }

    /// The logarithm of the topic's smoothed share of all touches, and of those of the last horizon. A topic
    /// without a number here counts as never touched.
    @inline(__always)
    func logShares(of topic: UInt32) -> (all: Float, lately: Float) {
        let known = Int(topic) < touches.count
        let topics = Double(max(1, topicCount))
        return (
            Float(log((Double(known ? touches[Int(topic)] : 0) + 1) / (Double(events) + topics))),
            Float(log((Double(known ? latelyTouches[Int(topic)] : 0) + 1) / (Double(latelyEvents) + topics)))
        )
    }
}

/// Popularity at a few moments of the training part, for queries that must not see more than was known.
public struct PopularitySnapshots: Sendable {
    /// In order of time; the last one is at the end of training.
    public let all: [Popularity]
    private let before: Popularity

    /// - Parameters:
    ///   - moments: in order of time.
    ///   - horizon: microseconds.
    /// - Complexity: O(events + moments · topics)
    public init(_ log: EventLog, at moments: [Int64], horizon: Int64) {
        let topics = log.topics.count
        var deltas = moments.map { _ in [UInt32](repeating: 0, count: topics) }
        var lately = deltas
        var eventDeltas = [Int](repeating: 0, count: moments.count)
        var latelyEvents = eventDeltas
        for index in 0..<log.count {
            let time = log.time[index]
            let first = moments.partitioningIndex { $0 >= time }
            guard first < moments.count else { continue }
            eventDeltas[first] += 1
            for topic in log.topics[log.item[index]] { deltas[first][Int(topic)] += 1 }
            var snapshot = first
            while snapshot < moments.count, time > moments[snapshot] - horizon {
                latelyEvents[snapshot] += 1
                for topic in log.topics[log.item[index]] { lately[snapshot][Int(topic)] += 1 }
                snapshot += 1
            }
        }
        let topicCount = (0..<topics).count { topic in deltas.contains { $0[topic] > 0 } }
        let zeros = [UInt32](repeating: 0, count: topics)
        before = Popularity(
            until: .min, touches: zeros, latelyTouches: zeros, events: 0, latelyEvents: 0, topicCount: topicCount)
        var touches = zeros
        var events = 0
        all = moments.indices.map { snapshot in
            for topic in 0..<topics { touches[topic] += deltas[snapshot][topic] }
            events += eventDeltas[snapshot]
            return Popularity(
                until: moments[snapshot], touches: touches, latelyTouches: lately[snapshot], events: events,
                latelyEvents: latelyEvents[snapshot], topicCount: topicCount)
        }
    }

    /// One for all moments, counted in another log.
    public init(frozen: Popularity) {
        all = [frozen]
        before = frozen
    }

    /// The number of the latest snapshot at or before a moment; -1 where there is none.
    public func index(at moment: Int64) -> Int { all.partitioningIndex { $0.until > moment } - 1 }

    public subscript(index: Int) -> Popularity { all.indices.contains(index) ? all[index] : before }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
