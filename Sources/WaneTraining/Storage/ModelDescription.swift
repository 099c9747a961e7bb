import WaneData
import WaneModels

/// What `model.json` holds, whatever the task.
protocol FolderDescription: Codable {
    /// SHA-256 and size of every other file, by its path in the folder.
    var files: [String: ModelDescription.FileRecord] { get set }
}

/// Everything about a trained model but its weights and vocabularies: `model.json`.
public struct ModelDescription: FolderDescription, Sendable, Equatable {
    public static let currentSchema = 1

    public var schema = Self.currentSchema
    /// The family's name, `lstm-basic` included.
    public var family: String
    public var model: ModelOptions
    public var training: TrainingOptions
    public var split: Split
    /// `m` of the interest degree.
    public var median: Double
    public var clock: EventLog.Clock
    public var topicSource: ItemTopics.Source
    public var engagement: Engagement.Scale
    public var engagementSource: Engagement.Source
    public var scaling: FeatureScaling
    /// The threshold for "comes back" that had the best F1 on the validation part.
    public var threshold: Double
    public var history: TrainingHistory
    public var data: DataFingerprint
    public var code = CodeVersion.current
    /// SHA-256 and size of every other file, by its path in the folder.
    public var files: [String: FileRecord] = [:]

    public struct FileRecord: Codable, Sendable, Equatable {
        public let bytes: Int
        public let sha256: String
    }
}

/// What tells one log from another.
public struct DataFingerprint: Codable, Sendable, Equatable {
    public let events: Int
    public let users: Int
    public let items: Int
    public let topics: Int
    /// Of the users, items and times of all events in order.
    public let sha256: String
}

public enum CodeVersion {
    public static let current = "0.1.0"
}
