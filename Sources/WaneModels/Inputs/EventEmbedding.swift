import Torch

/// An event as a vector: its item, the mean of its topics, and its numbers.
struct EventEmbedding: Module {
    let items: Embedding
    let dropout: Dropout
    let width: Int

    init(items: Int, _ options: ModelOptions) throws(TorchError) {
        self.items = try Embedding(items + 1, options.itemWidth)
        dropout = Dropout(options.historyDropout)
        width = options.itemWidth + options.topicWidth + EventTable.numericCount
    }

    /// - Returns: `[events of the batch, width]`, packed.
    func callAsFunction(
        _ batch: HistoryBatch, _ table: EventTable, topics: Embedding, training: Bool
    ) throws(TorchError) -> Tensor {
        let places = try Tensor(batch.events)
        var bags: [Int64] = []
        var offsets: [Int64] = []
        offsets.reserveCapacity(batch.events.count)
        for event in batch.events {
            offsets.append(Int64(bags.count))
            bags.append(contentsOf: table.topicRows[table.topicStarts[Int(event)]..<table.topicStarts[Int(event) + 1]])
        }
        let item = try items(table.items.rows(places))
        let topic = try topics.bags(Tensor(bags), offsets: Tensor(offsets))
        let vector = try dropout(Tensor.concatenated([item, topic], 1), training: training)
        return try Tensor.concatenated([vector, table.numbers.rows(places)], 1)
    }
}
