#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import WaneEvents
import WaneState

/// The interest task on one log: where its parts lie, and how queries are drawn and answered.
public struct InterestTask: Sendable {
    public private(set) var histories: Histories
    public let split: Split
    /// What states are made with; `schema.typicalEngagement` is `m` of the degree.
    public private(set) var schema: StateSchema
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
            let positive = Self.places(histories, split, .train, count: 20_000, users: nil, &generator).compactMap {
                place in
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

    /// The same with causes measured in every query.
    ///
    /// - Parameter causes: topics by the numbers of this log.
    public func measuring(_ causes: CauseSchema?) -> InterestTask {
        var other = self
        other.schema = schema.measuring(causes)
        return other
    }

    /// The same with pairs' rates followed in every query.
    ///
    /// - Parameter rates: topics by the numbers of this log.
    public func rating(_ rates: RateSchema?) -> InterestTask {
        var other = self
        other.schema = schema.rating(rates)
        return other
    }

    /// The same with people's hours followed in every query.
    public func following(_ hours: [Double]?) -> InterestTask {
        var other = self
        other.schema = schema.following(hours)
        return other
    }

    /// The same with its people's friends known.
    public func knowing(_ friends: SocialEdges) -> InterestTask {
        var other = self
        other.histories = histories.knowing(friends)
        return other
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
            set.timeToReturn.append(
                outcome.events > 0
                    ? Float(Double(histories.time(ofTopicEvent: outcome.first) - moment) / 1e6) : .infinity)
        }
        QueryFold(histories: histories, schema: schema, popularity: popularity, queryTime: queryTime).fill(&set)
        return set
    }

    private static func places(
        _ histories: Histories, _ split: Split, _ part: Part, count: Int, users: (@Sendable (UInt32) -> Bool)?,
        _ generator: inout SeededGenerator
    ) -> [(userTopic: Int, moment: Int64)] {
        MomentDraw(histories, split, part, users: users)?.places(count: count, &generator) ?? []
    }
}
