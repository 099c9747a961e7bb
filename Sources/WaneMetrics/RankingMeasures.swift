#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Measures of ranked lists in which each question has one right answer.
///
/// With the answer at rank `r` from 0: `HR@K = [r < K]` (equal to Recall@K), `NDCG@K = [r < K] / log2(r + 2)`,
/// `MRR = 1 / (r + 1)` over the whole list. Source: Järvelin and Kekäläinen, ACM TOIS 20 (2002).
public struct RankingReport: Sendable, Codable, Equatable {
    public var hitRate: [Int: Double] = [:]
    public var ndcg: [Int: Double] = [:]
    public var mrr = 0.0
    /// The share of all items that appear in anybody's first ten.
    public var coverage = 0.0
    public var queries = 0
    /// 95 % intervals over people, by name of measure: `hr@1`, `hr@10`, `ndcg@10`, `mrr`.
    public var intervals: [String: Evaluation.Interval] = [:]

    public static let cutoffs = [1, 5, 10, 20]

    public init() {}

    /// - Parameters:
    ///   - ranks: of the right answers, from 0; halves where answers tie.
    ///   - users: the person of each question.
    ///   - covered: how many different items stand in the first ten of any list, of `items`.
    public init(ranks: [Double], users: [UInt32], covered: Int, items: Int, seed: UInt64) {
        queries = ranks.count
        let count = Double(max(1, ranks.count))
        func mean(_ value: (Double) -> Double) -> Double { ranks.reduce(0) { $0 + value($1) } / count }
        for k in Self.cutoffs {
            hitRate[k] = mean { Self.hit($0, k) }
            ndcg[k] = mean { Self.gain($0, k) }
        }
        mrr = mean { 1 / ($0 + 1) }
        coverage = items > 0 ? Double(covered) / Double(items) : 0
        guard users.count == ranks.count else { return }
        let bootstrap = UserBootstrap(users: users, seed: seed)
        for (name, value) in Self.named {
            intervals[name] = bootstrap.interval(of: ranks.map(value))
        }
    }

    static var named: [(String, (Double) -> Double)] {
        [
            ("hr@1", { hit($0, 1) }), ("hr@10", { hit($0, 10) }), ("ndcg@10", { gain($0, 10) }),
            ("mrr", { 1 / ($0 + 1) }),
        ]
    }

    /// What two rankers are compared by: where a list of ten holds half of all items or more, a place in it says little.
    public struct Headline: Sendable, Equatable {
        public let name: String
        /// Of hits.
        public let cutoff: Int
        fileprivate let key: String

        public init(items: Int) {
            (name, cutoff, key) = items > 20 ? ("NDCG@10", 10, "ndcg@10") : ("MRR", 1, "mrr")
        }

        fileprivate func value(_ rank: Double) -> Double { key == "mrr" ? 1 / (rank + 1) : gain(rank, 10) }
    }

    public func value(_ headline: Headline) -> Double { headline.key == "mrr" ? mrr : ndcg[10] ?? .nan }
    public func interval(_ headline: Headline) -> Evaluation.Interval? { intervals[headline.key] }

    static func hit(_ rank: Double, _ k: Int) -> Double { rank < Double(k) ? 1 : 0 }
    static func gain(_ rank: Double, _ k: Int) -> Double { rank < Double(k) ? 1 / log2(rank + 2) : 0 }

    /// A headline's measure of ranks.
    public static func mean(of ranks: [Double], _ headline: Headline) -> Double {
        ranks.reduce(0) { $0 + headline.value($1) } / Double(max(1, ranks.count))
    }

    /// The 95 % interval of the difference between two models' ranks of the same answers.
    public static func difference(
        _ a: [Double], _ b: [Double], in headline: Headline, users: [UInt32], seed: UInt64
    ) -> Evaluation.Interval? {
        UserBootstrap(users: users, seed: seed).interval(of: zip(a, b).map { headline.value($0) - headline.value($1) })
    }
}

/// Ranks in dense score rows.
public enum Ranks {
    /// The rank of `target` from 0 among all items but `excluded`; items that tie with it count half. A score that
    /// is no number ranks last.
    public static func rank(
        of target: Int, in scores: UnsafeBufferPointer<Float>, excluding excluded: some Sequence<UInt32>
    ) -> Double {
        let own = scores[target]
        guard !own.isNaN else { return Double(scores.count - 1) }
        var (above, equal) = (0, 0)
        for score in scores {
            if score > own { above += 1 }
            if score == own { equal += 1 }
        }
        // The target itself is among the equals; seen items are taken out of both counts.
        equal -= 1
        for item in excluded where Int(item) != target {
            let score = scores[Int(item)]
            if score > own { above -= 1 } else if score == own { equal -= 1 }
        }
        return Double(above) + Double(equal) / 2
    }

    /// The `count` items of highest score, best first; equal scores in the order of items.
    ///
    /// - Complexity: O(items + count log count) on usual scores.
    public static func top(
        _ count: Int, of scores: UnsafeBufferPointer<Float>, where allowed: (Int) -> Bool
    ) -> [Int] {
        guard count > 0 else { return [] }
        // A sorted list of the best so far: most scores fail against its last.
        var best: [(score: Float, item: Int)] = []
        best.reserveCapacity(min(count, scores.count) + 1)
        for (item, score) in scores.enumerated() {
            if best.count == count, let last = best.last, score <= last.score { continue }
            guard !score.isNaN, allowed(item) else { continue }
            var (low, high) = (0, best.count)
            while low < high {
                let middle = (low + high) / 2
                if best[middle].score >= score { low = middle + 1 } else { high = middle }
            }
            best.insert((score, item), at: low)
            if best.count > count { best.removeLast() }
        }
        return best.map(\.item)
    }
}
