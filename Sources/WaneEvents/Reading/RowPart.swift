/// What rows that are read for themselves, in a part of a log, have in place of what only the whole log has.
///
/// Vocabularies last from part to part of one thread; rows do not.
final class RowPart {
    /// What stands in the topic column, and each row's text.
    let topicTexts = VocabularyBuilder()
    let topicOfRow: ColumnBuilder<UInt32>?
    private(set) var rejected: [(row: RejectedRow, text: String)] = []

    // The whole log's numbers of the part's names.
    fileprivate var users: [UInt32] = []
    fileprivate var items: [UInt32] = []
    fileprivate var eventTypes: [UInt32] = []
    fileprivate var topicLists: [UInt32] = []

    init(hasTopics: Bool) { topicOfRow = hasTopics ? ColumnBuilder() : nil }

    func setAside(_ row: RejectedRow, text: String) { rejected.append((row, text)) }

    @inline(__always)
    func noteTopic(_ text: UnsafeRawBufferPointer?) {
        topicOfRow?.append(topicTexts.number(text ?? UnsafeRawBufferPointer(start: nil, count: 0)))
    }

    fileprivate func removeAll() {
        topicOfRow?.removeAll()
        rejected.removeAll()
    }
}

extension RowBuilder {
    /// Lets go of a part's rows; names keep their numbers.
    func removeRows() {
        user.removeAll()
        item.removeAll()
        time.removeAll()
        duration?.removeAll()
        weight?.removeAll()
        label?.removeAll()
        eventType?.removeAll()
        lines = LineMap()
        report = ReadingReport()
        part?.removeAll()
    }

    /// Takes over the rows of a part, which come next in the log.
    ///
    /// - Parameters:
    ///   - rows: read by ``init(partOf:)`` of this builder, with the columns that it has now.
    ///   - lineOffset: lines before the part.
    func take(_ rows: RowBuilder, lines lineOffset: Int) throws(LogError) {
        guard let part = rows.part else { return }
        let first = user.count
        guard first + rows.user.count <= Int(UInt32.max) - 2 else { throw .tooManyRows(file: file) }
        user.append(contentsOf: rows.user, places: &part.users) { users.number(of: $0, in: rows.users) }
        item.append(contentsOf: rows.item, places: &part.items) { items.number(of: $0, in: rows.items) }
        time.append(contentsOf: rows.time)
        if let own = rows.duration { duration?.append(contentsOf: own) }
        if let own = rows.weight { weight?.append(contentsOf: own) }
        if let own = rows.label { label?.append(contentsOf: own) }
        if let own = rows.eventType {
            eventType?.append(contentsOf: own, places: &part.eventTypes) {
                eventTypes.number(of: $0, in: rows.eventTypes)
            }
        }
        if let own = part.topicOfRow {
            topics?.append(contentsOf: own, texts: part.topicTexts, lists: &part.topicLists, items: item)
        }
        lines.append(contentsOf: rows.lines, rows: first, lines: lineOffset)
        report.accepted += rows.report.accepted
        report.passedOver += rows.report.passedOver
        objectLists.formUnion(rows.objectLists)
        for (row, text) in part.rejected {
            try reject(
                RejectedRow(line: row.line + lineOffset, column: row.column, reason: row.reason), text: text)
        }
    }
}
