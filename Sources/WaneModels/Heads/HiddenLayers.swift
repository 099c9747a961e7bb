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
    func callAsFunction(_ x: Tensor, training: Bool) throws(TorchError) -> Tensor {
        let h = try dropout(first(x).silu(), training: training)
        return try dropout(second(h).silu(), training: training)
    }
}
