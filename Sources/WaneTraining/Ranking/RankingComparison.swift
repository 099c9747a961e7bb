import WaneBaselines
import WaneData
import WaneMetrics

/// Models of the next item and classical ones on the same questions.
public struct RankingComparison: Sendable, Codable {
    public struct Row: Sendable, Codable {
        public let name: String
        /// What validation chose, where there was a choice.
        public let setting: String
        public let isModel: Bool
        public let report: RankingReport
        /// Seconds to fit, the choice of settings included.
        public let seconds: Double
    }

    public var rows: [Row] = []
    public let rule: RankingProtocol
    public let seen: SeenItems
    public let repeatShare: Double
    public let queries: Int
    public let items: Int
    /// The 95 % interval of the best model's NDCG@10 minus the best baseline's.
    public var difference: Evaluation.Interval?
    private var ranks: [[Double]] = []

    private enum CodingKeys: String, CodingKey { case rows, rule, seen, repeatShare, queries, items, difference }

    public init(_ task: RankingTask) {
        rule = task.rule
        seen = task.seen
        repeatShare = task.repeatShare
        queries = task.targets(.test).count
        items = task.itemCount
    }

    public mutating func add(
        _ name: String, setting: String = "", isModel: Bool, seconds: Double, _ ranker: any ItemRanker,
        _ task: RankingTask, seed: UInt64
    ) throws {
        let (report, ranks) = try RankingEvaluation.report(ranker, task, .test, seed: seed)
        rows.append(Row(name: name, setting: setting, isModel: isModel, report: report, seconds: seconds))
        self.ranks.append(ranks)
        let users = task.targets(.test).map { task.log.user[$0] }
        guard let model = best(models: true), let baseline = best(models: false) else { return }
        difference = RankingReport.difference(self.ranks[model], self.ranks[baseline], users: users, seed: seed)
    }

    private func best(models: Bool) -> Int? {
        rows.indices.filter { rows[$0].isModel == models }.max {
            rows[$0].report.ndcg[10] ?? 0 < rows[$1].report.ndcg[10] ?? 0
        }
    }

    /// What the table says, in its first line.
    public var verdict: String? {
        guard let model = best(models: true), let baseline = best(models: false), let difference else { return nil }
        let (a, b) = (rows[model], rows[baseline])
        let name = "\(a.name) against the best baseline, \(b.name)"
        if difference.low > 0 { return "\(name): better in NDCG@10, and the interval of the difference is above 0" }
        if difference.high < 0 {
            return "\(name): WORSE in NDCG@10, and the interval of the difference is below 0"
        }
        return "\(name): no clear difference in NDCG@10"
    }
}
