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

    static let numericCount = 7

    public init(_ histories: Histories, vocabulary: ModelVocabulary, horizon: Int64) throws(TorchError) {
        let log = histories.log
        let rows = vocabulary.rows(for: log)
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
