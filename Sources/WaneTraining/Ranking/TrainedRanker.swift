import Torch
import WaneBaselines
import WaneData
import WaneMetrics
import WaneModels

/// Everything about a trained model of the next item but its weights and vocabulary: `model.json`.
public struct RankingDescription: FolderDescription, Sendable, Equatable {
    public var schema = ModelDescription.currentSchema
    public var task = "ranking"
    public var family: String
    public var model: ModelOptions
    public var training: TrainingOptions
    public var ranking: RankingOptions
    public var rule: RankingProtocol
    public var seen: SeenItems
    public var clock: EventLog.Clock
    public var history = TrainingHistory()
    public var data: DataFingerprint
    public var code = CodeVersion.current
    public var files: [String: ModelDescription.FileRecord] = [:]

    init(
        family: String, model: ModelOptions, training: TrainingOptions, ranking: RankingOptions,
        rule: RankingProtocol, seen: SeenItems, clock: EventLog.Clock, data: DataFingerprint
    ) {
        self.family = family
        self.model = model
        self.training = training
        self.ranking = ranking
        self.rule = rule
        self.seen = seen
        self.clock = clock
        self.data = data
    }
}

/// A trained model of the next item.
public struct TrainedRanker {
    public var description: RankingDescription
    public let items: Vocabulary
    let network: RankingModel

    init(_ description: RankingDescription, items: Vocabulary, network: RankingModel) {
        self.description = description
        self.items = items
        self.network = network
    }

    init(_ description: RankingDescription, items: Vocabulary, weights: [String: Tensor]) throws {
        let options = try description.model.checked()
        self.init(description, items: items, network: try RankingModel(options, items: items.count))
        try network.load(weights)
    }

    public func weights() throws -> [String: Tensor] { try network.weights() }
    public var parameterCount: Int { network.parameters.reduce(0) { $0 + $1.parameter.value.count } }

    /// The model set to work on a log, with the graph of what was known before `part`.
    public func session(
        _ task: RankingTask, before part: Part, friends: [[UInt32]] = []
    ) throws(TorchError) -> RankingSession {
        let known = (0..<task.userCount).map { task.known($0, before: part) }
        return try RankingSession(self, task.log, known, friends)
    }

    /// The model set to work on a log of which everything is known.
    ///
    /// - Parameter log: sorted by person and time.
    public func session(_ log: EventLog, friends: [[UInt32]] = []) throws(TorchError) -> RankingSession {
        let starts = log.userStarts()
        let known = (0..<log.users.count).map { starts[$0]..<starts[$0 + 1] }
        return try RankingSession(self, log, known, friends)
    }
}

/// A model of the next item at work on one log.
public struct RankingSession: ItemRanker {
    let network: RankingModel
    let log: EventLog
    let window: Int
    /// The model's row of each of the log's items; 0 for items it has not met.
    let itemRow: [Int64]
    let rowCount: Int
    let graph: InteractionGraph?
    private let rowIndex: Tensor

    init(
        _ model: TrainedRanker, _ log: EventLog, _ known: [Range<Int>], _ friends: [[UInt32]]
    ) throws(TorchError) {
        network = model.network
        self.log = log
        window = model.description.ranking.window
        itemRow = log.items.names.map { model.items.find($0).map { Int64($0) + 1 } ?? 0 }
        rowCount = model.items.count + 1
        rowIndex = try Tensor(itemRow)
        graph =
            network.usesGraph
            ? try InteractionGraph(log, known: known, itemRow: itemRow, itemRows: rowCount, friends: friends) : nil
    }

    /// Items that the model has not met share the score of the unknown item, which is never an answer in training.
    public func scores(_ queries: [RankingQuery]) throws -> [Float] {
        let stretches = queries.map { query in
            RankingBatch.Stretch(places: query.history.suffix(window), answered: false, moment: query.moment)
        }
        return try withoutGradients {
            let scores = try network.scores(RankingBatch(stretches, log, itemRow: itemRow), graph: graph)
            return try scores.columns(rowIndex).values()
        }
    }

    /// How many questions are answered at once.
    var batchSize: Int { network.meetsCandidates ? 32 : 256 }

    /// The best items for one question, best first, with their scores.
    ///
    /// - Parameters:
    ///   - candidates: rank these only; all items when absent. Each counts once.
    /// - Throws: ``RankingError/noCandidates`` when none is left.
    public func top(
        _ count: Int, _ query: RankingQuery, among candidates: [UInt32]?, seen: SeenItems
    ) throws -> [(item: UInt32, score: Float)] {
        let met = seen == .excluded ? Set(query.history.map { log.item[$0] }) : []
        let allowed = candidates.map(Set.init)
        let scores = try scores([query])
        let best = scores.withUnsafeBufferPointer { scores in
            Ranks.top(count, of: scores) { item in
                !met.contains(UInt32(item)) && allowed?.contains(UInt32(item)) != false
            }
        }
        guard !best.isEmpty else { throw RankingError.noCandidates }
        return best.map { (UInt32($0), scores[$0]) }
    }
}
