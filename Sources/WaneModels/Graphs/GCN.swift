import Torch

extension ModelFamily {
    static let gcn = ModelFamily(
        name: "gcn", summary: "graph convolutions over people and items, pooled over the history",
        reference: "Kipf and Welling 2017", usesGraph: true,
        options: [.hidden, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(history: try PoolingEncoder(sizes), graph: try GraphConvolution(sizes.items))
    }
}

/// Two layers of `relu(D^-1/2 (A + I) D^-1/2 X W)`, beside the vectors themselves.
struct GraphConvolution: GraphEncoder {
    let layers: [Linear]

    init(_ width: Int) throws(TorchError) {
        layers = [try Linear(width, width), try Linear(width, width)]
    }

    func callAsFunction(items: Tensor, graph: InteractionGraph) throws(TorchError) -> Tensor {
        var x = try Tensor.concatenated([items, .zeros([graph.userCount, items.shape[1]])])
        for layer in layers { x = try graph.looped.matmul(layer(x)).relu() }
        return try items + x.slice(0, 0..<graph.itemRows)
    }
}

/// The state of a history as the decayed mean of its events' vectors, with what friends did where there are
/// friends: graph pooling.
struct PoolingEncoder: HistoryEncoder {
    let pooling: DecayedPooling
    let output: Linear
    let dropout: Dropout

    init(_ sizes: FamilySizes) throws(TorchError) {
        pooling = try DecayedPooling(length: sizes.options.historyLength)
        output = try Linear(sizes.events, sizes.options.hidden)
        dropout = Dropout(sizes.options.historyDropout)
    }

    func callAsFunction(_ history: HistorySequence, training: Bool) throws(TorchError) -> EncodedHistory {
        EncodedHistory(try dropout(output(pooling(history)), training: training))
    }
}
