import CArrow

/// Reads the rows of a table into a ``RowBuilder``: whole columns at a time where every value is as it should be, and a row
/// that has something unusual as its text in CSV.
struct ArrowRows {
    private let table: ArrowTable
    private let builder: RowBuilder
    private let roles: [Role]
    /// What the columns' texts are in the vocabularies, for each of the two sets of texts that come in turns.
    private let known: [[TextNumbers]]
    // Of some rows, before all are known to be fit.
    private let users = ColumnBuilder<UInt32>()
    private let items = ColumnBuilder<UInt32>()
    private let lists = ColumnBuilder<UInt32>()

    private struct Role {
        let role: ColumnRole
        let column: Int
    }

    /// The vocabulary's numbers of texts, as rows have had them: a dictionary may hold names that no row has.
    private final class TextNumbers {
        var id: UInt64 = 0
        var numbers: [UInt32] = []
    }

    /// No number: a text that no name can be, and a person who is not wanted.
    private static let odd = UInt32.max
    private static let passedOver = UInt32.max - 1
    private static let notYet = UInt32.max - 2

    private init(_ table: ArrowTable, _ builder: RowBuilder) throws(LogError) {
        self.table = table
        self.builder = builder
        roles = ColumnRole.allCases.compactMap { role in builder.schema.index(role).map { Role(role: role, column: $0) }
        }
        known = (0..<2).map { [roles] _ in roles.map { _ in TextNumbers() } }
        try table.choose(
            roles.map { role in
                switch role.role {
                case .time: (role.column, CA_WANT_TIME)
                case .duration, .weight: (role.column, CA_WANT_NUMBER)
                default: (role.column, CA_WANT_TEXT)
                }
            })
    }

    /// Reads all rows.
    ///
    /// - Parameter progress: called now and then with the rows read so far.
    static func read(
        _ table: ArrowTable, into builder: RowBuilder, progress: (Int) throws(LogError) -> Void
    ) throws(LogError) {
        guard builder.isPlain, builder.options.timeFormat == .auto else {
            let areNumbers = table.names.indices.map { column in
                ["int", "uint", "float", "double", "halffloat", "decimal"].contains { table.type(column).hasPrefix($0) }
            }
            builder.isTypedNumber = { areNumbers.indices.contains($0) && areNumbers[$0] }
            defer { builder.isTypedNumber = nil }
            // As text, by the reader of text.
            let reader = DelimitedReader(try ArrowText(table), file: table.file)
            let dialect = Dialect(firstLine: Array(",".utf8))
            guard try reader.nextRecord(dialect) else { return }
            reader.skipRecord()
            return try reader.readRows(dialect, into: builder, progress: progress)
        }
        let rows = try ArrowRows(table, builder)
        var line = 2
        while let some = try table.next() {
            guard builder.user.count + some.count <= Int(UInt32.max) - 2 else { throw .tooManyRows(file: table.file) }
            try rows.take(some, line: line)
            line += some.count
            try progress(builder.user.count)
        }
    }

    private func take(_ rows: ArrowTable.Rows, line: Int) throws(LogError) {
        var user = Names(), item = Names(), time = ca_column(), duration: ca_column?, weight: ca_column?
        var topic: ca_column?, type: ca_column?, topicNumbers: TextNumbers?
        for (place, role) in roles.enumerated() {
            let column = rows.columns[place]
            switch role.role {
            case .user:
                user = Names(column: column, known: numbers(of: column, rows.side, place), wanted: builder.wanted)
            case .item: item = Names(column: column, known: numbers(of: column, rows.side, place))
            case .topic: (topic, topicNumbers) = (column, numbers(of: column, rows.side, place))
            case .eventType: type = column
            case .time: time = column
            case .duration: duration = column
            case .weight: weight = column
            default: break
            }
        }
        if builder.wanted == nil, builder.eventType == nil,
            let duration = Numbers(duration, unit: builder.durationUnit), let weight = Numbers(weight, unit: 1),
            takeAll(rows.count, user, item, time, duration, weight, topic, topicNumbers, line: line)
        {
            return
        }
        for row in 0..<rows.count {
            if let userNumber = user.number(row, builder.users) {
                if userNumber == Self.passedOver {
                    builder.countPassedOver()
                    continue
                }
                if let itemNumber = item.number(row, builder.items), let moment = moment(time, row),
                    let seconds = number(duration, row, builder.durationUnit), !(seconds < 0),
                    !(seconds > RowBuilder.longestDuration), let rating = number(weight, row, 1),
                    let topicText = text(topic, row), let typeText = text(type, row)
                {
                    builder.take(
                        user: userNumber, item: itemNumber, time: moment.raw, moment.form, duration: seconds,
                        weight: rating, topic: topicText, type: typeText)
                    builder.noteLines(rows: 1, line: line + row)
                    continue
                }
            }
            // Names that were looked up and then not needed are nobody's.
            builder.mayHaveUnusedNames = true
            try addText(rows, row, line: line + row)
        }
    }

    /// Numbers of a column where all rows have one, or the column is not there; nothing else.
    private enum Numbers {
        case none
        case whole(UnsafePointer<Int64>, unit: Double)
        case parts(UnsafePointer<Double>, unit: Double)

        init?(_ column: ca_column?, unit: Double) {
            guard let column else {
                self = .none
                return
            }
            guard column.missing == nil else { return nil }
            switch column.kind {
            case CA_INTEGER: self = .whole(column.integers, unit: unit)
            case CA_NUMBER, CA_SECONDS: self = .parts(column.numbers, unit: unit)
            default: return nil
            }
        }

        /// Whether each number lies within a limit, and not below zero unless it may.
        func areFit(_ count: Int, below limit: Double, mayBeNegative: Bool) -> Bool {
            func isFit(_ number: Double) -> Bool { !(abs(number) > limit) && (mayBeNegative || !(number < 0)) }
            switch self {
            case .none: return true
            case .whole(let numbers, let unit): return (0..<count).allSatisfy { isFit(Double(numbers[$0]) * unit) }
            case .parts(let numbers, let unit): return (0..<count).allSatisfy { isFit(numbers[$0] * unit) }
            }
        }

        func append(_ count: Int, to column: ColumnBuilder<Float>) {
            switch self {
            case .none: for _ in 0..<count { column.append(.nan) }
            case .whole(let numbers, let unit):
                for row in 0..<count { column.append(Float(Double(numbers[row]) * unit)) }
            case .parts(let numbers, let unit): for row in 0..<count { column.append(Float(numbers[row] * unit)) }
            }
        }
    }

    /// All rows at once, column by column, where each value is as it should be; else none of them.
    private func takeAll(
        _ count: Int, _ user: Names, _ item: Names, _ time: ca_column, _ duration: Numbers, _ weight: Numbers,
        _ topic: ca_column?, _ topicNumbers: TextNumbers?, line: Int
    ) -> Bool {
        guard time.missing == nil, time.kind == CA_INTEGER || time.kind == CA_LOCAL || time.kind == CA_INSTANT,
            (0..<count).allSatisfy({
                time.kind == CA_LOCAL
                    ? GregorianCalendar.contains(time.integers[$0])
                    : time.integers[$0] != .max && time.integers[$0] != .min
            }),
            duration.areFit(count, below: RowBuilder.longestDuration, mayBeNegative: false),
            weight.areFit(count, below: 3e38, mayBeNegative: true), !user.hasMissing, !item.hasMissing
        else { return false }
        let names = builder.users.count + builder.items.count
        guard user.fill(count, users, builder.users),
            item.fill(count, items, builder.items)
        else {
            // The names of rows that are then set aside are nobody's.
            if builder.users.count + builder.items.count > names { builder.mayHaveUnusedNames = true }
            return false
        }
        if let topics = builder.topics, let column = topic {
            lists.removeAll()
            for row in 0..<count {
                let text = column.text(of: row)
                var list = text.flatMap { text in topicNumbers.map { $0.numbers[text] } } ?? Self.notYet
                if list == Self.notYet {
                    let bytes = text.map { column.bytes(ofText: $0) }
                    guard bytes?.isUTF8 ?? true else {
                        builder.mayHaveUnusedNames = true
                        return false
                    }
                    list = topics.list(of: bytes)
                    if let text { topicNumbers?.numbers[text] = list }
                }
                lists.append(list)
            }
        }
        let first = builder.user.count
        builder.user.append(contentsOf: users)
        builder.item.append(contentsOf: items)
        builder.time.append(
            time.integers, count: count,
            time.kind == CA_INTEGER ? .integer : time.kind == CA_LOCAL ? .local : .instant)
        if let column = builder.duration { duration.append(count, to: column) }
        if let column = builder.weight { weight.append(count, to: column) }
        if let topics = builder.topics, topic != nil {
            for row in first..<first + count {
                topics.append(list: lists[row - first], item: builder.item[row], row: row, items: builder.item)
            }
        }
        builder.noteLines(rows: count, line: line)
        builder.countAccepted(count)
        return true
    }

    /// A row as the general path reads it.
    private func addText(_ rows: ArrowTable.Rows, _ row: Int, line: Int) throws(LogError) {
        var texts = [[UInt8]?](repeating: nil, count: table.names.count)
        for (place, role) in roles.enumerated() { texts[role.column] = rows.columns[place].words(of: row) }
        // All in one buffer, which lives while the row is read.
        var bytes: [UInt8] = []
        let ranges = texts.map { text in
            text.map { text in
                bytes += text
                return bytes.count - text.count..<bytes.count
            }
        }
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(LogError) in
                try builder.add(
                    line: line,
                    field: { column in ranges[column].map { UnsafeRawBufferPointer(rebasing: bytes[$0]) } },
                    text: texts.map { String(decoding: $0 ?? [], as: UTF8.self) }.joined(separator: ","))
            }
        }
        try result.get()
    }

    @inline(__always)
    private func moment(_ column: ca_column, _ row: Int) -> WrittenTime? {
        if column.isMissing(row) { return nil }
        switch column.kind {
        case CA_INSTANT: return WrittenTime(.instant, column.integers[row])
        case CA_LOCAL:
            // Text has no local time outside the calendar; what is so here is set aside as an instant is.
            let micros = column.integers[row]
            return WrittenTime(GregorianCalendar.contains(micros) ? .local : .instant, micros)
        case CA_INTEGER:
            let number = column.integers[row]
            return number == .max || number == .min ? nil : WrittenTime(.integer, number)
        case CA_NUMBER:
            let number = column.numbers[row]
            return number.isFinite ? WrittenTime(.decimal, Int64(bitPattern: UInt64(number.bitPattern))) : nil
        default: return column.text(of: row).flatMap { WrittenTime(column.bytes(ofText: $0)) }
        }
    }

    /// A number that is there, NaN where the row has none; nothing where it is written as text.
    @inline(__always)
    private func number(_ column: ca_column?, _ row: Int, _ unit: Double) -> Double? {
        guard let column else { return .nan }
        if column.isMissing(row) { return .nan }
        switch column.kind {
        case CA_INTEGER: return Double(column.integers[row]) * unit
        case CA_NUMBER, CA_SECONDS:
            let number = column.numbers[row]
            return abs(number) < 3e38 || number.isNaN ? number * unit : nil
        default: return nil
        }
    }

    // MARK: Texts

    /// Names of a column as numbers of a vocabulary.
    private struct Names {
        var column: ca_column?
        var known: TextNumbers?
        var wanted: [UInt8]?
        var hasMissing: Bool { column?.missing != nil }

        /// The numbers of all rows; false where one has none.
        func fill(_ count: Int, _ into: ColumnBuilder<UInt32>, _ vocabulary: VocabularyBuilder) -> Bool {
            into.removeAll()
            guard let column else { return false }
            func number(_ text: Int) -> UInt32 { ArrowRows.number(column.bytes(ofText: text), vocabulary, nil) }
            guard let known, let texts = column.texts else {
                guard column.kind == CA_TEXT else { return false }
                return into.append(count: count) { numbers in
                    vocabulary.find(column.bytes, column.offsets, count: count, into: numbers)
                    for row in 0..<count where numbers[row] == .max {
                        numbers[row] = number(row)
                        guard numbers[row] < ArrowRows.notYet else { return false }
                    }
                    return true
                }
            }
            return known.numbers.withUnsafeMutableBufferPointer { numbers in
                for row in 0..<count {
                    let text = Int(texts[row])
                    var own = numbers[text]
                    if own == ArrowRows.notYet {
                        own = number(text)
                        numbers[text] = own
                    }
                    guard own < ArrowRows.notYet else { return false }
                    into.append(own)
                }
                return true
            }
        }

        @inline(__always)
        func number(_ row: Int, _ vocabulary: VocabularyBuilder) -> UInt32? {
            guard let column, let text = column.text(of: row) else { return nil }
            var number = known.map { $0.numbers.withUnsafeBufferPointer { $0[text] } } ?? ArrowRows.notYet
            if number == ArrowRows.notYet {
                number = ArrowRows.number(column.bytes(ofText: text), vocabulary, wanted)
                known?.numbers[text] = number
            }
            return number == ArrowRows.odd ? nil : number
        }
    }

    private static func number(
        _ name: UnsafeRawBufferPointer, _ vocabulary: VocabularyBuilder, _ wanted: [UInt8]?
    ) -> UInt32 {
        // What has a number has been looked at before.
        if wanted == nil, let known = vocabulary.find(name), !name.isEmpty { return known }
        guard !name.isEmpty, name.isUTF8 else { return odd }
        if let wanted, !name.elementsEqual(wanted) { return passedOver }
        return vocabulary.number(name)
    }

    /// The numbers of a column's texts so far, where texts have some: others are each of one row.
    private func numbers(of column: ca_column, _ side: Int, _ place: Int) -> TextNumbers? {
        guard column.kind == CA_TEXT, column.texts_id != 0 else { return nil }
        let own = known[side][place]
        if own.id != column.texts_id { (own.id, own.numbers) = (column.texts_id, []) }
        let more = Int(column.text_count) - own.numbers.count
        own.numbers.append(contentsOf: repeatElement(Self.notYet, count: max(0, more)))
        return own
    }

    /// A column's text, empty where a row has none; nothing where it is no text, so that the row is set aside.
    @inline(__always)
    private func text(_ column: ca_column?, _ row: Int) -> UnsafeRawBufferPointer? {
        guard let column, let text = column.text(of: row) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let bytes = column.bytes(ofText: text)
        return bytes.isUTF8 ? bytes : nil
    }
}
