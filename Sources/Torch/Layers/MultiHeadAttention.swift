/// Scaled dot-product attention over several heads (Vaswani et al. 2017). `x`: `[B, T, D]`; returns the
/// same shape. With `causal`, place `t` attends to places up to `t`.
public struct MultiHeadAttention: Module {
    let heads: Int
    let project: Linear
    let output: Linear

    public init(_ width: Int, heads: Int) throws(TorchError) {
        guard heads > 0, width % heads == 0 else {
            throw TorchError(
                operation: "attention", message: "a width of \(width) does not split into \(heads) heads")
        }
        self.heads = heads
        project = try Linear(width, 3 * width)
        output = try Linear(width, width)
    }

    public func callAsFunction(_ x: Tensor, causal: Bool) throws(TorchError) -> Tensor {
        let shape = x.shape
        guard shape.count == 3 else {
            throw TorchError(operation: "attention", message: "takes [B, T, D], not \(shape)")
        }
        let (b, t, d) = (shape[0], shape[1], shape[2])
        // [B, T, 3D] -> 3 of [B, heads, T, D / heads]
        let parts = try project(x).reshaped([b, t, 3, heads, d / heads]).unbound(2)
        let (q, k, v) = (
            try parts[0].transposed(1, 2), try parts[1].transposed(1, 2), try parts[2].transposed(1, 2)
        )
        let y = try Op.attention(.tensor(q), .tensor(k), .tensor(v), .none, .double(0), .bool(causal))
        return try output(y.transposed(1, 2).reshaped([b, t, d]))
    }
}
