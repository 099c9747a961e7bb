import WaneData

/// A classical model of the next item, before its fit.
public protocol RankingBaseline: Sendable {
    /// As tables print it, with its settings.
    var name: String { get }
    /// Fitted on all events before `part`.
    func fitted(_ task: RankingTask, before part: Part) throws -> any ItemRanker
}

/// Scores items for people; the higher, the more likely next.
public protocol ItemRanker {
    /// Scores of all items for each question, `[questions, items]`, row by row.
    func scores(_ queries: [RankingQuery]) throws -> [Float]
}

/// A kind of baseline with the settings among which validation chooses.
public struct RankingBaselineKind: Sendable {
    public let name: String
    public let settings: [any RankingBaseline]

    public init(name: String, settings: [any RankingBaseline]) {
        self.name = name
        self.settings = settings
    }
}

extension RankingBaselineKind {
    /// Those that need no libtorch, in the order of tables.
    public static func classical(_ log: EventLog) -> [RankingBaselineKind] {
        var kinds = [RankingBaselineKind(name: "popularity", settings: [Popularity(halfLifeDays: nil)])]
        if log.clock == .wall {
            kinds.append(
                RankingBaselineKind(
                    name: "popularity, decayed", settings: [1, 3, 7, 14, 30].map { Popularity(halfLifeDays: $0) }))
        }
        kinds.append(RankingBaselineKind(name: "item-kNN", settings: [ItemKNN(neighbours: 800, halfLife: nil)]))
        kinds.append(
            RankingBaselineKind(
                name: "item-kNN, decayed", settings: [1, 2, 5].map { ItemKNN(neighbours: 800, halfLife: $0) }))
        var coVisits: [any RankingBaseline] = []
        for halfLife in [1.0, 3, 10] {
            for power in [0, 0.3, 0.5] {
                coVisits.append(CoVisits(window: 20, halfLife: halfLife, popularityPower: power))
            }
        }
        kinds.append(RankingBaselineKind(name: "co-visits, decayed", settings: coVisits))
        return kinds
    }
}

/// A ranker that adds rows of an item-to-item table, each weighed by how long ago the person met its item.
public struct ItemTableRanker: ItemRanker {
    let log: EventLog
    let table: SparseRows
    /// Events in which a met item's weight halves; all weigh the same when absent.
    let halfLife: Double?

    public init(log: EventLog, table: SparseRows, halfLife: Double?) {
        self.log = log
        self.table = table
        self.halfLife = halfLife
    }

    public func scores(_ queries: [RankingQuery]) -> [Float] {
        let width = table.columnCount
        var scores = [Float](repeating: 0, count: queries.count * width)
        scores.withUnsafeMutableBufferPointer { scores in
            guard let base = scores.baseAddress else { return }
            for (row, query) in queries.enumerated() {
                for (item, weight) in Self.weighted(query, log, halfLife) {
                    table.add(row: Int(item), times: weight, to: base + row * width)
                }
            }
        }
        return scores
    }

    /// Each item of a history once, with the weight of its latest event.
    static func weighted(
        _ query: RankingQuery, _ log: EventLog, _ halfLife: Double?
    ) -> [(item: UInt32, weight: Float)] {
        var met = Set<UInt32>()
        var result: [(item: UInt32, weight: Float)] = []
        let keep = halfLife.map { Float(exp2(-1 / $0)) } ?? 1
        var weight: Float = 1
        for place in query.history.reversed() {
            // A millionth adds nothing that a float sum would keep.
            if weight < 1e-6 { break }
            if met.insert(log.item[place]).inserted { result.append((log.item[place], weight)) }
            weight *= keep
        }
        return result
    }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
