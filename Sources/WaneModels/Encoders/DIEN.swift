import Torch

extension ModelFamily {
    static let dien = ModelFamily(
        name: "dien", summary: "interest that evolves towards the candidate: a GRU, then an AUGRU",
        reference: "Zhou et al. 2019 (DIEN)",
        meetsCandidates: true, options: [.hidden, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(candidate: try InterestEvolution(sizes))
    }
}

/// A GRU reads the events; a second one, whose update gate is scaled by each state's relevance to the candidate,
/// follows the part of them that leads there.
struct InterestEvolution: CandidateEncoder {
    let extractor: AttentionalGRU
    let candidate: Linear
    let attention: CandidateAttention
    let evolution: AttentionalGRU
    let dropout: Dropout

    init(_ sizes: FamilySizes) throws(TorchError) {
        let hidden = sizes.options.hidden
        extractor = try AttentionalGRU(inputs: sizes.events, hidden: hidden)
        candidate = try Linear(sizes.candidates, hidden)
        attention = try CandidateAttention(width: hidden, hidden: hidden)
        evolution = try AttentionalGRU(inputs: hidden, hidden: hidden)
        dropout = Dropout(sizes.options.historyDropout)
    }

    func callAsFunction(
        _ windows: HistoryWindows, candidates: Tensor, training: Bool
    ) throws(TorchError) -> Tensor {
        let c = try candidate(candidates)
        let x = try windows.spread(extractor(windows.distinct.vectors, attention: windows.distinct.mask))
        // Softmax over the events there are (equation 6).
        let missing = try (windows.mask * -1 + 1) * -1e9
        let weights = try (attention(x, c, logGap: windows.logGap) + missing).softmax(1) * windows.mask
        windows.attention?.weights.append(weights)
        let last = windows.mask.shape[1] - 1
        return try dropout(evolution(x, attention: weights).select(1, last), training: training)
    }
}

/// A GRU with attention on its update gate; with attention 1 an ordinary one.
struct AttentionalGRU: Module {
    let gates: Linear
    let hiddenWeight: Parameter
    let hiddenBias: Parameter

    init(inputs: Int, hidden: Int) throws(TorchError) {
        let bound = 1 / Double(max(1, hidden)).squareRoot()
        gates = try Linear(inputs, 3 * hidden)
        hiddenWeight = try Parameter(.uniform([3 * hidden, hidden], -bound, bound))
        hiddenBias = try Parameter(.uniform([3 * hidden], -bound, bound))
    }

    /// `x`: `[N, M, D]`; `attention`: `[N, M]`; returns the states, `[N, M, H]`.
    func callAsFunction(_ x: Tensor, attention: Tensor) throws(TorchError) -> Tensor {
        try Fused.attentionalGRU(
            gates(x), attention: attention, hiddenWeight: hiddenWeight.value, hiddenBias: hiddenBias.value)
    }
}
