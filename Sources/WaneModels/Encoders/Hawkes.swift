import Torch

extension ModelFamily {
    static let hawkes = ModelFamily(
        name: "hawkes", summary: "a continuous-time LSTM whose state decays between events",
        reference: "Mei and Eisner 2017 (neural Hawkes process)",
        options: [.hidden, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(history: try ContinuousLSTM(sizes))
    }
}

/// The neural Hawkes process's encoder: what each event leaves behind, and the state it decays to.
struct ContinuousLSTM: HistoryEncoder {
    let hidden: Int
    let inputWeight: Parameter
    let hiddenWeight: Parameter
    let bias: Parameter
    let dropout: Dropout

    init(_ sizes: FamilySizes) throws(TorchError) {
        hidden = sizes.options.hidden
        let bound = 1 / Double(max(1, hidden)).squareRoot()
        inputWeight = try Parameter(.uniform([7 * hidden, sizes.events], -bound, bound))
        hiddenWeight = try Parameter(.uniform([7 * hidden, hidden], -bound, bound))
        bias = try Parameter(.uniform([7 * hidden], -bound, bound))
        dropout = Dropout(sizes.options.historyDropout)
    }

    /// What each event leaves: cell, target, rate and output gate, `[rows, 4 H]`.
    func left(_ history: HistorySequence) throws(TorchError) -> Tensor {
        try Fused.continuousLSTM(
            history.events, gaps: history.gapsToNext() * (1 / history.timeUnit), inputWeight: inputWeight.value,
            hiddenWeight: hiddenWeight.value, bias: bias.value)
    }

    func step(_ memory: Tensor?, _ event: Tensor, gap: Double) throws(TorchError) -> Tensor? {
        try withoutGradients { () throws(TorchError) in
            try Fused.continuousLSTM(
                event, gaps: Tensor([Float(gap)]), from: memory, inputWeight: inputWeight.value,
                hiddenWeight: hiddenWeight.value, bias: bias.value)
        }
    }

    func state(_ memory: Tensor) throws(TorchError) -> Tensor { try Self.state(memory, after: Tensor([Float(0)])) }

    /// `h(t)` at `elapsed` units after each event: `left`: `[N, 4 H]`; `elapsed`: `[N]` or `[N, S]`; returns
    /// `[N, H]` or `[N, S, H]`.
    static func state(_ left: Tensor, after elapsed: Tensor) throws(TorchError) -> Tensor {
        let hidden = left.shape[1] / 4
        let sampled = elapsed.shape.count == 2
        func part(_ number: Int) throws(TorchError) -> Tensor {
            let values = try left.slice(1, number * hidden..<(number + 1) * hidden)
            return sampled ? try values.unsqueezed(1) : values
        }
        let (cell, target, rate, gate) = (try part(0), try part(1), try part(2), try part(3))
        let fade = try (-(rate * elapsed.unsqueezed(sampled ? 2 : 1))).exp()
        return try gate * (target + (cell - target) * fade).tanh()
    }

    func callAsFunction(_ history: HistorySequence, training: Bool) throws(TorchError) -> EncodedHistory {
        let elapsed = try (history.moments - history.times).clamped(0, 1e12) * (1 / history.timeUnit)
        return EncodedHistory(try dropout(Self.state(left(history), after: elapsed), training: training))
    }
}
