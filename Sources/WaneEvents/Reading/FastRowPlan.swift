/// Reads plain rows of a known layout, without a branch for what plain rows do not have.
///
/// A row is taken only when every field is plain: ids of one to seven bytes of printable ASCII, a time as
/// digits or as `YYYY-MM-DD HH:MM:SS`, a number of few digits. Everything else is left to the general path.
struct FastRowPlan {
    private enum Step { case user, item, time, duration, weight, skip }

    private let steps: [Step]
    private let delimiter: UInt64
    private let delimiterByte: UInt8
    private let durationUnit: Double
    /// The only person wanted, as a token; one that no token equals where the name is longer.
    private let wanted: (key: UInt64, length: Int)?
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
        var steps: [Step] = []
        for column in builder.schema.names.indices {
            switch builder.schema.roles(of: column).first {
            case .user: steps.append(.user)
            case .item: steps.append(.item)
            case .time: steps.append(.time)
            case .duration: steps.append(.duration)
            case .weight: steps.append(.weight)
            default: steps.append(.skip)
            }
        }
        self.steps = steps
        delimiterByte = byte
        delimiter = UInt64(byte) &* 0x0101_0101_0101_0101
        durationUnit = builder.durationUnit
        wanted = builder.wanted.map { name in
            name.count > 7 ? (0, -1) : (name.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }, name.count)
        }
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Takes the row at `row`, whose line break lies in the buffer; the place after it, or nothing.
    @inline(__always)
    func take(_ row: UnsafeRawPointer, _ builder: RowBuilder) -> UnsafeRawPointer? {
        var at = row
        var userKey: UInt64 = 0
        var userLength = 0
        var itemKey: UInt64 = 0
        var itemLength = 0
        var time: Int64 = 0
        var form = WrittenTime.Form.integer
        var duration = Double.nan
        var weight = Double.nan
        let last = steps.count &- 1
        for index in 0...last {
            let stop = index == last ? 0x0A : delimiterByte
            switch steps.withUnsafeBufferPointer({ $0[index] }) {
            case .user:
                guard let (key, length) = token(at, stop) else { return nil }
                (userKey, userLength) = (key, length)
                at += length
            case .item:
                guard let (key, length) = token(at, stop) else { return nil }
                (itemKey, itemLength) = (key, length)
                at += length
            case .time:
                guard let next = moment(at, stop, &time, &form) else { return nil }
                at = next
            case .duration:
                guard let next = number(at, stop, durationUnit, &duration) else { return nil }
                at = next
                if duration > RowBuilder.longestDuration { return nil }
            case .weight:
                guard let next = number(at, stop, 1, &weight) else { return nil }
                at = next
            case .skip:
                while true {
                    let byte = at.load(as: UInt8.self)
                    if byte == stop { break }
                    // A quote could hide a delimiter; an early line break means missing fields.
                    // So could another field after the last.
                    if byte == 0x22 || byte == 0x0A || (index == last && byte == delimiterByte) { return nil }
                    at += 1
                }
            }
            if index == last, at.load(as: UInt8.self) == 0x0D { at += 1 }
            guard at.load(as: UInt8.self) == stop else { return nil }
            at += 1
        }
        if let wanted, wanted != (userKey, userLength) {
            builder.countPassedOver()
            return at
        }
        builder.user.append(builder.users.number(key: userKey, length: userLength))
        builder.item.append(builder.items.number(key: itemKey, length: itemLength))
        builder.time.append(time, form)
        builder.duration?.append(Float(duration))
        builder.weight?.append(Float(weight))
        builder.countAccepted()
        return at
    }

    /// One to seven plain bytes before `stop` (or before a line break's carriage return).
    @inline(__always)
    private func token(_ at: UnsafeRawPointer, _ stop: UInt8) -> (key: UInt64, length: Int)? {
        let word = UInt64(littleEndian: at.loadUnaligned(as: UInt64.self))
        let pattern = stop == 0x0A ? Self.ones &* 0x0A : delimiter
        let differs = word ^ pattern
        let found = (differs &- Self.ones) & ~differs & Self.highs
        guard found != 0 else { return nil }
        var length = found.trailingZeroBitCount >> 3
        if stop == 0x0A, length > 0, (word >> (8 &* UInt64(length &- 1))) & 0xFF == 0x0D { length &-= 1 }
        guard length > 0 else { return nil }
        let mask = UInt64.max >> (64 &- 8 &* UInt64(length))
        let key = word & mask
        // Filled with "@", every byte must lie in "#"..."~": no blank, control, quote, or byte beyond ASCII.
        let filled = key | (0x4040_4040_4040_4040 & ~mask)
        let low = (filled &- Self.ones &* 0x23) & ~filled & Self.highs
        guard low == 0, filled & Self.highs == 0 else { return nil }
        if stop == 0x0A {
            // More fields than the header has: the last one must not swallow them.
            let extra = key ^ delimiter
            guard (extra &- Self.ones) & ~extra & Self.highs & mask == 0 else { return nil }
        }
        return (key, length)
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
                guard let date = WrittenTime(text), date.form == .local else { return nil }
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
