import WaneEvents
import WaneState
import WaneTasks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What others went on to: how often one item follows another within a window, nearer followers weighing more.
///
///     C(i, j) = sum over histories of 2^(-(d - 1) / halfLife), j coming d events after i, d <= window
///
/// divided by the followers' own popularity to `popularityPower`; a history's events weigh half every `halfLife`.
public struct CoVisits: RankingBaseline {
    let window: Int
    /// Events.
    let halfLife: Double
    let popularityPower: Double

    public init(window: Int, halfLife: Double, popularityPower: Double) {
        self.window = window
        self.halfLife = halfLife
        self.popularityPower = popularityPower
    }

    public var name: String { "co-visits, halves every \(Int(halfLife)), popularity^-\(popularityPower)" }

    public func fitted(_ task: RankingTask, before part: Part) -> any ItemRanker {
        let known = (0..<task.userCount).map { task.known($0, before: part) }
        let table = Self.followers(
            task.log, known, window: window, halfLife: 10, popularityPower: popularityPower)
        return ItemTableRanker(log: task.log, table: table, halfLife: halfLife)
    }

    /// - Complexity: O(events times window)
    public static func followers(
        _ log: EventLog, _ ranges: [Range<Int>], window: Int, halfLife: Double, popularityPower: Double
    ) -> SparseRows {
        // The places of each item, with the end of the history that each stands in.
        var starts = [Int](repeating: 0, count: log.items.count + 1)
        for range in ranges { for index in range { starts[Int(log.item[index]) + 1] += 1 } }
        for item in 0..<log.items.count { starts[item + 1] += starts[item] }
        var next = starts
        var places = [(index: Int, end: Int)](repeating: (0, 0), count: starts.last ?? 0)
        for range in ranges {
            for index in range {
                let item = Int(log.item[index])
                places[next[item]] = (index, range.upperBound)
                next[item] += 1
            }
        }
        let weights = (0..<window).map { Float(exp2(-Double($0) / halfLife)) }
        let raw = SparseRows(rows: log.items.count, columns: log.items.count) { item, accumulator in
            for entry in starts[item]..<starts[item + 1] {
                let (index, end) = places[entry]
                for follower in index + 1..<max(index + 1, min(end, index + 1 + window)) {
                    accumulator.add(log.item[follower], weights[follower - index - 1])
                }
            }
        }
        guard popularityPower > 0 else { return raw }
        var totals = [Double](repeating: 0, count: log.items.count)
        for (column, weight) in zip(raw.columns, raw.weights) { totals[Int(column)] += Double(weight) }
        let scales = totals.map { Float(1 / pow(max(1, $0), popularityPower)) }
        return SparseRows(
            starts: raw.starts, columns: raw.columns,
            weights: zip(raw.columns, raw.weights).map { $1 * scales[Int($0)] }, columnCount: raw.columnCount)
    }
}
