import Torch

extension ModelFamily {
    static let din = ModelFamily(
        name: "din", summary: "attention of the candidate over the last events",
        reference: "Zhou et al. 2018 (DIN)",
        meetsCandidates: true, options: [.hidden, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(candidate: try DeepInterest(sizes))
    }
}

/// How relevant each of a history's events is to a candidate: a small network on both, their difference and
/// their product, and on the time that has passed.
struct CandidateAttention: Module {
    let first: Linear
    let second: Linear

    init(width: Int, hidden: Int) throws(TorchError) {
        first = try Linear(4 * width + 1, hidden)
        second = try Linear(hidden, 1)
    }

    /// `events`: `[N, M, H]`; `candidate`: `[N, H]`; returns scores `[N, M]`.
    func callAsFunction(_ events: Tensor, _ candidate: Tensor, logGap: Tensor) throws(TorchError) -> Tensor {
        let c = try candidate.unsqueezed(1).expanded(events.shape)
        let x = try Tensor.concatenated([events, c, events - c, events * c, logGap.unsqueezed(2)], 2)
        return try second(first(x).sigmoid()).squeezed(2)
    }
}

/// The sum of a history's events, each weighed by its relevance to the candidate, and not normalized: the sum's
/// size tells how much of the candidate's kind there is (section 4.3).
struct DeepInterest: CandidateEncoder {
    let events: Linear
    let candidate: Linear
    let attention: CandidateAttention
    let output: Linear
    let dropout: Dropout

    init(_ sizes: FamilySizes) throws(TorchError) {
        let hidden = sizes.options.hidden
        events = try Linear(sizes.events, hidden)
        candidate = try Linear(sizes.candidates, hidden)
        attention = try CandidateAttention(width: hidden, hidden: hidden)
        output = try Linear(2 * hidden, hidden)
        dropout = Dropout(sizes.options.historyDropout)
    }

    func callAsFunction(
        _ windows: HistoryWindows, candidates: Tensor, training: Bool
    ) throws(TorchError) -> Tensor {
        let x = try events(windows.vectors)
        let c = try candidate(candidates)
        let weights = try attention(x, c, logGap: windows.logGap) * windows.mask
        windows.attention?.weights.append(weights)
        let interest = try weights.unsqueezed(1).matmul(x).squeezed(1)
        return try dropout(output(Tensor.concatenated([interest, interest * c], 1)).relu(), training: training)
    }
}
