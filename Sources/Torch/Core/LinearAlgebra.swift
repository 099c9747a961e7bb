extension Tensor {
    /// The unit matrix of `size`.
    public static func identity(_ size: Int) throws(TorchError) -> Tensor { try Op.eye(.int(size)) }

    /// The inverse of a symmetric matrix whose eigenvalues are all above zero.
    public func inverseOfPositiveDefinite() throws(TorchError) -> Tensor {
        try Op.choleskyInverse(.tensor(Op.cholesky(.tensor(self))))
    }

    /// The diagonal of a matrix, sharing memory.
    public func diagonal() throws(TorchError) -> Tensor { try Op.diagonal(.tensor(self)) }
}
