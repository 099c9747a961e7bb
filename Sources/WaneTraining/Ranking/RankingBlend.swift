import Foundation
import Torch
import WaneBaselines
import WaneBundle
import WaneEvents
import WaneModels
import WaneTasks

/// Several rankers as one: their standardized scores, each with a weight of its own.
///
///     score(i) = sum over rankers of w_k z_k(i),   z_k = (s_k - mean) / deviation over the items with a vector
///
/// The weights have the least cross-entropy of a softmax over all items on validation questions: a handful of
/// numbers, from rankers fitted on what was known before them.
public struct RankingBlend: ItemRanker {
    public let rankers: [any ItemRanker]
    public let weights: [Double]
    let items: Int
    /// Items that the model has a vector of, over which scores are standardized: those that it has in use.
    let among: [Int]

    public init(_ rankers: [any ItemRanker], weights: [Double], items: Int, among: [Int]) {
        self.rankers = rankers
        self.weights = weights
        self.items = items
        self.among = among
    }

    public func scores(_ queries: [RankingQuery]) throws -> [Float] {
        var total = [Float](repeating: 0, count: queries.count * items)
        for (ranker, weight) in zip(rankers, weights) {
            var scores = try ranker.scores(queries)
            Self.standardize(&scores, items: items, among: among)
            let weight = Float(weight)
            for index in total.indices { total[index] += weight * scores[index] }
        }
        return total
    }

    /// Each question's row on its own, in place.
    static func standardize(_ scores: inout [Float], items: Int, among: [Int]) {
        scores.withUnsafeMutableBufferPointer { scores in
            for start in stride(from: 0, to: scores.count, by: items) {
                BlendMember.standardize(.init(rebasing: scores[start..<start + items]), over: among)
            }
        }
    }

    /// The classical rankers of a blend as a model keeps them, by the numbers of its vocabulary.
    ///
    /// - Parameter names: of the rankers, in order; rankers that cannot be kept are none of a blend's.
    public static func members(
        _ rankers: [any ItemRanker], names: [String], weights: [Double], _ vocabulary: ModelVocabulary
    ) -> [BlendMember] {
        // The log's number of each item with a vector, and the other way round.
        let logItems = Array(vocabulary.logItems.prefix(vocabulary.itemRows))
        var own = [Int](repeating: -1, count: vocabulary.items.count)
        for (number, item) in logItems.enumerated() { own[item] = number }
        return zip(zip(rankers, names), weights).compactMap { ranker, weight in
            switch ranker.0.kept {
            case .counts(let counts):
                return BlendMember(name: ranker.1, weight: weight, scores: .counts(logItems.map { counts[$0] }))
            case .table(let table, let halfLife?):
                let moved = SparseRows(rows: logItems.count, columns: logItems.count) { row, accumulator in
                    for entry in table.range(logItems[row]) where own[Int(table.columns[entry])] >= 0 {
                        accumulator.add(UInt32(own[Int(table.columns[entry])]), table.weights[entry])
                    }
                }
                return BlendMember(name: ranker.1, weight: weight, scores: .table(moved, halfLife: halfLife))
            case .table(_, nil), nil: return nil
            }
        }
    }

    /// Weights fitted to the answers of validation questions.
    ///
    /// - Parameters:
    ///   - fitted: the rankers as of before validation.
    ///   - among: items over which scores are standardized.
    public static func weights(
        _ fitted: [any ItemRanker], _ task: RankingTask, among: [Int], questions: Int, seed: UInt64
    ) throws -> [Double] {
        var generator = SeededGenerator(seed: seed, stream: 301)
        let limit = max(100, min(questions, (256 << 20) / max(1, task.itemCount * fitted.count)))
        let places = Array(task.targets(.validation).shuffled(using: &generator).prefix(limit))
        let items = task.itemCount
        var targets: [Int64] = []
        var features: [Tensor] = []
        for start in stride(from: 0, to: places.count, by: 128) {
            let part = places[start..<min(places.count, start + 128)]
            let queries = part.map { task.query(at: $0) }
            var columns: [Tensor] = []
            for ranker in fitted {
                var scores = try ranker.scores(queries)
                standardize(&scores, items: items, among: among)
                columns.append(try Tensor(scores, shape: [queries.count, items]))
            }
            // Seen items cannot be answers.
            var mask = [Float](repeating: 0, count: queries.count * items)
            for (row, query) in queries.enumerated() {
                for item in RankingEvaluation.seen(query, task) { mask[row * items + Int(item)] = -1e9 }
            }
            columns.append(try Tensor(mask, shape: [queries.count, items]))
            features.append(try Tensor.stacked(columns, 2))
            targets.append(contentsOf: part.map { Int64(task.log.item[$0]) })
        }
        let weight = try Parameter(.full([fitted.count], 1 / Double(fitted.count)))
        var optimizer = try Optimizer(.adam(), [("weight", weight)])
        let answers = try Tensor(targets)
        for step in 0..<60 {
            try optimizer.clearGradients()
            var start = 0
            for feature in features {
                let rows = feature.shape[0]
                let all = try Tensor.concatenated([weight.value, Tensor([Float(1)])])
                let logits = try feature.matmul(all)
                let own = try answers.slice(0, start..<start + rows).unsqueezed(1)
                let loss = try -(logits.logSoftmax(1).gathered(1, own).sum()) * (1 / Double(places.count))
                try loss.backward()
                start += rows
            }
            try optimizer.step(learningRate: step < 40 ? 0.1 : 0.03)
        }
        return try weight.value.values(Float.self).map(Double.init)
    }
}
