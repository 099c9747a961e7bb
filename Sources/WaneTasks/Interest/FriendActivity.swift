import WaneEvents

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a person's friends did with a topic lately, against what they did before.
public struct FriendActivity: Sendable {
    private let histories: Histories
    private var edges: SocialEdges { histories.friends }
    private static let lately = 7 * 86_400 * EventLog.second
    private static let before = 56 * 86_400 * EventLog.second
    /// What happened within the hour is not known yet.
    private static let closed = 3_600 * EventLog.second

    /// Nothing where nobody's friends are known.
    public init?(_ histories: Histories) {
        guard !histories.friends.isEmpty else { return nil }
        self.histories = histories
    }

    /// About 1 where friends have given the topic up in the last week, -1 where they have taken it up; 0 where they do as before,
    /// or none of them knows it.
    public func measure(_ user: Int, _ topic: UInt32, at moment: Int64) -> Float {
        guard user < edges.friends.count else { return 0 }
        var (recent, usual) = (0.0, 0.0)
        for friend in edges.friends[user] where friend.since <= moment {
            guard let pair = histories.userTopic(user: Int(friend.user), topic: topic) else { continue }
            let touches = histories.topicEvents(ofUserTopic: pair)
            func count(until moment: Int64) -> Int {
                touches.partitioningIndex { histories.time(ofTopicEvent: $0) > moment } - touches.lowerBound
            }
            let (now, then, start) = (
                count(until: moment - Self.closed), count(until: moment - Self.lately),
                count(until: moment - Self.lately - Self.before)
            )
            guard now > 0, then > 0 else { continue }
            let first = histories.time(ofTopicEvent: touches.lowerBound)
            let known = Double(min(Self.before, moment - Self.lately - first)) / Double(Self.lately)
            let norm = (Double(then - start) + 0.3) / (max(0, known) + 1)
            // One friend's burst is not what friends do.
            recent += min(Double(now - then), 3 * norm + 2)
            usual += norm
        }
        return usual == 0 ? 0 : Float(min(1, max(-1, -log((recent + 1) / (usual + 1)))))
    }
}
