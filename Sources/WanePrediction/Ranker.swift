import Torch
import WaneBaselines
import WaneBundle
import WaneEvents
import WaneMetrics
import WaneModels
import WaneState
import WaneTasks

/// A model of the next item at work on one log, by the log's own numbers: what measuring needs.
public struct Ranker: ItemRanker {
    let network: RankingModel
    let log: EventLog
    let window: Int
    /// The model's row of each of the log's items; 0 for items it has not met.
    let itemRow: [Int64]
    let userOf: [Int64]?
    let items: SmoothedItems
    private let rowIndex: Tensor

    /// - Parameters:
    ///   - log: sorted by person and time.
    ///   - itemRow: the model's row of each of the log's items.
    ///   - items: item vectors as the graph has them; the model's own when absent.
    ///   - userOf: the people's numbers among `items.friends`; those of the log when absent.
    public init(
        _ network: RankingModel, _ log: EventLog, window: Int, itemRow: [Int64], items: SmoothedItems?,
        userOf: [Int64]? = nil
    ) throws(TorchError) {
        self.network = network
        self.log = log
        self.window = window
        self.itemRow = itemRow
        self.userOf = userOf
        if let items { self.items = items } else { self.items = try network.smoothed(over: nil) }
        rowIndex = try Tensor(itemRow)
    }

    /// Items that the model has not met share the score of the unknown item, which is never an answer in training.
    public func scores(_ queries: [RankingQuery]) throws -> [Float] {
        let stretches = queries.map { query in
            RankingBatch.Stretch(
                after: query.history, log, itemRow: itemRow, window: window,
                user: userOf.map { $0[Int(query.user)] } ?? Int64(query.user), moment: query.moment)
        }
        return try withoutGradients {
            try network.scores(RankingBatch(stretches), items).columns(rowIndex).values()
        }
    }

    /// The log's numbers of items that the model has a vector of.
    public var knownItems: [Int] { itemRow.indices.filter { itemRow[$0] > 0 } }

    /// How many questions are answered at once: attention holds the square of the window for each.
    public var batchSize: Int {
        network.meetsCandidates ? 32 : max(16, min(256, 256 * 50 * 50 / max(1, window * window)))
    }
}

extension Predictor {
    /// An item of a list, by its number in the model's vocabulary, or by its name where the model has not met it.
    public struct RankedItem: Sendable, Equatable {
        public let item: String
        /// Nothing for an item that the model has not met: such items follow all others.
        public let score: Float?
    }

    /// The best items for one person, best first; those of people in general where nothing is known of the person.
    ///
    /// - Parameters:
    ///   - count: how many; all there are when fewer.
    ///   - candidates: rank these only; all items of the model when absent. Each counts once.
    ///   - excluded: names that are not to be listed, such as those already seen.
    ///   - hidden: items that are not listed where no candidates are named, such as those that cannot be had.
    /// - Throws: ``PredictionError/noCandidates`` when none is left.
    public func top(
        _ count: Int, for state: PersonState, user: Int64, at moment: Int64, in log: AskedLog,
        among candidates: [String]? = nil, excluding excluded: Set<String> = [], hidden: Set<ExactName> = []
    ) throws -> (items: [RankedItem], basis: Basis) {
        let vocabulary = bundle.vocabulary
        let (scores, basis) = try scores(of: [(state, user)], at: [moment], in: log)[0]
        guard !scores.isEmpty else { throw PredictionError.noEventYet(user: "the person") }
        func isOpen(_ item: Int) -> Bool {
            if excluded.isEmpty, hidden.isEmpty { return true }
            let name = vocabulary.items[item]
            return !excluded.contains(name) && !hidden.contains(ExactName(name))
        }
        let best: [RankedItem]
        if let candidates {
            var seen = Set<String>()
            var known: [(item: Int, score: Float)] = []
            var unknown: [String] = []
            for name in candidates where seen.insert(name).inserted && !excluded.contains(name) {
                if let item = vocabulary.items.find(name), Int(item) < scores.count {
                    known.append((Int(item), scores[Int(item)]))
                } else {
                    unknown.append(name)
                }
            }
            func order(_ score: Float) -> Float { score.isNaN ? -.infinity : score }
            known.sort { a, b in
                order(a.score) != order(b.score) ? order(a.score) > order(b.score) : a.item < b.item
            }
            let ranked = known.map { RankedItem(item: vocabulary.items[$0.item], score: $0.score) }
            best = Array((ranked + unknown.map { RankedItem(item: $0, score: nil) }).prefix(count))
        } else {
            best = scores.withUnsafeBufferPointer { scores in
                Ranks.top(min(count, scores.count), of: scores, where: isOpen)
            }.map { RankedItem(item: vocabulary.items[$0], score: scores[$0]) }
        }
        guard !best.isEmpty else { throw PredictionError.noCandidates }
        return (best, basis)
    }
}
