import Torch

/// The two hidden layers that every head has: linear, SiLU, dropout, twice.
struct HiddenLayers: Module {
    let first: Linear
    let second: Linear
    let dropout: Dropout

    init(inputs: Int, _ options: ModelOptions) throws(TorchError) {
        first = try Linear(inputs, options.headWidth)
        second = try Linear(options.headWidth, options.headWidth)
        dropout = Dropout(options.dropout)
    }

    /// `x`: `[N, D]`; returns `[N, headWidth]`.
    ///
    /// - Parameter others: what other inputs add before the first layer's links, `[N, headWidth]`.
    func callAsFunction(_ x: Tensor, adding others: Tensor? = nil, training: Bool) throws(TorchError) -> Tensor {
        var linear = try first(x)
        if let others { linear = try linear + others }
        let h = try dropout(linear.silu(), training: training)
        return try dropout(second(h).silu(), training: training)
    }
}
