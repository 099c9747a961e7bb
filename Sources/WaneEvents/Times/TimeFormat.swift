import Foundation

/// How times are written in a log.
public enum TimeFormat: String, Sendable, CaseIterable {
    /// By what the whole column shows.
    case auto
    case seconds, milliseconds, microseconds, nanoseconds
    /// Digits of a date, with or without a clock: `19970101`, `199701011000`, `19970101100000`.
    case yyyymmdd
    /// A spreadsheet's day numbers.
    case serial
    /// Days from a start.
    case days
    /// `02/01/2023` is the second of January.
    case dayFirst = "day-first"
    /// `02/01/2023` is the first of February.
    case monthFirst = "month-first"
    /// Calendar texts only: numbers are none.
    case text

    /// Whether values of a form can be times under this format.
    func takes(_ form: WrittenTime.Form) -> Bool {
        switch self {
        case .auto, .dayFirst, .monthFirst: true
        case .text: form == .instant || form == .local || form == .dayAndMonth
        default: form == .integer || form == .decimal
        }
    }

    /// Reads a moment that a person typed, as microseconds; `nil` when it is none, or could be read in two ways.
    ///
    /// - Parameters:
    ///   - zone: of a moment that states none; UTC when absent.
    ///   - preferred: how the log's own times are written.
    public static func moment(_ text: String, zone: TimeZone? = nil, preferred: TimeFormat? = nil) -> Int64? {
        let bytes = Array(text.utf8)
        guard let written = bytes.withUnsafeBytes({ WrittenTime($0) }) else { return nil }
        var (micros, isLocal): (Int64?, Bool) = (nil, false)
        switch written.form {
        case .instant: micros = written.raw
        case .local: (micros, isLocal) = (written.raw, true)
        case .dayAndMonth:
            let value = WrittenTime.DayAndMonth(written.raw)
            isLocal = !value.zoned
            if value.first > 12 || preferred == .dayFirst || value.first == value.second {
                micros = value.moment(dayFirst: true)
            } else if value.second > 12 || preferred == .monthFirst {
                micros = value.moment(dayFirst: false)
            }
        case .integer, .decimal:
            var reading = preferred.flatMap { NumberReading(rawValue: $0.rawValue) }
            if reading == nil, case .one(let one) = NumberReading.decide([written]) { reading = one }
            micros = reading?.micros(written)
            isLocal = reading?.isLocal ?? false
        }
        guard var micros, GregorianCalendar.contains(micros) else { return nil }
        if isLocal, let zone {
            var hint = 0
            micros = ZoneRules(zone, from: micros, to: micros).utc(micros, hint: &hint).micros
        }
        return micros
    }

    /// A moment for machines: RFC 3339 in UTC, with microseconds where there are any.
    public static func rfc3339(_ time: Int64) -> String {
        let micros = ((time % 1_000_000) + 1_000_000) % 1_000_000
        let whole = words(time - micros).replacing(" ", with: "T")
        guard micros > 0 else { return whole + "Z" }
        let digits = String(micros)
        return whole + "." + String(repeating: "0", count: 6 - digits.count) + digits + "Z"
    }

    /// A moment as people write it, in UTC.
    public static func words(_ time: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(time) / 1e6)
        return date.formatted(
            .verbatim(
                "\(year: .padded(4))-\(month: .twoDigits)-\(day: .twoDigits) \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits)",
                locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt, calendar: Calendar(identifier: .gregorian)))
    }
}
