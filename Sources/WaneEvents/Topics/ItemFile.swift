/// Reads a side file of items: a RecBole `.item` file, MovieLens' `movies.csv`, or any delimited text with an
/// item column and a topic column.
enum ItemFile {
    static func read(
        _ path: String, for items: Vocabulary, options: ReadingOptions
    ) throws(LogError) -> ItemTopics {
        let source = try FileSource(path: path)
        let reader = DelimitedReader(source, file: path)
        try reader.skipByteOrderMark()
        let dialect = Dialect(firstLine: try reader.firstLine())
        guard try reader.nextRecord(dialect) else { throw .empty(file: path) }
        let names = reader.texts
        reader.skipRecord()
        func index(_ role: ColumnRole) -> Int? {
            if let name = options.map[role], let index = names.firstIndex(of: name) { return index }
            return names.firstIndex { ColumnRole.named($0) == role }
        }
        guard let itemPlace = index(.item) else {
            throw .missingColumn(file: path, column: "PageID", found: names)
        }
        guard let topicPlace = index(.topic) else {
            throw .missingColumn(file: path, column: "Topic", found: names)
        }
        let separator = options.topicSeparator ?? (names[topicPlace].hasSuffix(":token_seq") ? " " : "|")
        let separators = Set(separator)
        let topics = VocabularyBuilder()
        var byItem = [[UInt32]](repeating: [], count: items.count)
        while try reader.nextRecord(dialect) {
            let fields = reader.texts
            guard fields.count > max(itemPlace, topicPlace), let item = items.find(fields[itemPlace]) else { continue }
            byItem[Int(item)] = fields[topicPlace].split { separators.contains($0) }
                .map { topics.number(of: $0.trimmingPrefix(" ").description) }
        }
        guard topics.count > 0 else {
            throw .unsupported(file: path, reason: "no item of the log has a topic there; are the item ids the same?")
        }
        return ItemTopics(names: topics.finish(), byItem: byItem, source: .sideFile)
    }
}
