import WaneEvents
import WaneState
import WaneTasks

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
    /// The ranker as numbers, where it is no more than that.
    var kept: KeptScores? { get }
}

extension ItemRanker {
    public var kept: KeptScores? { nil }
}

/// What is left of a fitted ranker when the log it was fitted to is gone; items by the log's numbers.
public enum KeptScores: Sendable {
    /// The same scores for everybody from here on.
    case counts([Float])
    /// Rows of an item-to-item table, added over a history whose events weigh half every `halfLife` of them.
    case table(SparseRows, halfLife: Double?)

    /// Whether it can be asked with the last events of a history alone.
    public var isBounded: Bool {
        switch self {
        case .counts: true
        case .table(_, let halfLife): halfLife != nil
        }
    }
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
    /// How much items were met: in all, and lately where there are times.
    public static func popularity(_ log: EventLog) -> [RankingBaselineKind] {
        let all = RankingBaselineKind(name: "popularity", settings: [PopularItems(halfLifeDays: nil)])
        guard log.clock == .wall else { return [all] }
        let lately = [1, 3, 7, 14, 30].map { PopularItems(halfLifeDays: $0) }
        return [all, RankingBaselineKind(name: "popularity, decayed", settings: lately)]
    }

    /// The person's own items, where people come back to items and these are ranked.
    public static func ownHistory(_ log: EventLog) -> [RankingBaselineKind] {
        var rules = [3, 10, 30, 100, Double.infinity].map { OwnHistory.Rule.places(halfLife: $0) }
        rules += [0.5, 1].map { .power(exponent: $0) }
        if log.clock == .wall { rules += [1 / 24.0, 0.25, 1, 7, 30].map { .days(halfLife: $0) } }
        return [
            RankingBaselineKind(name: "own latest", settings: [OwnHistory(.latest)]),
            RankingBaselineKind(name: "own most frequent, decayed", settings: rules.map { OwnHistory($0) }),
        ]
    }

    /// Those that need no libtorch, in the order of tables.
    public static func classical(_ task: RankingTask) -> [RankingBaselineKind] {
        let log = task.log
        var kinds = popularity(log)
        if task.seen == .kept { kinds += ownHistory(log) }
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

    public var kept: KeptScores? { .table(table, halfLife: halfLife) }

    public func scores(_ queries: [RankingQuery]) -> [Float] {
        let items = log.item
        return queries.flatMap { Self.scores(items[$0.history], table: table, halfLife: halfLife) }
    }

    /// Scores of all items for one history, newest event last.
    ///
    /// - Parameter halfLife: events in which a met item's weight halves; all weigh the same when absent.
    public static func scores(
        _ history: some BidirectionalCollection<UInt32>, table: SparseRows, halfLife: Double?
    ) -> [Float] {
        var scores = [Float](repeating: 0, count: table.columnCount)
        var met = Set<UInt32>()
        let keep = halfLife.map { Float(exp2(-1 / $0)) } ?? 1
        var weight: Float = 1
        scores.withUnsafeMutableBufferPointer { scores in
            guard let base = scores.baseAddress else { return }
            for item in history.reversed() {
                // A millionth adds nothing that a float sum would keep.
                if weight < 1e-6 { break }
                // Each item once, with the weight of its latest event.
                if Int(item) < table.rowCount, met.insert(item).inserted {
                    table.add(row: Int(item), times: weight, to: base)
                }
                weight *= keep
            }
        }
        return scores
    }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
