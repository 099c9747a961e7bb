import Torch

/// An event as a vector: its item, the mean of its topics, and its numbers.
struct EventEmbedding: Module {
    let items: Embedding
    let social: Linear?
    let dropout: Dropout
    let width: Int

    init(items: Int, _ options: ModelOptions) throws(TorchError) {
        self.items = try Embedding(items + 1, options.itemWidth)
        social = options.social ? try Linear(options.itemWidth, options.itemWidth, bias: false) : nil
        dropout = Dropout(options.historyDropout)
        width = options.itemWidth + options.topicWidth + EventTable.numericCount
    }

    /// The batch's stretches with event vectors of `width`; `itemVectors` stand for the items, smoothed or not.
    func callAsFunction(
        _ batch: HistoryBatch, _ table: EventTable, itemVectors: Tensor, topics: Embedding, training: Bool
    ) throws(TorchError) -> HistorySequence {
        let places = try Tensor(batch.events)
        var bags: [Int64] = []
        var offsets: [Int64] = []
        offsets.reserveCapacity(batch.events.count)
        for event in batch.events {
            offsets.append(Int64(bags.count))
            bags.append(contentsOf: table.topicRows[table.topicStarts[Int(event)]..<table.topicStarts[Int(event) + 1]])
        }
        var item = try itemVectors.rows(table.items.rows(places))
        if let social, let friends = table.graph?.friendItems {
            let users = try Tensor(batch.events.map { Int64(table.log.user[Int($0)]) })
            item = try item + social(friends.matmul(itemVectors)).rows(users)
        }
        let topic = try topics.bags(Tensor(bags), offsets: Tensor(offsets))
        let vector = try dropout(Tensor.concatenated([item, topic], 1), training: training)
        let times = batch.times(table.log)
        return try HistorySequence(
            Tensor.concatenated([vector, table.numbers.rows(places)], 1), layout: batch.layout, times: times,
            moments: times, timeUnit: Double(table.horizon) / 1e6)
    }
}
