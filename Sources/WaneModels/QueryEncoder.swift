import Torch
import WaneData

/// Everything known of a query as one vector: its features, its topic, and its history as a family reads it.
public struct QueryEncoder: Module {
    public let options: ModelOptions
    let events: EventEmbedding?
    let encoder: (any HistoryEncoder)?
    let candidate: (any CandidateEncoder)?
    let graph: (any GraphEncoder)?
    let topics: Embedding
    let topicDropout: Dropout
    /// Numbers in a query's vector.
    let width: Int

    /// How many of the last events meet a candidate.
    static let windowLength = 32

    /// Whether batches need histories.
    public var readsHistory: Bool { events != nil }

    /// Batches of about `size` queries, with their histories where the family reads some.
    public func batches(
        _ queries: QuerySet, _ histories: Histories, size: Int, shuffledBy generator: inout SeededGenerator?
    ) -> [HistoryBatch] {
        readsHistory
            ? HistoryBatch.batches(
                queries, histories, historyLength: options.historyLength, size: size, shuffledBy: &generator)
            : HistoryBatch.plain(queries.count, size: size, shuffledBy: &generator)
    }

    /// - Parameters:
    ///   - items: how many items the model knows, and `topics` how many topics.
    public init(_ options: ModelOptions, items: Int, topics: Int) throws(TorchError) {
        guard let family = ModelFamilies.named(options.family) else {
            throw TorchError(operation: "model", message: "no family is called \(options.family)")
        }
        self.options = options
        self.topics = try Embedding(topics + 1, options.topicWidth)
        topicDropout = Dropout(options.topicDropout)
        let embedding = try EventEmbedding(items: items, options)
        let parts = try family.makeParts(
            FamilySizes(
                events: embedding.width, candidates: options.topicWidth, items: options.itemWidth, options: options))
        encoder = parts.history
        candidate = parts.candidate
        graph = parts.graph
        let readsHistory = parts.history != nil || parts.candidate != nil
        events = readsHistory ? embedding : nil
        width = (readsHistory ? options.hidden : 0) + options.topicWidth + FeatureBuilder.anchoredCount
    }

    /// Features, topic and state side by side, for the batch's queries in its order.
    func callAsFunction(
        _ batch: HistoryBatch, _ inputs: QueryInputs, training: Bool
    ) throws(TorchError) -> EncodedQueries {
        let places = try Tensor(batch.queries.map(Int64.init))
        let topic = try topics(inputs.topics.rows(places))
        var parts = [try inputs.features.rows(places), try topicDropout(topic, training: training)]
        var penalty: Tensor?
        var read: HistorySequence?
        if let events {
            let history = try events(
                batch, inputs.table, itemVectors: itemVectors(events, inputs.table, training: training),
                topics: topics, training: training)
            read = history
            if let encoder {
                let encoded = try encoder(history, training: training)
                penalty = encoded.penalty
                parts.append(try encoded.states.rows(Tensor(batch.states)))
            }
            if let candidate {
                let windows = try HistoryWindows(
                    history, questions: batch.questions, length: min(Self.windowLength, options.historyLength))
                parts.append(try candidate(windows, candidates: topic, training: training))
            }
        }
        return EncodedQueries(x: try Tensor.concatenated(parts, 1), penalty: penalty, history: read)
    }

    private func itemVectors(
        _ events: EventEmbedding, _ table: EventTable, training: Bool
    ) throws(TorchError) -> Tensor {
        guard let graph else { return events.items.weight.value }
        guard let edges = table.graph else {
            throw TorchError(operation: options.family, message: "needs the graph of a log's training part")
        }
        return try graph(items: events.items.weight.value, graph: edges, training: training)
    }
}

/// Queries as vectors.
struct EncodedQueries {
    /// `[queries, D]`.
    let x: Tensor
    /// What the encoder adds to the loss.
    let penalty: Tensor?
    /// The histories that were read, where some were.
    let history: HistorySequence?
}
