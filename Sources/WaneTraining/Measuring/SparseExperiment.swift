import WaneBaselines
import WaneEvents
import WaneMetrics
import WaneModels
import WanePrediction
import WaneTasks

/// Which remedies help when there are few people or few events: the same test, less to learn from.
///
/// Training keeps a share of the people, or of each person's training events, drawn from the seed; validation and
/// test stay whole. Remedies are variants of one family.
public struct SparseExperiment: Sendable {
    /// What is thinned.
    public enum Thinning: String, Sendable, Codable, CaseIterable { case users, events }

    /// What is tried against sparseness.
    public enum Remedy: String, Sendable, Codable, CaseIterable {
        case none
        /// A penalty on the magnitude of all weights.
        case l1
        /// A sparse code of the history: the sparse autoencoder.
        case sparseCodes = "sparse-codes"
        /// Item vectors smoothed over the graph of who met what.
        case graph
        /// The graph with friendships: needs social edges.
        case social
        /// A blend with classical counts over everybody: transfer from global statistics.
        case globalStatistics = "global-statistics"

        /// The families that all remedies together train.
        public static func families(of family: String) -> [String] {
            var families: [String] = []
            for remedy in allCases where !families.contains(remedy.variant(of: family).family) {
                families.append(remedy.variant(of: family).family)
            }
            return families
        }

        /// The family, and the weight of L1.
        func variant(of family: String) -> (family: String, l1: Double) {
            switch self {
            case .none, .globalStatistics: (family, 0)
            case .l1: (family, 1e-5)
            case .sparseCodes: ("sparse-autoencoder", 0)
            case .graph, .social: ("hybrid", 0)
            }
        }
    }

    public struct Row: Sendable, Codable {
        public let thinning: Thinning
        public let share: Double
        public let remedy: Remedy
        public let trainingEvents: Int
        public let report: RankingReport
        /// Of the difference in NDCG@10 to no remedy on the same share.
        public let difference: Evaluation.Interval?
    }

    public let task: RankingTask
    public let family: String
    /// Sizes by family; the task's own for those that are not named.
    public let models: [String: ModelOptions]
    public let training: TrainingOptions
    public let ranking: RankingOptions
    public let friends: SocialEdges

    public init(
        _ task: RankingTask, family: String, models: [String: ModelOptions] = [:], training: TrainingOptions,
        ranking: RankingOptions, friends: SocialEdges
    ) {
        self.task = task
        self.family = family
        self.models = models
        self.training = training
        self.ranking = ranking
        self.friends = friends
    }

    /// Remedies that can be tried here.
    public var remedies: [Remedy] { Remedy.allCases.filter { $0 != .social || !friends.isEmpty } }

    /// One share of one thinning with every remedy.
    ///
    /// - Parameter configure: sets progress and interruption of each run.
    public func run(
        _ thinning: Thinning, share: Double, configure: (inout Trainer, Remedy) -> Void
    ) throws -> [Row] {
        let thinned = task.thinned(thinning == .users, keeping: share, seed: training.seed)
        let places = task.targets(.test)
        let users = places.map { task.log.user[$0] }
        let events = (0..<task.userCount).reduce(0) { $0 + thinned.known($1, before: .validation).count }
        var rows: [Row] = []
        var plain: (ranks: [Double], ranker: Ranker)?
        for remedy in remedies {
            let ranks: [Double]
            let covered: Int
            if remedy == .globalStatistics, let plain {
                // The same model, with counts fitted on what is left.
                let kinds = [
                    CoVisits(window: 20, halfLife: 3, popularityPower: 0.3) as any RankingBaseline,
                    ItemKNN(neighbours: 800, halfLife: 1), PopularItems(halfLifeDays: nil),
                ]
                let parts = try kinds.map { try $0.fitted(thinned, before: .validation) }
                let weights = try RankingBlend.weights(
                    parts + [plain.ranker], task, among: plain.ranker.knownItems, questions: 2_000,
                    seed: training.seed)
                let blend = RankingBlend(
                    parts + [plain.ranker], weights: weights, items: task.itemCount, among: plain.ranker.knownItems)
                (ranks, covered) = try RankingEvaluation.ranks(blend, task, places, covering: true)
            } else {
                let (family, l1) = remedy.variant(of: family)
                var options = training
                options.l1 = l1
                var run = try RankingTraining(
                    thinned, model: models[family] ?? RankingOptions.model(family), training: options,
                    ranking: ranking)
                if remedy == .social { run.friends = friends }
                configure(&run.trainer, remedy)
                // As of before validation, as the counts above.
                let ranker = try run.run().beforeValidation
                (ranks, covered) = try RankingEvaluation.ranks(ranker, task, places, covering: true)
                if remedy == .none { plain = (ranks, ranker) }
            }
            let report = RankingReport(
                ranks: ranks, users: users, covered: covered, items: task.itemCount, seed: training.seed)
            let difference = plain.flatMap { plain in
                remedy == .none
                    ? nil
                    : RankingReport.difference(
                        ranks, plain.ranks, in: .init(items: task.itemCount), users: users, seed: training.seed)
            }
            rows.append(
                Row(
                    thinning: thinning, share: share, remedy: remedy, trainingEvents: events, report: report,
                    difference: difference))
        }
        return rows
    }
}
