import Foundation

/// A time as it stands in a log, before it is known how the column is meant.
struct WrittenTime: Sendable, Equatable {
    enum Form: UInt8, Sendable, CaseIterable {
        /// With a zone: microseconds since 1970 in UTC.
        case instant
        /// Without one: microseconds since 1970 on the clock of the place.
        case local
        /// Two numbers and a year, of which the first may be the day or the month; see ``packed(first:second:year:micros:zoned:)``.
        case dayAndMonth
        /// A whole number.
        case integer
        /// A number with a fraction: the bits of a `Double`.
        case decimal
    }

    let form: Form
    let raw: Int64

    /// Reads a value, whatever its form; `nil` for what is no time and no number.
    init?(_ text: UnsafeRawBufferPointer) {
        if let plain = Self.plain(text) {
            self = plain
            return
        }
        var calendar = TimeText(text)
        guard let value = Self.number(text) ?? calendar.read() else { return nil }
        self = value
    }

    init(_ form: Form, _ raw: Int64) {
        self.form = form
        self.raw = raw
    }

    /// The number that an integer or a decimal is.
    var number: Double? {
        switch form {
        case .integer: Double(raw)
        case .decimal: Double(bitPattern: UInt64(bitPattern: raw))
        default: nil
        }
    }

    /// `2023-01-02 10:00:00`, with a `T` between or not: what most logs have.
    @inline(__always)
    private static func plain(_ text: UnsafeRawBufferPointer) -> WrittenTime? {
        guard text.count == 19, text[4] == 0x2D, text[7] == 0x2D, text[10] == 0x20 || text[10] == 0x54,
            text[13] == 0x3A, text[16] == 0x3A
        else { return nil }
        var isPlain = true
        func two(_ index: Int) -> Int64 {
            let (a, b) = (text[index] &- 0x30, text[index &+ 1] &- 0x30)
            if a > 9 || b > 9 { isPlain = false }
            return Int64(a) &* 10 &+ Int64(b)
        }
        let (century, year, month, day) = (two(0), two(2), two(5), two(8))
        let (hour, minute, second) = (two(11), two(14), two(17))
        guard isPlain, hour < 24, minute < 60, second < 60,
            let date = GregorianCalendar.micros(century * 100 + year, month, day)
        else { return nil }
        return WrittenTime(.local, date + (hour * 3_600 + minute * 60 + second) * 1_000_000)
    }

    /// Digits, with a sign, a fraction or an exponent.
    private static func number(_ text: UnsafeRawBufferPointer) -> WrittenTime? {
        guard let first = text.first, text.count <= 40 else { return nil }
        var index = first == 0x2D || first == 0x2B ? 1 : 0
        let start = index
        var value: Int64 = 0
        while index < text.count, text[index] &- 0x30 < 10 {
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(Int64(text[index] &- 0x30))
            // Beyond 64 bits: as far from any time as a number can be.
            if overflow || carry { return WrittenTime(.integer, first == 0x2D ? .min : .max) }
            value = sum
            index += 1
        }
        guard index > start else { return nil }
        if index == text.count { return WrittenTime(.integer, first == 0x2D ? -value : value) }
        let next = text[index]
        guard next == 0x2E || next | 0x20 == 0x65 else { return nil }
        // Bytes of digits, one point and an exponent only: `Double` reads words such as "0x1p3" too.
        for byte in text[index...]
        where !(byte &- 0x30 < 10 || [0x2E, 0x2B, 0x2D].contains(byte) || byte | 0x20 == 0x65) {
            return nil
        }
        guard let number = Double(String(decoding: text, as: UTF8.self)), number.isFinite else { return nil }
        return WrittenTime(.decimal, Int64(bitPattern: number.bitPattern))
    }

    /// The moment that it is, on the clock of the place or in UTC; nothing for a day that does not exist and for a number that is
    /// none of its column's kind.
    ///
    /// - Parameter numbers: what numbers stand for.
    func moment(dayFirst: Bool?, numbers: NumberReading?) -> (micros: Int64, isLocal: Bool)? {
        switch form {
        case .instant: return (raw, false)
        case .local: return (raw, true)
        case .dayAndMonth:
            let value = DayAndMonth(raw)
            return dayFirst.flatMap { value.moment(dayFirst: $0) }.map { ($0, !value.zoned) }
        case .integer, .decimal:
            return numbers.flatMap { reading in reading.micros(self).map { ($0, reading.isLocal) } }
        }
    }

    // MARK: Day and month

    /// 38 bits of microseconds of the day (a day more, so that a zone may make them negative), 5 and 5 bits of the two
    /// numbers, 14 of the year, one for a stated zone.
    static func packed(first: Int64, second: Int64, year: Int64, micros: Int64, zoned: Bool) -> WrittenTime {
        let clock = micros + GregorianCalendar.day
        return WrittenTime(
            .dayAndMonth, clock | first << 38 | second << 43 | year << 48 | (zoned ? 1 << 62 : 0))
    }

    struct DayAndMonth: Equatable {
        let first: Int64
        let second: Int64
        let year: Int64
        let micros: Int64
        let zoned: Bool

        init(_ raw: Int64) {
            micros = raw & ((1 << 38) - 1) - GregorianCalendar.day
            first = raw >> 38 & 31
            second = raw >> 43 & 31
            year = raw >> 48 & 16_383
            zoned = raw >> 62 & 1 == 1
        }

        /// Microseconds since 1970; nothing for a day that does not exist.
        func moment(dayFirst: Bool) -> Int64? {
            GregorianCalendar.micros(year, dayFirst ? second : first, dayFirst ? first : second).map { $0 + micros }
        }
    }
}
