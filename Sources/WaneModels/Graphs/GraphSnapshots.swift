import Torch
import WaneEvents
import WaneState
import WaneTasks

/// Graphs of what was known at a few moments: a query sees one from before it, so that no edge tells what it is
/// asked about.
public struct GraphSnapshots {
    /// The graph without edges, then one for each snapshot, in order of time.
    private let graphs: [InteractionGraph]

    /// - Parameters:
    ///   - known: the indices of each person's events that may be learned from at all.
    ///   - moments: in order of time; events and friendships at or before one are in its graph.
    ///   - itemRow: the model's row of each of the log's items.
    /// - Complexity: O(moments · edges) time and memory.
    public init(
        _ log: EventLog, known: [Range<Int>], at moments: [Int64], itemRow: [Int64], itemRows: Int,
        friends: SocialEdges
    ) throws(TorchError) {
        var graphs = [
            try InteractionGraph(
                log, known: known.map { $0.lowerBound..<$0.lowerBound }, itemRow: itemRow, itemRows: itemRows,
                friends: [])
        ]
        // All graphs agree on whether friends are there: a model's weights depend on it.
        for moment in moments {
            let until = known.map { range in
                range.lowerBound..<range.partitioningIndex { log.time[$0] > moment }
            }
            graphs.append(
                try InteractionGraph(
                    log, known: until, itemRow: itemRow, itemRows: itemRows,
                    friends: friends.isEmpty ? [] : friends.friends(at: moment, users: known.count)))
        }
        self.graphs = graphs
    }

    /// The graph of a snapshot; the empty one for -1.
    public subscript(snapshot: Int) -> InteractionGraph { graphs[min(graphs.count - 1, max(0, snapshot + 1))] }

    /// The graph of all that training may see.
    public var last: InteractionGraph { graphs[graphs.count - 1] }

    public var count: Int { graphs.count - 1 }
}
