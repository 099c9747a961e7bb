import Torch

extension ModelFamily {
    static let hstu = ModelFamily(
        name: "hstu", summary: "point-wise attention without a softmax, gated, with a bias by place and elapsed time",
        reference: "Zhai et al. 2024 (HSTU)",
        options: [.hidden, .layers, .heads, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(history: try HSTUEncoder(sizes))
    }
}

/// Hierarchical sequential transduction units over a history.
typealias HSTUEncoder = BlockEncoder<HSTUBlock>

/// One unit (equations 2 to 4):
///
///     U, V, Q, K = silu(f1(norm(x)));   A = silu(Q K^T + bias) / N;   y = x + f2(norm(A V) * U)
///
/// with `N` the longest history there may be, so that a state does not depend on what else is in the batch.
struct HSTUBlock: HistoryBlock {
    let heads: Int
    let longest: Int
    let inputNorm: LayerNorm
    let project: Linear
    let place: Parameter
    let time: Parameter
    let mixedNorm: LayerNorm
    let output: Linear
    let dropout: Dropout

    init(_ options: ModelOptions) throws(TorchError) {
        let width = options.hidden
        heads = options.heads
        longest = options.historyLength
        guard heads > 0, width % heads == 0 else {
            throw TorchError(
                operation: "HSTU", message: "a width of \(width) does not split into \(heads) heads")
        }
        inputNorm = try LayerNorm(width)
        project = try Linear(width, 4 * width)
        place = try Parameter(.zeros([heads, options.historyLength]))
        time = try Parameter(.zeros([heads, DecayedPooling.timeBuckets]))
        mixedNorm = try LayerNorm(width)
        output = try Linear(width, width)
        dropout = Dropout(options.historyDropout)
    }

    func callAsFunction(_ x: Tensor, _ history: HistorySequence, training: Bool) throws(TorchError) -> Tensor {
        let width = x.shape[1]
        let all = try project(inputNorm(x)).silu()
        let gate = try all.slice(1, 0..<width)
        let padded = try history.padded(all.slice(1, width..<4 * width))
        let (b, l) = (padded.shape[0], padded.shape[1])
        let parts = try padded.reshaped([b, l, 3, heads, width / heads]).unbound(2)
        let (v, q, k) = (
            try parts[0].transposed(1, 2), try parts[1].transposed(1, 2), try parts[2].transposed(1, 2)
        )
        let weights = try history.causalWeights(
            q.matmul(k.transposed(2, 3)), place: place.value, time: time.value, pointwise: true)
        let mixed = try history.packed(
            (weights.matmul(v) * (1 / Double(longest))).transposed(1, 2).reshaped([b, l, width]))
        return try x + output(dropout(mixedNorm(mixed) * gate, training: training))
    }
}
