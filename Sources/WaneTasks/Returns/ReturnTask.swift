import WaneEvents
import WaneState

/// Questions of how long after a touch of a topic a person comes back to it, with the answers.
public struct ReturnQueries: Sendable {
    public let queries: QuerySet
    /// Horizons from the touch until the next one where it was seen, else until the part ended.
    public let duration: [Double]
    public let observed: [Bool]
    /// Horizons from the touch until the question was asked: there had been no return by then. 0 for a question
    /// asked right after its touch.
    public let entry: [Double]
    /// For each question, horizons from each of the user-topic's earlier events up to the last one, oldest first.
    public let ages: [[Double]]

    public var count: Int { duration.count }

    public init(queries: QuerySet, duration: [Double], observed: [Bool], entry: [Double], ages: [[Double]]) {
        self.queries = queries
        self.duration = duration
        self.observed = observed
        self.entry = entry
        self.ages = ages
    }
}

/// The return-time task on a log: the parts of ``Split``, and durations that are censored where a part ends.
///
/// Touches nearer than a ten-thousandth of the horizon to the next one are within a visit, not before a return, and
/// no question is asked after them.
public struct ReturnTask: Sendable {
    public let interest: InterestTask
    /// Horizons: shorter gaps count as the same visit.
    public static let shortestGap = 1e-4
    /// Past events of the user-topic that are kept with a question.
    static let agesKept = 50

    public init(_ interest: InterestTask) { self.interest = interest }

    /// At most `count` questions of a part, drawn evenly from all that can be asked right after a touch.
    ///
    /// - Parameter later: as many again at most, asked at a later event of the same person, before the topic is
    ///   touched again: what a model in use is asked, which sees people in the middle of a silence. Such an answer
    ///   counts from the touch on, given that there was no return by then (left truncation).
    public func questions(
        _ part: Part, count: Int, seed: UInt64, later: Bool = false
    ) throws(SplitError) -> ReturnQueries {
        let histories = interest.histories
        let split = interest.split
        let (from, to): (Int64, Int64) =
            switch part {
            case .train: (split.start, split.trainEnd)
            case .validation: (split.trainEnd, split.validationEnd)
            case .test: (split.validationEnd, split.end)
            }
        let horizon = Double(split.horizon)
        let positions = histories.log.clock == .position
        let shortest = positions ? 0 : Self.shortestGap * horizon
        var places: [(userTopic: Int, topicEvent: Int)] = []
        for userTopic in 0..<histories.userTopicCount {
            for topicEvent in histories.topicEvents(ofUserTopic: userTopic) {
                let at = histories.time(ofTopicEvent: topicEvent)
                guard at >= from, at < end(of: userTopic, to, positions) else { continue }
                if let next = next(userTopic, topicEvent), Double(next - at) <= shortest { continue }
                places.append((userTopic, topicEvent))
            }
        }
        guard !places.isEmpty else { throw .noQueries(part: part.rawValue) }
        var generator = SeededGenerator(seed: seed, stream: 40 + UInt64(Part.allCases.firstIndex(of: part) ?? 0))
        if places.count > count {
            places.shuffle(using: &generator)
            places.removeLast(places.count - count)
            places.sort { $0.topicEvent < $1.topicEvent }
        }
        var asked: [(userTopic: Int, topicEvent: Int, moment: Int64)] = places.map {
            ($0.userTopic, $0.topicEvent, histories.time(ofTopicEvent: $0.topicEvent))
        }
        if later {
            for (userTopic, topicEvent) in places {
                let user = Int(histories.userTopicUser[userTopic])
                let touch = Int(histories.topicEvents[topicEvent])
                let until = min(
                    end(of: userTopic, to, positions), next(userTopic, topicEvent) ?? .max)
                let last = (touch + 1..<histories.userStarts[user + 1]).partitioningIndex {
                    histories.log.time[$0] >= until
                }
                guard last > touch + 1 else { continue }
                let event = Int.random(in: touch + 1..<last, using: &generator)
                let moment = histories.log.time[event]
                if moment > histories.log.time[touch] { asked.append((userTopic, topicEvent, moment)) }
            }
        }
        var duration: [Double] = []
        var observed: [Bool] = []
        var entry: [Double] = []
        var ages: [[Double]] = []
        for (userTopic, topicEvent, moment) in asked {
            let at = histories.time(ofTopicEvent: topicEvent)
            let end = end(of: userTopic, to, positions)
            let next = next(userTopic, topicEvent) ?? Int64.max
            observed.append(next <= end)
            duration.append(max(Self.shortestGap, Double(min(next, end) - at) / horizon))
            entry.append(Double(moment - at) / horizon)
            let first = max(histories.topicEventStarts[userTopic], topicEvent + 1 - Self.agesKept)
            ages.append((first...topicEvent).map { Double(at - histories.time(ofTopicEvent: $0)) / horizon })
        }
        let queries = interest.queries(
            at: asked.map { ($0.userTopic, $0.moment) }, snapshots: part == .train ? .drawn(seed: seed) : .latest)
        return ReturnQueries(queries: queries, duration: duration, observed: observed, entry: entry, ages: ages)
    }

    private func next(_ userTopic: Int, _ topicEvent: Int) -> Int64? {
        let histories = interest.histories
        return topicEvent + 1 < histories.topicEventStarts[userTopic + 1]
            ? histories.time(ofTopicEvent: topicEvent + 1) : nil
    }

    /// Until when a user-topic is watched in a part that ends at `to`: a person's own clock ends with their history.
    private func end(of userTopic: Int, _ to: Int64, _ positions: Bool) -> Int64 {
        guard positions else { return to }
        let histories = interest.histories
        return min(to, histories.log.time[histories.userStarts[Int(histories.userTopicUser[userTopic]) + 1] - 1])
    }
}
