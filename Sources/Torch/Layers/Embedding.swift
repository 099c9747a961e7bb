/// A vector for each of `count` things. `indices`: int64 `[...]`; returns `[..., width]`.
public struct Embedding: Module {
    public let weight: Parameter

    public init(_ count: Int, _ width: Int, deviation: Double = 0.1) throws(TorchError) {
        weight = try Parameter(.normal([count, width], deviation: deviation))
    }

    public func callAsFunction(_ indices: Tensor) throws(TorchError) -> Tensor {
        try Op.embedding(.tensor(weight.value), .tensor(indices))
    }

    /// The mean of each bag's vectors. `indices`: int64 `[N]`, all bags end to end; `offsets`: int64
    /// `[B]`, where each bag begins; returns `[B, width]`, zero for an empty bag.
    public func bags(_ indices: Tensor, offsets: Tensor) throws(TorchError) -> Tensor {
        let mean = 1
        let results = try Op.embeddingBag.results(
            .tensor(weight.value), .tensor(indices), .tensor(offsets), .bool(false), .int(mean))
        guard let pooled = results.first else {
            throw TorchError(operation: "embedding bag", message: "returned no tensor")
        }
        return pooled
    }
}
