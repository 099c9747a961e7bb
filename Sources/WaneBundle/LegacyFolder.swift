import Foundation
import Torch
import WaneEvents
import WaneModels
import WaneState
import WaneTasks

/// Folders of schema 1, which knew models of interest and of the next item and stood beside their log.
///
/// Only rankers are read: curves of then are refused once their manifest has said so. They hold no popularity, no topics of items, no quantiles of single items' durations and no smoothed vectors: a
/// model read from one answers without the first three, and says so; families with a graph cannot be read.
enum LegacyFolder {
    private struct Manifest1: Decodable {
        struct Engagement: Decodable {
            let durationQuantiles: [Float]
            let largestWeight: Float
        }
        struct Loss: Decodable {
            let loss: RankingLoss
            let window: Int
        }
        struct Training: Decodable {
            let seed: UInt64
            let trainQueries: Int
            let validationQueries: Int
            let testQueries: Int
            let epochs: Int
            let learningRate: Double
            let batch: Int
        }
        let task: String?
        let family: String
        let model: Manifest.Options
        let training: Training
        let split: Manifest.Parts?
        let median: Double?
        let clock: EventLog.Clock
        let topicSource: ItemTopics.Source?
        let engagement: Engagement?
        let engagementSource: EngagementScale.Source?
        let scaling: FeatureScaling?
        let threshold: Double?
        let history: TrainingHistory
        let data: DataFingerprint
        let code: String
        let ranking: Loss?
        let rule: RankingProtocol?
        let seen: SeenItems?
        let files: [String: Manifest.FileRecord]
    }

    static func description(
        _ data: Data, path: String
    ) throws(BundleFolderError) -> (description: BundleDescription, files: [String: Manifest.FileRecord]) {
        let old: Manifest1
        do { old = try JSONDecoder().decode(Manifest1.self, from: data) } catch {
            throw .notAModel(
                path: path, reason: "model.json does not describe a model: \(BundleFolder.words(error))")
        }
        let manifest = Manifest(
            task: old.task ?? "interest", family: old.family, options: old.model,
            training: TrainingRecord(
                seed: old.training.seed, trainQueries: old.training.trainQueries,
                validationQueries: old.training.validationQueries, testQueries: old.training.testQueries,
                settings: [
                    "epochs": "\(old.training.epochs)", "learning-rate": "\(old.training.learningRate)",
                    "batch": "\(old.training.batch)",
                ]),
            history: old.history,
            split: old.split
                ?? Manifest.Parts(start: 0, trainEnd: 1, validationEnd: 2, end: 3, horizon: 604_800 * EventLog.second),
            clock: old.clock, topicSource: old.topicSource ?? .column,
            engagement: .init(
                source: old.engagementSource ?? .none, largestWeight: old.engagement?.largestWeight ?? 1,
                typical: old.median ?? 1),
            popularity: .init(until: old.split?.trainEnd ?? 0, events: 0, latelyEvents: 0, topics: 0),
            features: .init(
                // The features of the first schema are today's under other names, in the same order.
                names: old.family == LSTMBasic.name || old.task == "ranking" ? [] : FeatureSchema.lastEventNames,
                mean: old.scaling?.mean ?? [], deviation: old.scaling?.deviation ?? []),
            threshold: old.threshold ?? 0.5, itemRows: 0, topicRows: 0, data: old.data, code: old.code,
            ranking: old.ranking.map {
                RankingRecord(
                    rule: old.rule ?? .leaveOneOut, seen: old.seen ?? .kept, window: $0.window, loss: $0.loss)
            })
        var description = try BundleFolder.checked(path) { () throws(ManifestError) in try manifest.description() }
        if old.family == LSTMBasic.name {
            throw .notAModel(
                path: path, reason: "wane \(old.code) trained \(old.family) on other inputs; train it again")
        }
        if ModelFamilies.usesGraph(old.family) {
            throw .notAModel(
                path: path,
                reason: "wane \(old.code) wrote it without the graph that \(old.family) needs; train it again")
        }
        if old.topicSource == .coVisitation {
            throw .notAModel(
                path: path, reason: "wane \(old.code) wrote it without the topics it had learned; train it again")
        }
        description.notes = [
            "written by wane \(old.code): how popular topics are and which items belong to them is not inside; topics "
                + "come from the log. Train again for a model that stands alone"
        ]
        return (description, old.files)
    }

    static func read(_ data: Data, path: String) throws -> ModelBundle {
        let (description, files) = try description(data, path: path)
        let folder = URL(fileURLWithPath: path)
        let name = "vocabulary/items.txt"
        guard let items = VocabularyFile.decode(try BundleFolder.file(name, files, folder)) else {
            throw BundleFolderError.damaged(
                path: folder.appendingPathComponent(name).path, reason: "it is not a list of names, each once")
        }
        let vocabulary = ModelVocabulary(
            items: items, itemRows: items.count, topics: Vocabulary(), topicRows: 0,
            itemTopics: ItemTopics(
                names: Vocabulary(), byItem: [[UInt32]](repeating: [], count: items.count),
                source: description.topicSource))
        let old = try JSONDecoder().decode(Manifest1.self, from: data)
        let network = try BundleFolder.network(description, vocabulary)
        let weights = try Safetensors.decode(
            try BundleFolder.file("weights.safetensors", files, folder),
            file: folder.appendingPathComponent("weights.safetensors").path
        ).tensors
        var renamed: [String: Tensor] = [:]
        for (name, weight) in weights { renamed[Self.renamed(name)] = weight }
        try network.module.load(renamed)
        return ModelBundle(
            description: description, vocabulary: vocabulary,
            scale: EngagementScale(
                source: old.engagementSource ?? .none, largestWeight: old.engagement?.largestWeight ?? 1,
                durations: old.engagement?.durationQuantiles ?? []),
            popularity: Popularity(
                until: description.split.trainEnd, touches: [], latelyTouches: [], events: 0, latelyEvents: 0,
                topicCount: 0), network: network)
    }

    /// Where a weight of the first schema is today.
    private static func renamed(_ name: String) -> String {
        ["items.", "gaps.", "social."].contains(where: name.hasPrefix) ? "events." + name : name
    }
}
