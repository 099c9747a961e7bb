import Foundation

/// What a service keeps beside events: who may ask, and which models answer.
public protocol ServiceStore: EventStore {
    /// Whether other services may use it at the same time: it then has the models as well, and what one changes the others take over.
    var isShared: Bool { get }

    func add(_ key: StoredKey) async throws(StoreError)
    func keys() async throws(StoreError) -> [StoredKey]
    /// Takes a key away, unless others would be left without one of the role admin.
    func removeKey(prefix: String) async throws(StoreError) -> KeyRemoval

    /// The versions that bear labels.
    func labels() async throws(StoreError) -> [ModelLabel: String]
    /// Moves labels, all or none; one without a version is taken off.
    func move(_ labels: [ModelLabel: String?]) async throws(StoreError)

    /// Files of a version of a model, by their paths in its folder; a store that is not shared keeps none.
    func save(model version: String, files: [String: Data]) async throws(StoreError)
    func files(ofModel version: String) async throws(StoreError) -> [String: Data]
    /// Versions whose files it has.
    func models() async throws(StoreError) -> [String]
}

/// A label of a model's version, of which one of a task bears it at a time.
public struct ModelLabel: Hashable, Sendable {
    public enum Name: String, Sendable, CaseIterable {
        /// It answers.
        case champion
        /// It answered before.
        case previous
    }

    public let task: String
    public let name: Name

    public init(task: String, _ name: Name) {
        self.task = task
        self.name = name
    }
}

/// What became of a key that was to go.
public enum KeyRemoval: Sendable, Equatable {
    case removed
    case unknown
    /// It is the last of the role admin, and there are others.
    case lastAdmin
}
