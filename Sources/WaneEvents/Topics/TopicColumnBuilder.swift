/// Gathers what a log's topic column says: lists of topics, each read once however many rows repeat it, and which list
/// each item has; each row's own from when rows of one item first differ.
final class TopicColumnBuilder {
    private let separators: Set<UInt8>
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

    init(separators: Set<UInt8>) { self.separators = separators }

    /// One more row.
    ///
    /// - Parameters:
    ///   - text: what it says, whole; nothing where it says nothing.
    ///   - items: of all rows so far, this one included.
    func append(_ text: UnsafeRawBufferPointer?, items: ColumnBuilder<UInt32>) {
        let list = number(of: text)
        let row = items.count - 1
        let item = Int(items[row])
        while listOfItem.count <= item { listOfItem.append(.max) }
        if listOfItem[item] == .max { listOfItem[item] = list }
        if listOfRow == nil, listOfItem[item] != list {
            // The first row that differs: all before it said what their item's first one said.
            let column = ColumnBuilder<UInt32>(capacity: items.count)
            for earlier in 0..<row { column.append(listOfItem[Int(items[earlier])]) }
            listOfRow = column
        }
        listOfRow?.append(list)
    }

    private func number(of text: UnsafeRawBufferPointer?) -> UInt32 {
        let seen = Int(texts.number(text ?? UnsafeRawBufferPointer(start: nil, count: 0)))
        if seen < listOfText.count { return listOfText[seen] }
        var own: [UInt32] = []
        for part in text?.split(whereSeparator: { separators.contains($0) }) ?? [] {
            let topic = names.number(UnsafeRawBufferPointer(rebasing: part))
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

    /// All topics of each item, and what each row says where rows differ.
    func finish(itemCount: Int, item: Column<UInt32>) -> (topics: ItemTopics, rows: RowTopics?) {
        let rows = listOfRow.map { RowTopics(lists: lists, list: $0.finish()) }
        var byItem = (0..<itemCount).map { item -> [UInt32] in
            item < listOfItem.count && listOfItem[item] != .max ? lists[Int(listOfItem[item])] : []
        }
        if let rows {
            for (item, list) in zip(item, rows.list) {
                for topic in lists[Int(list)] where !byItem[Int(item)].contains(topic) {
                    byItem[Int(item)].append(topic)
                }
            }
        }
        return (ItemTopics(names: names.finish(), byItem: byItem, source: .column), rows)
    }
}
