import Foundation
import WaneEvents

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

    /// Makes a version the champion of a task, the one before the previous, all or none: only while the champion is the one that was known.
    ///
    /// - Returns: whether it was.
    func promote(_ version: String, task: String, over known: String?) async throws(StoreError) -> Bool

    /// Lets one of all services on the store do a kind of work; nothing where another does.
    func lease(_ name: String) async throws(StoreError) -> StoreLease?

    /// Keeps what was found of the service's models at a time.
    func add(_ report: StoredReport) async throws(StoreError)
    /// Reports of a kind, the newest first.
    func reports(_ kind: StoredReport.Kind, limit: Int) async throws(StoreError) -> [StoredReport]

    /// Keeps what is said of items, in its order, all or none; durable when it returns. Events on an item that say no topics have its topics
    /// from then on.
    ///
    /// - Returns: whether events that are stored may have other topics now.
    func put(_ changes: [ItemChange]) async throws(StoreError) -> Bool
    /// What is said of an item; of one that only events are known of its name alone, and nothing of one that is not known at all.
    func item(_ name: String) async throws(StoreError) -> ItemRecord?
    /// Names of items that are not to be recommended.
    func unavailableItems() async throws(StoreError) -> [String]
    /// Other numbers once another process may have changed what is said of items.
    func itemsRevision() async throws(StoreError) -> ItemsRevision

    /// Files of a version of a model, by their paths in its folder; a store that is not shared keeps none.
    func save(model version: String, files: [String: Data]) async throws(StoreError)
    func files(ofModel version: String) async throws(StoreError) -> [String: Data]
    /// Versions whose files it has.
    func models() async throws(StoreError) -> [String]
    func remove(model version: String) async throws(StoreError)
}

/// How often anything was said of items, and how often events that are stored had other topics then.
public struct ItemsRevision: Sendable, Equatable {
    public var all: Int64 = 0
    public var topics: Int64 = 0

    public init() {}
}

/// The right to do a kind of work, until it is released or the process ends.
public final class StoreLease: Sendable {
    private let end: @Sendable () -> Void

    init(end: @escaping @Sendable () -> Void = {}) { self.end = end }

    public func release() { end() }
}

/// What was found of the service's models at a time, as JSON.
public struct StoredReport: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// What a model said beside what then happened.
        case check
        /// A round of learning, and what became of its model.
        case learning
    }

    /// Of each kind; older ones go.
    static let mostKept = 2_000

    public let kind: Kind
    /// Microseconds since 1970.
    public let time: Int64
    public let body: String

    public init(_ kind: Kind, time: Int64, body: String) { (self.kind, self.time, self.body) = (kind, time, body) }
}

/// A label of a model's version, of which one of a task bears it at a time.
public struct ModelLabel: Hashable, Sendable {
    public enum Name: String, Sendable, CaseIterable {
        /// It answers.
        case champion
        /// It answered before.
        case previous
        /// It was trained on what came in, and set beside the champion.
        case challenger
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
