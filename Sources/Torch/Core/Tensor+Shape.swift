extension Tensor {
    public func reshaped(_ shape: [Int]) throws(TorchError) -> Tensor {
        try Op.reshape(.tensor(self), .ints(shape))
    }
    public func transposed(_ a: Int = 0, _ b: Int = 1) throws(TorchError) -> Tensor {
        try Op.transpose(.tensor(self), .int(a), .int(b))
    }
    /// Places `range` along a dimension, sharing memory.
    public func slice(_ dimension: Int, _ range: Range<Int>) throws(TorchError) -> Tensor {
        try Op.slice(.tensor(self), .int(dimension), .int(range.lowerBound), .int(range.upperBound))
    }
    /// Place `index` along a dimension, which goes away.
    public func select(_ dimension: Int, _ index: Int) throws(TorchError) -> Tensor {
        try Op.select(.tensor(self), .int(dimension), .int(index))
    }
    /// The rows that an `int64` or `int32` tensor of places names.
    public func rows(_ places: Tensor) throws(TorchError) -> Tensor {
        try Op.indexSelect(.tensor(self), .int(0), .tensor(places))
    }
    /// The columns, along the last dimension of a matrix, that an int64 tensor of places names.
    public func columns(_ places: Tensor) throws(TorchError) -> Tensor {
        try Op.indexSelect(.tensor(self), .int(1), .tensor(places))
    }
    public func unsqueezed(_ dimension: Int) throws(TorchError) -> Tensor {
        try Op.unsqueeze(.tensor(self), .int(dimension))
    }
    public func squeezed(_ dimension: Int) throws(TorchError) -> Tensor {
        try Op.squeeze(.tensor(self), .int(dimension))
    }
    public func unbound(_ dimension: Int) throws(TorchError) -> [Tensor] {
        let sizes = shape
        guard sizes.indices.contains(dimension < 0 ? sizes.count + dimension : dimension) else {
            throw TorchError(operation: "unbind", message: "no dimension \(dimension) in \(sizes)")
        }
        let count = sizes[dimension < 0 ? sizes.count + dimension : dimension]
        return try Op.unbind.results(.tensor(self), .int(dimension), capacity: count)
    }
    public func converted(_ dtype: DType) throws(TorchError) -> Tensor {
        try Op.toDType(.tensor(self), .dtype(dtype))
    }

    public static func concatenated(_ parts: [Tensor], _ dimension: Int = 0) throws(TorchError) -> Tensor {
        try Op.concatenate(.tensors(parts), .int(dimension))
    }
    public static func stacked(_ parts: [Tensor], _ dimension: Int = 0) throws(TorchError) -> Tensor {
        try Op.stack(.tensors(parts), .int(dimension))
    }
    public func expanded(_ shape: [Int]) throws(TorchError) -> Tensor {
        try Op.expand(.tensor(self), .ints(shape))
    }
    /// Adds each row of `values` to the row that `places` (int64) names; places may repeat.
    public func addingRows(_ places: Tensor, _ values: Tensor) throws(TorchError) -> Tensor {
        try Op.indexAdd(.tensor(self), .int(0), .tensor(places), .tensor(values))
    }
    /// Along the last dimension, the places that an int64 tensor of the same rank names.
    public func gathered(_ dimension: Int, _ places: Tensor) throws(TorchError) -> Tensor {
        try Op.gather(.tensor(self), .int(dimension), .tensor(places))
    }
}

extension Tensor {
    /// The largest of the last `width` numbers along the last dimension, at every place. `self`: `[B, C, L]` of
    /// numbers not below zero; returns the same shape.
    public func causalMaximum(width: Int) throws(TorchError) -> Tensor {
        guard width > 1 else { return self }
        let padded = try Op.constantPad(.tensor(self), .ints([width - 1, 0]), .double(0))
        return try Op.maxPool1d(.tensor(padded), .ints([width]), .ints([1]))
    }
}
