/// Convolution over time. `x`: `[B, in, T]`; returns `[B, out, T']`.
///
/// With `causal`, the past is padded so that `T' = T` and place `t` sees places up to `t` only.
public struct Convolution: Module {
    let weight: Parameter
    let bias: Parameter
    let dilation: Int
    let causal: Bool

    public init(
        _ inputs: Int, _ outputs: Int, width: Int, dilation: Int = 1, causal: Bool = false
    ) throws(TorchError) {
        let bound = 1 / Double(max(1, inputs * width)).squareRoot()
        weight = try Parameter(.uniform([outputs, inputs, width], -bound, bound))
        bias = try Parameter(.uniform([outputs], -bound, bound))
        self.dilation = dilation
        self.causal = causal
    }

    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        // Padding both sides by the whole reach and dropping the future keeps one kernel call.
        let reach = causal ? (weight.value.shape[2] - 1) * dilation : 0
        let y = try Op.conv1d(
            .tensor(x), .tensor(weight.value), .tensor(bias.value), .ints([1]), .ints([reach]),
            .ints([dilation]))
        return reach > 0 ? try y.slice(2, 0..<x.shape[2]) : y
    }
}
