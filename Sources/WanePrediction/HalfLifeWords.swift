import WaneBundle
import WaneCurves
import WaneEvents

extension ModelBundle {
    /// A half-life as people read it, no finer than the times of the model's log and no longer than that log.
    ///
    /// - Parameter seconds: nothing for what does not halve.
    public func halfLifeWords(_ seconds: Double?) -> String {
        guard let seconds else { return "does not halve" }
        let clock = description.clock
        let shortest = Double(description.halfLives?.resolution ?? 1) / 1e6
        let longest = Double(description.split.end - description.split.start) / 1e6
        if seconds > longest { return "> " + TimeSpan.words(seconds: longest, clock) }
        return seconds < shortest
            ? "< " + TimeSpan.words(seconds: shortest, clock) : TimeSpan.words(seconds: seconds, clock)
    }

    /// The interval beside a half-life; empty where there is none.
    public func halfLifeWords(_ interval: ClosedRange<Double>?) -> String {
        guard let interval else { return "" }
        return "\(halfLifeWords(interval.lowerBound)) to \(halfLifeWords(interval.upperBound))"
    }
}
