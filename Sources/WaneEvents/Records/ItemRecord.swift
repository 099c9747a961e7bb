/// What is known of an item beside the events on it.
public struct ItemRecord: Sendable, Equatable {
    public var item: String
    /// In the order of their names, each once: those of its events that say none. Empty where nothing is known.
    public var topics: [String]
    /// Whether it may be recommended.
    public var isAvailable: Bool

    public init(item: String, topics: [String] = [], isAvailable: Bool = true) {
        self.item = item
        self.topics = EventRecord.ordered(topics)
        self.isAvailable = isAvailable
    }
}

/// What is said of an item: what is not said stays as it was.
public struct ItemChange: Sendable, Equatable {
    public let item: String
    /// An empty list takes its topics away.
    public let topics: [String]?
    public let isAvailable: Bool?

    public init(item: String, topics: [String]? = nil, isAvailable: Bool? = nil) {
        self.item = item
        self.topics = topics.map(EventRecord.ordered)
        self.isAvailable = isAvailable
    }
}
