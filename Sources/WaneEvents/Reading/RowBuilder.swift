import Foundation

/// Turns the fields of rows, whatever file they come from, into columns; a row becomes an event whole or
/// is set aside whole.
final class RowBuilder {
    let schema: Schema
    let options: ReadingOptions
    let file: String
    let parser: TimeParser
    private(set) var report = ReadingReport()

    let users = VocabularyBuilder()
    let items = VocabularyBuilder()
    let user: ColumnBuilder<UInt32>
    let item: ColumnBuilder<UInt32>
    let time: ColumnBuilder<Int64>
    let duration: ColumnBuilder<Float>?
    let weight: ColumnBuilder<Float>?
    private let label: ColumnBuilder<Float>?
    private let eventType: ColumnBuilder<UInt32>?
    private let eventTypes = VocabularyBuilder()
    private let topics: TopicColumnBuilder?
    private let eventIDs: VocabularyBuilder?
    private var positions: [Int64] = []
    private var forms = [Int](repeating: 0, count: TimeParser.Form.allCases.count)
    private let rejects: RejectsFile?
    /// The name of the only person whose rows are kept; everybody's are when absent.
    let wanted: [UInt8]?

    /// A year: no one looks at a page for longer.
    static let longestDuration = 366.0 * 86_400

    init(schema: Schema, options: ReadingOptions, file: String, expectedRows: Int) throws(LogError) {
        self.schema = schema
        self.options = options
        self.file = file
        dateColumn = schema.index(.time).map { schema.names[$0].lowercased().hasPrefix("date") } ?? false
        parser = TimeParser(format: options.timeFormat, zone: options.timeZone)
        dateParser = TimeParser(format: .yyyymmdd, zone: options.timeZone)
        user = ColumnBuilder(capacity: expectedRows)
        item = ColumnBuilder(capacity: expectedRows)
        time = ColumnBuilder(capacity: expectedRows)
        func column<Element>(_ role: ColumnRole, _: Element.Type) -> ColumnBuilder<Element>? {
            schema.index(role) == nil ? nil : ColumnBuilder(capacity: expectedRows)
        }
        duration = column(.duration, Float.self)
        weight = column(.weight, Float.self)
        label = column(.label, Float.self)
        eventType = column(.eventType, UInt32.self)
        eventIDs = schema.index(.eventID) == nil ? nil : VocabularyBuilder()
        rejects = try options.rejects.map { path throws(LogError) in try RejectsFile(path: path) }
        // RecBole separates by blanks, MovieLens by bars.
        let recBole = schema.index(.topic).map { schema.names[$0].hasSuffix(":token_seq") } ?? false
        wanted = options.onlyUser.map { Array($0.utf8) }
        topics =
            schema.index(.topic) == nil
            ? nil : TopicColumnBuilder(separators: Set((options.topicSeparator ?? (recBole ? " " : "|")).utf8))
        if schema.index(.item) == nil { _ = items.number(of: "all") }
    }

    /// A column called `date` holds eight digits as a calendar date, not as seconds in 1970.
    let dateColumn: Bool
    private let dateParser: TimeParser

    /// Whether any column needs more than the four that the fast path knows.
    var isPlain: Bool {
        label == nil && eventType == nil && eventIDs == nil && schema.index(.topic) == nil
            && schema.index(.time) != nil && schema.index(.item) != nil
    }

    func reject(_ row: RejectedRow, text: @autoclosure () -> String) throws(LogError) {
        if options.strict { throw .strict(file: file, row: row) }
        report.note(row)
        try rejects?.write(row, text: text())
    }

    /// Counts a row of somebody else, where one person's are wanted.
    @inline(__always)
    func countPassedOver() { report.passedOver &+= 1 }

    func countForm(_ form: TimeParser.Form) { forms[form.rawValue] += 1 }

    /// Called once the row is in the columns.
    @inline(__always)
    func countAccepted() { report.accepted &+= 1 }

    /// Reads one row; `field` gives the bytes of a column, or nothing where the row has none.
    func add(
        line: Int, field: (Int) -> UnsafeRawBufferPointer?, text: @autoclosure () -> String
    ) throws(LogError) {
        do throws(RejectedRow) {
            if try append(line: line, field: field) { report.accepted += 1 } else { countPassedOver() }
        } catch {
            try reject(error, text: text())
        }
    }

    /// - Returns: false for a row of a person that is not wanted.
    private func append(line: Int, field: (Int) -> UnsafeRawBufferPointer?) throws(RejectedRow) -> Bool {
        func value(_ role: ColumnRole) -> UnsafeRawBufferPointer? {
            guard let index = schema.index(role), let bytes = field(index), !bytes.isEmpty else { return nil }
            return bytes
        }
        func fault(_ role: ColumnRole, _ reason: RejectedRow.Reason) -> RejectedRow {
            RejectedRow(line: line, column: schema.name(role), reason: reason)
        }
        func name(_ role: ColumnRole) throws(RejectedRow) -> UnsafeRawBufferPointer {
            guard let bytes = value(role) else { throw fault(role, .missingValue) }
            guard isUTF8(bytes) else { throw fault(role, .invalidUTF8) }
            return bytes
        }
        func number(_ role: ColumnRole) throws(RejectedRow) -> Double {
            guard let bytes = value(role) else { return .nan }
            let text = String(decoding: bytes, as: UTF8.self)
            guard let number = Double(text), number.isFinite else {
                if ["nan", "na", "null", "none"].contains(text.lowercased()) { return .nan }
                throw fault(role, .unreadableNumber(text))
            }
            return number
        }

        // Everything is read before anything is kept.
        let userName = try name(.user)
        if let wanted, !userName.elementsEqual(wanted) { return false }
        let itemName = schema.index(.item) == nil ? nil : try name(.item)
        var moment: Int64?
        if schema.index(.time) != nil {
            guard let bytes = value(.time) else { throw fault(.time, .missingValue) }
            let chosen = dateColumn && bytes.count == 8 && options.timeFormat == .auto ? dateParser : parser
            switch chosen.parse(bytes) {
            case .time(let time, let form):
                moment = time
                countForm(form)
            case .unreadable:
                throw fault(.time, .unreadableTime(String(decoding: bytes.prefix(60), as: UTF8.self)))
            case .outOfRange:
                throw fault(.time, .timeOutOfRange(String(decoding: bytes.prefix(60), as: UTF8.self)))
            }
        }
        let seconds = try number(.duration) * options.durationUnit
        if seconds < 0 { throw fault(.duration, .negativeDuration(seconds)) }
        if seconds > Self.longestDuration { throw fault(.duration, .enormousDuration(seconds)) }
        let rating = try number(.weight)
        let degree = try number(.label)
        if degree < 0 || degree > 1 { throw fault(.label, .labelOutOfRange(degree)) }
        let typeName = value(.eventType) == nil ? nil : try name(.eventType)
        let topicText = value(.topic)
        if let topicText, !isUTF8(topicText) { throw fault(.topic, .invalidUTF8) }
        if let eventIDs, let id = value(.eventID) {
            let before = eventIDs.count
            if Int(eventIDs.number(id)) < before {
                throw fault(.eventID, .duplicateEvent(String(decoding: id, as: UTF8.self)))
            }
        }

        let userNumber = users.number(userName)
        let itemNumber = itemName.map(items.number) ?? 0
        user.append(userNumber)
        item.append(itemNumber)
        time.append(moment ?? nextPosition(userNumber))
        duration?.append(Float(seconds))
        weight?.append(Float(rating))
        label?.append(Float(degree))
        if let eventType { eventType.append(typeName.map(eventTypes.number) ?? .max) }
        topics?.append(topicText, items: item)
        return true
    }

    private func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
    }

    private func nextPosition(_ user: UInt32) -> Int64 {
        while positions.count <= Int(user) { positions.append(0) }
        positions[Int(user)] += EventLog.second
        return positions[Int(user)]
    }

    /// Lets all histories end at one moment: positions have no common clock, and counted from the beginning only
    /// the longest histories would reach a test part. Gaps and ages are differences, so nothing else changes.
    private func alignPositions() {
        let longest = positions.max() ?? 0
        for index in 0..<time.count { time[index] += longest - positions[Int(user[index])] }
    }

    /// The log and what became of its rows.
    func finish() throws(LogError) -> (EventLog, ReadingReport) {
        try rejects?.close()
        guard user.count > 0 else {
            if let name = options.onlyUser, report.passedOver > 0, report.rejectedCount == 0 {
                throw .noSuchUser(file: file, name: name)
            }
            throw .headerOnly(file: file, rejected: report.rejectedCount)
        }
        if schema.index(.time) == nil { alignPositions() }
        let used = TimeParser.Form.allCases.filter { forms[$0.rawValue] > 0 }
        if used.count > 1 {
            let parts = used.map { "\(forms[$0.rawValue]) as \($0.words)" }
            report.warnings.append("times are written in several forms: \(parts.joined(separator: ", "))")
        }
        if schema.index(.time) == nil {
            report.warnings.append("no times: the position in each person's history stands in for time")
        }
        report.unusedColumns = zip(schema.names, schema.roles).filter { $0.1 == nil }.map(\.0)
        let item = item.finish()
        let decided: ItemTopics
        var rowTopics: RowTopics?
        if let topics {
            (decided, rowTopics) = topics.finish(itemCount: items.count, item: item)
        } else if schema.index(.item) == nil {
            decided = .single(items.count)
        } else {
            // Not yet decided: see `TopicChooser`.
            decided = ItemTopics(names: Vocabulary(), byItem: [], source: .coVisitation)
        }
        let types = eventType?.finish()
        let log = EventLog(
            users: users.finish(), items: items.finish(), user: user.finish(), item: item, time: time.finish(),
            duration: duration?.finish(), weight: try weights(types), label: label?.finish(),
            eventType: types, eventTypes: eventTypes.finish(), topics: decided, rowTopics: rowTopics,
            clock: schema.index(.time) == nil ? .position : .wall)
        return (log, report)
    }

    /// The weight column, or weights by type of event where the options give them.
    private func weights(_ types: Column<UInt32>?) throws(LogError) -> Column<Float>? {
        if !options.eventWeights.isEmpty, !options.mayLackEventTypes, types == nil {
            throw .options("--event-weights: the log has no EventType column; name it with --map EventType=COLUMN")
        }
        guard weight == nil, let types, !options.eventWeights.isEmpty else { return weight?.finish() }
        let known = eventTypes.finish().names
        for (name, weight) in options.eventWeights {
            guard eventTypes.find(name) != nil || options.mayLackEventTypes else {
                throw .options(
                    "--event-weights names \"\(name)\", but the log has the types "
                        + known.prefix(10).joined(separator: ", "))
            }
            guard weight >= 0, weight <= 1 else {
                throw .options("--event-weights: \(name)=\(weight); weights lie in 0...1")
            }
        }
        let byType = known.map { options.eventWeights[$0] ?? 1 }
        return Column(types.map { $0 == .max ? 1 : byType[Int($0)] })
    }
}

/// Keeps every row that was set aside: where, why, and the row.
final class RejectsFile {
    private let path: String
    private let handle: FileHandle

    init(path: String) throws(LogError) {
        self.path = path
        guard FileManager.default.createFile(atPath: path, contents: Data("line,column,reason,row\n".utf8)),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw .cannotOpen(file: path, reason: "cannot be written") }
        self.handle = handle
        _ = try? handle.seekToEnd()
    }

    func write(_ row: RejectedRow, text: String) throws(LogError) {
        func quoted(_ text: String) -> String { "\"" + text.replacing("\"", with: "\"\"") + "\"" }
        let line = "\(row.line),\(quoted(row.column)),\(quoted(row.description)),\(quoted(text))\n"
        do { try handle.write(contentsOf: Data(line.utf8)) } catch {
            throw .cannotRead(file: path, reason: "\(error)")
        }
    }

    func close() throws(LogError) {
        do { try handle.close() } catch { throw .cannotRead(file: path, reason: "\(error)") }
    }
}
