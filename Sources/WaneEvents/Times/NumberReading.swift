/// What whole numbers and fractions in a time column may stand for.
enum NumberReading: String, Sendable, CaseIterable {
    case seconds, milliseconds, microseconds, nanoseconds
    /// Digits of a date, and of a clock behind it: `20230102`, `202301021000`, `20230102100000`.
    case yyyymmdd
    /// Days since 1899-12-30, as spreadsheets count.
    case serial
    /// Days from a start of the log's own.
    case days

    var words: String {
        switch self {
        case .seconds: "epoch seconds"
        case .milliseconds: "epoch milliseconds"
        case .microseconds: "epoch microseconds"
        case .nanoseconds: "epoch nanoseconds"
        case .yyyymmdd: "dates written as digits"
        case .serial: "a spreadsheet's day numbers"
        case .days: "days from a start"
        }
    }

    /// Microseconds in one unit of a count; 0 for dates as digits.
    private var unit: Double {
        switch self {
        case .seconds: 1e6
        case .milliseconds: 1e3
        case .microseconds: 1
        case .nanoseconds: 1e-3
        case .serial, .days: 86_400e6
        case .yyyymmdd: 0
        }
    }

    /// Microseconds since 1970 on the clock of the place for dates and day numbers, in UTC for all others; nothing for
    /// what is no such number.
    func micros(_ written: WrittenTime) -> Int64? {
        if self == .yyyymmdd { return Self.date(written) }
        if written.form == .integer, self != .serial {
            // Exact, rounded down to a microsecond.
            let raw = written.raw
            if self == .nanoseconds { return raw / 1_000 - (raw % 1_000 < 0 ? 1 : 0) }
            let (value, overflow) = raw.multipliedReportingOverflow(by: Int64(unit))
            return overflow ? nil : value
        }
        guard let number = written.number else { return nil }
        let days = self == .serial ? number - 25_569 : number
        // A fraction of a day has some microseconds of error where a second is meant.
        let value = self == .serial || self == .days ? (days * 86_400e3).rounded() * 1e3 : (days * unit).rounded()
        guard abs(value) < 9e18 else { return nil }
        return Int64(value)
    }

    /// Whether the result is on the clock of the place rather than in UTC.
    var isLocal: Bool { self == .yyyymmdd || self == .serial }

    private static func date(_ written: WrittenTime) -> Int64? {
        var digits = written.raw
        if written.form == .decimal {
            guard let number = written.number, number == number.rounded(), abs(number) < 1e15 else { return nil }
            digits = Int64(number)
        }
        var clock: Int64 = 0
        switch digits {
        case 1_000_0101...9_999_1231: break
        case 1_000_0101_0000...9_999_1231_2359:
            clock = digits % 10_000 * 100
            digits /= 10_000
        case 1_000_0101_000000...9_999_1231_235959:
            clock = digits % 1_000_000
            digits /= 1_000_000
        default: return nil
        }
        let (hour, minute, second) = (clock / 10_000, clock / 100 % 100, clock % 100)
        guard hour < 24, minute < 60, second < 60 else { return nil }
        return GregorianCalendar.micros(digits / 10_000, digits / 100 % 100, digits % 100).map {
            $0 + (hour * 3_600 + minute * 60 + second) * 1_000_000
        }
    }

    // MARK: Which it is

    /// Microseconds between which logs are likely to lie: from 1980 (dates: 1900) up to 2100.
    private var likely: ClosedRange<Int64> {
        (self == .yyyymmdd ? -2_208_988_800_000_000 : 315_532_800_000_000)...4_102_444_799_999_999
    }
    /// And, where nothing is likely, between which they may: the seventies, but for their first weeks.
    private static let possible: ClosedRange<Int64> = 5_097_600_000_000...315_532_799_999_999

    enum Decision: Equatable {
        case one(NumberReading)
        /// Small numbers that count something from a start.
        case counts
        case none
    }

    /// How a column's numbers are meant: the reading by which at least 98 of a hundred lie where logs lie. Units are a
    /// factor of a thousand apart and dates have digits of their own, so no two readings are likely at once.
    ///
    /// - Parameter sample: some of the column's numbers.
    static func decide(_ sample: [WrittenTime]) -> Decision {
        func share(_ reading: NumberReading, _ range: ClosedRange<Int64>) -> Bool {
            let hits = sample.count { reading.micros($0).map(range.contains) ?? false }
            return Double(hits) >= 0.98 * Double(sample.count)
        }
        let readings = allCases.filter { $0 != .days }
        if let likely = readings.first(where: { share($0, $0.likely) }) { return .one(likely) }
        if let possible = readings.first(where: { $0 != .yyyymmdd && $0 != .serial && share($0, possible) }) {
            return .one(possible)
        }
        let small = sample.count { ($0.number).map { abs($0) < 5_097_600 } ?? false }
        return Double(small) >= 0.98 * Double(sample.count) ? .counts : .none
    }
}
