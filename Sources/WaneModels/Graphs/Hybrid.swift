import Torch

extension ModelFamily {
    static let hybrid = ModelFamily(
        name: "hybrid", summary: "item vectors smoothed over the graph, read by causal attention",
        reference: "LightGCN and SASRec together, as in Chang et al. 2021 (SURGE)", usesGraph: true,
        options: [.hidden, .layers, .heads, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(history: try AttentionEncoder(sizes), graph: try GatedGraphConvolution(sizes.items))
    }
}

/// LightGCN's smoothing, let in by a learned share for each dimension that begins at a half.
struct GatedGraphConvolution: GraphEncoder {
    let smoothing = LightGraphConvolution()
    let gate: Parameter

    init(_ width: Int) throws(TorchError) { gate = try Parameter(.zeros([width])) }

    func callAsFunction(items: Tensor, graph: InteractionGraph) throws(TorchError) -> Tensor {
        let smooth = try smoothing(items: items, graph: graph)
        // The mean over layers holds a third of the vectors themselves; scaled so that sizes match.
        return try items + gate.value.sigmoid() * (smooth * Double(LightGraphConvolution.layers + 1) - items)
    }
}
