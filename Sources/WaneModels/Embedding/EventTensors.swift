import Foundation
import Torch
import WaneEvents
import WaneState
import WaneTasks

/// Events that encoders may read, wherever they lie: in a log, or in the windows of people's states.
///
/// A batch asks for the events of its stretches, which become tensors then; nothing is held for each event of a log.
public struct EventTensors {
    public let rows: LogRows
    public let clock: EventLog.Clock
    /// Microseconds.
    public let horizon: Int64
    /// An event, and the moment of the same person's event before it, where there is one.
    private let event: (Int) -> (event: StateEvent, previous: Int64?)
    /// The person whose event it is, by their number among `friendItems` rows; -1 for nobody known.
    private let user: (Int) -> Int64
    /// What items' vectors are smoothed over; nothing for families without a graph.
    let graphs: GraphSnapshots?
    /// Vectors smoothed before, in place of a graph.
    let smoothed: SmoothedItems?

    static let numericCount = 7

    /// A log's events.
    ///
    /// - Parameter graphs: for families with a graph.
    public init(_ histories: Histories, rows: LogRows, horizon: Int64, graphs: GraphSnapshots? = nil) {
        self.init(
            histories.log, engagement: histories.engagement, userStarts: histories.userStarts, rows: rows,
            horizon: horizon, graphs: graphs, smoothed: nil, userOf: nil)
    }

    /// A log's events for a trained model.
    ///
    /// - Parameter userOf: the model's number of each of the log's people, where the model knows people.
    public init(
        _ log: EventLog, engagement: [Float], userStarts: [Int], rows: LogRows, horizon: Int64,
        graphs: GraphSnapshots? = nil, smoothed: SmoothedItems?, userOf: [Int64]?
    ) {
        self.rows = rows
        clock = log.clock
        self.horizon = horizon
        self.graphs = graphs
        self.smoothed = smoothed
        event = { index in
            let isFirst = index == userStarts[Int(log.user[index])]
            return (
                StateEvent(time: log.time[index], item: log.item[index], engagement: engagement[index]),
                isFirst ? nil : log.time[index - 1]
            )
        }
        user = { index in
            let own = Int(log.user[index])
            return userOf.map { $0[own] } ?? Int64(own)
        }
    }

    /// The events of people's windows, end to end, each with the moment before it.
    public init(
        _ events: [(event: StateEvent, previous: Int64?, user: Int64)], rows: LogRows, clock: EventLog.Clock,
        horizon: Int64, smoothed: SmoothedItems?
    ) {
        self.rows = rows
        self.clock = clock
        self.horizon = horizon
        graphs = nil
        self.smoothed = smoothed
        event = { (events[$0].event, events[$0].previous) }
        user = { events[$0].user }
    }

    /// What the embedding reads of some events.
    struct Batch {
        /// int64 `[events]`: the model's row of each item.
        let items: Tensor
        /// `[events, numericCount]`: engagement, whether it is the person's first, the gap before it, the calendar.
        let numbers: Tensor
        /// int64, rows of the topics of all events end to end, and where each event's begin.
        let topics: Tensor
        let topicOffsets: Tensor
        /// int64 `[events]`: people, where friends are known.
        let users: [Int64]
    }

    /// - Parameter indices: events, in packed order; -1 for padding.
    func batch(_ indices: [Int64]) throws(TorchError) -> Batch {
        let count = Self.numericCount
        var items = [Int64](repeating: 0, count: indices.count)
        var numbers = [Float](repeating: 0, count: indices.count * count)
        var topics: [Int64] = []
        var offsets = [Int64](repeating: 0, count: indices.count)
        var users = [Int64](repeating: -1, count: indices.count)
        let wall = clock == .wall
        for (row, index) in indices.enumerated() {
            offsets[row] = Int64(topics.count)
            guard index >= 0 else { continue }
            let (event, previous) = event(Int(index))
            items[row] = Int(event.item) < rows.itemRow.count ? rows.itemRow[Int(event.item)] : 0
            topics.append(contentsOf: rows.topics(of: event.item))
            users[row] = user(Int(index))
            let start = row * count
            numbers[start] = 2 * event.engagement - 1
            if let previous {
                // Centred on gaps of a hundredth of the horizon.
                let gap = Double(event.time - previous) / Double(horizon)
                numbers[start + 2] = Float(log1p(gap * 1e4) - 4.6) / 3
            } else {
                numbers[start + 1] = 1
            }
            let (hour, weekday) = wall ? Rhythm.angles(event.time) : (0, 0)
            numbers[start + 3] = sin(hour)
            numbers[start + 4] = cos(hour)
            numbers[start + 5] = sin(weekday)
            numbers[start + 6] = cos(weekday)
        }
        return Batch(
            items: try Tensor(items), numbers: try Tensor(numbers, shape: [indices.count, count]),
            topics: try Tensor(topics), topicOffsets: try Tensor(offsets), users: users)
    }

    /// Of each packed row, seconds since its stretch's first event; 0 for padding.
    func times(_ batch: HistoryBatch) -> [Float] {
        var times = [Float](repeating: 0, count: batch.events.count)
        for (sequence, length) in batch.layout.lengths.enumerated() where length > 0 {
            let start = batch.events[batch.layout.packed.row(sequence: sequence, step: 0)]
            guard start >= 0 else { continue }
            let first = event(Int(start)).event.time
            for step in 0..<length {
                let row = batch.layout.packed.row(sequence: sequence, step: step)
                let index = batch.events[row]
                if index >= 0 { times[row] = Float(Double(event(Int(index)).event.time - first) / 1e6) }
            }
        }
        return times
    }
}

/// Item vectors as a graph left them when training ended: what a model needs of the graph from then on.
public struct SmoothedItems {
    /// `[items + 1, D]`.
    public let vectors: Tensor
    /// The mean of what each known person's friends met, `[people, D]`; nothing without friendships.
    public let friends: Tensor?

    public init(vectors: Tensor, friends: Tensor?) {
        self.vectors = vectors
        self.friends = friends
    }
}
