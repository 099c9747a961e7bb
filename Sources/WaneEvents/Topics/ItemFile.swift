/// Reads a side file of items: a RecBole `.item` file, MovieLens' `movies.csv`, or any delimited text with an
/// item column and a topic column, a row an item or a row a topic.
enum ItemFile {
    /// What a side file says of a log's items.
    struct Contents {
        let topics: ItemTopics
        let notes: [String]
    }

    static func read(
        _ path: String, for items: Vocabulary, options: ReadingOptions
    ) throws(LogError) -> Contents {
        try read(LogFiles.text(path), file: path, for: items, options: options)
    }

    static func read(
        _ source: any ByteSource, file path: String, for items: Vocabulary, options: ReadingOptions
    ) throws(LogError) -> Contents {
        let reader = DelimitedReader(source, file: path)
        try reader.skipByteOrderMark()
        let dialect = Dialect(firstLine: try reader.firstLine())
        guard try reader.nextRecord(dialect) else { throw .empty(file: path) }
        let columns = reader.texts
        reader.skipRecord()
        // The log's `--map` reaches this file where its columns are here.
        let map = options.map.filter {
            ($0.key == .item || $0.key == .topic) && Schema.index(of: $0.value, in: columns) != nil
        }
        let schema = try Schema(names: columns, map: map, file: path, needsUser: false)
        guard let itemPlace = schema.index(.item), itemPlace != schema.index(.topic) else {
            throw .missingColumn(file: path, column: "PageID", found: columns)
        }
        guard let topicPlace = schema.index(.topic) else {
            throw .missingColumn(file: path, column: "Topic", found: columns)
        }
        // RecBole says so in the column's name, and MovieLens' file is known.
        let isMovieLens = columns.map { $0.lowercased() } == ["movieid", "title", "genres"]
        let given =
            options.topicSeparator ?? (columns[topicPlace].hasSuffix(":token_seq") ? " " : isMovieLens ? "|" : nil)
        let separator = TopicSeparator(given.map { Array($0.utf8) })
        let topics = VocabularyBuilder()
        var byItem = [[UInt32]](repeating: [], count: items.count)
        var (rows, unreadable, unknown) = (0, 0, 0)
        while try reader.nextRecord(dialect) {
            defer { reader.skipRecord() }
            if reader.isBlank { continue }
            rows += 1
            let fields = reader.texts
            guard reader.fault == nil, fields.count > max(itemPlace, topicPlace),
                fields.count <= columns.count || fields[columns.count...].allSatisfy(\.isEmpty)
            else {
                unreadable += 1
                continue
            }
            guard let item = items.find(fields[itemPlace]) else {
                unknown += 1
                continue
            }
            var text = fields[topicPlace]
            text.withUTF8 { bytes in
                separator.forEachPart(UnsafeRawBufferPointer(bytes)) { part in
                    let topic = topics.number(part)
                    if !byItem[Int(item)].contains(topic) { byItem[Int(item)].append(topic) }
                }
            }
        }
        guard topics.count > 0 else {
            throw .unsupported(
                file: path,
                reason:
                    "no item of the log has a topic there (of its \(rows) rows \(unreadable) cannot be read and \(unknown) are "
                    + "of other items); are the item ids the same?")
        }
        var notes: [String] = []
        if unreadable > 0 {
            notes.append("\(path): \(unreadable) of its \(rows) rows have too few or too many fields and are left out")
        }
        let (names, places) = topics.finishInOrder()
        byItem = byItem.map { $0.map { places[Int($0)] }.sorted() }
        let without = byItem.count(where: \.isEmpty)
        if without > 0 { notes.append("\(path): \(without) of the log's \(items.count) items have no topic there") }
        notes += TopicSeparator.notes(names.names, given: given)
        return Contents(topics: ItemTopics(names: names, byItem: byItem, source: .sideFile), notes: notes)
    }
}
