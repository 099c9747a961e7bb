#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import WaneCurves
import WaneEvents
import WaneState
import WaneTasks

/// The times between touches of every person and topic up to the end of training, as ``RenewalFit`` reads them.
///
/// Touches within one visit are one; a gap begins at the visit's last touch. Lengths of time stand on a grid that is even in
/// their logarithm, each shared between its two neighbours, so that a likelihood needs the rate and its integral on the grid only.
struct TouchRecord: Sendable {
    /// Quarters of an octave.
    static let step = 0.693_147_180_559_945_3 / 4
    /// How deep the last touch was: thirds of engagement, where the log has durations; see ``depth``.
    static let levels = 3
    /// Of the thirds, around the middle one.
    static let depth = [-1.0 / 3, 0, 1.0 / 3]
    /// The third that an engagement lies in.
    static func level(_ engagement: Float) -> Int { min(levels - 1, max(0, Int(engagement * Float(levels)))) }
    /// Parts of the silence after a person's last event.
    static let silences = 8

    /// How many touches came after such a length of time.
    struct Entry: Sendable {
        /// Level of depth and place on the grid: `level · places + place`.
        let place: Int32
        var touches: Float
        /// How often what was waited up to there counts: less than 0 where waiting begins there.
        var waits: Float
    }

    /// One person's one topic.
    struct Pair: Sendable {
        let userTopic: Int
        let person: Int
        /// In ``entries``.
        let entries: Range<Int>
        /// Returns.
        let returns: Int
        /// The level of the last touch, and where the parts of the silence begin and end: seconds since it, as places on the grid.
        let level: Int32
        let silence: [Float]
    }

    /// One person, as far as leaving goes; seconds.
    struct Person: Sendable {
        let life: Double
        let silence: Double
        /// How many topics they touched.
        let pairs: Int
    }

    private(set) var pairs: [Pair] = []
    private(set) var entries: [Entry] = []
    private(set) var people: [Person] = []
    /// Pairs of each row, by number.
    private(set) var pairsOfRow: [[Int]]
    /// Seconds of the grid's first place, and how many there are.
    let shortest: Double
    let places: Int
    /// Seconds of the training part.
    let span: Double
    /// Whether depth is known, and whether some people have more than one topic, so that leaving can be told from fading.
    let hasDepth: Bool
    private(set) var hasTopics = false
    /// Everybody's shares of the 24 hours of a day, where the log has hours.
    let generalHours: [Double]?
    /// A tenth of the people at least.
    private static let fewestWithTopics = 0.1

    /// Where there are more pairs, each so-manieth person is read.
    static let mostPairs = 150_000

    /// - Parameters:
    ///   - topicRow: the model's row of each topic of the log, 0 for none; `topicRows` how many there are beside 0.
    ///   - resolution: the unit in which times are written, in microseconds: dates alone stand at some time of their day.
    ///   - users: whose events may be read.
    init(
        _ histories: Histories, split: Split, topicRow: [Int64], topicRows: Int, resolution: Int64, followsHours: Bool,
        users: (@Sendable (UInt32) -> Bool)?
    ) {
        let log = histories.log
        let pause = StateSchema.visitPause(log.clock)
        let end = split.trainEnd
        shortest = max(1e-3, Double(pause) / 1e6)
        span = max(2 * shortest, Double(end - split.start) / 1e6)
        places = Self.places(from: shortest, to: span)
        hasDepth = histories.scale.source == .duration
        pairsOfRow = Array(repeating: [], count: topicRows + 1)
        let readable = (0..<histories.userCount).filter { users?(UInt32($0)) ?? true }
        let all = readable.reduce(0) { $0 + histories.userTopics(ofUser: $1).count }
        let stride = max(1, (all + Self.mostPairs - 1) / Self.mostPairs)
        // Times finer than a visit are as they are.
        let unit = resolution > pause && log.clock == .wall ? resolution : 0
        // What is written as dates, or has no times, has no hours.
        let hasHours = log.hasHours(resolution)
        func hours(_ user: Int) -> [Float] { DailyRhythm.counts(histories.moments(ofUser: user, until: end)) }
        let general = hasHours ? DailyRhythm.shares(readable.lazy.map(hours)) : []
        generalHours = hasHours && followsHours ? general : nil
        for number in Swift.stride(from: 0, to: readable.count, by: stride) {
            let user = readable[number]
            guard let last = histories.lastEvent(of: user, at: end) else { continue }
            // A person's own clock of positions ends with their history.
            let left = log.clock == .position ? 0 : Double(end - log.time[last]) / 1e6
            let first = pairs.count
            let rhythm = hasHours && followsHours ? DailyRhythm(hours(user), general: general) : nil
            let bursts = hasHours ? Self.bursts(histories, user: user, until: end) : [:]
            for userTopic in histories.userTopics(ofUser: user) {
                let row = Int(topicRow[Int(histories.userTopicTopic[userTopic])])
                guard row > 0, row <= topicRows else { continue }
                add(
                    userTopic, of: histories, person: people.count, row: row, pause: pause, unit: unit,
                    within: split.start...max(split.start, end), last: log.time[last], silence: left, rhythm,
                    bursts[histories.userTopicTopic[userTopic]] ?? [])
            }
            guard pairs.count > first else { continue }
            let life = Double(log.time[last] - log.time[histories.events(ofUser: user).lowerBound]) / 1e6
            people.append(Person(life: life, silence: left, pairs: pairs.count - first))
        }
        let several = people.reduce(0) { $0 + ($1.pairs > 1 ? 1 : 0) }
        hasTopics = Double(several) >= Self.fewestWithTopics * Double(max(1, people.count))
    }

    private mutating func add(
        _ userTopic: Int, of histories: Histories, person: Int, row: Int, pause: Int64, unit: Int64,
        within range: ClosedRange<Int64>,
        last: Int64, silence: Double, _ rhythm: DailyRhythm?, _ bursts: [Float]
    ) {
        // Seconds, of which those count most in which the person is mostly about: that nobody comes at night is no decay.
        func length(_ from: Int64, _ to: Int64) -> Double {
            rhythm.map { $0.passed(Double(to) / 1e6) - $0.passed(Double(from) / 1e6) } ?? Double(to - from) / 1e6
        }
        func level(_ touch: Int) -> Int {
            hasDepth ? Self.level(histories.engagement[Int(histories.topicEvents[touch])]) : 0
        }
        let (begin, end) = (range.lowerBound, range.upperBound)
        let touches = histories.topicEvents(ofUserTopic: userTopic)
        let start = entries.count
        guard histories.time(ofTopicEvent: touches.lowerBound) <= end else { return }
        var known = touches.prefix { histories.time(ofTopicEvent: $0) <= end }.map {
            let number = $0 - touches.lowerBound
            return (
                time: histories.time(ofTopicEvent: $0), level: level($0),
                burst: number < bursts.count ? Double(bursts[number]) : 0
            )
        }
        if unit > 0 {
            // Of a day only the date is known: some time of it, so that who came twice in a day did come back.
            var generator = SeededGenerator(seed: UInt64(bitPattern: known[0].time) ^ UInt64(row) << 48, stream: 14)
            for touch in known.indices {
                known[touch].time = min(end, known[touch].time + Int64(generator.uniform() * Double(unit)))
            }
            known.sort { $0.time < $1.time }
        }
        // What began before the part that is learned from says nothing of it.
        guard let newest = known.last, newest.time >= begin else { return }
        var returns = 0
        for (before, touch) in zip(known, known.dropFirst())
        where touch.time - before.time > pause && before.time >= begin {
            let gap = length(before.time, touch.time)
            // Within a burst that something brought, touches say nothing of decay.
            guard gap > before.burst else { continue }
            add(gap, before.level, touches: 1, waits: 1)
            if before.burst > 0 { add(before.burst, before.level, touches: 0, waits: -1) }
            returns += 1
        }
        let latest = known[known.count - 1]
        let seen = length(latest.time, max(last, latest.time))
        let parts = (0...Self.silences).map { part -> Float in
            let share = Double(part) / Double(Self.silences)
            return Float(place(max(latest.burst, seen + silence * share * share)))
        }
        if latest.burst > 0 { add(latest.burst, latest.level, touches: 0, waits: -1) }
        merge(from: start)
        let pair = Pair(
            userTopic: userTopic, person: person, entries: start..<entries.count, returns: returns,
            level: Int32(latest.level), silence: parts)
        pairsOfRow[row].append(pairs.count)
        pairs.append(pair)
    }

    /// Where a length of time stands on the grid; from its first place on.
    func place(_ seconds: Double) -> Double { Self.place(seconds, from: shortest, of: places) }

    /// The same on a grid of so many places from a shortest time on.
    static func place(_ seconds: Double, from shortest: Double, of places: Int) -> Double {
        seconds <= shortest ? 0 : min(Double(places - 1) - 1e-3, log(seconds / shortest) / step)
    }

    /// How many places a grid has that reaches from a shortest time to a longest.
    static func places(from shortest: Double, to longest: Double) -> Int {
        2 + Int((log2(longest / shortest) * 4).rounded(.up))
    }

    private mutating func add(_ seconds: Double, _ level: Int, touches: Float, waits: Float) {
        let at = place(seconds)
        let low = Int(at)
        let share = Float(at - Double(low))
        for (place, weight) in [(low, 1 - share), (low + 1, share)] where weight > 0 {
            entries.append(
                Entry(place: Int32(level * places + place), touches: touches * weight, waits: waits * weight))
        }
    }

    /// One entry for each place: a pair has no more than the grid, however often it came back.
    private mutating func merge(from start: Int) {
        let own = entries[start...].sorted { $0.place < $1.place }
        entries.removeSubrange(start...)
        for entry in own {
            if entries.count > start, entries[entries.count - 1].place == entry.place {
                entries[entries.count - 1].touches += entry.touches
                entries[entries.count - 1].waits += entry.waits
            } else {
                entries.append(entry)
            }
        }
    }

    /// How long the burst that each touch of a topic lies in explains by itself, in seconds, by topic: see ``CauseMeasures``.
    private static func bursts(_ histories: Histories, user: Int, until end: Int64) -> [UInt32: [Float]] {
        let log = histories.log
        var circumstances = CircumstanceState()
        var places: [UInt32: Int] = [:]
        var result: [UInt32: [Float]] = [:]
        for event in histories.events(ofUser: user) {
            guard log.time[event] <= end else { break }
            let topics = log.topics[log.item[event]]
            for topic in topics where places[topic] == nil { places[topic] = places.count }
            circumstances.apply(at: Double(log.time[event]) / 1e6, places: topics.compactMap { places[$0] })
            for topic in topics {
                guard let place = places[topic] else { continue }
                let measures = circumstances.measures(place)
                // The first days of an interest are what it begins with: its decay is learned from them too.
                result[topic, default: []].append(measures.isNew ? 0 : measures.burst)
            }
        }
        return result
    }
}
