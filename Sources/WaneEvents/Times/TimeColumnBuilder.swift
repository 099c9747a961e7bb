import Foundation

/// Gathers a column of written times and decides, when all are there, how they are meant: by the whole column, never
/// row by row.
///
/// Holds eight bytes a value, and one more from when a second form of time is met.
final class TimeColumnBuilder {
    private var raws: ColumnBuilder<Int64>
    private var forms: ColumnBuilder<UInt8>?
    private var only = WrittenTime.Form.local
    private var counts = [Int](repeating: 0, count: WrittenTime.Form.allCases.count)
    /// Rows that tell the day from the month: the first whose first number is above 12, and whose second is.
    private var firstAbove12: Int?
    private var secondAbove12: Int?
    /// Whether any row would be another day if read the other way.
    private var hasAmbiguous = false

    init(capacity: Int) { raws = ColumnBuilder(capacity: capacity) }

    var count: Int { raws.count }

    @inline(__always)
    func append(_ written: WrittenTime) { append(written.raw, written.form) }

    @inline(__always)
    func append(_ raw: Int64, _ form: WrittenTime.Form) {
        if form != only { appendForm(form) } else if let forms { forms.append(form.rawValue) }
        raws.append(raw)
        counts[Int(form.rawValue)] &+= raw == .min ? 0 : 1
        if form == .dayAndMonth { note(raw) }
    }

    /// Times of one form.
    func append(_ values: UnsafePointer<Int64>, count: Int, _ form: WrittenTime.Form) {
        if raws.count == 0, forms == nil { only = form }
        guard forms == nil, only == form else {
            for index in 0..<count { append(values[index], form) }
            return
        }
        counts[Int(form.rawValue)] += count
        raws.append(values, count: count)
    }

    /// All times of another column behind those that there are.
    func append(contentsOf other: TimeColumnBuilder) {
        if count == 0, forms == nil { only = other.only }
        guard forms == nil, other.forms == nil, only == other.only else {
            for index in 0..<other.count {
                let written = other.written(index)
                append(written.raw, written.form)
            }
            return
        }
        firstAbove12 = firstAbove12 ?? other.firstAbove12.map { $0 + count }
        secondAbove12 = secondAbove12 ?? other.secondAbove12.map { $0 + count }
        hasAmbiguous = hasAmbiguous || other.hasAmbiguous
        for form in counts.indices { counts[form] += other.counts[form] }
        raws.append(contentsOf: other.raws)
    }

    /// Lets go of all times and keeps the room.
    func removeAll() {
        raws.removeAll()
        forms = nil
        for form in counts.indices { counts[form] = 0 }
        (firstAbove12, secondAbove12, hasAmbiguous) = (nil, nil, false)
    }

    private func appendForm(_ form: WrittenTime.Form) {
        if raws.count == 0 {
            only = form
        } else {
            if forms == nil {
                let all = ColumnBuilder<UInt8>(capacity: raws.count + 1)
                for _ in 0..<raws.count { all.append(only.rawValue) }
                forms = all
            }
            forms?.append(form.rawValue)
        }
    }

    private func note(_ raw: Int64) {
        let value = WrittenTime.DayAndMonth(raw)
        if value.first > 12, firstAbove12 == nil { firstAbove12 = raws.count - 1 }
        if value.second > 12, secondAbove12 == nil { secondAbove12 = raws.count - 1 }
        if value.first != value.second, value.first <= 12, value.second <= 12 { hasAmbiguous = true }
    }

    private func written(_ index: Int) -> WrittenTime {
        WrittenTime(forms.map { WrittenTime.Form(rawValue: $0[index]) ?? only } ?? only, raws[index])
    }

    // MARK: The decision

    /// How the times were read, in words for people and to read a later log alike.
    struct Reading: Sendable, Equatable {
        var words: [String] = []
        var notes: [String] = []
        /// The form to prefer where a later log leaves it open.
        var preferred: TimeFormat?
    }

    struct Resolved {
        /// Microseconds since 1970 in UTC; meaningless for rows of `faults`.
        let times: Column<Int64>
        let reading: Reading
        /// Rows whose value is none of that kind, by their index, with the reason.
        let faults: [(row: Int, reason: RejectedRow.Reason)]
    }

    /// - Parameters:
    ///   - format: what a person said; `preferred` what a model's own log was read as.
    ///   - zone: of times that state none; UTC when absent.
    ///   - column: its name, which may say a unit.
    ///   - line: the line of a row, by its index.
    func finish(
        format: TimeFormat, preferred: TimeFormat?, zone: TimeZone?, file: String, column: String,
        line: (Int) -> Int
    ) throws(LogError) -> Resolved {
        var reading = Reading()
        guard count > 0 else { return Resolved(times: raws.finish(), reading: reading, faults: []) }
        // A few values in a form of their own that can be read in two ways are set aside, not guessed; a whole column is an error.
        func decided<Answer>(few: Int, _ decide: () throws(LogError) -> Answer?) throws(LogError) -> Answer? {
            do throws(LogError) { return try decide() } catch {
                guard few * 50 <= count, case .ambiguousTimes = error else { throw error }
                return nil
            }
        }
        let dayFirst = try decided(few: counts[2]) { () throws(LogError) in
            try dayOrder(format, preferred, file, column, line, &reading)
        }
        let numbers = try decided(few: counts[3] + counts[4]) { () throws(LogError) in
            try numberReading(format, preferred, file, column, &reading)
        }
        if counts[0] > 0 { reading.words.append("calendar times with a zone") }
        if counts[1] > 0 { reading.words.append("calendar times") }
        var faults: [(row: Int, reason: RejectedRow.Reason)] = []
        // Local clocks first, then, where all are known, their zone.
        var isLocal: ColumnBuilder<UInt8>?
        let allLocal = counts[1] == count
        let needsZone = zone.map { $0 != .gmt } ?? false
        if needsZone, !allLocal { isLocal = ColumnBuilder(capacity: count) }
        var (low, high) = (Int64.max, Int64.min)
        for row in 0..<count where !(allLocal && !needsZone) {
            let written = written(row)
            let moment = written.moment(dayFirst: dayFirst, numbers: numbers)
            var local = false
            if written.form == .instant, written.raw == .min {
                // A row before the first that had a time.
                faults.append((row, .missingValue))
                raws[row] = 0
            } else if let moment, GregorianCalendar.contains(moment.micros) {
                raws[row] = moment.micros
                local = moment.isLocal
                if local { (low, high) = (min(low, moment.micros), max(high, moment.micros)) }
            } else {
                let text = Self.words(written)
                faults.append((row, moment == nil ? .unreadableTime(text) : .timeOutOfRange(text)))
                raws[row] = 0
            }
            isLocal?.append(local ? 1 : 0)
        }
        if needsZone, let zone, low <= high {
            applyZone(ZoneRules(zone, from: low, to: high), isLocal, zone, line, &reading)
        }
        return Resolved(times: raws.finish(), reading: reading, faults: faults)
    }

    private func applyZone(
        _ rules: ZoneRules, _ isLocal: ColumnBuilder<UInt8>?, _ zone: TimeZone, _ line: (Int) -> Int,
        _ reading: inout Reading
    ) {
        var hint = 0
        var (skipped, doubled) = ([Int](), [Int]())
        for row in 0..<count where isLocal.map({ $0[row] == 1 }) ?? true {
            let (micros, kind) = rules.utc(raws[row], hint: &hint)
            raws[row] = micros
            switch kind {
            case .plain: break
            case .skipped: skipped.append(row)
            case .doubled: doubled.append(row)
            }
        }
        func note(_ rows: [Int], _ what: String) {
            guard let first = rows.first else { return }
            reading.notes.append(
                "\(rows.count) \(rows.count == 1 ? "time" : "times") (the first on line \(line(first))) \(what)")
        }
        note(
            skipped,
            "cannot have been on a clock of \(zone.identifier), which was put forward then; read as if it had not been")
        note(
            doubled,
            "stood on a clock of \(zone.identifier) twice, as it was put back then; read as the first of the two")
    }

    private static func words(_ written: WrittenTime) -> String {
        switch written.form {
        case .integer: return "\(written.raw)"
        case .decimal: return "\(written.number ?? .nan)"
        case .dayAndMonth:
            let value = WrittenTime.DayAndMonth(written.raw)
            return "\(value.first)/\(value.second)/\(value.year)"
        case .instant, .local: return TimeFormat.words(written.raw)
        }
    }

    /// Whether the first of two numbers is the day.
    private func dayOrder(
        _ format: TimeFormat, _ preferred: TimeFormat?, _ file: String, _ column: String, _ line: (Int) -> Int,
        _ reading: inout Reading
    ) throws(LogError) -> Bool {
        guard counts[2] > 0 else { return true }
        func decided(_ dayFirst: Bool, _ why: String) -> Bool {
            reading.words.append("dates with the \(dayFirst ? "day" : "month") first (\(why))")
            reading.preferred = dayFirst ? .dayFirst : .monthFirst
            return dayFirst
        }
        if format == .dayFirst { return decided(true, "as asked") }
        if format == .monthFirst { return decided(false, "as asked") }
        switch (firstAbove12, secondAbove12) {
        case (let row?, nil): return decided(true, "line \(line(row)) can be read no other way")
        case (nil, let row?): return decided(false, "line \(line(row)) can be read no other way")
        case (let day?, let month?):
            throw .ambiguousTimes(
                file: file, column: column,
                what: "line \(line(day)) has the day first and line \(line(month)) the month",
                choices: ["day-first", "month-first"])
        case (nil, nil):
            if !hasAmbiguous { return decided(true, "both ways are the same") }
            if let preferred, preferred == .dayFirst || preferred == .monthFirst {
                return decided(preferred == .dayFirst, "as the model's own log")
            }
            throw .ambiguousTimes(
                file: file, column: column, what: "no date shows whether the day or the month comes first",
                choices: ["day-first", "month-first"])
        }
    }

    /// What the numbers of the column stand for; nothing where there are none.
    private func numberReading(
        _ format: TimeFormat, _ preferred: TimeFormat?, _ file: String, _ column: String, _ reading: inout Reading
    ) throws(LogError) -> NumberReading? {
        let numbers = counts[3] + counts[4]
        guard numbers > 0 else { return nil }
        if format == .text { return nil }
        func decided(_ number: NumberReading) -> NumberReading {
            reading.words.append(number.words)
            if reading.preferred == nil { reading.preferred = TimeFormat(rawValue: number.rawValue) }
            return number
        }
        if let said = NumberReading(rawValue: format.rawValue) { return decided(said) }
        let sample = sample()
        if let preferred = preferred.flatMap({ NumberReading(rawValue: $0.rawValue) }),
            sample.allSatisfy({ preferred.micros($0).map(GregorianCalendar.contains) ?? false })
        {
            return decided(preferred)
        }
        let decision = NumberReading.decide(sample)
        if decision == .counts, let unit = Self.unit(named: column) { return decided(unit) }
        // A name that states a unit is believed where its numbers are likely so.
        if let unit = Self.unit(named: column), unit != .days, decision == .none { return decided(unit) }
        switch decision {
        case .one(let number): return decided(number)
        case .counts:
            throw .ambiguousTimes(
                file: file, column: column,
                what: "numbers from \(Self.range(sample)) count something from a start, and nothing says what",
                choices: ["days", "seconds", "milliseconds"])
        case .none:
            throw .ambiguousTimes(
                file: file, column: column,
                what:
                    "numbers from \(Self.range(sample)) lie in no year that a log is likely to be of, however they are read",
                choices: [NumberReading.seconds, .milliseconds, .microseconds, .yyyymmdd, .serial, .days].map(
                    \.rawValue))
        }
    }

    /// Numbers of the column, evenly over it.
    private func sample() -> [WrittenTime] {
        let step = max(1, count / 50_000)
        return stride(from: 0, to: count, by: step).map(written).filter { $0.number != nil }
    }

    private static func range(_ sample: [WrittenTime]) -> String {
        let numbers = sample.compactMap(\.number)
        func words(_ value: Double) -> String {
            value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
        }
        return "\(words(numbers.min() ?? 0)) to \(words(numbers.max() ?? 0))"
    }

    /// A unit that a column's name states: `timestamp_ms`, `day`, `epoch_seconds`.
    static func unit(named name: String) -> NumberReading? {
        let name = ColumnName(name)
        switch name.unit {
        case .milliseconds: return .milliseconds
        case .microseconds: return .microseconds
        case .nanoseconds: return .nanoseconds
        case .seconds: return .seconds
        case .days: return .days
        case .minutes, .hours: return nil
        case nil: return ["day", "daynumber", "dayindex"].contains(name.bare) ? .days : nil
        }
    }
}
