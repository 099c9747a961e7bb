import Foundation
import Torch
import WaneBaselines

/// A deep model of the next item: event vectors, a family's encoder over them, and the product of its state with
/// every item's vector.
///
///     logit(i) = state . v_i + b_i
///
/// The vectors of items are the same on both sides. Where people come back to items, those of the person's own history have
/// more (``RepeatHead``).
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
    let own: RepeatHead?
    let companionHead: RepeatHead?
    /// How far vectors and evidence are to be believed, as questions that were held back say (``EvidenceScale``).
    let evidence: EvidenceScale?
    /// What goes with what, for families that read it. It may be counted anew after training, as more is known.
    public var companions: ItemCompanions?

    /// How many of the last events meet a candidate.
    static let windowLength = 20

    /// Whether a candidate's score needs a pass of its own, so that training works on samples.
    public var meetsCandidates: Bool { candidate != nil }
    public var usesGraph: Bool { graph != nil }

    /// - Parameter companions: for families that read them.
    public init(_ options: ModelOptions, items count: Int, companions: ItemCompanions? = nil) throws(TorchError) {
        guard let family = ModelFamilies.named(options.family) else {
            throw TorchError(operation: "model", message: "no family is called \(options.family)")
        }
        self.options = options
        let width = options.hidden
        events = try EventEmbedding(items: count, width: width, deviation: 0.05, gaps: true, options)
        bias = try Parameter(.zeros([count + 1]))
        dropout = Dropout(options.historyDropout)
        let parts = try family.makeParts(
            FamilySizes(events: width, candidates: width, items: width, options: options, isRanking: true))
        encoder = parts.history
        candidate = parts.candidate
        graph = parts.graph
        let plain = parts.history == nil && parts.candidate == nil
        pooling = plain ? try DecayedPooling(length: options.historyLength) : nil
        hiddenLayers = plain ? [try Linear(width, 2 * width), try Linear(2 * width, width)] : []
        candidateScore = parts.candidate == nil ? nil : try Linear(2 * width, 1)
        own = options.repeats ? try RepeatHead(stateWidth: parts.candidate == nil ? width : nil) : nil
        guard !family.readsCompanions || companions?.people.count == count + 1 else {
            throw TorchError(operation: family.name, message: "needs what goes with its \(count) items")
        }
        let companions = family.readsCompanions ? companions : nil
        self.companions = companions
        companionHead =
            companions == nil ? nil : try RepeatHead(features: ItemCompanions.featureCount, stateWidth: width)
        evidence = companions == nil ? nil : try EvidenceScale()
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
        let own = try listed(
            batch.ownBeforeTargets, batch.companionsBeforeTargets, states: states, items.vectors)
        let value = try loss(
            states, vectors: items.vectors, bias: bias.value, targets: batch.targets, own: own, sample: sample)
        return try encoded.penalty.map { penalty throws(TorchError) in try value + penalty } ?? value
    }

    /// Scores of all item rows for the last event of each stretch, `[stretches, items + 1]`.
    public func scores(_ batch: RankingBatch, _ items: SmoothedItems) throws(TorchError) -> Tensor {
        try withoutGradients { () throws(TorchError) in
            if let candidate, let candidateScore {
                let history = try events.summed(batch, smoothed: items, training: false)
                let logits = try allCandidates(history, batch.questionPlaces, items.vectors, candidate, candidateScore)
                guard let own else { return logits }
                let items = batch.ownBeforeQuestions(OwnItems.candidateLimit)
                let byVector = try logits.gathered(1, items.places)
                return try own(items, byVector: byVector, states: nil).added(to: logits)
            }
            let (logits, own) = try answers(batch, items)
            guard let own else { return logits }
            if let evidence { return try evidence(logits, own) }
            return try own.added(to: logits)
        }
    }

    /// Logits of all item rows by vectors for the last event of each stretch, and what is listed beside them, for families with a state.
    private func answers(
        _ batch: RankingBatch, _ items: SmoothedItems
    ) throws(TorchError) -> (logits: Tensor, own: OwnLogits?) {
        let history = try events.summed(batch, smoothed: items, training: false)
        let rows = try Tensor(
            batch.questionPlaces.map { Int64(batch.layout.packed.row(sequence: $0.sequence, step: $0.step)) })
        let states = try encoded(history, training: false).states.rows(rows)
        let own = try listed(
            batch.ownBeforeQuestions, batch.companionsBeforeQuestions, states: states, items.vectors)
        return (try states.matmul(items.vectors.transposed()) + bias.value, own)
    }

    /// What training moves: how far evidence is believed is found afterwards.
    public var trainable: [(name: String, parameter: Parameter)] {
        parameters.filter { !$0.name.hasPrefix("evidence.") }
    }

    /// Believes vectors and evidence as far as another model of the same sizes does.
    public func believe(as other: RankingModel) throws(TorchError) {
        guard let evidence, let known = other.evidence else { return }
        try evidence.scales.value.overwrite(with: known.scales.value.detached())
    }

    /// Finds how far vectors and evidence are to be believed.
    ///
    /// - Parameters:
    ///   - batches: questions, none of which training has seen, with their answers' item rows and what is added to the logits of
    ///     items that cannot be answers, `[questions, items + 1]`.
    public func calibrateEvidence(
        _ batches: [(batch: RankingBatch, answers: [Int64], mask: Tensor)], _ items: SmoothedItems,
        check: () throws -> Void
    ) throws {
        guard let evidence else { return }
        typealias Part = (logits: Tensor, own: OwnLogits, answers: Tensor)
        let parts = try withoutGradients { () throws(TorchError) -> [Part] in
            var parts: [Part] = []
            for (batch, answers, mask) in batches {
                let (logits, own) = try self.answers(batch, items)
                if let own { parts.append((try logits + mask, own, try Tensor(answers))) }
            }
            return parts
        }
        try evidence.fit(parts, check: check)
    }

    /// What own items and those that go with them have beside their vectors, for families with a state.
    private func listed(
        _ readOwn: (_ limit: Int) -> OwnItems, _ readCompanions: (ItemCompanions) -> OwnItems, states: Tensor,
        _ vectors: Tensor
    ) throws(TorchError) -> OwnLogits? {
        var lists: [OwnLogits] = []
        if let own { lists.append(try logits(own, of: readOwn(OwnItems.limit), states: states, vectors)) }
        if let companions, let companionHead {
            lists.append(try logits(companionHead, of: readCompanions(companions), states: states, vectors))
        }
        return try OwnLogits.joined(lists)
    }

    /// `z` of a few items alone.
    private func logits(
        _ head: RepeatHead, of items: OwnItems, states: Tensor, _ vectors: Tensor
    ) throws(TorchError) -> OwnLogits {
        let rows = try Tensor(items.items)
        let z =
            try vectors.rows(rows).reshaped([items.rows, items.width, vectors.shape[1]])
            .matmul(states.unsqueezed(2)).squeezed(2)
            + bias.value.unsqueezed(1).rows(rows).reshaped([items.rows, items.width])
        return try head(items, byVector: z, states: states)
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
        let ownItems = own == nil ? nil : batch.ownBeforeTargets(OwnItems.candidateLimit)
        let width = ownItems?.width ?? 0
        // The answer, those drawn, and the person's own.
        let each = 1 + drawn + width
        let repeated = places.flatMap { place in repeatElement(place, count: each) }
        let windows = try HistoryWindows(history, questions: repeated, length: Self.windowLength)
        var rows: [Int64] = []
        for (number, target) in batch.targets.enumerated() {
            rows.append(target)
            rows.append(contentsOf: sample.rows[number * drawn..<(number + 1) * drawn])
            if let ownItems { rows.append(contentsOf: ownItems.items[number * width..<(number + 1) * width]) }
        }
        let index = try Tensor(rows)
        let scale = Double(options.hidden).squareRoot()
        let scores = try score(
            windows, vectors.rows(index) * scale, index, candidate, output, training: true
        ).reshaped([places.count, each])
        // The answer drawn as its own opponent would be pushed both ways.
        let answers = try Tensor(batch.targets)
        let isAnswer = try index.reshaped([places.count, each]).slice(1, 1..<drawn + 1).equals(answers.unsqueezed(1))
        var negative = try scores.slice(1, 1..<drawn + 1)
        var ownLogits: OwnLogits?
        if let own, let ownItems {
            ownLogits = try own(ownItems, byVector: scores.slice(1, drawn + 1..<each), states: nil)
            // Beside own items, whose mass is whole, each drawn one counts as the items that it stands for.
            if loss.kind == .sampled {
                negative = try negative + Foundation.log(Double(vectors.shape[0] - 1) / Double(max(1, drawn)))
            }
        }
        return try loss(
            positive: scores.select(1, 0), negative: negative, isAnswer: isAnswer, own: ownLogits, answers: answers,
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
