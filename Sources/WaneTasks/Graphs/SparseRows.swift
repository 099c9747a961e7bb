import WaneEvents

/// A sparse matrix by rows (CSR): row `r` holds `columns[starts[r]..<starts[r + 1]]` and their weights.
public struct SparseRows: Sendable {
    public let starts: [Int]
    public let columns: [UInt32]
    public let weights: [Float]
    public let columnCount: Int

    public var rowCount: Int { starts.count - 1 }

    public init(starts: [Int], columns: [UInt32], weights: [Float], columnCount: Int) {
        self.starts = starts
        self.columns = columns
        self.weights = weights
        self.columnCount = columnCount
    }

    /// Rows filled one after another by `fill`, which adds to a zeroed accumulator over all columns.
    ///
    /// - Parameter finish: may thin and rescale a row's entries before they are kept.
    public init(
        rows: Int, columns columnCount: Int,
        fill: (Int, inout Accumulator) -> Void,
        finish: (Int, inout [(column: UInt32, weight: Float)]) -> Void = { _, _ in }
    ) {
        var accumulator = Accumulator(columnCount)
        var starts = [0]
        starts.reserveCapacity(rows + 1)
        var columns: [UInt32] = []
        var weights: [Float] = []
        for row in 0..<rows {
            fill(row, &accumulator)
            var entries = accumulator.drain()
            finish(row, &entries)
            for (column, weight) in entries {
                columns.append(column)
                weights.append(weight)
            }
            starts.append(columns.count)
        }
        self.init(starts: starts, columns: columns, weights: weights, columnCount: columnCount)
    }

    /// A row's entries.
    @inline(__always)
    public func range(_ row: Int) -> Range<Int> { starts[row]..<starts[row + 1] }

    /// Calls `body` with each entry of a row.
    @inline(__always)
    public func forEach(in row: Int, _ body: (_ column: Int, _ weight: Float) -> Void) {
        columns.withUnsafeBufferPointer { columns in
            weights.withUnsafeBufferPointer { weights in
                for index in starts[row]..<starts[row + 1] { body(Int(columns[index]), weights[index]) }
            }
        }
    }

    /// Adds `scale` times a row to a dense vector.
    @inline(__always)
    public func add(row: Int, times scale: Float, to dense: UnsafeMutablePointer<Float>) {
        columns.withUnsafeBufferPointer { columns in
            weights.withUnsafeBufferPointer { weights in
                for index in starts[row]..<starts[row + 1] { dense[Int(columns[index])] += scale * weights[index] }
            }
        }
    }

    /// Rows become columns.
    ///
    /// - Complexity: O(entries)
    public func transposed() -> SparseRows {
        var starts = [Int](repeating: 0, count: columnCount + 1)
        for column in columns { starts[Int(column) + 1] += 1 }
        for column in 0..<columnCount { starts[column + 1] += starts[column] }
        var next = starts
        var turned = [UInt32](repeating: 0, count: columns.count)
        var moved = [Float](repeating: 0, count: columns.count)
        for row in 0..<rowCount {
            for index in range(row) {
                let column = Int(columns[index])
                turned[next[column]] = UInt32(row)
                moved[next[column]] = weights[index]
                next[column] += 1
            }
        }
        return SparseRows(starts: starts, columns: turned, weights: moved, columnCount: rowCount)
    }

    /// A dense vector with a list of what was touched, so that clearing costs no more than filling.
    public struct Accumulator {
        private var values: [Float]
        private var isTouched: [Bool]
        private var touched: [UInt32] = []

        public init(_ count: Int) {
            values = [Float](repeating: 0, count: count)
            isTouched = [Bool](repeating: false, count: count)
        }

        @inline(__always)
        public mutating func add(_ column: UInt32, _ weight: Float) {
            let index = Int(column)
            if !isTouched[index] {
                isTouched[index] = true
                touched.append(column)
            }
            values[index] += weight
        }

        public mutating func drain() -> [(column: UInt32, weight: Float)] {
            touched.sort()
            let entries = touched.map { (column: $0, weight: values[Int($0)]) }
            for column in touched {
                values[Int(column)] = 0
                isTouched[Int(column)] = false
            }
            touched.removeAll(keepingCapacity: true)
            return entries
        }
    }
}

extension SparseRows {
    /// Who met what in the ranges of a sorted log: a row a person, each item once, weight 1.
    public static func usersByItems(_ log: EventLog, _ ranges: [Range<Int>]) -> SparseRows {
        SparseRows(rows: ranges.count, columns: log.items.count) { row, accumulator in
            for index in ranges[row] { accumulator.add(log.item[index], 1) }
        } finish: { _, entries in
            for index in entries.indices { entries[index].weight = 1 }
        }
    }
}
