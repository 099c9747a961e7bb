import Foundation
import Torch
import WaneData

/// A log's events as tensors, made once: batches only gather rows.
public struct EventTable {
    /// The model's row of each event's item, int64 `[events]`.
    let items: Tensor
    /// Engagement, time gap and calendar of each event, `[events, numericCount]`.
    let numbers: Tensor
    /// The model's rows of each event's topics, end to end.
    let topicStarts: [Int]
    let topicRows: [Int64]
    /// The model's row of each topic of the log.
    let topicRow: [Int64]
    /// The log that the table was made of, and the graph of its training part for families that use one.
    let log: EventLog
    let graph: InteractionGraph?
    /// Microseconds.
    let horizon: Int64

    static let numericCount = 7

    /// For a family on a split: with the training part's graph where the family uses one.
    public init(
        _ histories: Histories, vocabulary: ModelVocabulary, split: Split, family: String, friends: [[UInt32]]
    ) throws(TorchError) {
        try self.init(
            histories, vocabulary: vocabulary, horizon: split.horizon,
            graphUntil: ModelFamilies.usesGraph(family) ? split.trainEnd : nil, friends: friends)
    }

    /// - Parameters:
    ///   - graphUntil: the end of training, for families that use a graph; no graph is made when absent.
    ///   - friends: numbers of each person's friends; empty without social edges.
    public init(
        _ histories: Histories, vocabulary: ModelVocabulary, horizon: Int64, graphUntil: Int64? = nil,
        friends: [[UInt32]] = []
    ) throws(TorchError) {
        let log = histories.log
        self.log = log
        self.horizon = horizon
        let rows = vocabulary.rows(for: log)
        graph = try graphUntil.map { end throws(TorchError) in
            let known = (0..<histories.userCount).map { user in
                let range = histories.userStarts[user]..<histories.userStarts[user + 1]
                return range.lowerBound..<range.partitioningIndex { log.time[$0] >= end }
            }
            return try InteractionGraph(
                log, known: known, itemRow: rows.items, itemRows: vocabulary.items.count + 1, friends: friends)
        }
        topicRow = rows.topics
        items = try Tensor(log.item.values.map { rows.items[Int($0)] })
        var numbers: [Float] = []
        numbers.reserveCapacity(log.count * Self.numericCount)
        var starts = [0]
        var topicRows: [Int64] = []
        let wall = log.clock == .wall
        for place in 0..<log.count {
            let first = place == 0 || log.user[place - 1] != log.user[place]
            let gap = first ? 0 : Double(log.time[place] - log.time[place - 1]) / Double(horizon)
            let days = Double(log.time[place]) / 86_400e6
            let hour = Float(wall ? days.truncatingRemainder(dividingBy: 1) * 2 * .pi : 0)
            let weekday = Float(wall ? days.truncatingRemainder(dividingBy: 7) / 7 * 2 * .pi : 0)
            numbers.append(contentsOf: [
                2 * histories.engagement.values[place] - 1, first ? 1 : 0,
                // Centred on gaps of a hundredth of the horizon.
                first ? 0 : Float(log1p(gap * 1e4) - 4.6) / 3, sin(hour), cos(hour), sin(weekday), cos(weekday),
            ])
            for topic in log.topics[log.item[place]] { topicRows.append(rows.topics[Int(topic)]) }
            starts.append(topicRows.count)
        }
        self.numbers = try Tensor(numbers, shape: [log.count, Self.numericCount])
        topicStarts = starts
        self.topicRows = topicRows
    }
}
