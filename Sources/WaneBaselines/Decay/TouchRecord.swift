#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
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
    /// Parts of the silence after a person's last event.
    static let silences = 8

    /// A share of a length of time.
    struct Entry: Sendable {
        /// Level of depth and place on the grid: `level · places + place`.
        let place: Int32
        /// Touches that came after so long, and times that so long was waited.
        let touches: Float
        let waits: Float
    }

    /// One person's one topic.
    struct Pair: Sendable {
        let userTopic: Int
        let person: Int
        /// The model's row of the topic.
        let row: Int
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
        /// In ``pairs``, which stand by person.
        var pairs: Range<Int>
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
    /// Whether depth is known, and whether people have more than one topic, so that leaving can be told from fading.
    let hasDepth: Bool
    let hasTopics: Bool

    /// People beyond this many pairs add nothing to what is known of topics; each so-manieth is read then.
    static let mostPairs = 150_000

    /// - Parameters:
    ///   - topicRow: the model's row of each topic of the log, 0 for none; `topicRows` how many there are beside 0.
    ///   - users: whose events may be read.
    init(
        _ histories: Histories, split: Split, topicRow: [Int64], topicRows: Int,
        users: (@Sendable (UInt32) -> Bool)?
    ) {
        let log = histories.log
        let pause = StateSchema.visitPause(log.clock)
        let end = split.trainEnd
        shortest = max(1e-3, Double(pause) / 1e6)
        span = max(2 * shortest, Double(end - split.start) / 1e6)
        places = 2 + Int((log2(span / shortest) * 4).rounded(.up))
        hasDepth = histories.scale.source == .duration
        hasTopics = topicRows > 1
        pairsOfRow = Array(repeating: [], count: topicRows + 1)
        let stride = max(1, histories.userTopicCount / Self.mostPairs)
        for user in Swift.stride(from: 0, to: histories.userCount, by: stride) {
            if let users, !users(UInt32(user)) { continue }
            guard let last = histories.lastEvent(of: user, at: end) else { continue }
            // A person's own clock of positions ends with their history.
            let left = log.clock == .position ? 0 : Double(end - log.time[last]) / 1e6
            let first = pairs.count
            for userTopic in histories.userTopics(ofUser: user) {
                let row = Int(topicRow[Int(histories.userTopicTopic[userTopic])])
                guard row > 0, row <= topicRows else { continue }
                add(
                    userTopic, of: histories, person: people.count, row: row, pause: pause, end: end,
                    last: log.time[last], silence: left)
            }
            guard pairs.count > first else { continue }
            let life = Double(log.time[last] - log.time[histories.events(ofUser: user).lowerBound]) / 1e6
            people.append(Person(life: life, silence: left, pairs: first..<pairs.count))
        }
    }

    private mutating func add(
        _ userTopic: Int, of histories: Histories, person: Int, row: Int, pause: Int64, end: Int64, last: Int64,
        silence: Double
    ) {
        func level(_ touch: Int) -> Int {
            guard hasDepth else { return 0 }
            let engagement = histories.engagement[Int(histories.topicEvents[touch])]
            return min(Self.levels - 1, Int(engagement * Float(Self.levels)))
        }
        let touches = histories.topicEvents(ofUserTopic: userTopic)
        let start = entries.count
        var returns = 0
        var before = touches.lowerBound
        guard histories.time(ofTopicEvent: before) <= end else { return }
        for touch in touches.dropFirst() {
            let time = histories.time(ofTopicEvent: touch)
            if time > end { break }
            let gap = time - histories.time(ofTopicEvent: before)
            if gap > pause {
                add(Double(gap) / 1e6, level(before), touches: 1, waits: 1)
                returns += 1
            }
            before = touch
        }
        let seen = Double(last - histories.time(ofTopicEvent: before)) / 1e6
        let parts = (0...Self.silences).map { part -> Float in
            let share = Double(part) / Double(Self.silences)
            return Float(place(seen + silence * share * share))
        }
        let pair = Pair(
            userTopic: userTopic, person: person, row: row, entries: start..<entries.count, returns: returns,
            level: Int32(level(before)), silence: parts)
        pairsOfRow[row].append(pairs.count)
        pairs.append(pair)
    }

    /// Where a length of time stands on the grid; from its first place on.
    func place(_ seconds: Double) -> Double {
        seconds <= shortest ? 0 : min(Double(places - 1) - 1e-3, log(seconds / shortest) / Self.step)
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
}
