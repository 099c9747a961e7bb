import Torch
import WaneBundle
import WaneEvents
import WaneModels
import WanePrediction
import WaneState
import WaneTasks

/// What the tasks that ask queries train with alike, and what their bundles keep of it.
struct TrainingInputs {
    let task: InterestTask
    let vocabulary: ModelVocabulary
    let rows: LogRows
    let events: EventTensors
    private let graphs: GraphSnapshots?

    /// - Parameter encoder: nothing for a model that reads neither histories nor a graph.
    init(
        _ task: InterestTask, _ vocabulary: ModelVocabulary, _ encoder: QueryEncoder?, _ friends: SocialEdges
    ) throws {
        let (histories, split) = (task.histories, task.split)
        let log = histories.log
        self.task = task
        self.vocabulary = vocabulary
        rows = LogRows(vocabulary, of: log)
        if encoder?.usesGraph == true {
            let known = (0..<histories.userCount).map { user in
                let range = histories.events(ofUser: user)
                return range.lowerBound..<range.partitioningIndex { log.time[$0] >= split.trainEnd }
            }
            graphs = try GraphSnapshots(
                log, known: known, at: split.snapshots, itemRow: rows.itemRow, itemRows: vocabulary.itemRows + 1,
                friends: friends)
        } else {
            graphs = nil
        }
        events = EventTensors(histories, rows: rows, horizon: split.horizon, graphs: graphs)
    }

    /// The trained model with everything that was counted.
    func bundle(
        _ description: BundleDescription, _ network: ModelBundle.Network, reading: ReadingOptions
    ) throws -> ModelBundle {
        let log = task.histories.log
        var smoothed: SmoothedItems?
        var people = Vocabulary()
        if let graphs, let encoder = network.queries {
            let all = try withoutGradients { try encoder.smoothed(over: graphs.last) }
            (smoothed, people) = try all.ofKnownPeople(log.users)
        }
        return ModelBundle(
            description: description, vocabulary: vocabulary,
            scale: task.histories.scale.renumbered(vocabulary.logItems),
            popularity: task.popularity[task.popularity.all.count - 1].renumbered(vocabulary.logTopics),
            network: network, smoothed: smoothed, people: people, reading: reading)
    }
}

extension SmoothedItems {
    /// The same with friends' vectors of those people only who have any, and their names.
    func ofKnownPeople(_ users: Vocabulary) throws(TorchError) -> (SmoothedItems, Vocabulary) {
        guard let friends else { return (SmoothedItems(vectors: try vectors.copied(), friends: nil), Vocabulary()) }
        let width = friends.shape[1]
        let values: [Float] = try friends.values()
        let known = (0..<users.count).filter { user in
            values[user * width..<(user + 1) * width].contains { $0 != 0 }
        }
        let kept = try friends.rows(Tensor(known.map(Int64.init)))
        return (
            SmoothedItems(vectors: try vectors.copied(), friends: kept), Vocabulary(known.map { users[$0] })
        )
    }
}

extension QueryPredictor {
    /// A model at work on the log that it was just trained on.
    public init(_ bundle: ModelBundle, of histories: Histories) {
        let people = histories.log.users.names.map { bundle.people.find($0).map { Int64($0) } ?? -1 }
        self.init(bundle, histories, rows: LogRows(bundle.vocabulary, of: histories.log), userOf: people)
    }
}
