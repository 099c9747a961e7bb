import Torch

/// Reads histories: one state after each event.
public protocol HistoryEncoder: Module {
    /// Returns states, `[rows, width]`, in the order of the packed rows.
    func callAsFunction(_ history: HistorySequence, training: Bool) throws(TorchError) -> EncodedHistory
    /// One more event of one person, given as its vector, `[1, D]`: what the encoder keeps of all so far.
    ///
    /// - Parameters:
    ///   - memory: what the last step kept; nothing at the beginning of a stretch.
    ///   - gap: time since the event before, in units of ``HistorySequence/timeUnit``.
    /// - Returns: nothing for a family whose memory is the window of the last events, which it reads anew.
    func step(_ memory: Tensor?, _ event: Tensor, gap: Double) throws(TorchError) -> Tensor?
    /// The state after the last step, `[1, width]`: exactly what reading the whole stretch gives.
    func state(_ memory: Tensor) throws(TorchError) -> Tensor
}

extension HistoryEncoder {
    public func step(_ memory: Tensor?, _ event: Tensor, gap: Double) throws(TorchError) -> Tensor? { nil }
    public func state(_ memory: Tensor) throws(TorchError) -> Tensor { memory }
}

/// States, and what the encoder wants added to the loss while training.
public struct EncodedHistory {
    public let states: Tensor
    public let penalty: Tensor?

    public init(_ states: Tensor, penalty: Tensor? = nil) {
        self.states = states
        self.penalty = penalty
    }
}

/// Reads the last events in the light of a candidate topic or item.
public protocol CandidateEncoder: Module {
    /// `candidates`: `[N, C]`; returns `[N, width]`.
    func callAsFunction(
        _ windows: HistoryWindows, candidates: Tensor, training: Bool
    ) throws(TorchError) -> Tensor
}

/// Smooths item vectors over a graph of people and items.
public protocol GraphEncoder: Module {
    /// `items`: `[items + 1, D]`, row 0 for unknown ones; returns the same shape.
    func callAsFunction(items: Tensor, graph: InteractionGraph) throws(TorchError) -> Tensor
}

extension GraphEncoder {
    /// Items over a graph, with what each person's friends met where it has friendships.
    func smoothed(_ items: Tensor, over edges: InteractionGraph) throws(TorchError) -> SmoothedItems {
        let vectors = try self(items: items, graph: edges)
        let friends = try edges.friendItems.map { items throws(TorchError) in try items.matmul(vectors) }
        return SmoothedItems(vectors: vectors, friends: friends)
    }
}

/// What a family is made of; families that read no history have no part at all.
public struct FamilyParts {
    var history: (any HistoryEncoder)?
    var candidate: (any CandidateEncoder)?
    var graph: (any GraphEncoder)?
}

/// The widths that a family's parts must fit.
public struct FamilySizes {
    /// Of event vectors.
    let events: Int
    /// Of candidates' vectors.
    let candidates: Int
    /// Of item vectors, which graphs smooth.
    let items: Int
    let options: ModelOptions
    /// Whether the next item is guessed, which needs the order of events; else questions bring their features.
    var isRanking = false
}

/// A family of models: its name, what it is, and how its parts are made.
public struct ModelFamily: Sendable {
    public let name: String
    public let summary: String
    public let reference: String
    /// Whether it is made for graphs, so that training builds one.
    public var usesGraph = false
    /// Whether it meets candidates one by one: a score costs a pass of its own.
    public var meetsCandidates = false
    /// Whether its ranking reads what goes with what over everybody: ``ItemCompanions``.
    public var readsCompanions = false
    /// Whether it tells causes apart that multiply half-lives.
    public var measuresCauses = false
    /// What can be set of its encoder, beside what every model has; anything else is refused, never passed over.
    public let options: Set<EncoderOption>
    let makeParts: @Sendable (FamilySizes) throws(TorchError) -> FamilyParts
}

/// What can be set of an encoder; each family says which of them it obeys.
public enum EncoderOption: String, Sendable, CaseIterable {
    case hidden, layers, heads, historyDropout = "history-dropout", historyLength = "history-length", sparsity,
        sparsityWeight = "sparsity-weight"
}

/// Every family that answers the tasks through the shared heads. A new family is a file and a line here.
public enum ModelFamilies {
    public static let all: [ModelFamily] = [
        .mlp, .rnn, .lstm, .gru, .cnn, .caser, .attention, .hstu, .din, .dien, .gcn, .gat, .lightgcn, .hybrid,
        .sparseAutoencoder, .hawkes, .wane,
    ]

    /// Whether a family is made for graphs; false for names that are none.
    public static func usesGraph(_ name: String) -> Bool { named(name)?.usesGraph == true }

    /// Whether a family's ranking reads what goes with what; false for names that are none.
    public static func readsCompanions(_ name: String) -> Bool { named(name)?.readsCompanions == true }

    /// Whether a family reads who knows whom.
    public static func readsFriends(_ name: String) -> Bool {
        named(name).map { $0.usesGraph || $0.measuresCauses } == true
    }

    public static func named(_ name: String) -> ModelFamily? { all.first { $0.name == name } }
}
