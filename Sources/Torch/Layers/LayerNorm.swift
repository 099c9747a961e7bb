/// Mean zero and variance one over the last dimension, then scale and shift (Ba et al. 2016).
/// `x`: `[..., width]`; returns the same shape.
public struct LayerNorm: Module {
    let width: Int
    let weight: Parameter
    let bias: Parameter

    public init(_ width: Int) throws(TorchError) {
        self.width = width
        weight = try Parameter(.full([width], 1))
        bias = try Parameter(.zeros([width]))
    }

    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        try Op.layerNorm(.tensor(x), .ints([width]), .tensor(weight.value), .tensor(bias.value))
    }
}
