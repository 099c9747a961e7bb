import Torch
import WaneEvents
import WaneState
import WaneTasks

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
    public var usesGraph: Bool { graph != nil }

    /// Batches of about `size` queries, with their histories where the family reads some.
    public func batches(
        _ queries: QuerySet, _ histories: Histories, size: Int, shuffledBy generator: inout SeededGenerator?
    ) -> [HistoryBatch] {
        readsHistory
            ? HistoryBatch.batches(
                queries, histories, historyLength: options.historyLength, size: size, bySnapshot: graph != nil,
                shuffledBy: &generator)
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
        let embedding = try EventEmbedding(
            items: items, width: options.itemWidth, deviation: 0.1, gaps: false, options)
        let parts = try family.makeParts(
            FamilySizes(
                events: EventEmbedding.concatenatedWidth(options), candidates: options.topicWidth,
                items: options.itemWidth, options: options))
        encoder = parts.history
        candidate = parts.candidate
        graph = parts.graph
        let readsHistory = parts.history != nil || parts.candidate != nil
        events = readsHistory ? embedding : nil
        width = (readsHistory ? options.hidden : 0) + options.topicWidth + FeatureSchema.lastEventCount
    }

    /// What is known of a batch's queries before anything is made of it.
    ///
    /// - Parameter readsHistory: nothing of histories where their states are known already.
    func inputs(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, readsHistory: Bool = true,
        training: Bool
    ) throws(TorchError) -> QueryInputs {
        let rows = try Tensor(batch.queries.map(Int64.init))
        let topicRow = try queries.topics.rows(rows)
        var history: HistorySequence?
        if readsHistory, let embedding = self.events {
            let smoothed = try items(embedding, events, snapshot: batch.snapshot)
            history = try embedding.concatenated(
                batch, events, smoothed: smoothed, topics: topics, training: training)
        }
        return QueryInputs(
            features: try queries.features.rows(rows), topic: try topics(topicRow), topicRow: topicRow,
            causes: try queries.causes.map { causes throws(TorchError) in try causes.rows(rows) },
            rates: try queries.rates.map { rates throws(TorchError) in try rates.rows(rows) }, history: history)
    }

    /// Features, topic and state side by side, for the batch's queries in its order.
    ///
    /// - Parameter state: the history's state where it is known already, `[1, hidden]`, the same for all queries; the
    ///   batch needs no histories then.
    func callAsFunction(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, state: Tensor? = nil, training: Bool
    ) throws(TorchError) -> EncodedQueries {
        try encoded(
            inputs(batch, queries, events, readsHistory: state == nil, training: training), batch, state: state,
            training: training)
    }

    /// The same of what is known of a batch's queries.
    func encoded(
        _ inputs: QueryInputs, _ batch: HistoryBatch, state: Tensor? = nil, training: Bool
    ) throws(TorchError) -> EncodedQueries {
        var parts = [inputs.features, try topicDropout(inputs.topic, training: training)]
        var penalty: Tensor?
        if let state {
            parts.append(try state.expanded([batch.queries.count, state.shape[1]]))
        } else if let history = inputs.history {
            if let encoder {
                let encoded = try encoder(history, training: training)
                penalty = encoded.penalty
                parts.append(try encoded.states.rows(Tensor(batch.states)))
            }
            if let candidate {
                let windows = try HistoryWindows(
                    history, questions: batch.questions, length: min(Self.windowLength, options.historyLength))
                parts.append(try candidate(windows, candidates: inputs.topic, training: training))
            }
        }
        return EncodedQueries(
            x: try Tensor.concatenated(parts, 1), features: parts[0], topic: parts[1], topicRow: inputs.topicRow,
            causes: inputs.causes, rates: inputs.rates, penalty: penalty, history: inputs.history)
    }

    /// One more event of one person: see ``HistoryEncoder/step(_:_:gap:)``.
    ///
    /// - Parameters:
    ///   - event: an ``EventTensors`` of this event alone.
    ///   - gap: horizons since the event before.
    public func step(_ memory: Tensor?, _ event: EventTensors, gap: Double) throws(TorchError) -> Tensor? {
        guard let encoder, candidate == nil, let embedding = events else { return nil }
        let one = HistoryBatch(
            queries: [0], snapshot: 0, events: [0], layout: HistoryLayout(lengths: [1]), questions: [(0, 0)])
        let smoothed = try items(embedding, event, snapshot: 0)
        let history = try embedding.concatenated(one, event, smoothed: smoothed, topics: topics, training: false)
        return try encoder.step(memory, history.events.data, gap: gap)
    }

    /// The state that a memory holds; nothing for families without a step.
    public func state(_ memory: Tensor) throws(TorchError) -> Tensor? { try encoder?.state(memory) }

    /// Item vectors as a batch may see them: the model's own, or smoothed over the graph of its snapshot.
    private func items(
        _ embedding: EventEmbedding, _ events: EventTensors, snapshot: Int
    ) throws(TorchError) -> SmoothedItems {
        if let smoothed = events.smoothed { return smoothed }
        guard graph != nil else { return embedding.plain }
        guard let graphs = events.graphs else {
            throw TorchError(operation: options.family, message: "needs the graph of a log's training part")
        }
        return try smoothed(over: graphs[snapshot])
    }

    /// What a family with a graph makes of its items over one.
    public func smoothed(over edges: InteractionGraph) throws(TorchError) -> SmoothedItems {
        guard let embedding = events, let graph else {
            throw TorchError(operation: options.family, message: "has no graph")
        }
        return try graph.smoothed(embedding.items.weight.value, over: edges)
    }
}

/// What a family reads of some queries.
struct QueryInputs {
    /// `[queries, FeatureSchema.lastEventCount]`, scaled.
    var features: Tensor
    /// `[queries, topicWidth]`, and int64 `[queries]`.
    let topic: Tensor
    let topicRow: Tensor
    /// `[queries, CauseEffects.width]`, where causes are measured.
    var causes: Tensor?
    /// `[queries, 1]`, where pairs' rates are followed.
    var rates: Tensor?
    /// The histories, where some are read.
    var history: HistorySequence?
}

/// Queries as vectors.
struct EncodedQueries {
    /// `[queries, D]`: features, topic and state.
    let x: Tensor
    /// `[queries, FeatureSchema.lastEventCount]`, and `[queries, topicWidth]`.
    let features: Tensor
    let topic: Tensor
    /// int64 `[queries]`.
    let topicRow: Tensor
    /// `[queries, CauseEffects.width]`, where causes are measured.
    let causes: Tensor?
    /// `[queries, 1]`, where pairs' rates are followed.
    let rates: Tensor?
    /// What the encoder adds to the loss.
    let penalty: Tensor?
    /// The histories that were read, where some were.
    let history: HistorySequence?
}
