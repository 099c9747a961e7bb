#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import WaneEvents
import WaneState

/// The interest task on one log: where its parts lie, and how queries are drawn and answered.
public struct InterestTask: Sendable {
    public let histories: Histories
    public let split: Split
    /// What states are made with; `schema.typicalEngagement` is `m` of the degree.
    public let schema: StateSchema
    /// Popularity at the split's snapshots: a query sees only one from before it.
    public let popularity: PopularitySnapshots

    /// `m`: the median of positive engagement over a horizon in the training part.
    public var typicalEngagement: Double { schema.typicalEngagement }

    /// Seed streams: each use of the seed draws from its own.
    private enum Stream {
        static let typicalEngagement: UInt64 = 1
        static let part: UInt64 = 2
        static let epoch: UInt64 = 1_000
        static let snapshot: UInt64 = 1_000_000
    }

    /// How old what a query sees of everybody may be.
    public enum SnapshotAge: Sendable {
        /// The latest snapshot before the query.
        case latest
        /// Drawn among all before the query, so that a model meets fresh ones and old ones both.
        case drawn(seed: UInt64)
    }

    /// - Parameters:
    ///   - typicalEngagement: that of a trained model; measured on the training part when absent.
    ///   - popularity: that of a trained model, for all queries; counted in the training part when absent.
    public init(
        _ histories: Histories, split: Split, seed: UInt64, typicalEngagement: Double? = nil,
        popularity: Popularity? = nil
    ) {
        self.histories = histories
        self.split = split
        var typical = typicalEngagement
        if typical == nil {
            var generator = SeededGenerator(seed: seed, stream: Stream.typicalEngagement)
            let places = Self.places(histories, split, .train, count: 20_000, users: nil, &generator)
            let positive = places.compactMap { place in
                let engagement = histories.outcome(of: place.userTopic, after: place.moment, horizon: split.horizon)
                    .engagement
                return engagement > 0 ? engagement : nil
            }.sorted()
            typical = positive.isEmpty ? 1 : positive[positive.count / 2]
        }
        schema = StateSchema(
            horizon: split.horizon, clock: histories.log.clock, typicalEngagement: typical ?? 1)
        self.popularity =
            popularity.map { PopularitySnapshots(frozen: $0) }
            ?? PopularitySnapshots(histories.log, at: split.snapshots, horizon: split.horizon)
    }

    /// Queries of a part: the same for the same seed.
    public func queries(
        _ part: Part, count: Int, seed: UInt64, users: (@Sendable (UInt32) -> Bool)? = nil
    ) throws(SplitError) -> QuerySet {
        let stream = Stream.part + UInt64(Part.allCases.firstIndex(of: part) ?? 0)
        let places = try draw(part, count: count, users: users, SeededGenerator(seed: seed, stream: stream))
        return queries(at: places, snapshots: part == .train ? .drawn(seed: seed) : .latest)
    }

    /// Fresh training queries for each of some epochs: few people and many queries each are few independent rows,
    /// and new moments every epoch keep a model from learning the old ones by heart.
    ///
    /// One fold for all: asking for several epochs at once costs hardly more than for one. An epoch's queries do not
    /// depend on which others are asked for.
    public func trainingQueries(
        epochs: Range<Int>, count: Int, seed: UInt64, users: (@Sendable (UInt32) -> Bool)? = nil
    ) throws(SplitError) -> [QuerySet] {
        var places: [(userTopic: Int, moment: Int64)] = []
        var snapshots: [Int] = []
        var ends: [Int] = []
        for epoch in epochs {
            let generator = SeededGenerator(seed: seed, stream: Stream.epoch + UInt64(epoch))
            let drawn = try draw(.train, count: count, users: users, generator)
            places += drawn
            snapshots += self.snapshots(for: drawn, .drawn(seed: seed &+ UInt64(epoch) &* 0x9E37_79B9))
            ends.append(places.count)
        }
        let all = queries(at: places, seeing: snapshots, queryTime: false)
        return zip([0] + ends, ends).map { all.selecting($0..<$1) }
    }

    private func draw(
        _ part: Part, count: Int, users: (@Sendable (UInt32) -> Bool)?, _ generator: SeededGenerator
    ) throws(SplitError) -> [(userTopic: Int, moment: Int64)] {
        var generator = generator
        let places = Self.places(histories, split, part, count: count, users: users, &generator)
        guard !places.isEmpty else { throw .noQueries(part: part.rawValue) }
        return places
    }

    /// Queries at moments of the caller's choice; user-topics not met by then are left out.
    public func queries(
        at places: [(userTopic: Int, moment: Int64)], snapshots: SnapshotAge = .latest
    ) -> QuerySet {
        queries(at: places, seeing: self.snapshots(for: places, snapshots))
    }

    private func snapshots(for places: [(userTopic: Int, moment: Int64)], _ age: SnapshotAge) -> [Int] {
        switch age {
        case .latest: return places.map { popularity.index(at: $0.moment) }
        case .drawn(let seed):
            var generator = SeededGenerator(seed: seed, stream: Stream.snapshot)
            return places.map { place in
                let latest = popularity.index(at: place.moment)
                let share = generator.uniform()
                return latest < 0 ? -1 : Int(share * Double(latest + 1))
            }
        }
    }

    private func queries(
        at places: [(userTopic: Int, moment: Int64)], seeing snapshots: [Int], queryTime: Bool = true
    ) -> QuerySet {
        var set = QuerySet()
        for ((userTopic, moment), snapshot) in zip(places, snapshots) {
            let user = histories.userTopicUser[userTopic]
            guard let topicEvent = histories.lastTopicEvent(of: userTopic, at: moment),
                let event = histories.lastEvent(of: Int(user), at: moment)
            else { continue }
            set.userTopic.append(userTopic)
            set.moment.append(moment)
            set.user.append(user)
            set.topic.append(histories.userTopicTopic[userTopic])
            set.event.append(event)
            set.snapshot.append(snapshot)
            set.elapsedSinceTopic.append(Float(Double(moment - histories.time(ofTopicEvent: topicEvent)) / 1e6))
            set.elapsedSinceEvent.append(Float(Double(moment - histories.log.time[event]) / 1e6))
            let outcome = histories.outcome(of: userTopic, after: moment, horizon: split.horizon)
            let degree = outcome.engagement / (outcome.engagement + typicalEngagement)
            set.degree.append(Float(outcome.label ?? degree))
            set.didReturn.append(outcome.events > 0 ? 1 : 0)
        }
        QueryFold(histories: histories, schema: schema, popularity: popularity, queryTime: queryTime).fill(&set)
        return set
    }

    /// Draws about `count` moments, spread evenly over the logarithm of the time since the last touch: a user-topic
    /// has as many as the range of gaps at which it can be asked about in this part is wide, and each stretch
    /// between its events offers its gaps alike. One touched a minute before the part begins is asked about at
    /// every age; one that was left long ago only at the few old ages it has there, so that the part is not filled
    /// with questions whose answer is plain.
    private static func places(
        _ histories: Histories, _ split: Split, _ part: Part, count: Int,
        users: (@Sendable (UInt32) -> Bool)?, _ generator: inout SeededGenerator
    ) -> [(userTopic: Int, moment: Int64)] {
        guard let range = split.moments(part) else { return [] }
        let positions = histories.log.clock == .position
        // The shortest gap asked about: a minute for a horizon of a week.
        let shortest = positions ? EventLog.second : max(1, split.horizon / 10_000)

        /// Gaps since a topic event at which a query of this part may stand.
        func gaps(_ userTopic: Int, _ topicEvent: Int) -> ClosedRange<Int64>? {
            let at = histories.time(ofTopicEvent: topicEvent)
            var last = range.upperBound
            if positions {
                // A person's own clock ends with their history.
                let end = histories.userStarts[Int(histories.userTopicUser[userTopic]) + 1]
                last = min(last, histories.log.time[end - 1] - split.horizon)
            }
            if topicEvent + 1 < histories.topicEventStarts[userTopic + 1] {
                // In a log of positions a query stands at an event, never just before one: that would tell which.
                last = min(last, histories.time(ofTopicEvent: topicEvent + 1) - (positions ? EventLog.second : 1))
            }
            let low = max(shortest, range.lowerBound - at)
            return low <= last - at ? low...(last - at) : nil
        }
        func extent(_ gaps: ClosedRange<Int64>) -> Double {
            log(Double(gaps.upperBound + shortest) / Double(gaps.lowerBound))
        }

        var eligible: [(userTopic: Int, total: Double, coverage: Double)] = []
        var covered = 0.0
        for userTopic in 0..<histories.userTopicCount {
            if let users, !users(histories.userTopicUser[userTopic]) { continue }
            // Random splits divide user-topics, not moments.
            if split.random, Self.randomPart(userTopic) != part { continue }
            var total = 0.0
            var union: ClosedRange<Int64>?
            for topicEvent in histories.topicEvents(ofUserTopic: userTopic) {
                if histories.time(ofTopicEvent: topicEvent) > range.upperBound { break }
                guard let gaps = gaps(userTopic, topicEvent) else { continue }
                total += extent(gaps)
                union = min(union?.lowerBound ?? .max, gaps.lowerBound)...max(union?.upperBound ?? 0, gaps.upperBound)
            }
            guard total > 0, let union else { continue }
            let coverage = extent(union)
            covered += coverage
            eligible.append((userTopic, total, coverage))
        }
        guard !eligible.isEmpty else { return [] }
        var places: [(userTopic: Int, moment: Int64)] = []
        places.reserveCapacity(count + eligible.count)
        var ends: [Double] = []
        var offers: [(topicEvent: Int, gaps: ClosedRange<Int64>)] = []
        for (userTopic, total, coverage) in eligible {
            let each = Double(count) * coverage / covered
            let draws = Int(each) + (generator.uniform() < each - each.rounded(.down) ? 1 : 0)
            guard draws > 0 else { continue }
            // The stretches between events end to end, walked once for all draws.
            ends.removeAll(keepingCapacity: true)
            offers.removeAll(keepingCapacity: true)
            for topicEvent in histories.topicEvents(ofUserTopic: userTopic) {
                guard let gaps = gaps(userTopic, topicEvent) else { continue }
                ends.append((ends.last ?? 0) + extent(gaps))
                offers.append((topicEvent, gaps))
            }
            for _ in 0..<draws {
                let at = generator.uniform() * total
                let number = min(ends.count - 1, ends.partitioningIndex { $0 > at })
                let (topicEvent, gaps) = offers[number]
                let into = at - (number > 0 ? ends[number - 1] : 0)
                var gap = Int64(Double(gaps.lowerBound) * exp(into))
                if positions { gap = gap / EventLog.second * EventLog.second }
                gap = min(max(gap, gaps.lowerBound), gaps.upperBound)
                places.append((userTopic, histories.time(ofTopicEvent: topicEvent) + gap))
            }
        }
        return places
    }

    private static func randomPart(_ userTopic: Int) -> Part {
        var generator = SeededGenerator(seed: UInt64(userTopic), stream: 7)
        let value = generator.uniform()
        return value < 0.6 ? .train : value < 0.8 ? .validation : .test
    }
}
