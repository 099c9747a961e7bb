/// A constant sparse matrix by rows, to multiply dense ones with: message passing over a graph.
///
/// The product is libtorch's embedding bag with weights, whose backward pass is as sparse as the forward one.
public struct SparseMatrix {
    public let rowCount: Int
    public let columnCount: Int
    /// int64 `[rows]`, where each row begins; int64 and float32 `[entries]`.
    let offsets: Tensor
    public let columns: Tensor
    public let weights: Tensor
    /// int64 `[entries]`: the row of each entry.
    public let rows: Tensor

    /// - Parameters:
    ///   - starts: where each row's entries begin; one longer than there are rows.
    public init(
        starts: [Int], columns: [Int64], weights: [Float], columnCount: Int
    ) throws(TorchError) {
        guard let end = starts.last, end == columns.count, columns.count == weights.count,
            columns.allSatisfy({ $0 >= 0 && $0 < columnCount })
        else {
            throw TorchError(operation: "sparse matrix", message: "its rows, columns and weights do not fit together")
        }
        rowCount = starts.count - 1
        self.columnCount = columnCount
        offsets = try Tensor(starts.dropLast().map(Int64.init))
        self.columns = try Tensor(columns)
        self.weights = try Tensor(weights)
        var rows: [Int64] = []
        rows.reserveCapacity(columns.count)
        for row in 0..<rowCount {
            rows.append(contentsOf: repeatElement(Int64(row), count: starts[row + 1] - starts[row]))
        }
        self.rows = try Tensor(rows)
    }

    /// `[rows, columns] x [columns, D] -> [rows, D]`.
    public func matmul(_ x: Tensor) throws(TorchError) -> Tensor {
        let sum = 0
        let results = try Op.embeddingBag.results(
            .tensor(x), .tensor(columns), .tensor(offsets), .bool(false), .int(sum), .bool(false), .tensor(weights))
        guard let product = results.first else {
            throw TorchError(operation: "sparse product", message: "returned no tensor")
        }
        return product
    }

    /// `softmax` over each row's entries of `scores`, `[entries, heads]`; returns the same shape.
    public func rowSoftmax(_ scores: Tensor) throws(TorchError) -> Tensor {
        let heads = scores.shape[1]
        // Any shift common to a row is right; the row's own largest keeps exp from overflowing.
        let high = try withoutGradients { () throws(TorchError) in
            let index = try rows.unsqueezed(1).expanded([rows.count, heads])
            let floor = try Tensor.full([rowCount, heads], -1e30)
            return try Op.scatterReduce.results(
                .tensor(floor), .int(0), .tensor(index), .tensor(scores), .string("amax"), capacity: 1)[0].rows(rows)
        }
        let e = try (scores - high).exp()
        let sums = try Tensor.zeros([rowCount, heads]).addingRows(rows, e)
        return try e / (sums.rows(rows) + 1e-16)
    }
}
