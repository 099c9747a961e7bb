/// Zeroes a share of the numbers while training and scales the others up (Srivastava et al. 2014).
public struct Dropout: Module {
    public let rate: Double

    public init(_ rate: Double) { self.rate = rate }

    public func callAsFunction(_ x: Tensor, training: Bool) throws(TorchError) -> Tensor {
        guard training, rate > 0 else { return x }
        return try Op.dropout(.tensor(x), .double(rate), .bool(true))
    }
}
