import Foundation

/// How times are written in a log.
public enum TimeFormat: String, Sendable, CaseIterable {
    /// Each value by its own form: numbers by their size, texts by their punctuation.
    case auto
    case seconds, milliseconds, microseconds
    /// Eight digits, `19970101`.
    case yyyymmdd
    /// `2023-01-01 10:00:00` or RFC 3339 only.
    case text
}

/// Turns written times into microseconds since 1970 in UTC.
struct TimeParser: Sendable {
    let format: TimeFormat
    /// The zone of texts that name none; `nil` for UTC.
    let zone: TimeZone?

    enum Form: Int, Sendable, CaseIterable {
        case seconds, milliseconds, microseconds, nanoseconds, compactDate, text

        var words: String {
            switch self {
            case .seconds: "epoch seconds"
            case .milliseconds: "epoch milliseconds"
            case .microseconds: "epoch microseconds"
            case .nanoseconds: "epoch nanoseconds"
            case .compactDate: "dates of eight digits"
            case .text: "calendar texts"
            }
        }
    }

    enum Outcome: Equatable {
        case time(Int64, Form)
        case unreadable
        case outOfRange
    }

    init(format: TimeFormat, zone: TimeZone?) {
        self.format = format
        self.zone = zone?.secondsFromGMT() == 0 && zone?.isDaylightSavingTime() == false ? nil : zone
    }

    /// 0001-01-01 and 9999-12-31, in seconds.
    static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    func parse(_ text: UnsafeRawBufferPointer) -> Outcome {
        guard let first = text.first else { return .unreadable }
        let dashed = text.count >= 10 && (text[4] == 0x2D || text[4] == 0x2F) && isDigit(first)
        if dashed { return format == .auto || format == .text ? calendar(text) : .unreadable }
        guard format != .text else { return .unreadable }
        return number(text)
    }

    private func number(_ text: UnsafeRawBufferPointer) -> Outcome {
        var index = 0
        let negative = text[0] == 0x2D
        if negative || text[0] == 0x2B { index = 1 }
        let start = index
        var whole: Int64 = 0
        while index < text.count, isDigit(text[index]) {
            guard index - start < 19 else { return .outOfRange }
            let (scaled, overflow) = whole.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(Int64(text[index] - 0x30))
            guard !overflow, !carry else { return .outOfRange }
            whole = sum
            index += 1
        }
        let digits = index - start
        guard digits > 0 else { return .unreadable }
        if format == .yyyymmdd {
            guard digits == 8, index == text.count, !negative else { return .unreadable }
            let (year, month, day) = (whole / 10_000, whole / 100 % 100, whole % 100)
            guard let days = Self.days(year, month, day) else { return .unreadable }
            return finish(seconds: days * 86_400 - offset(days * 86_400), micros: 0, .compactDate)
        }
        let form: Form =
            switch format {
            case .seconds: .seconds
            case .milliseconds: .milliseconds
            case .microseconds: .microseconds
            default:
                digits <= 11 ? .seconds : digits <= 14 ? .milliseconds : digits <= 17 ? .microseconds : .nanoseconds
            }
        let unit: Int64 =
            switch form {
            case .milliseconds: 1_000
            case .microseconds: 1_000_000
            case .nanoseconds: 1_000_000_000
            default: 1
            }
        if index == text.count {
            let value = negative ? -whole : whole
            // Rounded down, so that what is left over counts forward in time.
            let seconds = value / unit - (value % unit < 0 ? 1 : 0)
            let micros = Int64(Double(value - seconds * unit) * (1_000_000 / Double(unit)))
            return finish(seconds: seconds, micros: micros, form)
        }
        // A fraction or an exponent: rare, so the library reads it.
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else { return .unreadable }
        let seconds = value / Double(unit)
        guard abs(seconds) < 1e13 else { return .outOfRange }
        let floor = seconds.rounded(.down)
        return finish(seconds: Int64(floor), micros: Int64(((seconds - floor) * 1e6).rounded()), form)
    }

    private func finish(seconds: Int64, micros: Int64, _ form: Form) -> Outcome {
        guard Self.range.contains(seconds) else { return .outOfRange }
        return .time(seconds * 1_000_000 + micros, form)
    }

    /// `YYYY-MM-DD`, then nothing or a time, then nothing or a zone.
    private func calendar(_ text: UnsafeRawBufferPointer) -> Outcome {
        guard let year = digits(text, 0, 4), text[4] == text[7], let month = digits(text, 5, 2),
            let day = digits(text, 8, 2), let days = Self.days(year, month, day)
        else { return .unreadable }
        var seconds = days * 86_400
        var micros: Int64 = 0
        var index = 10
        if index < text.count {
            guard text[index] == 0x20 || text[index] | 0x20 == 0x74, let hour = digits(text, 11, 2),
                text.count >= 16, text[13] == 0x3A, let minute = digits(text, 14, 2), hour < 24, minute < 60
            else { return .unreadable }
            seconds += hour * 3_600 + minute * 60
            index = 16
            if index < text.count, text[index] == 0x3A {
                guard let second = digits(text, 17, 2), second <= 60 else { return .unreadable }
                seconds += second
                index = 19
                if index < text.count, text[index] == 0x2E || text[index] == 0x2C {
                    index += 1
                    var scale: Int64 = 100_000
                    let start = index
                    while index < text.count, isDigit(text[index]) {
                        micros += Int64(text[index] - 0x30) * scale
                        scale /= 10
                        index += 1
                    }
                    guard index > start else { return .unreadable }
                }
            }
        }
        guard let zoneOffset = zoneOffset(text, from: index, local: seconds) else { return .unreadable }
        return finish(seconds: seconds - zoneOffset, micros: micros, .text)
    }

    private func zoneOffset(_ text: UnsafeRawBufferPointer, from start: Int, local: Int64) -> Int64? {
        var index = start
        while index < text.count, text[index] == 0x20 { index += 1 }
        let rest = text.count - index
        if rest == 0 { return offset(local) }
        if rest == 1, text[index] | 0x20 == 0x7A { return 0 }
        if rest == 3, text[index] == 0x55, text[index + 1] == 0x54, text[index + 2] == 0x43 { return 0 }
        guard text[index] == 0x2B || text[index] == 0x2D, let hours = digits(text, index + 1, 2), hours < 24
        else { return nil }
        var minutes: Int64 = 0
        switch rest {
        case 3: break
        case 5:
            guard let value = digits(text, index + 3, 2) else { return nil }
            minutes = value
        case 6:
            guard text[index + 3] == 0x3A, let value = digits(text, index + 4, 2) else { return nil }
            minutes = value
        default: return nil
        }
        guard minutes < 60 else { return nil }
        return (text[index] == 0x2D ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }

    /// Seconds that local time is ahead of UTC at a local moment.
    private func offset(_ local: Int64) -> Int64 {
        guard let zone else { return 0 }
        let guess = Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(local))))
        return Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(local - guess))))
    }

    @inline(__always)
    private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    private func digits(_ text: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> Int64? {
        guard start + count <= text.count else { return nil }
        var value: Int64 = 0
        for index in start..<start + count {
            guard isDigit(text[index]) else { return nil }
            value = value * 10 + Int64(text[index] - 0x30)
        }
        return value
    }

    /// Days since 1970-01-01 of a day of the Gregorian calendar; `nil` for a day that does not exist.
    ///
    /// Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
        guard (1...9_999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let last: Int64 = month == 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        guard day <= last else { return nil }
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

extension TimeFormat {
    /// Reads a moment that a person typed, as microseconds; `nil` when it is none.
    public static func moment(_ text: String, zone: TimeZone? = nil) -> Int64? {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { bytes in
            guard case .time(let time, _) = TimeParser(format: .auto, zone: zone).parse(bytes) else { return nil }
            return time
        }
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
