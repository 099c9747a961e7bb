import CTorch

/// Kernels of the shim's own, each one node of the graph, where libtorch's operators would spend more on memory
/// than on arithmetic.
public enum Fused {
    /// The mean over rows of the softmax cross-entropy of `hidden weight^T + bias` against `targets`, without ever
    /// holding all logits.
    ///
    /// - Parameters:
    ///   - hidden: `[rows, D]`; `weight`: `[items, D]`; `bias`: `[items]`; `targets`: int64 `[rows]`.
    ///   - beside: logarithms of mass that a row has beside its items, `[rows]` each: of all of it, and of the
    ///     target's part, which counts as the target's.
    ///   - bfloat16: multiply in bfloat16 and add in float32.
    public static func linearCrossEntropy(
        _ hidden: Tensor, weight: Tensor, bias: Tensor, targets: Tensor,
        beside: (all: Tensor, target: Tensor)? = nil, bfloat16: Bool = false
    ) throws(TorchError) -> Tensor {
        let api = try Runtime.api
        var out: ct_tensor?
        let code = api.linear_cross_entropy(
            hidden.raw, weight.raw, bias.raw, targets.raw, beside?.all.raw, beside?.target.raw, bfloat16, &out)
        try Runtime.check(code, "cross-entropy over a linear layer", api)
        return try Tensor(owning: out, api)
    }

    /// Causal attention's weights: `scores` `[B, H, L, L]` plus `placeBias` `[H, L]` by distance plus `timeBias`
    /// `[H, buckets]` by the logarithm of the seconds from `times` (of the key) to `moments` (of the query), both
    /// `[B, L]`; then a softmax, or `silu` where `pointwise`. Places beyond `lengths` (int64 `[B]`) are zero.
    public static func causalWeights(
        _ scores: Tensor, placeBias: Tensor, timeBias: Tensor, times: Tensor, moments: Tensor, lengths: Tensor,
        pointwise: Bool = false
    ) throws(TorchError) -> Tensor {
        let api = try Runtime.api
        var out: ct_tensor?
        let code = api.causal_softmax(
            scores.raw, placeBias.raw, timeBias.raw, times.raw, moments.raw, lengths.raw, pointwise, &out)
        try Runtime.check(code, "causal attention", api)
        return try Tensor(owning: out, api)
    }

    /// The states of a GRU whose update gate is scaled by `attention`, `[N, M]`: `[N, M, H]`.
    ///
    /// - Parameters:
    ///   - gates: the inputs' part of reset, update and new gate, `[N, M, 3 H]`.
    ///   - hiddenWeight: `[3 H, H]`; `hiddenBias`: `[3 H]`.
    public static func attentionalGRU(
        _ gates: Tensor, attention: Tensor, hiddenWeight: Tensor, hiddenBias: Tensor
    ) throws(TorchError) -> Tensor {
        guard try Runtime.recordsGradients else {
            return try recurrentStates(
                CT_CELL_AUGRU, gates, scales: attention, hiddenWeight: hiddenWeight, hiddenBias: hiddenBias
            ).states
        }
        let api = try Runtime.api
        var out: ct_tensor?
        let code = api.attentional_gru(gates.raw, attention.raw, hiddenWeight.raw, hiddenBias.raw, &out)
        try Runtime.check(code, "AUGRU", api)
        return try Tensor(owning: out, api)
    }

    /// What each event of packed sequences leaves in a continuous-time LSTM: `[rows, 4 H]`, its cell, the cell's
    /// target, the rate of decay and the output gate.
    ///
    /// - Parameters:
    ///   - gaps: time from each event to the person's next, `[rows]`.
    ///   - inputWeight: `[7 H, D]`; `hiddenWeight`: `[7 H, H]`; `bias`: `[7 H]`.
    public static func continuousLSTM(
        _ events: PackedSequence, gaps: Tensor, inputWeight: Tensor, hiddenWeight: Tensor, bias: Tensor
    ) throws(TorchError) -> Tensor {
        let steps = events.batchSizes.count
        // One sequence: the gap before each event is that after the one before it.
        if steps == events.data.shape[0], steps > 0, try !Runtime.recordsGradients {
            let before = try Tensor.concatenated([.zeros([1]), gaps.slice(0, 0..<steps - 1)], 0)
            return try continuousLSTM(
                events.data, gaps: before, from: nil, inputWeight: inputWeight, hiddenWeight: hiddenWeight, bias: bias)
        }
        let api = try Runtime.api
        var out: ct_tensor?
        let code = api.continuous_lstm(
            events.data.raw, events.batchSizes.raw, gaps.raw, inputWeight.raw, hiddenWeight.raw, bias.raw, &out)
        try Runtime.check(code, "continuous-time LSTM", api)
        return try Tensor(owning: out, api)
    }

    /// The same over the events of one sequence, `[steps, D]`, without gradients.
    ///
    /// - Parameters:
    ///   - gaps: time from the event before to each, `[steps]`.
    ///   - memory: what an earlier event left, `[1, 4 H]`; nothing at the beginning.
    public static func continuousLSTM(
        _ events: Tensor, gaps: Tensor, from memory: Tensor?, inputWeight: Tensor, hiddenWeight: Tensor, bias: Tensor
    ) throws(TorchError) -> Tensor {
        let hidden = hiddenWeight.shape[1]
        let gates = try Op.linear(.tensor(events), .tensor(inputWeight), .tensor(bias)).unsqueezed(0)
        let left = try recurrentStates(
            CT_CELL_CONTINUOUS_LSTM, gates, scales: gaps.unsqueezed(0), hiddenWeight: hiddenWeight, hiddenBias: nil,
            from: memory?.reshaped([1, 4, hidden])
        ).states
        return try left.squeezed(0)
    }

    /// The states of a recurrent cell over a few sequences, without gradients; see `recurrent_states.cpp`.
    ///
    /// - Parameters:
    ///   - gates: the inputs' part of the gates, `[N, M, G H]`.
    ///   - scales: attention or gaps, `[N, M]`, for the cells that read them.
    ///   - memory: `[N, parts, H]`; zeros when absent.
    /// - Returns: the state after each step, `[N, M, H]` (`[N, M, 4 H]` of a continuous-time LSTM), and the memory after
    ///   the last.
    static func recurrentStates(
        _ cell: ct_cell, _ gates: Tensor, scales: Tensor? = nil, hiddenWeight: Tensor, hiddenBias: Tensor?,
        from memory: Tensor? = nil
    ) throws(TorchError) -> (states: Tensor, memory: Tensor) {
        let api = try Runtime.api
        var out: ct_tensor?
        var last: ct_tensor?
        let code = api.recurrent_states(
            cell, gates.raw, scales?.raw, hiddenWeight.raw, hiddenBias?.raw, memory?.raw, &out, &last)
        try Runtime.check(code, "recurrent states", api)
        return (try Tensor(owning: out, api), try Tensor(owning: last, api))
    }
}
