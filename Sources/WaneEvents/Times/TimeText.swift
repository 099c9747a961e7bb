/// Reads dates and times that are written with punctuation or words, from left to right.
///
/// Year first (`2023-01-02`, `2023/1/2`, `20230102T100000`), day and month before the year (`02/01/2023`, `2.1.23`),
/// named months (`2 Jan 2023`, `Jan 2, 2023`, `Mon Jan 02 10:00:00 2023`), a clock of 24 or 12 hours, fractions of a
/// second, and zones as offsets or as names that mean one thing only.
struct TimeText {
    private let text: UnsafeRawBufferPointer
    private var at = 0
    private var end: Int

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
        end = text.count
        while end > 0, Self.isBlank(text[end - 1]) { end -= 1 }
        while at < end, Self.isBlank(text[at]) { at += 1 }
        // `[10/Oct/2000:13:55:36 -0700]`, as web servers write.
        if end - at >= 2, text[at] == 0x5B, text[end - 1] == 0x5D { (at, end) = (at + 1, end - 1) }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    private var next: UInt8? { at < end ? text[at] : nil }

    private mutating func skip(_ isSkipped: (UInt8) -> Bool) { while let byte = next, isSkipped(byte) { at += 1 } }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        at += 1
        return true
    }

    /// A number of at most `limit` digits, and how many it has.
    private mutating func digits(_ limit: Int = 9) -> (value: Int64, count: Int)? {
        let start = at
        var value: Int64 = 0
        while let byte = next, Self.isDigit(byte) {
            guard at - start < limit else { return nil }
            value = value * 10 + Int64(byte &- 0x30)
            at += 1
        }
        return at > start ? (value, at - start) : nil
    }

    /// The first three letters of a word in lower case, and its length.
    private mutating func word() -> (key: UInt32, count: Int)? {
        let start = at
        var key: UInt32 = 0
        while let byte = next, Self.isLetter(byte) {
            if at - start < 3 { key = key << 8 | UInt32(byte | 0x20) }
            at += 1
        }
        return at > start ? (key, at - start) : nil
    }

    private static func key(_ name: String) -> UInt32 { name.utf8.reduce(0) { $0 << 8 | UInt32($1) } }
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ].map(key)
    private static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(key)

    private mutating func month() -> Int64? {
        let start = at
        guard let (key, count) = word(), count >= 3, count <= 9, let index = Self.months.firstIndex(of: key) else {
            at = start
            return nil
        }
        _ = take(0x2E)
        return Int64(index + 1)
    }

    mutating func read() -> WrittenTime? {
        guard end - at >= 4, end - at <= 64 else { return nil }
        let start = at
        if let (key, count) = word() {
            // A day of the week says nothing that the date does not.
            if count >= 3, Self.days.contains(key) {
                skip { $0 == 0x2C || $0 == 0x2E || Self.isBlank($0) }
            } else {
                at = start
            }
        }
        if let byte = next, Self.isLetter(byte) { return monthFirst() }
        guard let (number, count) = digits(8) else { return nil }
        if count == 8 {
            // `20230102T100000`: without the T it is a number.
            guard next == 0x54, let date = GregorianCalendar.micros(number / 10_000, number / 100 % 100, number % 100)
            else { return nil }
            at += 1
            guard let (clock, length) = digits(6), length == 4 || length == 6 else { return nil }
            let seconds = length == 4 ? clock * 100 : clock
            guard let time = Self.clock(seconds / 10_000, seconds / 100 % 100, seconds % 100) else { return nil }
            return finish(date + time + fraction())
        }
        let separator = next
        if count == 4 { return yearFirst(number) }
        guard count <= 2, let separator else { return nil }
        if Self.isBlank(separator) || [0x2D, 0x2F, 0x2E].contains(separator), let named = dayThenName(number) {
            return named
        }
        return dayAndMonth(number, separator)
    }

    /// `2023-01-02`, `2023/1/2`, `2023.01.02`, `2023-Jan-02`.
    private mutating func yearFirst(_ year: Int64) -> WrittenTime? {
        guard let separator = next, [0x2D, 0x2F, 0x2E, 0x20].contains(separator) else { return nil }
        at += 1
        guard let month = month() ?? (separator == 0x20 ? nil : digits(2)?.value), take(separator),
            let (day, _) = digits(2), let date = GregorianCalendar.micros(year, month, day), let time = clock()
        else { return nil }
        return finish(date + time)
    }

    /// `2 Jan 2023`, `02-Jan-23`, `10/Oct/2000:13:55:36`; nothing where no name of a month follows.
    private mutating func dayThenName(_ day: Int64) -> WrittenTime? {
        let start = at
        skip { $0 == 0x2D || $0 == 0x2F || $0 == 0x2E || Self.isBlank($0) }
        guard let month = month() else {
            at = start
            return nil
        }
        skip { $0 == 0x2D || $0 == 0x2F || $0 == 0x2C || Self.isBlank($0) }
        guard let year = year(), let date = GregorianCalendar.micros(year, month, day), let time = clock() else {
            return nil
        }
        return finish(date + time)
    }

    /// `Jan 2, 2023 10:00`, `Jan 02 10:00:00 2023`, `Oct 10 20:19:24 +0000 2018`.
    private mutating func monthFirst() -> WrittenTime? {
        guard let month = month() else { return nil }
        skip { $0 == 0x2D || Self.isBlank($0) }
        guard let (day, _) = digits(2) else { return nil }
        skip { $0 == 0x2C || $0 == 0x2D || Self.isBlank($0) }
        let start = at
        if let (_, count) = digits(4), count == 4, next != 0x3A {
            at = start
            guard let year = year(), let date = GregorianCalendar.micros(year, month, day), let time = clock() else {
                return nil
            }
            return finish(date + time)
        }
        // The year at the end, after the clock and perhaps a zone.
        var tail = end
        while tail > start, Self.isDigit(text[tail - 1]) { tail -= 1 }
        guard end - tail == 4, tail > start, Self.isBlank(text[tail - 1]) else { return nil }
        let year = text[tail..<end].reduce(Int64(0)) { $0 * 10 + Int64($1 &- 0x30) }
        at = start
        end = tail
        while end > start, Self.isBlank(text[end - 1]) { end -= 1 }
        guard let date = GregorianCalendar.micros(year, month, day), let time = clock(separated: true) else {
            return nil
        }
        return finish(date + time)
    }

    /// `02/01/2023`, `2.1.23`, `2-1-2023 10:00`: which is the day is for the column to say.
    private mutating func dayAndMonth(_ first: Int64, _ separator: UInt8) -> WrittenTime? {
        guard [0x2F, 0x2E, 0x2D].contains(separator), take(separator), let (second, count) = digits(2), count <= 2,
            take(separator), let year = year(), let time = clock()
        else { return nil }
        // Impossible either way.
        guard
            GregorianCalendar.days(year, first, second) != nil || GregorianCalendar.days(year, second, first) != nil
        else { return nil }
        var zoned = false
        guard let offset = zone(&zoned) else { return nil }
        return .packed(first: first, second: second, year: year, micros: time - offset, zoned: zoned)
    }

    /// Of four digits, or of two as POSIX has it: from 69 on the last century.
    private mutating func year() -> Int64? {
        guard let (value, count) = digits(4), count == 4 || count == 2 else { return nil }
        return count == 4 ? value : value < 69 ? 2_000 + value : 1_900 + value
    }

    private static func clock(_ hour: Int64, _ minute: Int64, _ second: Int64) -> Int64? {
        guard minute < 60, second <= 60, hour < 24 || (hour == 24 && minute == 0 && second == 0) else { return nil }
        return (hour * 3_600 + minute * 60 + second) * 1_000_000
    }

    /// A time of day as microseconds; 0 where there is none, nothing where it is none.
    ///
    /// - Parameter separated: whether what stands between date and clock has been passed.
    private mutating func clock(separated: Bool = false) -> Int64? {
        let start = at
        if !separated {
            if let byte = next, byte | 0x20 == 0x74 || byte == 0x3A {
                at += 1
            } else {
                skip { $0 == 0x2C || Self.isBlank($0) }
            }
            guard at > start else { return at == end ? 0 : zoneFollows ? 0 : nil }
        }
        guard let byte = next, Self.isDigit(byte) else { return zoneFollows ? 0 : nil }
        guard let (hour, _) = digits(2) else { return nil }
        var (minute, second, micros): (Int64, Int64, Int64) = (0, 0, 0)
        var hasMinutes = false
        if let mark = next, mark == 0x3A || mark == 0x2E {
            at += 1
            guard let (value, count) = digits(2), count == 2 else { return nil }
            (minute, hasMinutes) = (value, true)
            if take(mark) {
                guard let (value, count) = digits(2), count == 2 else { return nil }
                second = value
                let before = at
                micros = fraction()
                if at == before, next == 0x2E || next == 0x2C { return nil }
            }
        }
        let afterClock = at
        skip(Self.isBlank)
        if let (key, count) = word(), count <= 2, key == Self.key("am") || key == Self.key("pm") || count == 1 {
            let isAfternoon = key == Self.key("pm")
            guard count == 2, (1...12).contains(hour) else {
                at = afterClock
                // `Z` is a zone, not half of a day.
                guard hasMinutes else { return nil }
                return Self.clock(hour, minute, second).map { $0 + micros }
            }
            return Self.clock(hour % 12 + (isAfternoon ? 12 : 0), minute, second).map { $0 + micros }
        }
        at = afterClock
        guard hasMinutes else { return nil }
        return Self.clock(hour, minute, second).map { $0 + micros }
    }

    private var zoneFollows: Bool { next.map { $0 == 0x2B || $0 == 0x2D || Self.isLetter($0) } ?? true }

    /// `.25` or `,25` as microseconds; what is finer is cut.
    private mutating func fraction() -> Int64 {
        guard let mark = next, mark == 0x2E || mark == 0x2C, at + 1 < end, Self.isDigit(text[at + 1]) else { return 0 }
        at += 1
        var scale: Int64 = 100_000
        var micros: Int64 = 0
        while let byte = next, Self.isDigit(byte) {
            micros += Int64(byte &- 0x30) * scale
            scale /= 10
            at += 1
        }
        return micros
    }

    /// Microseconds that a stated zone is ahead of UTC; 0 where none is stated, nothing where it cannot be read.
    private mutating func zone(_ isStated: inout Bool) -> Int64? {
        skip(Self.isBlank)
        guard let byte = next else { return 0 }
        isStated = true
        if Self.isLetter(byte) {
            let start = at
            guard let (_, count) = word() else { return nil }
            let name = String(decoding: text[start..<start + count], as: UTF8.self).uppercased()
            guard let hours = ZoneNames.offsets[name] else { return nil }
            // `GMT+0200`, as browsers write.
            if at < end, hours == 0, let sign = next, sign == 0x2B || sign == 0x2D { return zoneDigits() }
            skip(Self.isBlank)
            if take(0x28) { at = end }
            return at == end ? Int64(hours * 3_600_000_000) : nil
        }
        return zoneDigits()
    }

    /// `+02`, `+0200`, `+02:00`, and a name in brackets behind.
    private mutating func zoneDigits() -> Int64? {
        guard let sign = next, sign == 0x2B || sign == 0x2D else { return nil }
        at += 1
        guard let (value, count) = digits(4), count == 2 || count == 4 else { return nil }
        var (hours, minutes) = count == 4 ? (value / 100, value % 100) : (value, 0)
        if count == 2, take(0x3A) {
            guard let (rest, length) = digits(2), length == 2 else { return nil }
            minutes = rest
        }
        guard hours < 24, minutes < 60 else { return nil }
        if sign == 0x2D { (hours, minutes) = (-hours, -minutes) }
        skip(Self.isBlank)
        if take(0x28) || take(0x5B) { at = end }
        return at == end ? (hours * 3_600 + minutes * 60) * 1_000_000 : nil
    }

    private mutating func finish(_ local: Int64) -> WrittenTime? {
        var isStated = false
        guard let offset = zone(&isStated), at == end, GregorianCalendar.contains(local) else { return nil }
        return isStated ? WrittenTime(.instant, local - offset) : WrittenTime(.local, local)
    }
}
