import WaneBundle
import WaneCurves
import WaneEvents

/// Whether a log can show a half-life: shorter than its times resolve, longer than it is, or none at all.
public enum HalfLifeBound: String, Sendable { case exact, below, above, none }

extension ModelBundle {
    /// Seconds that the model's log covers: it shows nothing that takes longer.
    public var logSpan: Double { Double(description.split.end - description.split.start) / 1e6 }

    /// A half-life as people read it, no finer than the times of the model's log and no longer than that log.
    ///
    /// - Parameter seconds: nothing for what does not halve.
    public func halfLifeWords(_ seconds: Double?) -> String {
        guard let seconds else { return "does not halve" }
        let clock = description.clock
        return switch halfLifeBound(seconds) {
        case .above: "> " + TimeSpan.words(seconds: logSpan, clock)
        case .below: "< " + TimeSpan.words(seconds: shortestHalfLife, clock)
        case .exact, .none: TimeSpan.words(seconds: seconds, clock)
        }
    }

    /// Seconds that the times of the model's log resolve.
    private var shortestHalfLife: Double { Double(description.halfLives?.resolution ?? 1) / 1e6 }

    /// What a half-life in seconds is beside what the model's log shows.
    public func halfLifeBound(_ seconds: Double?) -> HalfLifeBound {
        guard let seconds else { return .none }
        if seconds > logSpan { return .above }
        return seconds < shortestHalfLife ? .below : .exact
    }

    /// Of a topic as a whole: one word where neither end halves, or both are the same beside what the log shows.
    public func halfLifeWords(low: Double?, high: Double?) -> String {
        if low == nil && high == nil { return "-" }
        let (first, last) = (halfLifeWords(low), halfLifeWords(high))
        return first == last ? first : "\(first) to \(last)"
    }

    /// Of a time that no log of this length shows.
    public static let beyondLog = "not within what the log shows"

    /// Seconds until a curve passes below the model's threshold; nothing where it never does.
    public func lapse(_ curve: InterestCurve) -> Double? { curve.lapse(below: description.threshold) }

    /// The moment of a lapse after so many seconds; nothing where there is none, or not by any moment that is one.
    ///
    /// - Parameter moment: microseconds: that of the curve.
    public func lapseMoment(_ seconds: Double?, from moment: Int64) -> Int64? {
        seconds.flatMap { $0 < Double(TimeSpan.longest) / 1e6 ? moment + Int64($0 * 1e6) : nil }
    }

    /// What a time until a lapse is beside what the model's log shows: `above` where it is longer, `none` where there is no lapse.
    public func lapseBound(_ seconds: Double?) -> HalfLifeBound {
        guard let seconds, seconds < Double(TimeSpan.longest) / 1e6 else { return .none }
        return seconds > logSpan ? .above : .exact
    }

    /// Seconds until a lapse as people read them; nothing for what never lapses.
    public func lapseWords(_ seconds: Double?) -> String {
        guard let seconds else { return "never" }
        if seconds > logSpan { return "> " + TimeSpan.words(seconds: logSpan, description.clock) }
        return seconds == 0 ? "now" : TimeSpan.words(seconds: seconds, description.clock)
    }

    /// The interval beside a half-life; empty where there is none.
    public func halfLifeWords(_ interval: ClosedRange<Double>?) -> String {
        interval.map { halfLifeWords(low: $0.lowerBound, high: $0.upperBound) } ?? ""
    }
}
