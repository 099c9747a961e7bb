#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The interest task on one log: where its parts lie, and how queries are drawn and answered.
public struct InterestTask: Sendable {
    public let histories: Histories
    public let split: Split
    /// `m`: the median of positive engagement over a horizon in the training part.
    public let median: Double
    private let features: FeatureBuilder

    /// Seed streams: each use of the seed draws from its own.
    private enum Stream {
        static let median: UInt64 = 1
        static let part: UInt64 = 2
        static let epoch: UInt64 = 1_000
    }

    /// - Parameter median: that of a trained model; measured on the training part when absent.
    public init(
        _ histories: Histories, split: Split, seed: UInt64, median: Double? = nil
    ) throws(SplitError) {
        self.histories = histories
        self.split = split
        if let median {
            self.median = median
        } else {
            var generator = SeededGenerator(seed: seed, stream: Stream.median)
            let places = Self.places(histories, split, .train, count: 20_000, users: nil, &generator)
            let positive = places.compactMap { place in
                let engagement = histories.outcome(of: place.pair, after: place.moment, horizon: split.horizon)
                    .engagement
                return engagement > 0 ? engagement : nil
            }.sorted()
            self.median = positive.isEmpty ? 1 : positive[positive.count / 2]
        }
        features = FeatureBuilder(histories, horizon: split.horizon, median: self.median)
    }

    /// Queries of a part: the same for the same seed.
    public func queries(
        _ part: Part, count: Int, seed: UInt64, users: (@Sendable (UInt32) -> Bool)? = nil
    ) throws(SplitError) -> QuerySet {
        let stream = Stream.part + UInt64(Part.allCases.firstIndex(of: part) ?? 0)
        return try draw(part, count: count, users: users, SeededGenerator(seed: seed, stream: stream))
    }

    /// Fresh training queries for an epoch: few people and many queries each are few independent rows, and
    /// new moments every epoch keep a model from learning the old ones by heart.
    public func trainingQueries(
        epoch: Int, count: Int, seed: UInt64, users: (@Sendable (UInt32) -> Bool)? = nil
    ) throws(SplitError) -> QuerySet {
        let generator = SeededGenerator(seed: seed, stream: Stream.epoch + UInt64(epoch))
        return try draw(.train, count: count, users: users, generator)
    }

    private func draw(
        _ part: Part, count: Int, users: (@Sendable (UInt32) -> Bool)?, _ generator: SeededGenerator
    ) throws(SplitError) -> QuerySet {
        var generator = generator
        let places = Self.places(histories, split, part, count: count, users: users, &generator)
        guard !places.isEmpty else { throw .noQueries(part: part.rawValue) }
        return queries(at: places.map { ($0.pair, $0.moment) })
    }

    /// Queries at moments of the caller's choice; pairs not met by then are left out.
    public func queries(at places: [(pair: Int, moment: Int64)]) -> QuerySet {
        var set = QuerySet()
        for (pair, moment) in places {
            let user = Int(histories.pairUser[pair])
            guard let touch = histories.lastTouch(of: pair, at: moment),
                let event = histories.lastEvent(of: user, at: moment)
            else { continue }
            set.append(
                pair: pair, touch: touch, event: event, moment: moment, histories: histories,
                features: features, horizon: split.horizon, median: median)
        }
        return set
    }

    /// Draws about `count` moments, spread evenly over the logarithm of the gap since the last touch: a pair
    /// has as many as the range of gaps at which it can be asked about in this part is wide, and each stretch
    /// between its touches offers its gaps alike. A pair touched a minute before the part begins is asked
    /// about at every age; one that was left long ago only at the few old ages it has there, so that the part
    /// is not filled with pairs whose answer is plain.
    private static func places(
        _ histories: Histories, _ split: Split, _ part: Part, count: Int,
        users: (@Sendable (UInt32) -> Bool)?, _ generator: inout SeededGenerator
    ) -> [(pair: Int, moment: Int64)] {
        guard let range = split.moments(part) else { return [] }
        let positions = histories.log.clock == .position
        // The shortest gap asked about: a minute for a horizon of a week.
        let shortest = positions ? EventLog.second : max(1, split.horizon / 10_000)

        /// Gaps since a touch at which a query of this part may stand.
        func gaps(_ pair: Int, _ touch: Int) -> ClosedRange<Int64>? {
            let at = histories.time(ofTouch: touch)
            var last = range.upperBound
            if positions {
                // A person's own clock ends with their history.
                let end = histories.userStarts[Int(histories.pairUser[pair]) + 1]
                last = min(last, histories.log.time[end - 1] - split.horizon)
            }
            if touch + 1 < histories.pairStarts[pair + 1] {
                // In a log of positions a query stands at an event, never just before one: that would tell which.
                last = min(last, histories.time(ofTouch: touch + 1) - (positions ? EventLog.second : 1))
            }
            let low = max(shortest, range.lowerBound - at)
            return low <= last - at ? low...(last - at) : nil
        }
        func extent(_ gaps: ClosedRange<Int64>) -> Double {
            log(Double(gaps.upperBound + shortest) / Double(gaps.lowerBound))
        }

        var eligible: [(pair: Int, total: Double, coverage: Double)] = []
        var covered = 0.0
        for pair in 0..<histories.pairCount {
            if let users, !users(histories.pairUser[pair]) { continue }
            // Random splits divide pairs, not moments.
            if split.random, Self.randomPart(pair) != part { continue }
            var total = 0.0
            var union: ClosedRange<Int64>?
            for touch in histories.pairStarts[pair]..<histories.pairStarts[pair + 1] {
                if histories.time(ofTouch: touch) > range.upperBound { break }
                guard let gaps = gaps(pair, touch) else { continue }
                total += extent(gaps)
                union = min(union?.lowerBound ?? .max, gaps.lowerBound)...max(union?.upperBound ?? 0, gaps.upperBound)
            }
            guard total > 0, let union else { continue }
            let coverage = extent(union)
            covered += coverage
            eligible.append((pair, total, coverage))
        }
        guard !eligible.isEmpty else { return [] }
        var places: [(pair: Int, moment: Int64)] = []
        places.reserveCapacity(count + eligible.count)
        for (pair, total, coverage) in eligible {
            let each = Double(count) * coverage / covered
            let draws = Int(each) + (generator.uniform() < each - each.rounded(.down) ? 1 : 0)
            for _ in 0..<draws {
                var left = generator.uniform() * total
                for touch in histories.pairStarts[pair]..<histories.pairStarts[pair + 1] {
                    guard let gaps = gaps(pair, touch) else { continue }
                    let own = extent(gaps)
                    if left >= own {
                        left -= own
                        continue
                    }
                    var gap = Int64(Double(gaps.lowerBound) * exp(left))
                    if positions { gap = gap / EventLog.second * EventLog.second }
                    gap = min(max(gap, gaps.lowerBound), gaps.upperBound)
                    places.append((pair, histories.time(ofTouch: touch) + gap))
                    break
                }
            }
        }
        return places
    }

    private static func randomPart(_ pair: Int) -> Part {
        var generator = SeededGenerator(seed: UInt64(pair), stream: 7)
        let value = generator.uniform()
        return value < 0.6 ? .train : value < 0.8 ? .validation : .test
    }
}
