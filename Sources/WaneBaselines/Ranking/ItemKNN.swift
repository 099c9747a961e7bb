import WaneEvents
import WaneState
import WaneTasks

/// Items like those the person met: cosine similarity between items as sets of people, the `neighbours` nearest
/// kept.
///
/// Sources: Sarwar et al., WWW 2001; the decay of the history as in Ding and Li, CIKM 2005.
public struct ItemKNN: RankingBaseline {
    let neighbours: Int
    /// Events in which a met item's weight halves; none when absent.
    let halfLife: Double?

    public init(neighbours: Int, halfLife: Double?) {
        self.neighbours = neighbours
        self.halfLife = halfLife
    }

    public var name: String {
        halfLife.map { "item-kNN, halves every \(Int($0))" } ?? "item-kNN"
    }

    public func fitted(_ task: RankingTask, before part: Part) -> any ItemRanker {
        let known = (0..<task.userCount).map { task.known($0, before: part) }
        let table = Self.similarities(.usersByItems(task.log, known), neighbours: neighbours)
        return ItemTableRanker(log: task.log, table: table, halfLife: halfLife)
    }

    /// - Complexity: O(sum over people of items squared)
    public static func similarities(_ usersByItems: SparseRows, neighbours: Int) -> SparseRows {
        let itemsByUsers = usersByItems.transposed()
        let norms = (0..<itemsByUsers.rowCount).map { Float(itemsByUsers.range($0).count).squareRoot() }
        return SparseRows(rows: itemsByUsers.rowCount, columns: itemsByUsers.rowCount) { item, accumulator in
            for index in itemsByUsers.range(item) {
                let user = Int(itemsByUsers.columns[index])
                for other in usersByItems.range(user) { accumulator.add(usersByItems.columns[other], 1) }
            }
        } finish: { item, entries in
            entries.removeAll { Int($0.column) == item }
            for index in entries.indices {
                entries[index].weight /= norms[item] * norms[Int(entries[index].column)]
            }
            if entries.count > neighbours {
                entries.sort { ($0.weight, $1.column) > ($1.weight, $0.column) }
                entries.removeLast(entries.count - neighbours)
            }
        }
    }
}
