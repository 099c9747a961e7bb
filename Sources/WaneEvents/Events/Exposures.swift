/// What people were shown without doing anything with it: impressions, adverts served.
///
/// Nobody's interest shows in them, so that no touch, no visit and no question comes of one; as a volume they are what
/// wears interest out, and the causes fatigue and overload count them.
public struct Exposures: Sendable {
    /// The largest number where nobody did anything with the item, and nothing is known of its topics.
    public let item: Column<UInt32>
    /// Microseconds.
    public let time: Column<Int64>
    /// Where each person's begin, in order of time; one longer than there are people.
    private let starts: [Int]

    init(userCount: Int, user: [UInt32], item: [UInt32], time: [Int64]) {
        var order = Array(user.indices)
        RadixSort.sort(&order) { UInt64(item[$0]) }
        RadixSort.sort(&order) { UInt64(bitPattern: time[$0]) ^ 1 << 63 }
        RadixSort.sort(&order) { UInt64(user[$0]) }
        self.item = Column(order.lazy.map { item[$0] })
        self.time = Column(order.lazy.map { time[$0] })
        var starts = [Int](repeating: 0, count: userCount + 1)
        for user in user { starts[Int(user) + 1] += 1 }
        for user in 0..<userCount { starts[user + 1] += starts[user] }
        self.starts = starts
    }

    public var count: Int { time.count }

    /// How many each person was shown.
    public func count(ofUser user: Int) -> Int { starts[user + 1] - starts[user] }

    /// Those of one person after a moment and not after another.
    ///
    /// - Complexity: O(log n)
    public func range(ofUser user: Int, after first: Int64, through last: Int64) -> Range<Int> {
        let own = starts[user]..<starts[user + 1]
        let begin = own.partitioningIndex { time[$0] > first }
        return begin..<(begin..<own.upperBound).partitioningIndex { time[$0] > last }
    }

    /// One person's, who is then the only one.
    func only(user: Int) -> Exposures {
        let own = Array(starts[user]..<starts[user + 1])
        return Exposures(
            userCount: 1, user: own.map { _ in 0 }, item: own.map { item[$0] }, time: own.map { time[$0] })
    }

    /// Whether a type of events says so itself: `impression`, `ad_impression`, `AdImpression`, `shown`.
    public static func isOne(_ type: String) -> Bool {
        var words = [""]
        var previous: Character = " "
        for character in type {
            if !character.isLetter || character.isUppercase && previous.isLowercase { words.append("") }
            if character.isLetter { words[words.count - 1] += character.lowercased() }
            previous = character
        }
        words.removeAll(where: \.isEmpty)
        guard let last = words.last else { return false }
        return ["impression", "impressions", "exposure", "exposures"].contains(last)
            || words.count == 1 && ["exposed", "shown", "displayed"].contains(last)
    }
}

extension EventLog {
    /// Calls `body` with each thing that an event's person was shown since the event before it, in order of time.
    ///
    /// - Parameter index: an event of a log that is sorted by person.
    @inline(__always)
    public func forEachExposure(beforeEvent index: Int, _ body: (_ time: Int64, _ topics: ArraySlice<UInt32>) -> Void) {
        guard let exposures else { return }
        let own = user[index]
        let before = index > 0 && user[index - 1] == own ? time[index - 1] : .min
        for place in exposures.range(ofUser: Int(own), after: before, through: time[index]) {
            let item = exposures.item[place]
            body(exposures.time[place], item == .max ? [] : topics[item])
        }
    }
}
