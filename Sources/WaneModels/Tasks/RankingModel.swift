import Foundation
import Torch

/// A deep model of the next item: event vectors, a family's encoder over them, and the product of its state with
/// every item's vector.
///
///     logit(i) = state . v_i + b_i
///
/// The vectors of items are the same on both sides.
public struct RankingModel: Module {
    public let options: ModelOptions
    let events: EventEmbedding
    let bias: Parameter
    let dropout: Dropout
    let encoder: (any HistoryEncoder)?
    let candidate: (any CandidateEncoder)?
    let graph: (any GraphEncoder)?
    let pooling: DecayedPooling?
    let hiddenLayers: [Linear]
    let candidateScore: Linear?

    /// How many of the last events meet a candidate.
    static let windowLength = 20

    /// Whether a candidate's score needs a pass of its own, so that training works on samples.
    public var meetsCandidates: Bool { candidate != nil }
    public var usesGraph: Bool { graph != nil }

    public init(_ options: ModelOptions, items count: Int) throws(TorchError) {
        guard let family = ModelFamilies.named(options.family) else {
            throw TorchError(operation: "model", message: "no family is called \(options.family)")
        }
        self.options = options
        let width = options.hidden
        events = try EventEmbedding(items: count, width: width, deviation: 0.05, gaps: true, options)
        bias = try Parameter(.zeros([count + 1]))
        dropout = Dropout(options.historyDropout)
        let parts = try family.makeParts(
            FamilySizes(events: width, candidates: width, items: width, options: options))
        encoder = parts.history
        candidate = parts.candidate
        graph = parts.graph
        let plain = parts.history == nil && parts.candidate == nil
        pooling = plain ? try DecayedPooling(length: options.historyLength) : nil
        hiddenLayers = plain ? [try Linear(width, 2 * width), try Linear(2 * width, width)] : []
        candidateScore = parts.candidate == nil ? nil : try Linear(2 * width, 1)
    }

    /// The vectors of all item rows, `[items + 1, D]`: smoothed where the family has a graph.
    public func smoothed(over edges: InteractionGraph?) throws(TorchError) -> SmoothedItems {
        guard let graph else { return events.plain }
        guard let edges else {
            throw TorchError(operation: options.family, message: "needs the graph of a log's training part")
        }
        return try graph.smoothed(events.items.weight.value, over: edges)
    }

    /// States after each event, `[rows, D]`, for families that know no candidate.
    func encoded(_ history: HistorySequence, training: Bool) throws(TorchError) -> EncodedHistory {
        if let encoder { return try encoder(history, training: training) }
        guard let pooling, hiddenLayers.count == 2 else {
            throw TorchError(operation: options.family, message: "answers only with candidates")
        }
        let hidden = try hiddenLayers[0](pooling(history)).relu()
        return EncodedHistory(try hiddenLayers[1](dropout(hidden, training: training)))
    }

    /// The mean loss of a batch's targets.
    ///
    /// - Parameters:
    ///   - sample: item rows drawn for losses that compare with some items only.
    ///   - edges: the graph that the batch may see, for families that use one.
    public func loss(
        _ batch: RankingBatch, _ loss: RankingLoss, sample: NegativeSample?, graph edges: InteractionGraph?
    ) throws(TorchError) -> Tensor {
        let items = try smoothed(over: edges)
        let history = try events.summed(batch, smoothed: items, training: true)
        if let candidate, let candidateScore {
            return try candidateLoss(batch, history, items.vectors, candidate, candidateScore, loss, sample)
        }
        let encoded = try encoded(history, training: true)
        let rows = try Tensor(batch.targetRows)
        let states = try encoded.states.rows(rows)
        let value = try loss(states, vectors: items.vectors, bias: bias.value, targets: batch.targets, sample: sample)
        return try encoded.penalty.map { penalty throws(TorchError) in try value + penalty } ?? value
    }

    /// Scores of all item rows for the last event of each stretch, `[stretches, items + 1]`.
    public func scores(_ batch: RankingBatch, _ items: SmoothedItems) throws(TorchError) -> Tensor {
        try withoutGradients { () throws(TorchError) in
            let history = try events.summed(batch, smoothed: items, training: false)
            let last = batch.lastSteps.enumerated().map { (sequence: $0.offset, step: $0.element) }
            if let candidate, let candidateScore {
                return try allCandidates(history, last, items.vectors, candidate, candidateScore)
            }
            let rows = try Tensor(
                last.map { Int64(batch.layout.packed.row(sequence: $0.sequence, step: $0.step)) })
            let states = try encoded(history, training: false).states.rows(rows)
            return try states.matmul(items.vectors.transposed()) + bias.value
        }
    }

    // MARK: Families that meet candidates

    private func score(
        _ windows: HistoryWindows, _ candidates: Tensor, _ rows: Tensor, _ candidate: any CandidateEncoder,
        _ output: Linear, training: Bool
    ) throws(TorchError) -> Tensor {
        let state = try candidate(windows, candidates: candidates, training: training)
        let product = try (state * candidates).sum(1)
        return try output(Tensor.concatenated([state, candidates], 1)).squeezed(1) + product
            + bias.value.unsqueezed(1).rows(rows).squeezed(1)
    }

    /// Each question with its answer and with its own share of the drawn items.
    private func candidateLoss(
        _ batch: RankingBatch, _ history: HistorySequence, _ vectors: Tensor, _ candidate: any CandidateEncoder,
        _ output: Linear, _ loss: RankingLoss, _ sample: NegativeSample?
    ) throws(TorchError) -> Tensor {
        guard let sample else { throw TorchError(operation: options.family, message: "needs drawn items") }
        let drawn = sample.rows.count / max(1, batch.targetRows.count)
        let places = batch.targetPlaces
        let repeated = places.flatMap { place in repeatElement(place, count: drawn + 1) }
        let windows = try HistoryWindows(history, questions: repeated, length: Self.windowLength)
        var rows: [Int64] = []
        for (number, target) in batch.targets.enumerated() {
            rows.append(target)
            rows.append(contentsOf: sample.rows[number * drawn..<(number + 1) * drawn])
        }
        let index = try Tensor(rows)
        let scale = Double(options.hidden).squareRoot()
        let scores = try score(
            windows, vectors.rows(index) * scale, index, candidate, output, training: true
        ).reshaped([places.count, drawn + 1])
        // The answer drawn as its own opponent would be pushed both ways.
        let answers = try Tensor(batch.targets).unsqueezed(1)
        let isAnswer = try index.reshaped([places.count, drawn + 1]).slice(1, 1..<drawn + 1).equals(answers)
        return try loss(
            positive: scores.select(1, 0), negative: scores.slice(1, 1..<drawn + 1), isAnswer: isAnswer,
            items: vectors.shape[0] - 1)
    }

    private func allCandidates(
        _ history: HistorySequence, _ questions: [(sequence: Int, step: Int)], _ vectors: Tensor,
        _ candidate: any CandidateEncoder, _ output: Linear
    ) throws(TorchError) -> Tensor {
        let rows = vectors.shape[0]
        let scale = Double(options.hidden).squareRoot()
        let all = try Tensor((0..<rows).map(Int64.init))
        let candidates = try vectors * scale
        var scores: [Tensor] = []
        for question in questions {
            let one = try HistoryWindows(history, questions: [question], length: Self.windowLength)
            scores.append(
                try score(one.repeated(rows), candidates, all, candidate, output, training: false))
        }
        return try Tensor.stacked(scores)
    }
}
