import WaneEvents

/// The sizes of a model, saved with it.
public struct ModelOptions: Codable, Sendable, Equatable {
    /// The family's name, as `wane models` lists it.
    public var family = "lstm"
    /// Width of the history's state.
    public var hidden = 48
    public var layers = 1
    /// Width of an item's vector and of a topic's.
    public var itemWidth = 16
    public var topicWidth = 8
    /// Width of the head's hidden layers.
    public var headWidth = 64
    /// Dropout in the head.
    public var dropout = 0.3
    /// Dropout on event vectors and on the history's state, which learn few people by heart.
    public var historyDropout = 0.7
    /// Dropout on topic vectors, which learn few people by heart where topics are many.
    public var topicDropout = 0.5
    /// The longest stretch of a history that is read at once, in events.
    public var historyLength = 256

    /// Heads of attention.
    public var heads = 2
    /// What keeps the code of the sparse autoencoder sparse, and how much it weighs.
    public var sparsity = Sparsity.l1
    public var sparsityWeight = 1e-3
    /// Whether what friends met joins an event's vector; for graph families on logs with social edges.
    public var social = false
    /// Whether items of the person's own history have mass beside their vectors'; for ranking where people come back to items.
    public var repeats = false

    public init() {}

    /// The same for a log with these friendships: they join event vectors where the family has a graph.
    public func enablingSocial(for friends: SocialEdges) -> ModelOptions {
        var options = self
        options.social = ModelFamilies.usesGraph(family) && !friends.isEmpty
        return options
    }

    /// About how many numbers a network of these sizes holds at least: what a file says of sizes is not to be believed, and made
    /// room for, where the file itself has far fewer.
    public var leastWeights: Int {
        let obeyed = ModelFamilies.named(family)?.options ?? []
        let encoder = obeyed.contains(.hidden) ? hidden * hidden * (obeyed.contains(.layers) ? layers : 1) : 0
        return encoder + headWidth * headWidth + itemWidth + topicWidth
    }

    /// - Throws: ``ModelOptionsError`` naming the first value out of range.
    public func checked() throws(ModelOptionsError) -> ModelOptions {
        let sizes = [
            ("hidden", hidden, 1...4_096), ("layers", layers, 1...32), ("item width", itemWidth, 1...1_024),
            ("topic width", topicWidth, 1...1_024), ("head width", headWidth, 1...8_192),
            ("history length", historyLength, 2...65_536), ("heads", heads, 1...64),
        ]
        for (name, value, range) in sizes where !range.contains(value) {
            throw .outOfRange(
                name: name, value: Double(value), low: Double(range.lowerBound), high: Double(range.upperBound))
        }
        for (name, value) in [
            ("dropout", dropout), ("history dropout", historyDropout), ("topic dropout", topicDropout),
        ] where !(0..<1).contains(value) {
            throw .outOfRange(name: name, value: value, low: 0, high: 1)
        }
        guard sparsityWeight >= 0, sparsityWeight < 1e6 else {
            throw .outOfRange(name: "sparsity weight", value: sparsityWeight, low: 0, high: 1e6)
        }
        guard let found = ModelFamilies.named(family) else {
            throw .unknownFamily(family, known: ModelFamilies.all.map(\.name))
        }
        if found.options.contains(.heads), hidden % heads != 0 {
            throw .headsDoNotDivide(width: hidden, heads: heads)
        }
        if found.usesGraph, found.options.contains(.heads), !found.options.contains(.layers), itemWidth % heads != 0 {
            throw .headsDoNotDivide(width: itemWidth, heads: heads)
        }
        return self
    }
}

public enum ModelOptionsError: Error, Sendable, Equatable, CustomStringConvertible {
    case outOfRange(name: String, value: Double, low: Double, high: Double)
    case unknownFamily(String, known: [String])
    case headsDoNotDivide(width: Int, heads: Int)
    case notAnOption(String, family: String, options: [String])

    public var description: String {
        switch self {
        case .outOfRange(let name, let value, let low, let high):
            "a \(name) of \(value) lies outside \(low)...\(high)"
        case .headsDoNotDivide(let width, let heads):
            "a width of \(width) does not split into \(heads) heads; give a number of heads that divides it"
        case .notAnOption(let name, let family, let options):
            "\(family) has no --\(name); "
                + (options.isEmpty
                    ? "its encoder has nothing to set"
                    : "what can be set of it is --" + options.joined(separator: ", --"))
        case .unknownFamily(let name, let known):
            "no model family is called \"\(name)\"; there are \(known.joined(separator: ", "))"
        }
    }
}
