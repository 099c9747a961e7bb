import WaneData

/// The items and topics that a model knows; row 0 stands for all others.
public struct ModelVocabulary: Sendable {
    public let items: Vocabulary
    public let topics: Vocabulary

    public init(items: Vocabulary, topics: Vocabulary) {
        self.items = items
        self.topics = topics
    }

    /// Items with at least two events, and topics with at least one, in the training part.
    public init(_ histories: Histories, trainEnd: Int64) {
        let log = histories.log
        var itemCounts = [Int](repeating: 0, count: log.items.count)
        var topicSeen = [Bool](repeating: false, count: log.topics.count)
        for place in 0..<log.count where log.time[place] < trainEnd {
            itemCounts[Int(log.item[place])] += 1
            for topic in log.topics[log.item[place]] { topicSeen[Int(topic)] = true }
        }
        items = Vocabulary(itemCounts.indices.filter { itemCounts[$0] >= 2 }.map { log.items[$0] })
        topics = Vocabulary(topicSeen.indices.filter { topicSeen[$0] }.map { log.topics.names[$0] })
    }

    /// The row of each of a log's items, and of each of its topics.
    func rows(for log: EventLog) -> (items: [Int64], topics: [Int64]) {
        func rows(_ known: Vocabulary, _ names: Vocabulary) -> [Int64] {
            names.names.map { known.find($0).map { Int64($0) + 1 } ?? 0 }
        }
        return (rows(items, log.items), rows(topics, log.topics.names))
    }
}
