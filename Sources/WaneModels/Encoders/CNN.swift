import Torch

extension ModelFamily {
    static let cnn = ModelFamily(
        name: "cnn", summary: "causal convolutions with growing gaps over the person's events",
        reference: "Yuan et al. 2019 (NextItNet)",
        options: [.hidden, .layers, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(history: try DilatedEncoder(sizes))
    }
}

/// Residual blocks of causal convolutions of width 3 whose gaps double from layer to layer.
struct DilatedEncoder: HistoryEncoder {
    let input: Linear
    let blocks: [DilatedBlock]
    let dropout: Dropout

    init(_ sizes: FamilySizes) throws(TorchError) {
        let options = sizes.options
        input = try Linear(sizes.events, options.hidden)
        var blocks: [DilatedBlock] = []
        for _ in 0..<options.layers {
            for dilation in [1, 4] { blocks.append(try DilatedBlock(options.hidden, dilation: dilation)) }
        }
        self.blocks = blocks
        dropout = Dropout(options.historyDropout)
    }

    func callAsFunction(_ history: HistorySequence, training: Bool) throws(TorchError) -> EncodedHistory {
        // [rows, D] -> [B, H, L]
        var x = try history.padded(input(history.events.data)).transposed(1, 2)
        for block in blocks { x = try block(x) }
        return EncodedHistory(try dropout(history.packed(x.transposed(1, 2)), training: training))
    }
}

/// Figure 3b of the paper: convolution, norm, relu; the same at twice the gap; added to the input.
struct DilatedBlock: Module {
    let first: Convolution
    let firstNorm: LayerNorm
    let second: Convolution
    let secondNorm: LayerNorm

    init(_ width: Int, dilation: Int) throws(TorchError) {
        first = try Convolution(width, width, width: 3, dilation: dilation, causal: true)
        firstNorm = try LayerNorm(width)
        second = try Convolution(width, width, width: 3, dilation: 2 * dilation, causal: true)
        secondNorm = try LayerNorm(width)
    }

    /// `x`: `[B, H, L]`; returns the same shape.
    func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        let y = try firstNorm(first(x).transposed(1, 2)).relu().transposed(1, 2)
        return try x + secondNorm(second(y).transposed(1, 2)).relu().transposed(1, 2)
    }
}
