/// `y = x W^T + b`. `x`: `[..., in]`; returns `[..., out]`.
public struct Linear: Module {
    public let weight: Parameter
    public let bias: Parameter?

    /// Weights uniform in `±1/sqrt(in)`, as torch's `nn.Linear`.
    public init(_ inputs: Int, _ outputs: Int, bias: Bool = true) throws(TorchError) {
        let bound = 1 / Double(max(1, inputs)).squareRoot()
        weight = try Parameter(.uniform([outputs, inputs], -bound, bound))
        self.bias = bias ? try Parameter(.uniform([outputs], -bound, bound)) : nil
    }

    /// Weights of nothing, and no bias.
    public init(zeros inputs: Int, _ outputs: Int) throws(TorchError) {
        weight = try Parameter(.zeros([outputs, inputs]))
        bias = nil
    }

    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        try Op.linear(.tensor(x), .tensor(weight.value), .optional(bias?.value))
    }
}
