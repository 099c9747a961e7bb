import Foundation

/// Turns the fields of rows, whatever file they come from, into columns; a row becomes an event whole or
/// is set aside whole.
final class RowBuilder {
    private(set) var schema: Schema { didSet { keepConstants() } }
    let options: ReadingOptions
    private(set) var file: String
    /// Whether messages name the file: the log has several.
    var namesFiles = false
    var report = ReadingReport()

    let users = VocabularyBuilder()
    let items = VocabularyBuilder()
    let user: ColumnBuilder<UInt32>
    let item: ColumnBuilder<UInt32>
    let time: TimeColumnBuilder
    private let positions: ColumnBuilder<Int64>
    private(set) var duration: ColumnBuilder<Float>?
    private(set) var weight: ColumnBuilder<Float>?
    private(set) var label: ColumnBuilder<Float>?
    private(set) var eventType: ColumnBuilder<UInt32>?
    let eventTypes = VocabularyBuilder()
    private(set) var topics: TopicColumnBuilder?
    private var eventIDs: VocabularyBuilder?
    private var ends: TimeColumnBuilder?
    /// What the rows of a part have in place of `topics`, `rejects` and the lines of the file (see ``RowPart``).
    let part: RowPart?
    private var lastPosition: [Int64] = []
    var lines = LineMap()
    private let rejects: RejectsFile?
    /// The name of the only person whose rows are kept; everybody's are when absent.
    let wanted: [UInt8]?
    /// Seconds in one unit of the duration column.
    private(set) var durationUnit: Double
    private let recBole: Bool
    /// What the file's folders say of every row, by column.
    private var constants: [Int: UnsafeRawBufferPointer] = [:]
    /// The only person there is, and the only item, where no column names one.
    private(set) var onlyUser: (name: [UInt8], number: UInt32)?
    private var onlyItem: UInt32?
    /// Where the rows of each file begin.
    private var fileStarts: [(row: Int, file: String)]

    /// A year: no one looks at a page for longer.
    static let longestDuration = 366.0 * 86_400
    /// Between the parts of a list that needs no separator of a person's choice.
    static let listSeparator: UInt8 = 0x1F

    init(
        schema: Schema, options: ReadingOptions, file: String, userID: String? = nil, expectedRows: Int
    ) throws(LogError) {
        self.schema = schema
        self.options = options
        self.file = file
        user = ColumnBuilder(capacity: expectedRows)
        item = ColumnBuilder(capacity: expectedRows)
        time = TimeColumnBuilder(capacity: expectedRows)
        positions = ColumnBuilder(capacity: 1)
        part = nil
        rejects = try options.rejects.map { path throws(LogError) in try RejectsFile(path: path) }
        wanted = options.onlyUser.map { Array($0.utf8) }
        // RecBole says so in the column's name.
        recBole = schema.index(.topic).map { schema.names[$0].hasSuffix(":token_seq") } ?? false
        durationUnit = 1
        fileStarts = [(0, file)]
        onlyUser = userID.map { [users] name in (Array(name.utf8), users.number(of: name)) }
        onlyItem = schema.index(.item) == nil ? items.number(of: "all") : nil
        mayHaveUnusedNames = userID != nil
        keepConstants()
        for role in ColumnRole.allCases where schema.index(role) != nil { activate(role, capacity: expectedRows) }
        findDurationUnit()
    }

    /// Whether a file's durations are of a type that says what they are: see ``ArrowTable``.
    var durationsAreSeconds = false { didSet { findDurationUnit() } }

    /// Bytes that live as long as the builder, since each row may ask for them.
    private func keepConstants() {
        for bytes in constants.values { bytes.deallocate() }
        constants = schema.constants.mapValues { bytes in
            let kept = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
            kept.copyBytes(from: bytes)
            return UnsafeRawBufferPointer(kept)
        }
    }

    deinit { for bytes in constants.values { bytes.deallocate() } }

    /// Whether a column of the row at hand is a number by its type; asked where decimal commas are read.
    var isTypedNumber: ((Int) -> Bool)?
    /// Columns that are lists of objects in some row, which nothing reads.
    var objectLists: Set<String> = []

    /// What the columns' names say of the durations: of the file at hand, and of those before it.
    private var unitNote: String?
    private var unitNotes: [String] = []

    private func keepUnitNote() {
        if let unitNote, !unitNotes.contains(unitNote) { unitNotes.append(unitNote) }
        unitNote = nil
    }

    /// Each file's column may say a unit of its own.
    private func findDurationUnit() {
        guard let column = schema.index(.duration) else { return }
        let named = ColumnName(schema.names[column]).unit
        durationUnit = durationsAreSeconds ? 1 : options.durationUnit ?? named?.seconds ?? 1
        unitNote =
            durationsAreSeconds || options.durationUnit != nil || named == nil || named == .seconds
            ? nil : named.map { "durations are in \($0.words), as their column's name says" }
    }

    /// A builder of rows like another's, to be taken over by it.
    init(partOf whole: RowBuilder) {
        schema = whole.schema
        options = whole.options
        file = whole.file
        user = ColumnBuilder()
        item = ColumnBuilder()
        time = TimeColumnBuilder(capacity: 1_024)
        positions = ColumnBuilder(capacity: 1)
        rejects = nil
        part = RowPart(hasTopics: whole.topics != nil)
        wanted = whole.wanted
        recBole = whole.recBole
        durationUnit = whole.durationUnit
        fileStarts = []
        onlyUser = whole.onlyUser.map { [users] in ($0.name, $0.name.withUnsafeBytes(users.number)) }
        onlyItem = whole.onlyItem.map { [items] in items.number(of: $0, in: whole.items) }
        for role in [ColumnRole.duration, .weight, .label, .eventType] where whole.isActive(role) {
            activate(role, capacity: 1_024)
        }
        durationUnit = whole.durationUnit
        keepConstants()
    }

    /// Whether rows can be read in parts: what one row means does not hang on those before it.
    var canBeParted: Bool {
        eventIDs == nil && ends == nil && schema.index(.time) != nil && schema.index(.item) != nil
    }

    /// Goes on with the rows of another file, whose columns may stand in another order.
    ///
    /// - Throws: where it has no times and the others have, or no items.
    func begin(_ file: String, schema: Schema, userID: String?) throws(LogError) {
        func lacks(_ role: ColumnRole, _ schema: Schema) -> Bool {
            schema.index(role) == nil || (role == .item && schema.hasTopicsForItems)
        }
        for role in [ColumnRole.time, .item, .clock] where lacks(role, self.schema) != lacks(role, schema) {
            throw .unsupported(
                file: file,
                reason:
                    "it has \(lacks(role, schema) ? "no" : "a") column for \(role.rawValue), and the files before it "
                    + "\(lacks(role, schema) ? "have one" : "have none"); read them as logs of their own, or say with --map"
            )
        }
        let had = self.schema
        self.schema = schema
        self.file = file
        fileStarts.append((user.count, file))
        for role in ColumnRole.allCases where schema.index(role) != nil && had.index(role) == nil {
            // A role that an earlier file had may already have its column.
            if !isActive(role) { activate(role, capacity: 1_024) }
        }
        onlyUser = userID.map { (Array($0.utf8), users.number(of: $0)) }
        if userID != nil { mayHaveUnusedNames = true }
        keepUnitNote()
        durationsAreSeconds = false
        lines.endRun()
    }

    private func isActive(_ role: ColumnRole) -> Bool {
        switch role {
        case .duration: duration != nil
        case .weight: weight != nil
        case .label: label != nil
        case .eventType: eventType != nil
        case .topic: topics != nil
        case .eventID: eventIDs != nil
        case .end: ends != nil
        case .user, .item, .time, .clock: true
        }
    }

    private func file(ofRow row: Int) -> String? {
        namesFiles ? fileStarts.last { $0.row <= row }?.file : nil
    }

    /// Makes room for a role's column, with nothing in the rows so far.
    private func activate(_ role: ColumnRole, capacity: Int) {
        func floats() -> ColumnBuilder<Float> {
            let column = ColumnBuilder<Float>(capacity: max(capacity, user.count))
            for _ in 0..<user.count { column.append(.nan) }
            return column
        }
        switch role {
        case .duration:
            duration = floats()
        case .weight: weight = floats()
        case .label: label = floats()
        case .eventType:
            let column = ColumnBuilder<UInt32>(capacity: max(capacity, user.count))
            for _ in 0..<user.count { column.append(.max) }
            eventType = column
        case .topic:
            let separator = options.topicSeparator ?? (recBole ? " " : nil)
            topics = TopicColumnBuilder(separator: separator.map { Array($0.utf8) })
            for row in 0..<user.count { topics?.append(nil, item: item[row], row: row, items: item) }
        case .eventID: eventIDs = VocabularyBuilder()
        case .end:
            ends = TimeColumnBuilder(capacity: capacity)
            for _ in 0..<user.count { ends?.append(Self.noTime, .instant) }
        // Rows before the first that had a time, or an item, lack what others have.
        case .time: while time.count < user.count { time.append(Self.noTime, .instant) }
        case .item: rowsWithoutItem = user.count
        case .user, .clock: break
        }
    }

    /// Whether names may have been numbered that no row has.
    var mayHaveUnusedNames = false

    /// The rows before a column for items was met.
    private var rowsWithoutItem = 0
    private static let noTime = Int64.min

    /// One more column, met later in the file.
    func addColumn(_ name: String) {
        for role in schema.add(name) {
            activate(role, capacity: 1_024)
            if role == .duration { findDurationUnit() }
        }
    }

    /// Whether no column needs more than the fast path knows, each for itself.
    var isPlain: Bool {
        !options.decimalComma && label == nil && eventIDs == nil && ends == nil && onlyUser == nil
            && schema.index(.user) != nil
            && schema.index(.clock) == nil && schema.index(.time) != nil && schema.index(.item) != nil
            && schema.names.indices.allSatisfy {
                schema.roles(of: $0).count < 2 && (schema.constants[$0] == nil || schema.roles(of: $0).isEmpty)
            }
    }

    func reject(_ row: RejectedRow, text: @autoclosure () -> String) throws(LogError) {
        if let part { return part.setAside(row, text: options.rejects == nil ? "" : text()) }
        if wanted != nil, !row.column.isEmpty, !schema.isUser(row.column) { ownFaults += 1 }
        var row = row
        if namesFiles, row.file == nil { row.file = file }
        if options.strict {
            throw .strict(
                file: row.file ?? file, row: RejectedRow(line: row.line, column: row.column, reason: row.reason))
        }
        report.note(row)
        try rejects?.write(row, text: text())
    }

    /// What a person should know although no row was set aside.
    func note(_ text: String) { report.warnings.append(text) }

    /// Counts a row of somebody else, where one person's are wanted.
    @inline(__always)
    func countPassedOver() { report.passedOver &+= 1 }

    /// Called once rows are in the columns.
    @inline(__always)
    func countAccepted(_ count: Int = 1) { report.accepted &+= count }

    /// One row that the fast path read: all of it at once.
    @inline(__always)
    func take(
        user userNumber: UInt32, item itemNumber: UInt32, time moment: Int64, _ form: WrittenTime.Form,
        duration seconds: Double, weight rating: Double, topic: UnsafeRawBufferPointer, type: UnsafeRawBufferPointer
    ) {
        user.append(userNumber)
        item.append(itemNumber)
        time.append(moment, form)
        duration?.append(Float(seconds))
        weight?.append(Float(rating))
        if let eventType { eventType.append(type.isEmpty ? .max : eventTypes.number(type)) }
        noteTopic(topic.isEmpty ? nil : topic, item: itemNumber)
        report.accepted &+= 1
    }

    @inline(__always)
    private func noteTopic(_ text: UnsafeRawBufferPointer?, item itemNumber: UInt32) {
        if let topics {
            topics.append(text, item: itemNumber, row: user.count &- 1, items: item)
        } else if let part {
            part.noteTopic(text)
        }
    }

    /// Rows that the fast path took, a line each.
    func noteLines(rows count: Int, line: Int) { lines.append(rows: count, from: user.count - count, line: line) }

    /// Rows set aside that are the only wanted person's, as far as they say whose they are.
    private var ownFaults = 0

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
            guard let index = schema.index(role) else { return nil }
            if let constant = constants[index] { return constant.isEmpty ? nil : constant }
            guard let bytes = field(index), !bytes.isEmpty else { return nil }
            return bytes
        }
        func fault(_ role: ColumnRole, _ reason: RejectedRow.Reason) -> RejectedRow {
            RejectedRow(line: line, column: schema.name(role), reason: reason)
        }
        func name(_ role: ColumnRole) throws(RejectedRow) -> UnsafeRawBufferPointer {
            guard let bytes = value(role) else { throw fault(role, .missingValue) }
            guard bytes.isUTF8 else { throw fault(role, .invalidUTF8) }
            return bytes
        }
        func number(_ role: ColumnRole) throws(RejectedRow) -> Double {
            guard let bytes = value(role) else { return .nan }
            let hasComma = hasDecimalComma(role)
            if let plain = hasComma ? PlainNumber.withComma(bytes) : PlainNumber.parse(bytes) { return plain }
            let text = String(decoding: bytes, as: UTF8.self)
            guard !hasComma, let number = Double(text), abs(number) < 3e38 else {
                if ["nan", "na", "null", "none"].contains(text.lowercased()) { return .nan }
                throw fault(role, hasComma ? .noDecimalComma(text) : .unreadableNumber(text))
            }
            return number
        }
        func moment(_ role: ColumnRole, clock: UnsafeRawBufferPointer? = nil) throws(RejectedRow) -> WrittenTime {
            guard let bytes = value(role) else { throw fault(role, .missingValue) }
            let written: WrittenTime?
            if let clock {
                // An hour alone is its first minute.
                let isHour = clock.count <= 2 && clock.allSatisfy { $0 &- 0x30 < 10 }
                let both = Array(bytes) + [0x20] + Array(clock) + (isHour ? Array(":00".utf8) : [])
                written = both.withUnsafeBytes { WrittenTime($0) }
                if written == nil {
                    throw fault(role, .unreadableTime(String(decoding: both.prefix(60), as: UTF8.self)))
                }
            } else {
                written = WrittenTime(bytes)
            }
            guard let written, options.timeFormat.takes(written.form) else {
                throw fault(role, .unreadableTime(String(decoding: bytes.prefix(60), as: UTF8.self)))
            }
            // A number of more digits than any time has.
            if written.form == .integer, written.raw == .max || written.raw == .min {
                throw fault(role, .timeOutOfRange(String(decoding: bytes.prefix(60), as: UTF8.self)))
            }
            return written
        }

        // Everything is read before anything is kept.
        let userName = onlyUser == nil ? try name(.user) : nil
        if let wanted, !(userName.map { $0.elementsEqual(wanted) } ?? (onlyUser?.name == wanted)) { return false }
        // Where topics are the only items there are, a row without one is of the unknown topic.
        let isTopic = schema.index(.item) == schema.index(.topic)
        let itemName = schema.index(.item) == nil || (isTopic && value(.item) == nil) ? nil : try name(.item)
        var written: WrittenTime?
        if schema.index(.time) != nil {
            let clock = schema.index(.clock) == nil ? nil : value(.clock)
            if schema.index(.clock) != nil, clock == nil { throw fault(.clock, .missingValue) }
            written = try moment(.time, clock: clock)
        }
        let end = ends == nil || value(.end) == nil ? nil : try moment(.end)
        let seconds = try length(value(.duration), fault)
        if seconds < 0 { throw fault(.duration, .negativeDuration(seconds)) }
        if seconds > Self.longestDuration { throw fault(.duration, .enormousDuration(seconds)) }
        let rating = try number(.weight)
        let degree = try number(.label)
        if degree < 0 || degree > 1 { throw fault(.label, .labelOutOfRange(degree)) }
        let typeName = value(.eventType) == nil ? nil : try name(.eventType)
        let topicText = value(.topic)
        if let topicText, !topicText.isUTF8 { throw fault(.topic, .invalidUTF8) }
        if let eventIDs, let id = value(.eventID) {
            let before = eventIDs.count
            if Int(eventIDs.number(id)) < before {
                throw fault(.eventID, .duplicateEvent(String(decoding: id, as: UTF8.self)))
            }
        }

        let userNumber = userName.map(users.number) ?? onlyUser?.number ?? 0
        let itemNumber = itemName.map(items.number) ?? onlyItem ?? items.number(of: ItemTopics.unknownName)
        user.append(userNumber)
        item.append(itemNumber)
        if let written { time.append(written) } else { positions.append(nextPosition(userNumber)) }
        if let ends { ends.append(end ?? WrittenTime(.instant, Self.noTime)) }
        duration?.append(Float(seconds))
        weight?.append(Float(rating))
        label?.append(Float(degree))
        if let eventType { eventType.append(typeName.map(eventTypes.number) ?? .max) }
        noteTopic(topicText, item: itemNumber)
        lines.append(row: user.count - 1, line: line)
        return true
    }

    /// Whether the row at hand has a text in a column of numbers that are written with decimal commas: a number of JSON or of
    /// Parquet is a number.
    private func hasDecimalComma(_ role: ColumnRole) -> Bool {
        options.decimalComma && !(schema.index(role).flatMap { isTypedNumber?($0) } ?? false)
    }

    /// A duration in seconds: a number of units, or `h:mm:ss`.
    private func length(
        _ bytes: UnsafeRawBufferPointer?, _ fault: (ColumnRole, RejectedRow.Reason) -> RejectedRow
    ) throws(RejectedRow) -> Double {
        guard let bytes else { return .nan }
        let hasComma = hasDecimalComma(.duration)
        if let plain = hasComma ? PlainNumber.withComma(bytes) : PlainNumber.parse(bytes) {
            return plain * durationUnit
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if !hasComma, let number = Double(text), number.isFinite { return number * durationUnit }
        if ["nan", "na", "null", "none"].contains(text.lowercased()) { return .nan }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 3, let hours = Int(parts[0]), let minutes = Int(parts[1]), let seconds = Double(parts[2]),
            hours >= 0, hours < 1_000_000, (0..<60).contains(minutes), seconds >= 0, seconds < 60
        {
            return Double(hours * 3_600 + minutes * 60) + seconds
        }
        throw fault(.duration, hasComma ? .noDecimalComma(text) : .unreadableDuration(text))
    }

    private func nextPosition(_ user: UInt32) -> Int64 {
        while lastPosition.count <= Int(user) { lastPosition.append(0) }
        lastPosition[Int(user)] += EventLog.second
        return lastPosition[Int(user)]
    }

    /// Lets all histories end at one moment: positions have no common clock, and counted from the beginning only
    /// the longest histories would reach a test part. Gaps and ages are differences, so nothing else changes.
    private func aligned() -> Column<Int64> {
        let longest = lastPosition.max() ?? 0
        for index in 0..<positions.count { positions[index] += longest - lastPosition[Int(user[index])] }
        return positions.finish()
    }

    /// The log and what became of its rows.
    func finish() throws(LogError) -> (EventLog, ReadingReport) {
        guard user.count > 0 else {
            try rejects?.close()
            if let name = options.onlyUser, report.passedOver > 0, ownFaults == 0 {
                throw .noSuchUser(file: file, name: name)
            }
            if report.rejectedCount == 0 { throw .headerOnly(file: file) }
            if schema.index(.user) == nil, onlyUser == nil {
                throw .missingColumn(file: file, column: "UserID", found: schema.names)
            }
            throw .nothingRead(file: file, rejected: report.rejectedCount, examples: report.examples)
        }
        let hasTimes = schema.index(.time) != nil
        let lines = lines
        var faults: [Int: RejectedRow] = [:]
        for row in 0..<rowsWithoutItem {
            faults[row] = RejectedRow(
                line: lines.line(of: row), column: schema.name(.item), reason: .missingValue, file: file(ofRow: row))
        }
        forgetEmptyColumns()
        let times: Column<Int64>
        if hasTimes {
            let column = schema.name(.time)
            let resolved = try time.finish(
                format: options.timeFormat, preferred: options.preferredTimes, zone: options.timeZone, file: file,
                column: column, line: lines.line)
            times = resolved.times
            report.times = resolved.reading.words
            report.preferredTimes = resolved.reading.preferred
            report.warnings += resolved.reading.notes
            if resolved.reading.words.count > 1 {
                report.warnings.append(
                    "times are written in several forms: " + resolved.reading.words.joined(separator: ", "))
            }
            for (row, reason) in resolved.faults {
                faults[row] = RejectedRow(
                    line: lines.line(of: row), column: column, reason: reason, file: file(ofRow: row))
            }
            try addDurations(times, &faults)
        } else {
            times = aligned()
        }
        for row in faults.keys.sorted() {
            guard let fault = faults[row] else { continue }
            report.accepted -= 1
            try reject(fault, text: "")
        }
        try rejects?.close()
        guard user.count > faults.count else {
            throw .nothingRead(file: file, rejected: report.rejectedCount, examples: report.examples)
        }
        report.unusedColumns = schema.unused
        noteColumns(hasTimes)
        keepUnitNote()
        report.warnings += unitNotes
        if !objectLists.isEmpty {
            report.warnings.append(
                "lists of objects are not read: \(objectLists.sorted().joined(separator: ", ")); lists of texts or numbers are"
            )
        }
        // Numbers follow names, so that rows in another order are the same log.
        let users = users.finishInOrder()
        user.renumber(users.places)
        let items = items.finishInOrder()
        self.item.renumber(items.places)
        let eventTypes = eventTypes.finishInOrder()
        eventType?.renumber(eventTypes.places)
        let item = item.finish()
        let decided: ItemTopics
        var rowTopics: RowTopics?
        if let topics {
            report.warnings += topics.notes(events: item.count, separator: options.topicSeparator)
            (decided, rowTopics) = topics.finish(item: item, itemPlaces: items.places, without: faults)
        } else if schema.index(.item) == nil {
            decided = .single(items.vocabulary.count)
        } else {
            // Not yet decided: see `TopicChooser`.
            decided = ItemTopics(names: Vocabulary(), byItem: [], source: .coVisitation)
        }
        let types = eventType?.finish()
        var log = EventLog(
            users: users.vocabulary, items: items.vocabulary, user: user.finish(), item: item, time: times,
            duration: duration?.finish(), weight: try weights(types, eventTypes.vocabulary), label: label?.finish(),
            eventType: types, eventTypes: eventTypes.vocabulary, topics: decided, rowTopics: rowTopics,
            clock: hasTimes ? .wall : .position)
        let shown = shownRows(types, eventTypes.vocabulary, faults)
        if !shown.isEmpty { report.exposureTypes = eventTypes.vocabulary.names.filter(isExposure) }
        if !faults.isEmpty || !shown.isEmpty || mayHaveUnusedNames {
            let all = log
            log = log.without(rows: faults.keys, shown: shown)
            if log.count == 0 { throw .onlyExposures(file: file, rows: shown.count, types: report.exposureTypes) }
            if !shown.isEmpty, !hasTimes { log = log.renumberedPositions() }
            let people = Set(shown.lazy.map { all.user[$0] })
            noteExposures(log, rows: shown.count, others: people.count { log.users.find(all.users[Int($0)]) == nil })
        }
        noteNames(log)
        return (log, report)
    }

    /// A column in which no row has a value is none: nothing is measured by it.
    private func forgetEmptyColumns() {
        func isEmpty(_ column: ColumnBuilder<Float>?) -> Bool {
            guard let column else { return false }
            return (0..<column.count).allSatisfy { column[$0].isNaN }
        }
        for (role, empty) in [
            (ColumnRole.duration, isEmpty(duration) && ends == nil), (.weight, isEmpty(weight)),
            (.label, isEmpty(label)),
        ] where empty {
            report.warnings.append("column \(schema.name(role)) has no value in any row")
            switch role {
            case .duration: duration = nil
            case .weight: weight = nil
            default: label = nil
            }
        }
    }

    /// Durations from beginnings to ends, where the file has those.
    private func addDurations(_ times: Column<Int64>, _ faults: inout [Int: RejectedRow]) throws(LogError) {
        guard let ends else { return }
        let column = schema.name(.end)
        let resolved = try ends.finish(
            format: options.timeFormat, preferred: options.preferredTimes, zone: options.timeZone, file: file,
            column: column, line: lines.line)
        let bad = Dictionary(resolved.faults.map { ($0.row, $0.reason) }) { first, _ in first }
        let durations = ColumnBuilder<Float>(capacity: times.count)
        for row in 0..<times.count {
            let said = duration.map { $0[row] } ?? .nan
            guard said.isNaN, bad[row] != .missingValue, faults[row] == nil else {
                durations.append(said)
                continue
            }
            let seconds = Double(resolved.times[row]) / 1e6 - Double(times[row]) / 1e6
            let reason: RejectedRow.Reason? =
                bad[row]
                ?? (seconds < 0
                    ? .negativeDuration(seconds) : seconds > Self.longestDuration ? .enormousDuration(seconds) : nil)
            if let reason {
                faults[row] = RejectedRow(
                    line: lines.line(of: row), column: column, reason: reason, file: file(ofRow: row))
            }
            durations.append(Float(seconds))
        }
        duration = durations
    }

    /// What a person should know of how the columns were understood.
    private func noteColumns(_ hasTimes: Bool) {
        if !hasTimes {
            let unused = report.unusedColumns
            report.warnings.append(
                "no times: the position in each person's history stands in for time"
                    + (unused.isEmpty
                        ? ""
                        : "; columns not used: \(unused.joined(separator: ", ")) (if one is the time: --map Time=COLUMN)")
            )
        }
        if options.map[.eventID] == nil, let index = schema.index(.eventID),
            ColumnName(schema.names[index]).bare == "id"
        {
            report.warnings.append(
                "column \(schema.names[index]) is taken for the event's id, so a row whose id was read before is set aside; "
                    + "--map EventID= takes it for nothing")
        }
    }

    /// Whether events of a type are none of engagement: by a weight of 0, or by the name where no weight is given.
    private func isExposure(_ type: String) -> Bool {
        options.eventWeights[type].map { $0 == 0 } ?? Exposures.isOne(type)
    }

    /// The rows that say what people were shown, not what they did.
    private func shownRows(
        _ types: Column<UInt32>?, _ names: Vocabulary, _ faults: [Int: RejectedRow]
    ) -> [Int] {
        let isShown = names.names.map(isExposure)
        guard let types, isShown.contains(true) else { return [] }
        return types.indices.filter { types[$0] != .max && isShown[Int(types[$0])] && faults[$0] == nil }
    }

    /// - Parameter others: people of whom there is nothing else.
    private func noteExposures(_ log: EventLog, rows: Int, others: Int) {
        guard rows > 0 else { return }
        let types = report.exposureTypes.prefix(5).joined(separator: ", ")
        let example = report.exposureTypes.first ?? "impression"
        report.exposures = rows
        report.warnings.append(
            "\(rows) rows are of what people were shown, not of what they did (\(types)): no touches, "
                + (log.clock == .wall ? "a volume that may wear interest out" : "and left out of a log of order")
                + "; --event-weights \(example)=0.1 makes them engagement")
        if others > 0 { report.warnings.append("\(others) people were only shown things, and are left out") }
    }

    /// Names that stand for nobody, and names of the same number.
    private func noteNames(_ log: EventLog) {
        for (names, what) in [(log.users, "users"), (log.items, "items")] {
            let doubled = names.names.filter { $0.hasSuffix(".0") && names.find(String($0.dropLast(2))) != nil }
            guard let first = doubled.first else { continue }
            report.warnings.append(
                "\(doubled.count) \(what) are written in two ways and count as two each, such as \(first.dropLast(2)) and \(first)"
            )
        }
        let nobody: Set<String> = ["null", "na", "n/a", "none", "nan", "-", "undefined", "unknown", "(null)", "\\n"]
        let suspects = log.users.names.enumerated().filter { nobody.contains($0.element.lowercased()) }
        guard !suspects.isEmpty else { return }
        var counts = [Int](repeating: 0, count: log.users.count)
        for user in log.user { counts[Int(user)] += 1 }
        for (user, name) in suspects where counts[user] > 0 {
            report.warnings.append(
                "\(counts[user]) of \(log.count) events are of a user called \"\(name)\": one person to the models; take those "
                    + "rows out if they are of nobody")
        }
    }

    /// The weight column, or weights by type of event where the options give them.
    private func weights(
        _ types: Column<UInt32>?, _ eventTypes: Vocabulary
    ) throws(LogError) -> Column<Float>? {
        if !options.eventWeights.isEmpty, !options.mayLackEventTypes, types == nil {
            throw .options("--event-weights: the log has no EventType column; name it with --map EventType=COLUMN")
        }
        if !options.eventWeights.isEmpty, !options.mayLackEventTypes, weight != nil {
            throw .options(
                "--event-weights, and the log has weights of its own in \(schema.name(.weight)): --map Weight= takes those for nothing, "
                    + "or leave the option out")
        }
        guard weight == nil, let types, !options.eventWeights.isEmpty else { return weight?.finish() }
        let known = eventTypes.names
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
        let others = known.filter { options.eventWeights[$0] == nil && !isExposure($0) }
        if !others.isEmpty, !options.mayLackEventTypes {
            report.warnings.append(
                "types of events without a weight count 1: \(others.prefix(10).joined(separator: ", "))")
        }
        let untyped = types.count { $0 == .max }
        if untyped > 0 {
            report.warnings.append("\(untyped) rows have no type of event, and count 1")
        }
        let byType = known.map { options.eventWeights[$0] ?? 1 }
        return Column(types.map { $0 == .max ? 1 : byType[Int($0)] })
    }
}
