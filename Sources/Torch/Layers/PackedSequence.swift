/// Sequences of many lengths without padding: time step by time step, the longest sequence first, so a
/// recurrent layer works only on rows that exist.
public struct PackedSequence {
    /// `[sum of lengths, D]`: all first steps, then all second steps, and so on.
    public let data: Tensor
    /// int64 `[longest]` on the CPU: how many sequences reach each step.
    public let batchSizes: Tensor

    public init(data: Tensor, batchSizes: Tensor) {
        self.data = data
        self.batchSizes = batchSizes
    }
}

/// Where each step of each sequence goes in a packed batch.
public struct PackedLayout: Sendable {
    /// How many sequences reach each step.
    public let batchSizes: [Int64]
    /// Where each step's rows begin.
    private let starts: [Int]
    /// The row of each sequence within a step.
    private let rank: [Int]

    /// - Complexity: O(n log n + longest)
    public init(lengths: [Int]) {
        let order = lengths.indices.sorted { (lengths[$0], $1) > (lengths[$1], $0) }
        var rank = [Int](repeating: 0, count: lengths.count)
        for (index, sequence) in order.enumerated() { rank[sequence] = index }
        self.rank = rank
        let longest = order.first.map { lengths[$0] } ?? 0
        var reaching = order.count
        var sizes: [Int64] = []
        var starts: [Int] = []
        var total = 0
        for step in 0..<longest {
            while reaching > 0, lengths[order[reaching - 1]] <= step { reaching -= 1 }
            sizes.append(Int64(reaching))
            starts.append(total)
            total += reaching
        }
        batchSizes = sizes
        self.starts = starts
    }

    /// The packed row of a step of a sequence.
    public func row(sequence: Int, step: Int) -> Int { starts[step] + rank[sequence] }
}
