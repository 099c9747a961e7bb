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
        var dayFirst = true
        var reading = preferred.flatMap { NumberReading(rawValue: $0.rawValue) }
        if written.form == .dayAndMonth {
            let value = WrittenTime.DayAndMonth(written.raw)
            dayFirst = value.first > 12 || preferred == .dayFirst || value.first == value.second
            guard dayFirst || value.second > 12 || preferred == .monthFirst else { return nil }
        } else if written.number != nil, reading == nil, case .one(let one) = NumberReading.decide([written]) {
            reading = one
        }
        guard let moment = written.moment(dayFirst: dayFirst, numbers: reading),
            GregorianCalendar.contains(moment.micros)
        else { return nil }
        var micros = moment.micros
        if moment.isLocal, let zone {
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
