/// What is known of an item beside the events on it.
public struct ItemRecord: Sendable, Equatable {
    public var item: String
    /// In the order of their names, each once: those of its events that say none. Empty where nothing is known.
    public var topics: [String]
    /// Whether it may be recommended.
    public var isAvailable: Bool

    public init(item: String, topics: [String] = [], isAvailable: Bool = true) {
        self.item = item
        self.topics = topics.count < 2 ? topics : Set(topics.map(ExactName.init)).sorted().map(\.text)
        self.isAvailable = isAvailable
    }
}
