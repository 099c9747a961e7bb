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
        let micros = Int(((time % 1_000_000) + 1_000_000) % 1_000_000)
        let whole = written(time, between: UInt8(ascii: "T"))
        guard micros > 0 else { return whole + "Z" }
        let digits = String(micros)
        return whole + "." + String(repeating: "0", count: 6 - digits.count) + digits + "Z"
    }

    /// A moment as people write it, in UTC.
    public static func words(_ time: Int64) -> String { written(time, between: UInt8(ascii: " ")) }

    /// A date and a clock, to the second that has begun.
    private static func written(_ time: Int64, between mark: UInt8) -> String {
        guard GregorianCalendar.contains(time) else {
            let words = farWords(time)
            return mark == UInt8(ascii: " ") ? words : words.replacing(" ", with: "T")
        }
        let ofDay = (time % GregorianCalendar.day + GregorianCalendar.day) % GregorianCalendar.day
        let clock = Int(ofDay / 1_000_000)
        let date = GregorianCalendar.date(ofDay: Int((time - ofDay) / GregorianCalendar.day))
        return String(unsafeUninitializedCapacity: 19) { bytes in
            func put(_ value: Int, at place: Int, digits: Int) {
                var rest = value
                for offset in (0..<digits).reversed() {
                    bytes[place + offset] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
            }
            put(date.year, at: 0, digits: 4)
            put(date.month, at: 5, digits: 2)
            put(date.day, at: 8, digits: 2)
            put(clock / 3_600, at: 11, digits: 2)
            put(clock / 60 % 60, at: 14, digits: 2)
            put(clock % 60, at: 17, digits: 2)
            for place in [4, 7] { bytes[place] = UInt8(ascii: "-") }
            for place in [13, 16] { bytes[place] = UInt8(ascii: ":") }
            bytes[10] = mark
            return 19
        }
    }

    /// Moments outside the years of four digits.
    private static func farWords(_ time: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(time) / 1e6)
        return date.formatted(
            .verbatim(
                "\(year: .padded(4))-\(month: .twoDigits)-\(day: .twoDigits) \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits)",
                locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt, calendar: Calendar(identifier: .gregorian)))
    }
}
