import Torch
import WaneBaselines
import WaneEvents
import WaneTasks

/// The closed-form linear autoencoder of items:
///
///     P = (X^T X + l2 I)^-1,   B = I - P diag(1 / diag P)
///
/// scored on histories whose events may weigh half every `halfLife`. Source: Steck, WWW 2019, equation 8.
public struct EASE: RankingBaseline {
    let l2: Double
    let halfLife: Double?

    /// A dense matrix of items by items is solved: 1.2 GB at this many.
    public static let itemLimit = 12_000

    public init(l2: Double, halfLife: Double?) {
        self.l2 = l2
        self.halfLife = halfLife
    }

    public var name: String { "EASE, l2 \(Int(l2))" + (halfLife.map { ", halves every \(Int($0))" } ?? "") }

    public func fitted(_ task: RankingTask, before part: Part) throws -> any ItemRanker {
        let items = task.itemCount
        guard items <= Self.itemLimit else {
            throw RankingError.tooManyItems(model: "EASE", items: items, limit: Self.itemLimit)
        }
        let known = (0..<task.userCount).map { task.known($0, before: part) }
        let met = SparseRows.usersByItems(task.log, known)
        let gram = Self.gram(met)
        let weights = try Self.weights(gram: gram, items: items, l2: l2)
        let starts = (0...items).map { $0 * items }
        let columns = (0..<items).flatMap { _ in (0..<items).map(UInt32.init) }
        let table = SparseRows(starts: starts, columns: columns, weights: weights, columnCount: items)
        return ItemTableRanker(log: task.log, table: table, halfLife: halfLife)
    }

    /// `X^T X`, row by row.
    private static func gram(_ met: SparseRows) -> [Float] {
        let items = met.columnCount
        var gram = [Float](repeating: 0, count: items * items)
        gram.withUnsafeMutableBufferPointer { gram in
            for user in 0..<met.rowCount {
                let range = met.range(user)
                for a in range {
                    let row = Int(met.columns[a]) * items
                    for b in range { gram[row + Int(met.columns[b])] += 1 }
                }
            }
        }
        return gram
    }

    /// `B` row by row, of a Gram matrix `[items, items]`.
    public static func weights(gram: [Float], items: Int, l2: Double) throws(TorchError) -> [Float] {
        try withoutGradients { () throws(TorchError) in
            let identity = try Tensor.identity(items)
            let regular = try Tensor(gram, shape: [items, items]) + identity * l2
            let inverse = try regular.inverseOfPositiveDefinite()
            let diagonal = try inverse.diagonal()
            let b = try inverse / (-diagonal)
            return try (b * (identity * -1 + 1)).values()
        }
    }
}

extension RankingBaselineKind {
    /// EASE with and without decay, where the items are few enough.
    public static func ease(_ items: Int) -> [RankingBaselineKind] {
        guard items <= EASE.itemLimit else { return [] }
        var decayed: [any RankingBaseline] = []
        for l2 in [200.0, 500] { for halfLife in [2.0, 5] { decayed.append(EASE(l2: l2, halfLife: halfLife)) } }
        return [
            RankingBaselineKind(name: "EASE", settings: [50, 200, 500].map { EASE(l2: $0, halfLife: nil) }),
            RankingBaselineKind(name: "EASE, decayed", settings: decayed),
        ]
    }
}
