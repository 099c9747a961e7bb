import WaneBaselines
import WaneEvents
import WaneMetrics
import WaneTasks

/// Models of the next item and classical ones on the same questions.
public struct RankingComparison: Sendable, Codable {
    public private(set) var table = Comparison<RankingReport>()
    public let rule: RankingProtocol
    public let seen: SeenItems
    public let repeatShare: Double
    public let queries: Int
    public let items: Int
    /// The best model against the best baseline, both chosen on validation.
    public private(set) var difference: Difference?
    private var ranks: [[Double]] = []

    private enum CodingKeys: String, CodingKey { case table, rule, seen, repeatShare, queries, items, difference }

    public init(_ task: RankingTask) {
        rule = task.rule
        seen = task.seen
        repeatShare = task.repeatShare
        queries = task.targets(.test).count
        items = task.itemCount
    }

    public var rows: [Comparison<RankingReport>.Row] { table.rows }

    /// - Parameter validation: what is to be small on validation questions, `1 - NDCG@10`.
    public mutating func add(
        _ name: String, setting: String = "", isModel: Bool, seconds: Double?, validation: Double?,
        _ ranker: any ItemRanker, _ task: RankingTask, seed: UInt64
    ) throws {
        let (report, ranks) = try RankingEvaluation.report(ranker, task, .test, seed: seed)
        table.add(
            .init(
                name: name, isModel: isModel, setting: setting, report: report, validation: validation,
                seconds: seconds))
        self.ranks.append(ranks)
        let users = task.targets(.test).map { task.log.user[$0] }
        guard let model = table.bestIndex(models: true), let baseline = table.bestIndex(models: false) else { return }
        let (a, b) = (table.rows[model], table.rows[baseline])
        difference = Difference(
            measure: "NDCG@10", model: a.name, baseline: b.name,
            value: (a.report.ndcg[10] ?? 0) - (b.report.ndcg[10] ?? 0),
            interval: RankingReport.difference(self.ranks[model], self.ranks[baseline], users: users, seed: seed),
            lessIsBetter: false)
    }

    /// What the table says, in its first line.
    public var verdict: String? {
        difference.map { "\($0.model) \($0.outcome) the best baseline of this table, \($0.baseline), in NDCG@10" }
    }
}
