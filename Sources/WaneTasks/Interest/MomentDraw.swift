#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import WaneEvents
import WaneState

/// Draws the moments that a part of the log asks about.
///
/// Each touch offers the gaps at which it can be asked about in the part, up to the next touch. Whether one is taken depends on
/// what is known at the moment alone, never on what came after, so that among questions of which the same is known, as many
/// are answered yes as in the log itself:
///
/// - a touch weighs less the more visits came before it (the second a half, the third a third), so that a few busy people are
///   not all that is asked about. Equal weights for pairs would do the same, but would ask about the one touch of somebody who
///   never came back as often as about all hundred of somebody who did, and every chance would come out too low;
/// - a gap weighs more the fewer are left at it, so that gaps, in their logarithm, are asked about as often as if nobody ever
///   came back: else most questions would be about the minutes between two touches of one visit.
struct MomentDraw {
    let histories: Histories
    let split: Split
    let part: Part
    let users: (@Sendable (UInt32) -> Bool)?
    private let range: ClosedRange<Int64>
    /// The shortest gap asked about: a minute for a horizon of a week.
    private let shortest: Int64
    private let isByPosition: Bool
    private let visitPause: Int64

    /// - Returns: nothing where the part has no moment.
    init?(
        _ histories: Histories, _ split: Split, _ part: Part, users: (@Sendable (UInt32) -> Bool)?
    ) {
        guard let range = split.moments(part) else { return nil }
        self.histories = histories
        self.split = split
        self.part = part
        self.users = users
        self.range = range
        visitPause = StateSchema.visitPause(histories.log.clock)
        isByPosition = histories.log.clock == .position
        shortest = isByPosition ? EventLog.second : max(1, split.horizon / 10_000)
    }

    /// A touch that can be asked about.
    private struct Offer {
        let time: Int64
        let gaps: ClosedRange<Int64>
        /// The longest gap that could be asked about if the touch were the last.
        let longest: Int64
        let weight: Double
    }

    /// Calls `body` with each touch of a user-topic that can be asked about.
    @inline(__always)
    private func forEachOffer(_ userTopic: Int, _ body: (Offer) -> Void) {
        let touches = histories.topicEvents(ofUserTopic: userTopic)
        var end = range.upperBound
        if isByPosition {
            // A person's own clock ends with their history.
            let last = histories.userStarts[Int(histories.userTopicUser[userTopic]) + 1] - 1
            end = min(end, histories.log.time[last] - split.horizon)
        }
        var visits = 0
        var before = Int64.min
        for touch in touches {
            let time = histories.time(ofTopicEvent: touch)
            if time > range.upperBound { break }
            if before == .min || time - before > visitPause { visits += 1 }
            before = time
            var last = end
            if touch + 1 < touches.upperBound {
                // In a log of positions a query stands at an event, never just before one: that would tell which.
                last = min(last, histories.time(ofTopicEvent: touch + 1) - (isByPosition ? EventLog.second : 1))
            }
            let low = max(shortest, range.lowerBound - time)
            guard low <= last - time else { continue }
            body(Offer(time: time, gaps: low...(last - time), longest: end - time, weight: 1 / Double(visits)))
        }
    }

    private func isAsked(_ userTopic: Int) -> Bool {
        if let users, !users(histories.userTopicUser[userTopic]) { return false }
        // Random splits divide user-topics, not moments.
        return !split.random || Self.randomPart(userTopic) == part
    }

    /// About `count` moments.
    ///
    /// - Complexity: O(touches), three walks.
    func places(
        count: Int, _ generator: inout SeededGenerator
    ) -> [(userTopic: Int, moment: Int64)] {
        let asked = (0..<histories.userTopicCount).filter(isAsked)
        var offered = GapTally(shortest), taken = GapTally(shortest)
        for userTopic in asked {
            forEachOffer(userTopic) { offer in
                offered.add(offer.gaps.lowerBound, offer.longest, offer.weight)
                taken.add(offer.gaps.lowerBound, offer.gaps.upperBound, offer.weight)
            }
        }
        let weights = GapWeights(offered: offered, taken: taken)
        func extent(_ offer: Offer) -> Double {
            let (low, high) = (
                weights.mass(below: offer.gaps.lowerBound), weights.mass(below: offer.gaps.upperBound + shortest)
            )
            return (high - low) * offer.weight
        }
        let totals = asked.map { userTopic in
            var total = 0.0
            forEachOffer(userTopic) { total += extent($0) }
            return total
        }
        let all = totals.reduce(0, +)
        guard all > 0 else { return [] }
        var places: [(userTopic: Int, moment: Int64)] = []
        places.reserveCapacity(count + asked.count)
        var ends: [Double] = []
        var offers: [Offer] = []
        for (userTopic, total) in zip(asked, totals) where total > 0 {
            let each = Double(count) * total / all
            let draws = Int(each) + (generator.uniform() < each - each.rounded(.down) ? 1 : 0)
            guard draws > 0 else { continue }
            // The stretches between touches end to end, walked once for all draws.
            ends.removeAll(keepingCapacity: true)
            offers.removeAll(keepingCapacity: true)
            forEachOffer(userTopic) { offer in
                ends.append((ends.last ?? 0) + extent(offer))
                offers.append(offer)
            }
            for _ in 0..<draws {
                let at = generator.uniform() * total
                let number = min(ends.count - 1, ends.partitioningIndex { $0 > at })
                let offer = offers[number]
                let into = (at - (number > 0 ? ends[number - 1] : 0)) / offer.weight
                var gap = weights.gap(weights.mass(below: offer.gaps.lowerBound) + into)
                if isByPosition { gap = gap / EventLog.second * EventLog.second }
                places.append((userTopic, offer.time + min(max(gap, offer.gaps.lowerBound), offer.gaps.upperBound)))
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

/// How much of each doubling of the gap is covered by weighted ranges of gaps.
struct GapTally {
    static let octaves = 64
    let shortest: Int64
    private var parts = [Double](repeating: 0, count: octaves + 1)
    /// Changes of what covers whole octaves, to be summed.
    private var changes = [Double](repeating: 0, count: octaves + 2)

    init(_ shortest: Int64) { self.shortest = shortest }

    @inline(__always)
    static func place(_ gap: Int64, _ shortest: Int64) -> Double {
        min(Double(octaves), max(0, log2(Double(gap) / Double(shortest))))
    }

    @inline(__always)
    mutating func add(_ low: Int64, _ high: Int64, _ weight: Double) {
        let (a, b) = (Self.place(low, shortest), Self.place(high, shortest))
        let (first, last) = (Int(a), Int(b))
        if first == last {
            parts[first] += (b - a) * weight
        } else {
            parts[first] += (Double(first + 1) - a) * weight
            parts[last] += (b - Double(last)) * weight
            changes[first + 1] += weight
            changes[last] -= weight
        }
    }

    /// By octave.
    var values: [Double] {
        var whole = 0.0
        return parts.indices.map { octave in
            whole += changes[octave]
            return parts[octave] + whole
        }
    }
}

/// What each doubling of the gap weighs, and the sum of it up to a gap.
struct GapWeights {
    /// What a gap that few are left at weighs at most: a handful of stretches must not be asked about again and again.
    static let most = 20.0
    let shortest: Int64
    private let density: [Double]
    private let start: [Double]

    init(offered: GapTally, taken: GapTally) {
        shortest = offered.shortest
        density = zip(offered.values, taken.values).map { offered, taken in
            taken > 0 ? min(Self.most, max(1, offered / taken)) : 1
        }
        var sum = 0.0
        start = density.map { value in
            defer { sum += value }
            return sum
        }
    }

    func mass(below gap: Int64) -> Double {
        let place = GapTally.place(gap, shortest)
        let octave = min(Int(place), density.count - 1)
        return start[octave] + (place - Double(octave)) * density[octave]
    }

    /// The gap below which that much lies.
    func gap(_ mass: Double) -> Int64 {
        let octave = max(0, start.partitioningIndex { $0 > mass } - 1)
        let place = Double(octave) + (mass - start[octave]) / density[octave]
        return Int64(min(9e18, Double(shortest) * exp2(place)))
    }
}
