import Torch

/// One of several like layers over a history: `x`: `[rows, D]`, packed; returns the same shape.
protocol HistoryBlock: Module {
    init(_ options: ModelOptions) throws(TorchError)
    func callAsFunction(_ x: Tensor, _ history: HistorySequence, training: Bool) throws(TorchError) -> Tensor
}

/// Event vectors through `layers` blocks and a norm; projected first where their width is another.
struct BlockEncoder<Block: HistoryBlock>: HistoryEncoder {
    let input: Linear?
    let blocks: [Block]
    let norm: LayerNorm

    init(_ sizes: FamilySizes) throws(TorchError) {
        let options = sizes.options
        input = sizes.events == options.hidden ? nil : try Linear(sizes.events, options.hidden)
        var blocks: [Block] = []
        for _ in 0..<options.layers { blocks.append(try Block(options)) }
        self.blocks = blocks
        norm = try LayerNorm(options.hidden)
    }

    func callAsFunction(_ history: HistorySequence, training: Bool) throws(TorchError) -> EncodedHistory {
        var x = try input?(history.events.data) ?? history.events.data
        for block in blocks { x = try block(x, history, training: training) }
        return EncodedHistory(try norm(x))
    }
}
