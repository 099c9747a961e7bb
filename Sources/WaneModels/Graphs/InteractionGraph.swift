import Torch
import WaneEvents
import WaneTasks

/// What graph families pass messages over: items, people, and the edges between them in the training part.
///
/// Nodes are the model's item rows (0 stands for unknown items and has no edges), then the log's people. People
/// have no vectors of their own: theirs are what their items and friends send them, so new people need no new
/// weights and no model stores who they are.
public struct InteractionGraph {
    public let itemRows: Int
    public let userCount: Int
    /// `D^-1/2 A D^-1/2` without self-loops (LightGCN, equation 3).
    public let plain: SparseMatrix
    /// The same of `A + I` (Kipf and Welling 2017, equation 2).
    public let looped: SparseMatrix
    /// The mean over what a person's friends met, `[users, item rows]`; none without social edges.
    public let friendItems: SparseMatrix?

    /// Each item is joined to its most frequent successors.
    static let successors = 10

    /// - Parameters:
    ///   - known: the places of each person's events that may be learned from.
    ///   - itemRow: the model's row of each of the log's items.
    ///   - friends: numbers of each person's friends; empty without social edges.
    public init(
        _ log: EventLog, known: [Range<Int>], itemRow: [Int64], itemRows: Int, friends: [[UInt32]]
    ) throws(TorchError) {
        self.itemRows = itemRows
        userCount = known.count
        let nodes = itemRows + userCount
        var edges = [Set<UInt32>](repeating: [], count: nodes)
        func join(_ a: Int, _ b: Int) {
            edges[a].insert(UInt32(b))
            edges[b].insert(UInt32(a))
        }
        var followers = [[UInt32: Int]](repeating: [:], count: itemRows)
        for (user, range) in known.enumerated() {
            var previous = 0
            for index in range {
                let row = Int(itemRow[Int(log.item[index])])
                guard row > 0 else { continue }
                join(row, itemRows + user)
                if previous > 0, previous != row { followers[previous][UInt32(row), default: 0] += 1 }
                previous = row
            }
        }
        for (row, counts) in followers.enumerated() {
            // Twice at least: a single passage is chance.
            let often = counts.filter { $0.value > 1 }.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
            for (other, _) in often.prefix(Self.successors) { join(row, Int(other)) }
        }
        for (user, list) in friends.enumerated() {
            for friend in list where Int(friend) != user { join(itemRows + user, itemRows + Int(friend)) }
        }
        let lists = edges.map { $0.sorted() }
        plain = try Self.normalized(lists, loops: false)
        looped = try Self.normalized(lists, loops: true)
        friendItems = friends.allSatisfy(\.isEmpty) ? nil : try Self.friendItems(log, known, itemRow, itemRows, friends)
    }

    private static func normalized(_ lists: [[UInt32]], loops: Bool) throws(TorchError) -> SparseMatrix {
        let extra = loops ? 1 : 0
        let scale = lists.map { $0.count + extra > 0 ? 1 / Float($0.count + extra).squareRoot() : 0 }
        var starts = [0]
        var columns: [Int64] = []
        var weights: [Float] = []
        for (node, list) in lists.enumerated() {
            if loops {
                columns.append(Int64(node))
                weights.append(scale[node] * scale[node])
            }
            for other in list {
                columns.append(Int64(other))
                weights.append(scale[node] * scale[Int(other)])
            }
            starts.append(columns.count)
        }
        return try SparseMatrix(starts: starts, columns: columns, weights: weights, columnCount: lists.count)
    }

    private static func friendItems(
        _ log: EventLog, _ known: [Range<Int>], _ itemRow: [Int64], _ itemRows: Int, _ friends: [[UInt32]]
    ) throws(TorchError) -> SparseMatrix {
        let sums = SparseRows(rows: friends.count, columns: itemRows) { user, accumulator in
            for friend in friends[user] where Int(friend) != user {
                let range = known[Int(friend)]
                for index in range {
                    accumulator.add(UInt32(itemRow[Int(log.item[index])]), 1 / Float(range.count))
                }
            }
        } finish: { _, entries in
            let total = entries.reduce(0) { $0 + $1.weight }
            for index in entries.indices { entries[index].weight /= total }
        }
        return try SparseMatrix(
            starts: sums.starts, columns: sums.columns.map(Int64.init), weights: sums.weights, columnCount: itemRows)
    }
}
