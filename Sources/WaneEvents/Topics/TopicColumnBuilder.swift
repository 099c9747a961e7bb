/// Gathers what a log's topic column says: lists of topics, each read once however many rows repeat it, and which list
/// each item has; each row's own from when rows of one item first differ.
final class TopicColumnBuilder {
    private let separator: TopicSeparator
    private let names = VocabularyBuilder()
    /// What stands in the column, and the list that each such text is.
    private let texts = VocabularyBuilder()
    private var listOfText: [UInt32] = []
    /// Lists of topics, each once.
    private var lists: [[UInt32]] = []
    private var numbers: [[UInt32]: UInt32] = [:]
    /// The list of each item's first row; `.max` before it.
    private var listOfItem: [UInt32] = []
    private var listOfRow: ColumnBuilder<UInt32>?
    private var rowsWithout = 0

    /// - Parameter separator: what stands between several topics of one row; each row's text is one topic when absent.
    init(separator: [UInt8]?) { self.separator = TopicSeparator(separator) }

    /// One more row.
    ///
    /// - Parameters:
    ///   - text: what it says, whole; nothing where it says nothing.
    ///   - items: of all rows so far, this one included.
    func append(_ text: UnsafeRawBufferPointer?, item: UInt32, row: Int, items: ColumnBuilder<UInt32>) {
        append(list: list(of: text), item: item, row: row, items: items)
    }

    func append(list: UInt32, item: UInt32, row: Int, items: ColumnBuilder<UInt32>) {
        let item = Int(item)
        if lists[Int(list)].isEmpty { rowsWithout += 1 }
        while listOfItem.count <= item { listOfItem.append(.max) }
        if listOfItem[item] == .max { listOfItem[item] = list }
        if listOfRow == nil, listOfItem[item] != list {
            // The first row that differs: all before it said what their item's first one said.
            let column = ColumnBuilder<UInt32>(capacity: row + 1)
            for earlier in 0..<row { column.append(listOfItem[Int(items[earlier])]) }
            listOfRow = column
        }
        listOfRow?.append(list)
    }

    /// Rows read elsewhere: what stands in each, as a number in `texts`.
    ///
    /// - Parameters:
    ///   - lists: the list of each of those numbers, as far as it is known.
    ///   - items: of all rows so far, these included.
    func append(
        contentsOf rows: ColumnBuilder<UInt32>, texts other: VocabularyBuilder, lists: inout [UInt32],
        items: ColumnBuilder<UInt32>
    ) {
        let first = items.count - rows.count
        while lists.count < other.count { lists.append(.max) }
        for row in 0..<rows.count {
            let text = Int(rows[row])
            if lists[text] == .max { lists[text] = other.withName(UInt32(text)) { list(of: $0) } }
            append(list: lists[text], item: items[first + row], row: first + row, items: items)
        }
    }

    func list(of text: UnsafeRawBufferPointer?) -> UInt32 {
        let seen = Int(texts.number(text ?? UnsafeRawBufferPointer(start: nil, count: 0)))
        if seen < listOfText.count { return listOfText[seen] }
        var own: [UInt32] = []
        separator.forEachPart(text ?? UnsafeRawBufferPointer(start: nil, count: 0)) { part in
            let topic = names.number(part)
            if !own.contains(topic) { own.append(topic) }
        }
        let number = numbers[own] ?? UInt32(lists.count)
        if Int(number) == lists.count {
            lists.append(own)
            numbers[own] = number
        }
        listOfText.append(number)
        return number
    }

    /// What a person should know: events without a topic, and signs that look like separators.
    func notes(events: Int, separator given: String?) -> [String] {
        var notes: [String] = []
        if rowsWithout > 0 { notes.append("\(rowsWithout) of \(events) events have no topic") }
        notes += TopicSeparator.notes(names.finish().names, given: given)
        return notes
    }

    /// All topics of each item, and what each row says where rows differ; topics and lists in the order of their names.
    ///
    /// - Parameters:
    ///   - item: the column of items, numbered anew.
    ///   - itemPlaces: the new number of each item.
    ///   - out: rows that are set aside, which say nothing of their items.
    func finish(
        item: Column<UInt32>, itemPlaces: [UInt32], without out: [Int: RejectedRow]
    ) -> (topics: ItemTopics, rows: RowTopics?) {
        let (names, places) = self.names.finishInOrder()
        let named = lists.map { $0.map { places[Int($0)] }.sorted() }
        let order = named.indices.sorted { named[$0].lexicographicallyPrecedes(named[$1]) }
        let inOrder = order.map { named[$0] }
        var listPlaces = [UInt32](repeating: 0, count: named.count)
        for (place, list) in order.enumerated() {
            // "A, B" and "B, A" are the same topics.
            let isSame = place > 0 && inOrder[place] == inOrder[place - 1]
            listPlaces[list] = isSame ? listPlaces[order[place - 1]] : UInt32(place)
        }
        listOfRow?.renumber(listPlaces)
        let rows = listOfRow.map { RowTopics(lists: inOrder, list: $0.finish()) }
        var byItem = [[UInt32]](repeating: [], count: itemPlaces.count)
        for (old, list) in listOfItem.enumerated() where list != .max {
            byItem[Int(itemPlaces[old])] = named[Int(list)]
        }
        if let rows {
            if !out.isEmpty { byItem = [[UInt32]](repeating: [], count: itemPlaces.count) }
            for (row, (item, list)) in zip(item, rows.list).enumerated() where out.isEmpty || out[row] == nil {
                for topic in rows.lists[Int(list)] where !byItem[Int(item)].contains(topic) {
                    byItem[Int(item)].append(topic)
                }
            }
            for item in byItem.indices { byItem[item].sort() }
        }
        return (ItemTopics(names: names, byItem: byItem, source: .column), rows)
    }
}

/// What stands between several topics of one row: a text, never one byte of it, and what surrounds a topic is no part
/// of it.
struct TopicSeparator: Sendable {
    private let text: [UInt8]?

    init(_ text: [UInt8]?) { self.text = text.flatMap { $0.isEmpty ? nil : $0 } }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    func forEachPart(_ whole: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        func take(_ range: Range<Int>) {
            var (low, high) = (range.lowerBound, range.upperBound)
            while low < high, Self.isBlank(whole[low]) { low += 1 }
            while high > low, Self.isBlank(whole[high - 1]) { high -= 1 }
            if high > low { body(UnsafeRawBufferPointer(rebasing: whole[low..<high])) }
        }
        var start = 0
        var at = 0
        while at < whole.count {
            if whole[at] == RowBuilder.listSeparator {
                take(start..<at)
                at += 1
                start = at
            } else if let text, at + text.count <= whole.count, whole[at..<at + text.count].elementsEqual(text) {
                take(start..<at)
                at += text.count
                start = at
            } else {
                at += 1
            }
        }
        take(start..<whole.count)
    }

    /// Signs that stand in many topics, where no separator was given.
    static func notes(_ names: [String], given: String?) -> [String] {
        guard given == nil else { return [] }
        for sign in ["|", ";", ", ", "/"] {
            let count = names.count { $0.contains(sign) }
            guard count >= 3, count * 20 >= names.count, sign == "|" || count * 4 >= names.count else { continue }
            return [
                "\(count) of \(names.count) topics have \"\(sign)\" in them and are read as one each; if it stands between several, "
                    + "give --topic-separator \"\(sign)\""
            ]
        }
        return []
    }
}
