import Foundation
import Torch

/// An event as a vector: what the person met, whatever their friends met, and what the task reads beside it.
struct EventEmbedding: Module {
    let items: Embedding
    /// Of the time from an event to the next, in buckets of its logarithm; where vectors are summed.
    let gaps: Embedding?
    let social: Linear?
    let dropout: Dropout

    /// - Parameters:
    ///   - width: of an item's vector.
    ///   - deviation: of the vectors that training begins with.
    init(items: Int, width: Int, deviation: Double, gaps: Bool, _ options: ModelOptions) throws(TorchError) {
        self.items = try Embedding(items + 1, width, deviation: deviation)
        self.gaps = gaps ? try Embedding(DecayedPooling.timeBuckets, width, deviation: 1e-3) : nil
        social = options.social ? try Linear(width, width, bias: false) : nil
        dropout = Dropout(options.historyDropout)
    }

    /// The vectors of items as they are, without a graph.
    var plain: SmoothedItems { SmoothedItems(vectors: items.weight.value, friends: nil) }

    /// Width of ``concatenated(_:_:smoothed:topics:training:)``'s vectors.
    static func concatenatedWidth(_ options: ModelOptions) -> Int {
        options.itemWidth + options.topicWidth + EventTensors.numericCount
    }

    /// The batch's stretches with each event's item, the mean of its topics, and its numbers side by side.
    func concatenated(
        _ batch: HistoryBatch, _ events: EventTensors, smoothed: SmoothedItems, topics: Embedding, training: Bool
    ) throws(TorchError) -> HistorySequence {
        let read = try events.batch(batch.events)
        var item = try smoothed.vectors.rows(read.items)
        if let social, let friends = smoothed.friends { item = try item + social.ofFriends(friends, read.users) }
        let topic = try topics.bags(read.topics, offsets: read.topicOffsets)
        let vector = try dropout(Tensor.concatenated([item, topic], 1), training: training)
        let times = events.times(batch)
        return try HistorySequence(
            Tensor.concatenated([vector, read.numbers], 1), layout: batch.layout, times: times,
            moments: times, timeUnit: Double(events.horizon) / 1e6)
    }

    /// The batch's stretches with each event's item and the time to the next one, or to the question, added up. How
    /// long someone was away tells what they come back for.
    func summed(_ batch: RankingBatch, smoothed: SmoothedItems, training: Bool) throws(TorchError) -> HistorySequence {
        let bare = try HistorySequence(
            .zeros([0]), layout: batch.layout, times: batch.times, moments: batch.moments, timeUnit: batch.timeUnit)
        // Vectors are small so that logits are; scaled up where they are read.
        let scale = Double(smoothed.vectors.shape[1]).squareRoot()
        var x = try smoothed.vectors.rows(Tensor(batch.items)) * scale
        if let gaps {
            let elapsed = try (bare.moments - bare.times).clamped(0, 1e12) + 1
            let bucket = try (elapsed.log() * (1 / Foundation.log(2.0)))
                .clamped(0, Double(DecayedPooling.timeBuckets - 1))
            x = try x + gaps(bucket.converted(.int64))
        }
        if let social, let friends = smoothed.friends {
            x = try x + social.ofFriends(friends * scale, batch.users)
        }
        return bare.with(try dropout(x, training: training))
    }
}

extension Linear {
    /// What friends met, through this layer, for each event's person: `friends`: `[people, D]`; zeros for people
    /// of whom nothing is known (-1).
    func ofFriends(_ friends: Tensor, _ users: [Int64]) throws(TorchError) -> Tensor {
        let count = Int64(friends.shape[0])
        let known = users.map { $0 >= 0 && $0 < count ? Float(1) : 0 }
        let rows = try Tensor(users.map { $0 >= 0 && $0 < count ? $0 : 0 })
        return try self(friends).rows(rows) * Tensor(known, shape: [users.count, 1])
    }
}
