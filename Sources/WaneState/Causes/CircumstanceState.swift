import WaneCurves
import WaneEvents

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a person is used to, and how far the last days depart from it.
///
/// What they are used to must not follow a burst at once: it is the difference of two decayed counts, whose kernel
/// `2^(-t / long) - 2^(-t / middle)` is nothing at present and most some days back.
public struct CircumstanceState: Sendable {
    private static let day = 86_400.0
    private static let short = 1.0
    private static let middle = 6.0
    private static let long = 40.0
    /// Seconds from which on what is ordinary is known.
    static let known = 10 * day
    /// The same in microseconds.
    public static let knownAfter = Int64(known * 1e6)
    private static let log2 = 0.693_147_180_559_945_3

    private var person = Counts()
    private var topics: [Counts] = []
    /// What the person was shown, of everything and of each topic, met or not.
    private var shown: Counts?
    private var shownOfTopic: [UInt32: Counts] = [:]
    /// The two topics of which there is most of late. All counts fade alike, so that their order changes by touches only.
    private var largest = (first: -1, second: -1)
    /// Where the hours of the day lie, as means on a circle: of three days, of what came before, and of the difference between.
    private var recentHours = Hours(halfLife: 3)
    private var longHours = Hours(halfLife: 20)
    private var middleHours = Hours(halfLife: 7)
    /// The largest departure of hours, which fades as the new becomes ordinary.
    private var change = 0.0
    private var changeTime = 0.0
    private(set) var first = 0.0
    private(set) var last = 0.0
    private var isEmpty = true

    public init() {}

    /// Events that fade, as of the last one of the kind.
    struct Counts: Sendable {
        var short = 0.0, middle = 0.0, long = 0.0
        var first = 0.0, last = 0.0

        init() {}
        init(first: Double) { (self.first, last) = (first, first) }

        mutating func add(at time: Double) {
            let gap = (time - last) / day
            short = short * exp2(-gap / CircumstanceState.short) + 1
            middle = middle * exp2(-gap / CircumstanceState.middle) + 1
            long = long * exp2(-gap / CircumstanceState.long) + 1
            last = time
        }

        /// Of the last day or so.
        func recent(at time: Double) -> Double { short * exp2(-(time - last) / day / CircumstanceState.short) }

        /// Events a day that are usual; `prior` counts where little is known.
        func usual(at time: Double, prior: Double) -> Double {
            let gap = (time - last) / day
            let count = long * exp2(-gap / CircumstanceState.long) - middle * exp2(-gap / CircumstanceState.middle)
            let age = (time - first) / day
            let mass =
                (CircumstanceState.long * (1 - exp2(-age / CircumstanceState.long))
                    - CircumstanceState.middle * (1 - exp2(-age / CircumstanceState.middle))) / log2
            return (max(0, count) + prior) / (mass + 1)
        }
    }

    /// A mean moment of the day on the unit circle, of events that fade.
    private struct Hours: Sendable {
        let halfLife: Double
        var weight = 0.0, x = 0.0, y = 0.0

        mutating func add(_ angle: Double, gap: Double, weight own: Double) {
            let left = exp2(-gap / halfLife)
            weight = weight * left + own
            x = x * left + cos(angle) * own
            y = y * left + sin(angle) * own
        }
    }

    /// One more event; `places` are the person's own numbers of its topics, in the order in which they were met.
    public mutating func apply(at time: Double, places: some Collection<Int>) {
        if isEmpty {
            (first, last, isEmpty) = (time, time, false)
            person = Counts(first: time)
        }
        let gap = (time - last) / Self.day
        person.add(at: time)
        for place in places {
            while topics.count <= place { topics.append(Counts(first: time)) }
            topics[place].add(at: time)
            rank(place)
        }
        last = time
        // In a flood of events each counts less: hours are those of ordinary days.
        let usual = person.usual(at: time, prior: 1)
        let weight = min(1, (usual / Self.log2 + 1) / person.short)
        let angle = (time / Self.day - (time / Self.day).rounded(.down)) * 2 * .pi
        recentHours.add(angle, gap: gap, weight: weight)
        longHours.add(angle, gap: gap, weight: weight)
        middleHours.add(angle, gap: gap, weight: weight)
        let before = longHours.weight - middleHours.weight
        guard before > 3, recentHours.weight > 0 else { return }
        let x = recentHours.x / recentHours.weight - (longHours.x - middleHours.x) / before
        let y = recentHours.y / recentHours.weight - (longHours.y - middleHours.y) / before
        let noise = (0.7 / recentHours.weight + 0.7 / before).squareRoot()
        // As far as it is clear of what few events would show by chance; where it is, how few there are makes it no smaller.
        let distance = (x * x + y * y).squareRoot()
        let clear = min(1, max(0, (distance / noise - 1.6) / 0.5))
        let now = min(1.2, max(0, distance - 0.5 * noise) / 0.8) * clear
        let held = habit(at: time)
        (change, changeTime) = (max(now, held), time)
    }

    /// Something that the person was shown: a volume, of which nothing is known to be wanted.
    ///
    /// - Parameter topics: its topics' numbers, which ``measures(_:topic:)`` knows them by.
    public mutating func show(at time: Double, topics: some Collection<UInt32>) {
        guard !isEmpty else { return }
        shown = shown ?? Counts(first: first)
        shown?.add(at: time)
        for topic in topics { shownOfTopic[topic, default: Counts(first: first)].add(at: time) }
    }

    /// Bytes of what there is of exposures.
    var exposureByteCount: Int { shownOfTopic.count * (MemoryLayout<Counts>.stride + MemoryLayout<UInt32>.stride) }

    private mutating func rank(_ place: Int) {
        let time = topics[place].last
        func count(_ other: Int) -> Double { other < 0 ? -1 : topics[other].recent(at: time) }
        if place == largest.first { return }
        if count(place) >= count(largest.first) {
            largest = (place, largest.first)
        } else if place != largest.second, count(place) >= count(largest.second) {
            largest.second = place
        }
    }

    private func habit(at time: Double) -> Double { change * exp2(-(time - changeTime) / Self.day / 12) }

    /// The measures of a topic at its touch, just applied.
    ///
    /// - Parameter number: the topic's number, where what was shown of it counts.
    public func measures(_ place: Int, topic number: UInt32? = nil) -> CauseMeasures {
        var result = CauseMeasures()
        let topic = topics[place]
        let time = topic.last
        let window = Self.short / Self.log2
        let own = topic.recent(at: time)
        let usual = topic.usual(at: time, prior: 0.3)
        let all = person.recent(at: time)
        let usualOfAll = person.usual(at: time, prior: 1)
        let others = max(0, all - own)
        // Much of one other topic is no flood: that is of many kinds.
        let other = largest.first == place ? largest.second : largest.first
        let binge =
            other < 0
            ? 0
            : max(0, topics[other].recent(at: time) - topics[other].usual(at: time, prior: 0) * window * 1.2)
        let many = max(0, others - binge)
        let usualOthers = max(usualOfAll - usual, 0.02)
        // What is shown wears out like what is looked for; waits are those between touches.
        let ownShown = number.flatMap { shownOfTopic[$0] }
        let volume = own + (ownShown?.recent(at: time) ?? 0)
        let usualVolume = usual + (ownShown?.usual(at: time, prior: 0) ?? 0)
        let shownOthers = max(0, (shown?.recent(at: time) ?? 0) - (ownShown?.recent(at: time) ?? 0))
        let usualShown = max(0, (shown?.usual(at: time, prior: 0) ?? 0) - (ownShown?.usual(at: time, prior: 0) ?? 0))
        result.recent = (Float(volume), Float(others + shownOthers))
        result.usual = (Float(usualVolume * window), Float((usualOthers + usualShown) * window))
        result.countsExposures = shown != nil
        // A touch alone is no excess.
        let excess = own - 1 - usual * window * 1.2
        result.isNew = time - topic.first <= 10 * Self.day
        if excess > 0.7 { result.burst = Float(3 * Self.day / (excess * Self.log2)) }
        result.inflow = Float(max(0, many - usualOthers * window * 1.2) * Self.log2)
        // What is ordinary is known after some days only.
        guard time - first > Self.known else { return result }
        result.values[.fatigue] = Float(min(1.2, max(0, log((volume + 1) / (usualVolume * window + 2)) - 0.4)))
        let flood = log((many + shownOthers + 1) / ((usualOthers + usualShown) * window + 1))
        result.values[.overload] = Float(min(1.2, max(0, flood - 0.25)))
        // New habits say nothing of what came with them.
        result.isKnown = time - topic.first > 12 * Self.day
        if result.isKnown { result.values[.habit] = Float(habit(at: time)) }
        return result
    }
}
