import WaneBaselines
import WaneEvents
import WaneMetrics
import WanePrediction
import WaneTasks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Rankers asked about held-back events.
public enum RankingEvaluation {
    /// Questions whose scores are held at once: 64 MB at most.
    static func batchSize(items: Int) -> Int { max(1, min(512, (16 << 20) / max(1, items))) }

    /// The rank of the right answer of each question, from 0, and which items stand in anybody's first ten.
    ///
    /// - Parameter places: events to guess.
    public static func ranks(
        _ ranker: any ItemRanker, _ task: RankingTask, _ places: [Int], covering: Bool = false
    ) throws -> (ranks: [Double], covered: Int) {
        var ranks: [Double] = []
        ranks.reserveCapacity(places.count)
        var isCovered = [Bool](repeating: false, count: task.itemCount)
        try forEachRow(ranker, task, places) { index, query, scores in
            let seen = Self.seen(query, task)
            ranks.append(Ranks.rank(of: Int(task.log.item[index]), in: scores, excluding: seen))
            guard covering else { return }
            for item in Ranks.top(10, of: scores, where: { !seen.contains(UInt32($0)) }) { isCovered[item] = true }
        }
        return (ranks, isCovered.count { $0 })
    }

    /// The items that a person may not be shown again.
    static func seen(_ query: RankingQuery, _ task: RankingTask) -> Set<UInt32> {
        task.seen == .kept ? [] : Set(query.history.map { task.log.item[$0] })
    }

    static func forEachRow(
        _ ranker: any ItemRanker, _ task: RankingTask, _ places: [Int],
        _ body: (Int, RankingQuery, UnsafeBufferPointer<Float>) throws -> Void
    ) throws {
        let items = task.itemCount
        var size = batchSize(items: items)
        if let model = ranker as? Ranker { size = min(size, model.batchSize) }
        for start in stride(from: 0, to: places.count, by: size) {
            let part = places[start..<min(places.count, start + size)]
            let queries = part.map { task.query(at: $0) }
            try ranker.scores(queries).withUnsafeBufferPointer { scores in
                for (row, (index, query)) in zip(part, queries).enumerated() {
                    try body(index, query, UnsafeBufferPointer(rebasing: scores[row * items..<(row + 1) * items]))
                }
            }
        }
    }

    public static func report(
        _ ranker: any ItemRanker, _ task: RankingTask, _ part: Part, seed: UInt64
    ) throws -> (report: RankingReport, ranks: [Double]) {
        let places = task.targets(part)
        let (ranks, covered) = try ranks(ranker, task, places, covering: true)
        let report = RankingReport(
            ranks: ranks, users: places.map { task.log.user[$0] }, covered: covered, items: task.itemCount, seed: seed)
        return (report, ranks)
    }

    /// The mean of `-log` of the chance that a softmax over all items that may be shown gives to each answer.
    static func logLoss(_ ranker: any ItemRanker, _ task: RankingTask, _ places: [Int]) throws -> Double {
        var sum = 0.0
        try forEachRow(ranker, task, places) { index, query, scores in
            let seen = Self.seen(query, task)
            var (high, mass) = (-Double.infinity, 0.0)
            for (item, score) in scores.enumerated() where seen.isEmpty || !seen.contains(UInt32(item)) {
                let score = Double(score)
                if score > high { (mass, high) = (mass * exp(high - score), score) }
                mass += exp(score - high)
            }
            sum += high + log(mass) - Double(scores[Int(task.log.item[index])])
        }
        return sum / Double(max(1, places.count))
    }

    /// One less the headline's measure (NDCG@10, MRR of few items) on some validation questions.
    public static func validation(
        _ ranker: any ItemRanker, _ task: RankingTask, questions: Int = 2_000, seed: UInt64
    ) throws -> Double {
        var generator = SeededGenerator(seed: seed, stream: 300)
        let places = Array(task.targets(.validation).shuffled(using: &generator).prefix(questions))
        return 1 - RankingReport.mean(of: try ranks(ranker, task, places).ranks, .init(items: task.itemCount))
    }

    /// The setting of a kind of baseline that has the best headline on validation, and `1 -` that.
    public static func tuned(
        _ kind: RankingBaselineKind, _ task: RankingTask, questions: Int = 2_000, seed: UInt64
    ) throws -> (baseline: any RankingBaseline, validation: Double)? {
        var best: (baseline: any RankingBaseline, validation: Double)?
        for baseline in kind.settings {
            let value = try validation(
                baseline.fitted(task, before: .validation), task, questions: questions, seed: seed)
            if value < best?.validation ?? .infinity { best = (baseline, value) }
        }
        return best
    }
}
