import Torch

extension ModelFamily {
    static let attention = ModelFamily(
        name: "attention", summary: "causal multi-head self-attention with a learned bias by place and elapsed time",
        reference: "Kang and McAuley 2018 (SASRec); Li et al. 2020 (TiSASRec)",
        options: [.hidden, .layers, .heads, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(history: try AttentionEncoder(sizes))
    }
}

/// Pre-norm transformer blocks over a history, each head with a learned bias over the distance in places and over
/// the logarithm of the time from an event to the moment the state is for.
typealias AttentionEncoder = BlockEncoder<AttentionBlock>

/// Attention and a feed-forward layer, each on normalized inputs and beside a residual path.
struct AttentionBlock: HistoryBlock {
    let heads: Int
    let attentionNorm: LayerNorm
    let project: Linear
    let output: Linear
    let place: Parameter
    let time: Parameter
    let feedNorm: LayerNorm
    let feedIn: Linear
    let feedOut: Linear
    let dropout: Dropout

    init(_ options: ModelOptions) throws(TorchError) {
        let width = options.hidden
        heads = options.heads
        guard heads > 0, width % heads == 0 else {
            throw TorchError(
                operation: "attention", message: "a width of \(width) does not split into \(heads) heads")
        }
        attentionNorm = try LayerNorm(width)
        project = try Linear(width, 3 * width)
        output = try Linear(width, width)
        place = try Parameter(.zeros([heads, options.historyLength]))
        time = try Parameter(.zeros([heads, DecayedPooling.timeBuckets]))
        feedNorm = try LayerNorm(width)
        feedIn = try Linear(width, 4 * width)
        feedOut = try Linear(4 * width, width)
        dropout = Dropout(options.historyDropout)
    }

    /// `x`: `[rows, D]`, packed; returns the same shape. Only attention itself works on padded histories.
    func callAsFunction(_ x: Tensor, _ history: HistorySequence, training: Bool) throws(TorchError) -> Tensor {
        let width = x.shape[1]
        // [rows, 3D] -> 3 of [B, heads, L, D / heads]
        let all = try history.padded(project(attentionNorm(x)))
        let (b, l) = (all.shape[0], all.shape[1])
        let parts = try all.reshaped([b, l, 3, heads, width / heads]).unbound(2)
        let q = try parts[0].transposed(1, 2) * (1 / Double(width / heads).squareRoot())
        let scores = try q.matmul(parts[1].transposed(1, 2).transposed(2, 3))
        let weights = try history.causalWeights(scores, place: place.value, time: time.value)
        let mixed = try weights.matmul(parts[2].transposed(1, 2)).transposed(1, 2).reshaped([b, l, width])
        let y = try x + dropout(output(history.packed(mixed)), training: training)
        return try y + dropout(feedOut(feedIn(feedNorm(y)).gelu()), training: training)
    }
}
