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
    let positions: ColumnBuilder<Int64>
    var duration: ColumnBuilder<Float>?
    var weight: ColumnBuilder<Float>?
    var label: ColumnBuilder<Float>?
    private(set) var eventType: ColumnBuilder<UInt32>?
    let eventTypes = VocabularyBuilder()
    private(set) var topics: TopicColumnBuilder?
    var eventIDs: VocabularyBuilder?
    var ends: TimeColumnBuilder?
    /// What the rows of a part have in place of `topics`, `rejects` and the lines of the file (see ``RowPart``).
    let part: RowPart?
    var lastPosition: [Int64] = []
    var lines = LineMap()
    let rejects: RejectsFile?
    /// The name of the only person whose rows are kept; everybody's are when absent.
    let wanted: [UInt8]?
    /// Seconds in one unit of the duration column.
    private(set) var durationUnit: Double
    private let recBole: Bool
    /// What the file's folders say of every row, by column.
    var constants: [Int: UnsafeRawBufferPointer] = [:]
    /// The only person there is, and the only item, where no column names one.
    private(set) var onlyUser: (name: [UInt8], number: UInt32)?
    var onlyItem: UInt32?
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
    var unitNotes: [String] = []

    func keepUnitNote() {
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

    func file(ofRow row: Int) -> String? {
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
    var rowsWithoutItem = 0
    static let noTime = Int64.min

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

    /// The same of what is alike in several files.
    func noteOnce(_ text: String) { if !report.warnings.contains(text) { note(text) } }

    /// Counts a row of somebody else, where one person's are wanted.
    @inline(__always)
    func countPassedOver() { report.passedOver &+= 1 }

    /// Called once rows are in the columns.
    @inline(__always)
    func countAccepted(_ count: Int = 1) { report.accepted &+= count }

    /// Rows set aside that are the only wanted person's, as far as they say whose they are.
    var ownFaults = 0
}
