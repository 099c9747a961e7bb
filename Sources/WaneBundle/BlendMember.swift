import WaneBaselines
import WaneTasks

/// A classical ranker inside a blend, as numbers: with its weight it is all that is kept of it.
public struct BlendMember: Sendable {
    public let name: String
    public let weight: Double
    public let scores: Scores

    /// Items are numbered as in the model's vocabulary.
    public enum Scores: Sendable {
        /// The same scores for everybody: how often each item was met, with or without decay.
        case counts([Float])
        /// Rows of an item-to-item table, added over a history whose events weigh half every `halfLife` of them.
        case table(SparseRows, halfLife: Double)
    }

    /// Events of a history that a table reads: with a half-life of ten events what is farther back weighs less than a
    /// millionth.
    public static let historyLength = 200

    public init(name: String, weight: Double, scores: Scores) {
        self.name = name
        self.weight = weight
        self.scores = scores
    }

    /// One question's scores, moved to mean 0 and deviation 1 over some of its items, in place; what a blend adds up, when it is
    /// fitted, measured and served.
    public static func standardize(_ scores: UnsafeMutableBufferPointer<Float>, over items: some Collection<Int>) {
        let count = Double(max(1, items.count))
        let mean = items.reduce(0) { $0 + Double(scores[$1]) } / count
        let variance = items.reduce(0) { $0 + (Double(scores[$1]) - mean) * (Double(scores[$1]) - mean) } / count
        let scale = variance > 1e-20 ? 1 / variance.squareRoot() : 0
        for item in scores.indices { scores[item] = Float((Double(scores[item]) - mean) * scale) }
    }

    /// Scores of all items for a history, newest event last.
    public func scores(_ history: [UInt32], items: Int) -> [Float] {
        switch scores {
        case .counts(let counts): return counts
        case .table(let table, let halfLife):
            return ItemTableRanker.scores(history[...], table: table, halfLife: halfLife)
        }
    }
}
