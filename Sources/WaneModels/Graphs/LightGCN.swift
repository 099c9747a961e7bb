import Torch

extension ModelFamily {
    static let lightgcn = ModelFamily(
        name: "lightgcn", summary: "graph smoothing without weights over people and items, pooled over the history",
        reference: "He et al. 2020 (LightGCN)", usesGraph: true,
        options: [.hidden, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(history: try PoolingEncoder(sizes), graph: LightGraphConvolution())
    }
}

/// The mean of the vectors and of two smoothings of them, `x_k = D^-1/2 A D^-1/2 x_(k-1)` (equations 3 and 4).
struct LightGraphConvolution: GraphEncoder {
    static let layers = 2

    func callAsFunction(items: Tensor, graph: InteractionGraph) throws(TorchError) -> Tensor {
        var x = try Tensor.concatenated([items, .zeros([graph.userCount, items.shape[1]])])
        var sum = x
        for _ in 0..<Self.layers {
            x = try graph.plain.matmul(x)
            sum = try sum + x
        }
        return try sum.slice(0, 0..<graph.itemRows) * (1 / Double(Self.layers + 1))
    }
}
