import WaneEvents
import WaneTasks

/// The items and topics that a model knows, and which items belong to which topics.
///
/// The first ``itemRows`` items and the first ``topicRows`` topics have vectors of their own, in rows from 1 on; row 0
/// stands for all others. An item or topic beyond them was seen too seldom, or only after training ended: it keeps
/// its name and its topics.
public struct ModelVocabulary: Sendable {
    public let items: Vocabulary
    public let itemRows: Int
    public let topics: Vocabulary
    public let topicRows: Int
    /// Topics of each item, both by their numbers here.
    public let itemTopics: ItemTopics
    /// What each item and topic of the log that the vocabulary was made from is called here.
    let itemOfLog: [Int]
    let topicOfLog: [Int]

    public init(
        items: Vocabulary, itemRows: Int, topics: Vocabulary, topicRows: Int, itemTopics: ItemTopics
    ) {
        self.items = items
        self.itemRows = itemRows
        self.topics = topics
        self.topicRows = topicRows
        self.itemTopics = itemTopics
        itemOfLog = Array(0..<items.count)
        topicOfLog = Array(0..<topics.count)
    }

    /// Vectors for items with at least two events, and topics with at least one, before `trainEnd`.
    ///
    /// - Parameter leastEvents: how many events an item needs for a vector.
    public init(_ log: EventLog, trainEnd: Int64, leastEvents: Int = 2) {
        var counts = [Int](repeating: 0, count: log.items.count)
        for index in 0..<log.count where log.time[index] < trainEnd { counts[Int(log.item[index])] += 1 }
        self.init(log, counts: counts, leastEvents: leastEvents)
    }

    /// - Parameter counts: how often each of the log's items was met where it may be learned from.
    public init(_ log: EventLog, counts: [Int], leastEvents: Int) {
        var topicSeen = [Bool](repeating: false, count: log.topics.count)
        for (item, count) in counts.enumerated() where count > 0 {
            for topic in log.topics[UInt32(item)] { topicSeen[Int(topic)] = true }
        }
        let itemOrder =
            counts.indices.filter { counts[$0] >= leastEvents } + counts.indices.filter { counts[$0] < leastEvents }
        let topicOrder = topicSeen.indices.filter { topicSeen[$0] } + topicSeen.indices.filter { !topicSeen[$0] }
        var itemOfLog = [Int](repeating: 0, count: itemOrder.count)
        for (number, item) in itemOrder.enumerated() { itemOfLog[item] = number }
        var topicOfLog = [Int](repeating: 0, count: topicOrder.count)
        for (number, topic) in topicOrder.enumerated() { topicOfLog[topic] = number }
        items = Vocabulary(itemOrder.map { log.items[$0] })
        itemRows = counts.count { $0 >= leastEvents }
        topics = Vocabulary(topicOrder.map { log.topics.names[$0] })
        topicRows = topicSeen.count { $0 }
        itemTopics = ItemTopics(
            names: topics,
            byItem: itemOrder.map { item in log.topics[UInt32(item)].map { UInt32(topicOfLog[Int($0)]) } },
            source: log.topics.source)
        self.itemOfLog = itemOfLog
        self.topicOfLog = topicOfLog
    }

    /// For each item and topic here its number in the log that the vocabulary was made from.
    public var logItems: [Int] { Self.inverse(itemOfLog) }
    public var logTopics: [Int] { Self.inverse(topicOfLog) }

    private static func inverse(_ numbers: [Int]) -> [Int] {
        var result = [Int](repeating: 0, count: numbers.count)
        for (log, number) in numbers.enumerated() { result[number] = log }
        return result
    }

    /// The row of an item's vector, given its number here; 0 where it has none.
    func itemRow(_ number: Int) -> Int64 { number >= 0 && number < itemRows ? Int64(number + 1) : 0 }
    func topicRow(_ number: Int) -> Int64 { number >= 0 && number < topicRows ? Int64(number + 1) : 0 }
}

/// A log's items and topics as a model knows them.
public struct LogRows: Sendable {
    /// The model's row of each item, and of each topic; 0 where there is none.
    public let itemRow: [Int64]
    public let topicRow: [Int64]
    /// The model's rows of each item's topics, end to end.
    let topicStarts: [Int]
    let topicRows: [Int64]

    /// - Parameters:
    ///   - itemOf, topicOf: for each of the log's items and topics its number in the vocabulary; -1 where it has none.
    public init(_ vocabulary: ModelVocabulary, topics: ItemTopics, items: Int, itemOf: [Int], topicOf: [Int]) {
        itemRow = itemOf.map { vocabulary.itemRow($0) }
        let topicRow = topicOf.map { vocabulary.topicRow($0) }
        self.topicRow = topicRow
        var starts = [0]
        starts.reserveCapacity(items + 1)
        var rows: [Int64] = []
        for item in 0..<items {
            for topic in topics[UInt32(item)] { rows.append(topicRow[Int(topic)]) }
            starts.append(rows.count)
        }
        topicStarts = starts
        topicRows = rows
    }

    /// Of the log that the vocabulary was made from.
    public init(_ vocabulary: ModelVocabulary, of log: EventLog) {
        self.init(
            vocabulary, topics: log.topics, items: log.items.count, itemOf: vocabulary.itemOfLog,
            topicOf: vocabulary.topicOfLog)
    }

    @inline(__always)
    func topics(of item: UInt32) -> ArraySlice<Int64> {
        let item = Int(item)
        return item + 1 < topicStarts.count ? topicRows[topicStarts[item]..<topicStarts[item + 1]] : []
    }
}
