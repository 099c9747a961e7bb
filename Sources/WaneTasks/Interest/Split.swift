import WaneEvents
import WaneState

/// Why a log cannot be divided into training, validation and test parts.
public enum SplitError: Error, Sendable, Equatable, CustomStringConvertible {
    case noTimeSpan(events: Int)
    case horizonTooLong(horizon: String, part: String, length: String)
    case knownTooLong(known: String, length: String)
    case notObserved(ahead: String, left: String)
    case noQueries(part: String)

    public var description: String {
        switch self {
        case .noTimeSpan(let events):
            "all \(events) events have the same time; interest over time cannot be learned from them"
        case .horizonTooLong(let horizon, let part, let length):
            "a horizon of \(horizon) does not fit into the \(part) part, which is \(length) long; "
                + "give a shorter one with --horizon"
        case .knownTooLong(let known, let length):
            "a known time of \(known) leaves nothing to ask about: the log is \(length) long; give a shorter one with --known"
        case .notObserved(let ahead, let left):
            "the log ends \(left) after what is known, so what happens within \(ahead) is not seen to its end; give --ahead \(left) "
                + "or less, or a shorter --known"
        case .noQueries(let part):
            "the \(part) part holds no query: no person meets a topic early enough to see what follows; "
                + "give a shorter --horizon or a longer log"
        }
    }
}

public enum Part: String, Sendable, Codable, CaseIterable { case train, validation, test }

/// The log's time cut into three parts on the global clock; a query belongs to a part only when it and all
/// of its horizon lie inside.
public struct Split: Sendable, Equatable {
    /// Microseconds: the first event, the end of training, the end of validation, the last event.
    public let start: Int64
    public let trainEnd: Int64
    public let validationEnd: Int64
    public let end: Int64
    /// Microseconds.
    public let horizon: Int64
    /// Moments of the training part, the last at its end, at which what concerns everybody (popularity, graphs) is
    /// counted: a query sees one from before it.
    public let snapshots: [Int64]
    /// Queries of all parts drawn from all of time: the future leaks, and reports say so.
    public var random = false

    /// The count of snapshots in a training part.
    static let snapshotCount = 8

    public init(
        start: Int64, trainEnd: Int64, validationEnd: Int64, end: Int64, horizon: Int64, snapshots: [Int64]? = nil,
        random: Bool = false
    ) {
        self.random = random
        self.snapshots = snapshots ?? [trainEnd - 1]
        self.start = start
        self.trainEnd = trainEnd
        self.validationEnd = validationEnd
        self.end = end
        self.horizon = horizon
    }

    /// Cuts where the given shares both of all events and of all time have passed: a log that begins with a
    /// burst does not train on its first weeks alone, and one that grows does not leave most events to test.
    ///
    /// - Parameters:
    ///   - times: of the log's events in order, where the caller has them.
    ///   - shares: of training and validation; what is left is the test part.
    ///   - horizon: microseconds; chosen from the span of the log when absent.
    public init(
        _ log: EventLog, times: [Int64]? = nil, shares: (train: Double, validation: Double) = (0.6, 0.2),
        horizon: Int64? = nil
    ) throws(SplitError) {
        let times = times ?? RadixSort.sorted(log.time)
        guard let first = times.first, let last = times.last, first < last else {
            throw .noTimeSpan(events: log.count)
        }
        let span = LogSpan(times, clock: log.clock)
        // The first hundredth may be thinly spread before all others.
        let early = max(span.start, times[times.count / 100])
        let chosen = horizon ?? Self.defaultHorizon(log, span: span.active - (early - span.start))
        func cut(_ share: Double) -> Int64 {
            max(times[min(times.count - 1, Int(share * Double(times.count)))], span.moment(share, from: early))
        }
        // Histories of positions end together: their last stretches are the later parts.
        let (a, b) =
            log.clock == .position
            ? (span.end - 6 * chosen, span.end - 3 * chosen)
            : (cut(shares.train), cut(shares.train + shares.validation))
        // An eighth of the training part's events lies between two snapshots.
        let training = times.partitioningIndex { $0 >= a }
        var snapshots = (1..<Self.snapshotCount).map { times[training * $0 / Self.snapshotCount] }
        snapshots.append(a - 1)
        self.init(
            start: span.start, trainEnd: a, validationEnd: b, end: span.end, horizon: chosen, snapshots: snapshots)
        let parts = [("training", span.start, a), ("validation", a, b), ("test", b, span.end)]
        for (name, from, to) in parts where to - from <= chosen {
            throw .horizonTooLong(
                horizon: TimeSpan.words(chosen, log.clock), part: name,
                length: TimeSpan.words(max(0, to - from), log.clock))
        }
    }

    /// The longest of an hour, six hours, a day, a week and thirty days that fits twelve times into the span;
    /// where the log has no times, a twelfth of a long history (one in ten is longer), one to ten positions.
    static func defaultHorizon(_ log: EventLog, span: Int64) -> Int64 {
        if log.clock == .position {
            var lengths = [Int](repeating: 0, count: log.users.count)
            for user in log.user { lengths[Int(user)] += 1 }
            let long = lengths.sorted()[lengths.count * 9 / 10]
            return Int64(min(10, max(1, long / 12))) * EventLog.second
        }
        let hour: Int64 = 3_600 * EventLog.second
        let candidates = [720 * hour, 168 * hour, 24 * hour, 6 * hour, hour]
        return candidates.first { $0 * 12 <= span } ?? max(1, span / 24)
    }

    /// Moments at which a query may stand.
    public func moments(_ part: Part) -> ClosedRange<Int64>? {
        let (low, high): (Int64, Int64) =
            switch part {
            case _ where random: (start, end)
            case .train: (start, trainEnd)
            case .validation: (trainEnd, validationEnd)
            case .test: (validationEnd, end)
            }
        return low <= high - horizon ? low...(high - horizon) : nil
    }
}
