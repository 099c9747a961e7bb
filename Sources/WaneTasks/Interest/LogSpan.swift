import WaneEvents

/// Where a log's events lie in time, without the few that lie far from all others: a wrong clock, a lone import. Those stay
/// events of their people; they choose no horizon and no part.
public struct LogSpan: Sendable, Equatable {
    /// Microseconds: the first and the last event that is not far from the others.
    public let start: Int64
    public let end: Int64
    /// Events far before and far after, and the first and the last of all.
    public let early: Int
    public let late: Int
    public let first: Int64
    public let last: Int64
    /// The longest silence of everybody, where it is more than half of the span; nothing else.
    public let silence: ClosedRange<Int64>?

    /// Of fewer events none is far from the others.
    private static let fewest = 8

    /// - Parameter times: in order, not empty.
    public init(_ times: [Int64], clock: EventLog.Clock) {
        first = times.first ?? 0
        last = times.last ?? 0
        guard clock == .wall, times.count >= Self.fewest else {
            (start, end, early, late, silence) = (first, last, 0, 0, nil)
            return
        }
        // Beyond twice the span of all but a hundredth on each side.
        let (low, high) = (times[times.count / 100], times[times.count - 1 - times.count / 100])
        let margin = 2 * max(1, high - low)
        var begin = times.partitioningIndex { $0 >= low - margin }
        var stop = times.partitioningIndex { $0 > high + margin }
        // A hundredth and less beyond a silence longer than half of the span is far from all others too.
        var silence: ClosedRange<Int64>?
        let few = max(1, times.count / 100)
        while stop - begin > 1 {
            let half = (times[stop - 1] - times[begin]) / 2
            guard let index = (begin + 1..<stop).first(where: { times[$0] - times[$0 - 1] > half }) else { break }
            if index - begin <= few {
                begin = index
            } else if stop - index <= few {
                stop = index
            } else {
                silence = times[index - 1]...times[index]
                break
            }
        }
        (early, late) = (begin, times.count - stop)
        (start, end) = (times[begin], times[max(begin, stop - 1)])
        self.silence = silence
    }

    /// - Complexity: O(events)
    public init(_ log: EventLog) { self.init(RadixSort.sorted(log.time), clock: log.clock) }

    /// Time in which something may have happened: the span without a silence longer than half of it.
    public var active: Int64 { end - start - (silence.map { $0.upperBound - $0.lowerBound } ?? 0) }

    /// The moment at which a share of the active time has passed.
    public func moment(_ share: Double, from start: Int64) -> Int64 {
        let at = start + Int64(share * Double(max(0, active - (start - self.start))))
        guard let silence, at > silence.lowerBound else { return at }
        return at + (silence.upperBound - silence.lowerBound)
    }

    /// What a person should know of it.
    public var notes: [String] {
        var notes: [String] = []
        if early > 0 {
            notes.append(
                "\(early) \(early == 1 ? "event lies" : "events lie") far before all others, the first at \(TimeFormat.words(first)); parts, "
                    + "horizon and the log's end are chosen without")
        }
        if late > 0 {
            notes.append(
                "\(late) \(late == 1 ? "event lies" : "events lie") far after all others, the last at \(TimeFormat.words(last)); parts, horizon "
                    + "and the log's end are chosen without")
        }
        if let silence {
            notes.append(
                "nothing happens from \(TimeFormat.words(silence.lowerBound)) to \(TimeFormat.words(silence.upperBound)), more than half of "
                    + "the log's time; parts and horizon are chosen without that time")
        }
        return notes
    }
}
