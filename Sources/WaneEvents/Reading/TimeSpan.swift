/// Lengths of time as people write them.
public enum TimeSpan {
    private static let units: [(suffix: String, seconds: Double)] = [
        ("y", 365.25 * 86_400), ("w", 7 * 86_400), ("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1),
    ]

    /// Microseconds in ten thousand years: any moment of a log plus any span stays within 64 bits.
    public static let longest: Int64 = 315_576_000_000_000_000

    /// Microseconds of a text such as `7d`, `12h`, `90min`, `30s`, or a bare number of seconds.
    public static func parse(_ text: String) -> Int64? {
        let unit = units.first { text.hasSuffix($0.suffix) && Double(text.dropLast($0.suffix.count)) != nil }
        let number = unit.map { String(text.dropLast($0.suffix.count)) } ?? text
        guard let value = Double(number), value > 0 else { return nil }
        let micros = value * (unit?.seconds ?? 1) * 1e6
        return micros >= 1 && micros <= Double(longest) ? Int64(micros) : nil
    }

    /// `6.5 d`, `3 h`, or `10 positions`.
    public static func words(_ micros: Int64, _ clock: EventLog.Clock = .wall) -> String {
        words(seconds: Double(micros) / 1e6, clock)
    }

    public static func words(seconds: Double, _ clock: EventLog.Clock = .wall) -> String {
        func short(_ value: Double) -> String {
            let rounded = (value * 10).rounded() / 10
            return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
        }
        guard seconds.isFinite, abs(seconds) < 1e15 else { return "never" }
        if clock == .position { return "\(short(seconds)) positions" }
        // Weeks are for input: people compare days.
        for unit in units where unit.suffix != "w" && abs(seconds) >= unit.seconds * (unit.suffix == "y" ? 2 : 1) {
            return "\(short(seconds / unit.seconds)) \(unit.suffix)"
        }
        return "\(short(seconds)) s"
    }
}
