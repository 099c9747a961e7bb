import Torch

extension ModelFamily {
    static let gat = ModelFamily(
        name: "gat", summary: "attention over neighbours in the graph of people and items, pooled over the history",
        reference: "Velickovic et al. 2018", usesGraph: true,
        options: [.hidden, .heads, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(
            history: try PoolingEncoder(sizes), graph: try GraphAttention(sizes.items, heads: sizes.options.heads))
    }
}

/// Two layers of graph attention beside the vectors themselves: a first one carries items' vectors to people, a
/// second one brings back to items what their people are.
struct GraphAttention: GraphEncoder {
    let layers: [GraphAttentionLayer]

    init(_ width: Int, heads: Int) throws(TorchError) {
        layers = [try GraphAttentionLayer(width, heads: heads), try GraphAttentionLayer(width, heads: heads)]
    }

    func callAsFunction(items: Tensor, graph: InteractionGraph) throws(TorchError) -> Tensor {
        var x = try Tensor.concatenated([items, .zeros([graph.userCount, items.shape[1]])])
        for layer in layers { x = try layer(x, graph.looped).relu() }
        return try items + x.slice(0, 0..<graph.itemRows)
    }
}

/// Equations 1 to 4, heads side by side:
///
///     e_ij = leakyrelu(a_l . W x_i + a_r . W x_j);   alpha = softmax over j;   x'_i = sum_j alpha_ij W x_j
struct GraphAttentionLayer: Module {
    let heads: Int
    let weight: Linear
    let left: Parameter
    let right: Parameter

    init(_ width: Int, heads: Int) throws(TorchError) {
        guard width % heads == 0 else {
            throw TorchError(operation: "GAT", message: "a width of \(width) does not split into \(heads) heads")
        }
        self.heads = heads
        weight = try Linear(width, width, bias: false)
        left = try Parameter(.normal([heads, width / heads], deviation: 0.1))
        right = try Parameter(.normal([heads, width / heads], deviation: 0.1))
    }

    /// `x`: `[nodes, D]`; returns the same shape.
    func callAsFunction(_ x: Tensor, _ edges: SparseMatrix) throws(TorchError) -> Tensor {
        let (nodes, width) = (x.shape[0], x.shape[1])
        // [nodes, heads, D / heads]
        let h = try weight(x).reshaped([nodes, heads, width / heads])
        let l = try (h * left.value).sum(2)
        let r = try (h * right.value).sum(2)
        let e = try (l.rows(edges.rows) + r.rows(edges.columns)).leakyRelu(0.2)
        let alpha = try edges.rowSoftmax(e)
        let messages = try h.rows(edges.columns) * alpha.unsqueezed(2)
        return try Tensor.zeros([nodes, width]).addingRows(
            edges.rows, messages.reshaped([edges.columns.count, width]))
    }
}
