import Foundation
import Synchronization
import WaneBundle
import WaneStore

/// Versions of models in a folder, each never changed, and which of them answer.
///
/// A version answers only after it was read whole, checked and asked once; the label moves before the swap, so that a
/// restart finds what answered last.
public final class ModelRegistry: Sendable {
    private let folder: String
    private let store: any ServiceStore
    private let active = Mutex<[String: LoadedModel]>([:])
    /// One change at a time.
    private let changes = ChangeGate()

    /// - Parameter folder: made where it is not there.
    public init(folder: String, store: any ServiceStore) throws {
        self.folder = folder
        self.store = store
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// What models of a service answer.
    public static let tasks: [BundleTask] = [.interest, .ranking, .return]

    /// The model that answers a task's questions now.
    public func model(_ task: BundleTask) throws(RegistryError) -> LoadedModel {
        guard let model = active.withLock({ $0[task.rawValue] }) else { throw .noModel(task: task.rawValue) }
        return model
    }

    public var models: [LoadedModel] { active.withLock { Array($0.values) } }

    /// Loads what was active when the service stopped.
    ///
    /// - Returns: versions that could not be loaded, and why; the rest answers.
    public func restore() async throws -> [(version: String, reason: String)] {
        var failures: [(String, String)] = []
        for (label, version) in try await store.labels() where label.name == .champion {
            do {
                let model = try await load(version)
                active.withLock { $0[label.task] = model }
            } catch {
                failures.append((version, "\(error)"))
            }
        }
        return failures
    }

    /// Takes a copy of a model in, and lets it answer where it is new here, or nothing answers for its task: what an operator took back stays so.
    ///
    /// - Returns: the model that answers for its task now.
    public func add(_ path: String) async throws -> LoadedModel {
        let version = try BundleFolder.version(at: path)
        let task = try BundleFolder.description(at: path).task
        let isKnown =
            store.isShared
            ? try await store.models().contains(version) : FileManager.default.fileExists(atPath: place(version))
        if isKnown, let champion = try? model(task) { return champion }
        try await take(path, as: version)
        return try await activate(version)
    }

    /// Copies a model to where versions are, for the other services too.
    private func take(_ path: String, as version: String) async throws {
        if !FileManager.default.fileExists(atPath: place(version)) {
            // A damaged one is refused before it is copied.
            _ = try BundleFolder.read(path)
            try BundleFolder.copy(path, to: place(version))
        }
        if store.isShared { try await store.save(model: version, files: BundleFolder.files(at: place(version))) }
    }

    /// Takes a copy of a model in under a label, without letting it answer.
    ///
    /// - Returns: its version.
    func keep(_ path: String, label: ModelLabel.Name) async throws -> String {
        let version = try BundleFolder.version(at: path)
        let task = try BundleFolder.description(at: path).task
        try await take(path, as: version)
        try await store.move([ModelLabel(task: task.rawValue, label): version])
        return version
    }

    /// Takes versions away that bear no label.
    func remove(_ versions: [String]) async throws {
        try await changes.run {
            let labelled = Set(try await self.store.labels().values)
            for version in versions where Self.isVersion(version) && !labelled.contains(version) {
                try await self.store.remove(model: version)
                try? FileManager.default.removeItem(atPath: self.place(version))
            }
        }
    }

    /// Lets a version answer in place of the one that does.
    public func activate(_ version: String) async throws -> LoadedModel {
        try await changes.run {
            let model = try await self.load(version)
            try await self.promote(model)
            return model
        }
    }

    /// Labels first, by what the store says is the champion: another service may have changed that a moment ago.
    ///
    /// - Parameter known: the champion that is to be replaced; whichever there is when absent.
    private func promote(_ model: LoadedModel, over known: String? = nil) async throws {
        let task = model.task.rawValue
        for _ in 0..<5 {
            let champion = try await store.labels()[ModelLabel(task: task, .champion)]
            if let known, champion != known { throw RegistryError.replaced(task: task) }
            let isDone = champion == model.version
            if !isDone, try await !store.promote(model.version, task: task, over: champion) { continue }
            active.withLock { $0[task] = model }
            return
        }
        throw RegistryError.replaced(task: task)
    }

    /// Lets a version answer where the champion is still the one that it was set beside.
    func promote(_ version: String, over known: String) async throws {
        try await changes.run {
            let model = try await self.load(version)
            try await self.promote(model, over: known)
        }
    }

    /// Lets the version before answer again.
    public func rollBack(_ task: String) async throws -> LoadedModel {
        try await changes.run {
            guard let version = try await self.store.labels()[ModelLabel(task: task, .previous)] else {
                throw RegistryError.nothingBefore(task: task)
            }
            let model = try await self.load(version)
            try await self.promote(model)
            return model
        }
    }

    /// Takes over what another service on the same store lets answer; one that cannot be loaded is tried again later.
    ///
    /// - Returns: whether another version answers now than before.
    public func follow() async throws -> Bool {
        guard store.isShared else { return false }
        return try await changes.run {
            var hasChanged = false
            for (label, version) in try await self.store.labels() where label.name == .champion {
                guard self.active.withLock({ $0[label.task]?.version }) != version else { continue }
                let model = try await self.load(version)
                self.active.withLock { $0[label.task] = model }
                hasChanged = true
            }
            return hasChanged
        }
    }

    /// Brings a version that only other services have had so far.
    private func fetch(_ version: String) async throws {
        guard !FileManager.default.fileExists(atPath: place(version)) else { return }
        let files = try await store.files(ofModel: version)
        guard !files.isEmpty else { throw RegistryError.noVersion(version) }
        try BundleFolder.put(files, at: place(version))
    }

    private func load(_ version: String) async throws -> LoadedModel {
        guard Self.isVersion(version) else { throw RegistryError.noVersion(version) }
        try await fetch(version)
        guard try BundleFolder.version(at: place(version)) == version else {
            throw RegistryError.changed(version: version)
        }
        return try LoadedModel(folder: place(version), version: version)
    }

    /// Digits of a hash: no path, and no way out of the folder.
    private static func isVersion(_ text: String) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { $0 &- 0x30 < 10 || $0 &- 0x61 < 6 }
    }

    /// Where a version lies.
    func place(_ version: String) -> String { folder + "/" + version }

    /// A version that is kept.
    public struct Version: Sendable {
        public let version: String
        public let task: String?
        public let family: String?
        public let labels: [String]
        /// Why it cannot be used, where it cannot.
        public let fault: String?
    }

    /// All versions, in the order of their names.
    public func versions() async throws -> [Version] {
        let labels = try await store.labels()
        let here = try FileManager.default.contentsOfDirectory(atPath: folder)
        let names = Set(here + (try await store.models())).filter(Self.isVersion).sorted()
        for name in names where !here.contains(name) {
            // One that another service takes away just now is listed with what is wrong with it.
            try await changes.run { do { try await self.fetch(name) } catch RegistryError.noVersion {} }
        }
        return names.map { name in
            let own = labels.filter { $0.value == name }.map(\.key.name.rawValue).sorted()
            do {
                let description = try BundleFolder.description(at: place(name))
                return Version(
                    version: name, task: description.task.rawValue, family: description.family, labels: own, fault: nil)
            } catch {
                return Version(version: name, task: nil, family: nil, labels: own, fault: "\(error)")
            }
        }
    }
}
