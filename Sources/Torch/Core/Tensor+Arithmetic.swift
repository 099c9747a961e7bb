extension Tensor {
    public static func + (a: Tensor, b: Tensor) throws(TorchError) -> Tensor { try Op.add(.tensor(a), .tensor(b)) }
    public static func + (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try Op.addScalar(.tensor(a), .double(b))
    }
    public static func - (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try Op.subtract(.tensor(a), .tensor(b))
    }
    public static func - (a: Tensor, b: Double) throws(TorchError) -> Tensor { try a + (-b) }
    public static func * (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try Op.multiply(.tensor(a), .tensor(b))
    }
    public static func * (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try Op.multiplyScalar(.tensor(a), .double(b))
    }
    public static func / (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try Op.divide(.tensor(a), .tensor(b))
    }
    public static prefix func - (a: Tensor) throws(TorchError) -> Tensor { try Op.negate(.tensor(a)) }

    public func power(_ exponent: Tensor) throws(TorchError) -> Tensor {
        try Op.power(.tensor(self), .tensor(exponent))
    }
    public func power(_ exponent: Double) throws(TorchError) -> Tensor {
        try Op.powerScalar(.tensor(self), .double(exponent))
    }
    public func reciprocal() throws(TorchError) -> Tensor { try Op.reciprocal(.tensor(self)) }
    public func exp() throws(TorchError) -> Tensor { try Op.exp(.tensor(self)) }
    public func log() throws(TorchError) -> Tensor { try Op.log(.tensor(self)) }
    /// `log(1 + x)`, exact for small `x`.
    public func logOnePlus() throws(TorchError) -> Tensor { try Op.logOnePlus(.tensor(self)) }
    public func squareRoot() throws(TorchError) -> Tensor { try Op.sqrt(.tensor(self)) }
    public func magnitude() throws(TorchError) -> Tensor { try Op.abs(.tensor(self)) }
    public func clamped(_ low: Double, _ high: Double) throws(TorchError) -> Tensor {
        try Op.clamp(.tensor(self), .double(low), .double(high))
    }

    /// The matrix product, batched over leading dimensions.
    public func matmul(_ other: Tensor) throws(TorchError) -> Tensor { try Op.matmul(.tensor(self), .tensor(other)) }

    public func sigmoid() throws(TorchError) -> Tensor { try Op.sigmoid(.tensor(self)) }
    public func tanh() throws(TorchError) -> Tensor { try Op.tanh(.tensor(self)) }
    public func relu() throws(TorchError) -> Tensor { try Op.relu(.tensor(self)) }
    public func leakyRelu(_ slope: Double) throws(TorchError) -> Tensor {
        try Op.leakyRelu(.tensor(self), .double(slope))
    }
    public func silu() throws(TorchError) -> Tensor { try Op.silu(.tensor(self)) }
    public func gelu() throws(TorchError) -> Tensor { try Op.gelu(.tensor(self)) }
    public func softplus() throws(TorchError) -> Tensor { try Op.softplus(.tensor(self)) }
    public func logSigmoid() throws(TorchError) -> Tensor { try Op.logSigmoid(.tensor(self)) }
    public func softmax(_ dimension: Int) throws(TorchError) -> Tensor {
        try Op.softmax(.tensor(self), .int(dimension))
    }
    public func logSoftmax(_ dimension: Int) throws(TorchError) -> Tensor {
        try Op.logSoftmax(.tensor(self), .int(dimension))
    }

    public func sum() throws(TorchError) -> Tensor { try Op.sumAll(.tensor(self)) }
    public func sum(_ dimension: Int, keep: Bool = false) throws(TorchError) -> Tensor {
        try Op.sum(.tensor(self), .ints([dimension]), .bool(keep))
    }
    public func mean() throws(TorchError) -> Tensor { try Op.meanAll(.tensor(self)) }
    public func mean(_ dimension: Int, keep: Bool = false) throws(TorchError) -> Tensor {
        try Op.mean(.tensor(self), .ints([dimension]), .bool(keep))
    }

    /// `log` of the sum of exponentials along a dimension, which goes away.
    public func logSumExp(_ dimension: Int) throws(TorchError) -> Tensor {
        try Op.logSumExp(.tensor(self), .ints([dimension]))
    }
    /// `log Gamma(x)`.
    public func logGamma() throws(TorchError) -> Tensor { try Op.logGamma(.tensor(self)) }
    /// 1 where a number is above `limit`, else 0.
    public func above(_ limit: Double) throws(TorchError) -> Tensor {
        try Op.greater(.tensor(self), .double(limit)).converted(.float32)
    }
    /// Whether numbers are the same, as bool.
    public func equals(_ other: Tensor) throws(TorchError) -> Tensor {
        try Op.equal(.tensor(self), .tensor(other))
    }
    /// `value` where `mask` (bool) is true.
    public func filled(where mask: Tensor, with value: Double) throws(TorchError) -> Tensor {
        try Op.maskedFill(.tensor(self), .tensor(mask), .double(value))
    }

    /// Whether every number is finite.
    public func allFinite() throws(TorchError) -> Bool {
        try Op.all(.tensor(Op.isFinite(.tensor(self)))).converted(.float32).item() != 0
    }
}
