/// Reads plain rows of a known layout, without a branch for what plain rows do not have.
///
/// A row is taken only when every field is plain: names of printable ASCII, a time as digits or as
/// `YYYY-MM-DD HH:MM:SS`, a number of few digits or none. Everything else is left to the general path.
struct FastRowPlan {
    private enum Step { case user, item, time, duration, weight, topic, eventType, skip }

    private let steps: [Step]
    private let delimiter: UInt64
    private let delimiterByte: UInt8
    private let durationUnit: Double
    /// The only person wanted.
    private let wanted: [UInt8]?
    private let cache = DateCache()

    /// The last date seen: logs are long, days are few.
    private final class DateCache {
        var head: UInt64 = 0
        var tail: UInt16 = 0
        var micros: Int64 = 0
    }

    /// - Returns: nothing when the layout or the options need the general path for every row.
    init?(_ dialect: Dialect, _ builder: RowBuilder) {
        guard case .byte(let byte) = dialect.delimiter, builder.isPlain, builder.options.timeFormat == .auto else {
            return nil
        }
        steps = (0..<builder.schema.rowColumns).map { column in
            switch builder.schema.roles(of: column).first {
            case .user: .user
            case .item: .item
            case .time: .time
            case .duration: .duration
            case .weight: .weight
            case .topic: .topic
            case .eventType: .eventType
            default: .skip
            }
        }
        delimiterByte = byte
        delimiter = UInt64(byte) &* 0x0101_0101_0101_0101
        durationUnit = builder.durationUnit
        wanted = builder.wanted
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The high bit of each byte that is zero, exact up to the first of them.
    @inline(__always)
    private static func zeros(_ x: UInt64) -> UInt64 { (x &- ones) & ~x & highs }

    /// A field's bytes: where they begin, how many they are, and the first eight of them, zero-filled.
    private struct Token {
        var start: UnsafeRawPointer
        var length: Int

        @inline(__always)
        var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: length) }

        /// Its number in a vocabulary. Eight bytes may be read at `start`: the buffer has that much behind its end.
        @inline(__always)
        func number(in names: VocabularyBuilder) -> UInt32 {
            guard length <= 8 else { return names.number(bytes) }
            let word = UInt64(littleEndian: start.loadUnaligned(as: UInt64.self))
            let key = length == 8 ? word : word & ((1 << (8 &* UInt64(length))) &- 1)
            return names.number(key: key, length: length)
        }
    }

    /// Takes the row at `row`, whose line break lies in the buffer; the place after it, or nothing.
    @inline(__always)
    func take(_ row: UnsafeRawPointer, _ builder: RowBuilder) -> UnsafeRawPointer? {
        var at = row
        var user = Token(start: row, length: 0)
        var item = user
        var topic = user
        var type = user
        var time: Int64 = 0
        var form = WrittenTime.Form.integer
        var duration = Double.nan
        var weight = Double.nan
        let last = steps.count &- 1
        for index in 0...last {
            let isLast = index == last
            let stop = isLast ? 0x0A : delimiterByte
            switch steps.withUnsafeBufferPointer({ $0[index] }) {
            case .user:
                guard let next = token(at, isLast, &user), user.length > 0 else { return nil }
                at = next
            case .item:
                guard let next = token(at, isLast, &item), item.length > 0 else { return nil }
                at = next
            case .topic:
                guard let next = token(at, isLast, &topic) else { return nil }
                at = next
            case .eventType:
                guard let next = token(at, isLast, &type) else { return nil }
                at = next
            case .time:
                let isQuoted = at.load(as: UInt8.self) == 0x22
                guard let next = moment(isQuoted ? at + 1 : at, isQuoted ? 0x22 : stop, &time, &form),
                    !isQuoted || next.load(as: UInt8.self) == 0x22
                else { return nil }
                at = isQuoted ? next + 1 : next
            case .duration:
                let isQuoted = at.load(as: UInt8.self) == 0x22
                guard let next = number(isQuoted ? at + 1 : at, isQuoted ? 0x22 : stop, durationUnit, &duration),
                    !isQuoted || next.load(as: UInt8.self) == 0x22
                else { return nil }
                at = isQuoted ? next + 1 : next
                if duration > RowBuilder.longestDuration { return nil }
            case .weight:
                let isQuoted = at.load(as: UInt8.self) == 0x22
                guard let next = number(isQuoted ? at + 1 : at, isQuoted ? 0x22 : stop, 1, &weight),
                    !isQuoted || next.load(as: UInt8.self) == 0x22
                else { return nil }
                at = isQuoted ? next + 1 : next
            case .skip:
                if at.load(as: UInt8.self) == 0x22 {
                    guard let length = quoted(at + 1, isLast) else { return nil }
                    at += length &+ 2
                } else {
                    guard let next = skipped(at, stop, isLast) else { return nil }
                    at = next
                }
            }
            if isLast, at.load(as: UInt8.self) == 0x0D { at += 1 }
            guard at.load(as: UInt8.self) == stop else { return nil }
            at += 1
        }
        if let wanted, !user.bytes.elementsEqual(wanted) {
            builder.countPassedOver()
            return at
        }
        builder.take(
            user: user.number(in: builder.users), item: item.number(in: builder.items), time: time, form,
            duration: duration, weight: weight, topic: topic.bytes, type: type.bytes)
        return at
    }

    /// Past a field that nothing reads.
    @inline(__always)
    private func skipped(_ at: UnsafeRawPointer, _ stop: UInt8, _ isLast: Bool) -> UnsafeRawPointer? {
        var at = at
        while true {
            let byte = at.load(as: UInt8.self)
            if byte == stop { return at }
            // A quote could hide a delimiter; an early line break means missing fields, and so could another field after the last.
            if byte == 0x22 || byte == 0x0A || (isLast && byte == delimiterByte) { return nil }
            at += 1
        }
    }

    /// A field as a token, and where it ends; nothing where it is not plain (see ``bare(_:_:)`` and ``quoted(_:_:)``).
    @inline(__always)
    private func token(_ at: UnsafeRawPointer, _ isLast: Bool, _ token: inout Token) -> UnsafeRawPointer? {
        if at.load(as: UInt8.self) == 0x22 {
            guard let length = quoted(at + 1, isLast) else { return nil }
            token = Token(start: at + 1, length: length)
            return at + (length &+ 2)
        }
        guard let length = bare(at, isLast) else { return nil }
        token = Token(start: at, length: length)
        return at + length
    }

    /// How many bytes stand between quotes, the first of which has been passed: no quote and no line break among them, nothing
    /// beyond ASCII and no control, and the field ends where it should.
    private func quoted(_ at: UnsafeRawPointer, _ isLast: Bool) -> Int? {
        var length = 0
        while true {
            let word = UInt64(littleEndian: (at + length).loadUnaligned(as: UInt64.self))
            let quotes = Self.zeros(word ^ (Self.ones &* 0x22))
            let odd = ((word &- Self.ones &* 0x20) & ~word & Self.highs) | (word & Self.highs)
            if quotes == 0 {
                guard odd == 0 else { return nil }
                length &+= 8
                continue
            }
            let count = quotes.trailingZeroBitCount >> 3
            guard odd & (count == 0 ? 0 : UInt64.max >> (64 &- 8 &* UInt64(count))) == 0 else { return nil }
            length &+= count
            let after = (at + (length &+ 1)).load(as: UInt8.self)
            if isLast {
                guard after == 0x0A || (after == 0x0D && (at + (length &+ 2)).load(as: UInt8.self) == 0x0A) else {
                    return nil
                }
            } else {
                guard after == delimiterByte else { return nil }
            }
            return length
        }
    }

    /// How many plain bytes stand before the end of a field: no quote, no blank at either end, nothing beyond ASCII and no
    /// control; nothing where a field is otherwise, or ends where it should not.
    @inline(__always)
    private func bare(_ at: UnsafeRawPointer, _ isLast: Bool) -> Int? {
        var length = 0
        while true {
            let word = UInt64(littleEndian: (at + length).loadUnaligned(as: UInt64.self))
            let ends = Self.zeros(word ^ delimiter) | Self.zeros(word ^ (Self.ones &* 0x0A))
            // Quotes, controls but a last carriage return, and what is no ASCII.
            let odd =
                Self.zeros(word ^ (Self.ones &* 0x22)) | ((word &- Self.ones &* 0x20) & ~word & Self.highs)
                | (word & Self.highs)
            if ends == 0 {
                guard odd == 0 else { return nil }
                length &+= 8
                continue
            }
            let count = ends.trailingZeroBitCount >> 3
            length &+= count
            let terminator = (at + length).load(as: UInt8.self)
            guard terminator == (isLast ? 0x0A : delimiterByte) else { return nil }
            var inner = odd & (count == 0 ? 0 : (UInt64.max >> (64 &- 8 &* UInt64(count))))
            if isLast, length > 0, (at + (length &- 1)).load(as: UInt8.self) == 0x0D {
                length &-= 1
                // Of the odd bytes the carriage return is one; it may stand in the word before.
                if count > 0 { inner &= count == 1 ? 0 : UInt64.max >> (64 &- 8 &* UInt64(count &- 1)) }
            }
            guard inner == 0 else { return nil }
            if length > 0 {
                guard at.load(as: UInt8.self) != 0x20, (at + (length &- 1)).load(as: UInt8.self) != 0x20 else {
                    return nil
                }
            }
            return length
        }
    }

    @inline(__always)
    private func digit(_ at: UnsafeRawPointer, _ offset: Int) -> Int64 {
        Int64(at.load(fromByteOffset: offset, as: UInt8.self) &- 0x30)
    }

    /// A time as `YYYY-MM-DD HH:MM:SS` without a zone, or digits, whatever they count.
    @inline(__always)
    private func moment(
        _ at: UnsafeRawPointer, _ stop: UInt8, _ time: inout Int64, _ form: inout WrittenTime.Form
    ) -> UnsafeRawPointer? {
        if at.load(fromByteOffset: 4, as: UInt8.self) == 0x2D {
            let head = at.loadUnaligned(as: UInt64.self)
            let tail = at.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
            if head != cache.head || tail != cache.tail {
                let text = UnsafeRawBufferPointer(start: at, count: 10)
                // Ten signs can be a date otherwise too: `2023-01-2T`.
                guard digit(at, 8) < 10, digit(at, 9) < 10,
                    let date = WrittenTime(text), date.form == .local
                else { return nil }
                (cache.head, cache.tail, cache.micros) = (head, tail, date.raw)
            }
            let separator = at.load(fromByteOffset: 10, as: UInt8.self)
            let (h1, h2) = (digit(at, 11), digit(at, 12))
            let (m1, m2) = (digit(at, 14), digit(at, 15))
            let (s1, s2) = (digit(at, 17), digit(at, 18))
            let next = at.load(fromByteOffset: 19, as: UInt8.self)
            guard separator == 0x20 || separator == 0x54, at.load(fromByteOffset: 13, as: UInt8.self) == 0x3A,
                at.load(fromByteOffset: 16, as: UInt8.self) == 0x3A, h2 < 10, m2 < 10, s2 < 10, m1 < 6, s1 < 6,
                h1 &* 10 &+ h2 < 24, next == stop || next == 0x0D
            else { return nil }
            let seconds = (h1 &* 10 &+ h2) &* 3_600 &+ (m1 &* 10 &+ m2) &* 60 &+ s1 &* 10 &+ s2
            time = cache.micros &+ seconds &* EventLog.second
            form = .local
            return at + 19
        }
        var index = at
        var value: Int64 = 0
        while true {
            let byte = index.load(as: UInt8.self) &- 0x30
            if byte > 9 { break }
            value = value &* 10 &+ Int64(byte)
            index += 1
            if at.distance(to: index) > 18 { return nil }
        }
        guard at.distance(to: index) > 0 else { return nil }
        time = value
        form = .integer
        return index
    }

    private static let powers: [Double] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]

    /// A number without sign or exponent, of up to nine digits and six places.
    @inline(__always)
    private func number(
        _ at: UnsafeRawPointer, _ stop: UInt8, _ unit: Double, _ result: inout Double
    ) -> UnsafeRawPointer? {
        if at.load(as: UInt8.self) == stop, stop == delimiterByte {
            result = .nan
            return at
        }
        var index = at
        var value: Int64 = 0
        var fraction = 0
        while true {
            let byte = index.load(as: UInt8.self) &- 0x30
            if byte > 9 { break }
            value = value &* 10 &+ Int64(byte)
            index += 1
        }
        let whole = at.distance(to: index)
        guard whole > 0, whole <= 9 else { return nil }
        if index.load(as: UInt8.self) == 0x2E {
            index += 1
            while true {
                let byte = index.load(as: UInt8.self) &- 0x30
                if byte > 9 { break }
                fraction &+= 1
                guard fraction <= 6 else { return nil }
                value = value &* 10 &+ Int64(byte)
                index += 1
            }
            guard fraction > 0 else { return nil }
        }
        // Both sides are whole numbers below 2^53, so the quotient is the nearest double, as strtod's.
        result = Double(value) / Self.powers.withUnsafeBufferPointer { $0[fraction] } * unit
        return index
    }
}
