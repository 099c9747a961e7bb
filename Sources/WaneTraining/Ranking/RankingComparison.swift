import WaneBaselines
import WaneEvents
import WaneMetrics
import WaneTasks

/// Models of the next item and classical ones on the same questions.
public struct RankingComparison: Sendable, Encodable, Doubted {
    public private(set) var table = Comparison<RankingReport>()
    public let rule: RankingProtocol
    public let seen: SeenItems
    public let repeatShare: Double
    public let queries: Int
    public let items: Int
    /// The best model against the best baseline, both chosen on validation.
    public private(set) var difference: Difference?
    public let people: Int
    /// What is to be said before anything else; the gain is over what is popular with everybody.
    public private(set) var doubts: [Doubt] = []
    private var ranks: [[Double]] = []

    private enum CodingKeys: String, CodingKey {
        case table, rule, seen, repeatShare, queries, items, people, difference, doubts
    }

    public init(_ task: RankingTask) {
        rule = task.rule
        seen = task.seen
        repeatShare = task.repeatShare
        queries = task.targets(.test).count
        items = task.itemCount
        people = Set(task.targets(.test).map { task.log.user[$0] }).count
    }

    public var rows: [Comparison<RankingReport>.Row] { table.rows }
    /// What the verdict is about.
    public var headline: RankingReport.Headline { .init(items: items) }

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
        guard let model = table.bestIndex(models: true) else { return }
        func against(_ baseline: Int) -> Difference {
            let (a, b) = (table.rows[model], table.rows[baseline])
            return Difference(
                measure: headline.name, model: a.name, baseline: b.name,
                value: a.report.value(headline) - b.report.value(headline),
                interval: RankingReport.difference(
                    self.ranks[model], self.ranks[baseline], in: headline, users: users, seed: seed),
                lessIsBetter: false)
        }
        let isEnough = people >= Doubt.leastPeople
        difference = isEnough ? table.bestIndex(models: false).map { against($0) } : nil
        let popular = isEnough ? rows.firstIndex { $0.name == "popularity" && !$0.isModel } : nil
        doubts = Doubt.all(people: people, questions: queries, gain: popular.map { against($0) })
    }

    /// All that is said before the figures, the most important first.
    public var sentences: [String] {
        doubts.map(\.words) + [verdict].compactMap { $0 }
    }

    private var verdict: String? {
        difference.map { "\($0.model) \($0.outcome) the best baseline of this table, \($0.baseline), in \($0.measure)" }
    }
}
