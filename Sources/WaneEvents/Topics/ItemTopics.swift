/// What each row says of its item's topics, where rows of one item say different things: topics known before a moment are
/// then those of the rows before it.
public struct RowTopics: Sendable {
    /// Lists of topics, each once.
    public let lists: [[UInt32]]
    /// Each row's list.
    public let list: Column<UInt32>

    public init(lists: [[UInt32]], list: Column<UInt32>) {
        self.lists = lists
        self.list = list
    }

    func gathered(_ order: [UInt32]) -> RowTopics { RowTopics(lists: lists, list: list.gathered(order)) }
}

/// Which topics each item belongs to: one, several, or none.
public struct ItemTopics: Sendable {
    public let names: Vocabulary
    /// Where each item's topics begin in `topics`; one longer than there are items.
    private let starts: [Int]
    private let topics: [UInt32]
    public let source: Source

    /// Where the topics come from.
    public enum Source: String, Sendable, Codable {
        /// A column of the log.
        case column
        /// A side file of items.
        case sideFile
        /// Each item is its own topic: the log has few.
        case items
        /// The log has no items: one topic for all.
        case single
        /// Learned from which items are visited near one another.
        case coVisitation

        /// Whether topics are what the log's owner says they are.
        public var isGiven: Bool { self == .column || self == .sideFile }
    }

    public init(names: Vocabulary, byItem: [[UInt32]], source: Source) {
        self.names = names
        var starts = [0]
        starts.reserveCapacity(byItem.count + 1)
        var topics: [UInt32] = []
        for list in byItem {
            topics.append(contentsOf: list)
            starts.append(topics.count)
        }
        self.starts = starts
        self.topics = topics
        self.source = source
    }

    public var count: Int { names.count }
    /// Whether the log says what its topics are, or they have been learned.
    public var isDecided: Bool { names.count > 0 }
    /// The topic of what has none that is known; it stands beside the others, never for one of them.
    public static let unknownName = "(unknown)"
    public var itemCount: Int { starts.count - 1 }

    /// The topics of an item; empty for an item that has none or is not known.
    @inline(__always)
    public subscript(item: UInt32) -> ArraySlice<UInt32> {
        let index = Int(item)
        guard index + 1 < starts.count else { return [] }
        return topics[starts[index]..<starts[index + 1]]
    }

    /// All items in one topic.
    public static func single(_ items: Int) -> ItemTopics {
        ItemTopics(
            names: Vocabulary(["all"]), byItem: [[UInt32]](repeating: [0], count: items), source: .single)
    }

    /// Each item its own topic.
    public static func own(_ items: Vocabulary) -> ItemTopics {
        ItemTopics(names: items, byItem: (0..<items.count).map { [UInt32($0)] }, source: .items)
    }
}
