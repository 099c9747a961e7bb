import CExchange
import Foundation
import Torch
import WaneBaselines
import WaneEvents
import WaneModels

/// Why a model folder cannot be read or written.
public enum BundleFolderError: Error, Sendable, Equatable, CustomStringConvertible {
    case missing(path: String)
    case notAModel(path: String, reason: String)
    case newerSchema(path: String, found: Int, known: Int)
    case aFile(path: String)
    case damaged(path: String, reason: String)
    case wouldOverwrite(path: String)
    case otherTask(path: String, answers: BundleTask)

    public var description: String {
        switch self {
        case .missing(let path): "\(path): there is no model; make one with `wane train LOG --output \(path)`"
        case .notAModel(let path, let reason): "\(path): not a model folder: \(reason)"
        case .aFile(let path):
            "\(path): a model is a folder, and this is a file; the model comes first, then the log"
        case .newerSchema(let path, let found, let known):
            "\(path): written in format \(found); this program reads formats up to \(known); use a newer wane"
        case .damaged(let path, let reason): "\(path): \(reason); restore it from a copy or train again"
        case .wouldOverwrite(let path): "\(path): exists and is no model folder; name another with --output"
        case .otherTask(let path, let answers):
            "\(path): this model answers another question; ask it with `\(answers.command)`"
        }
    }
}

/// A model on disk: `model.json`, `reading.json`, `weights.safetensors`, `tables.safetensors`, `vocabulary/`,
/// `metrics.json`, `card.md`.
///
/// Written whole beside its place, synced, then exchanged with what was there in one step, so a reader finds
/// the old model or the new one. Reading checks every size and hash before it makes anything of a file.
public enum BundleFolder {
    static let jsonLimit = 16 << 20

    /// Whether a model can be put at `path`, before the work that makes it begins: the folders above it are made, and
    /// a file is made and taken away again beside it.
    ///
    /// - Throws: ``StorageError`` or ``BundleFolderError/wouldOverwrite(path:)``; nothing has been trained by then.
    public static func prepare(_ path: String) throws {
        // A link to a folder stays a link: what it points to is exchanged.
        let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        let manager = FileManager.default
        if manager.fileExists(atPath: url.path),
            !manager.fileExists(atPath: url.appendingPathComponent("model.json").path)
        {
            throw BundleFolderError.wouldOverwrite(path: path)
        }
        try DurableFile.makeFolder(url.deletingLastPathComponent(), for: path)
        let trial = url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(getpid()).trial")
        do throws(StorageError) { try DurableFile.write(Data(), to: trial) } catch {
            throw StorageError.cannotWrite(
                path: path, reason: "its folder does not take files (\(error.reason)); nothing was trained yet")
        }
        unlink(trial.path)
    }

    public static func write(_ bundle: ModelBundle, metrics: Data, card: String, to path: String) throws {
        let encoder = Self.encoder
        var contents: [(String, Data)] = [
            ("weights.safetensors", try Safetensors.encode(try bundle.weights())),
            ("tables.safetensors", try Safetensors.encode(try Tables.encode(bundle))),
            ("vocabulary/items.txt", VocabularyFile.encode(bundle.vocabulary.items)),
            ("vocabulary/topics.txt", VocabularyFile.encode(bundle.vocabulary.topics)),
            ("reading.json", try encoder.encode(ReadingRecord(bundle.reading))),
            ("metrics.json", metrics), ("card.md", Data(card.utf8)),
        ]
        if bundle.people.count > 0 { contents.append(("vocabulary/people.txt", VocabularyFile.encode(bundle.people))) }
        // A link to a folder stays a link: what it points to is exchanged.
        let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        let manager = FileManager.default
        let exists = manager.fileExists(atPath: url.path)
        if exists, !manager.fileExists(atPath: url.appendingPathComponent("model.json").path) {
            throw BundleFolderError.wouldOverwrite(path: path)
        }
        try DurableFile.makeFolder(url.deletingLastPathComponent(), for: path)
        let temporary = url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(getpid()).tmp")
        defer { try? manager.removeItem(at: temporary) }
        try DurableFile.makeFolder(temporary.appendingPathComponent("vocabulary"), for: path)
        var manifest = Manifest(bundle)
        for (name, data) in contents {
            try DurableFile.write(data, to: temporary.appendingPathComponent(name))
            manifest.files[name] = .init(bytes: data.count, sha256: Fingerprint.sha256(data))
        }
        try DurableFile.write(try encoder.encode(manifest), to: temporary.appendingPathComponent("model.json"))
        DurableFile.syncFolder(temporary.appendingPathComponent("vocabulary"))
        DurableFile.syncFolder(temporary)
        try exchange(temporary, url, exists: exists)
        DurableFile.syncFolder(url.deletingLastPathComponent())
    }

    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return encoder
    }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    /// After this, `place` holds the new folder; `new` holds the old one where there was one.
    private static func exchange(_ new: URL, _ place: URL, exists: Bool) throws(StorageError) {
        guard exists else {
            guard rename(new.path, place.path) == 0 else { throw DurableFile.failure(place) }
            return
        }
        if wane_exchange_paths(new.path, place.path) == 0 { return }
        // A file system without exchange: the old model steps aside for a moment.
        let aside = place.deletingLastPathComponent()
            .appendingPathComponent(".\(place.lastPathComponent).\(getpid()).old")
        guard rename(place.path, aside.path) == 0 else { throw DurableFile.failure(place) }
        guard rename(new.path, place.path) == 0 else {
            let failure = DurableFile.failure(place)
            _ = rename(aside.path, place.path)
            throw failure
        }
        _ = rename(aside.path, new.path)
    }

    // MARK: Reading

    /// What `model.json` says, without weights or tables: needs no libtorch.
    public static func description(at path: String) throws(BundleFolderError) -> BundleDescription {
        let (schema, data) = try manifestData(at: path)
        return try description(data, schema: schema, path: path)
    }

    static func description(_ data: Data, schema: Int, path: String) throws(BundleFolderError) -> BundleDescription {
        if schema == 1 { return try LegacyFolder.description(data, path: path).description }
        return try checked(path) { () throws(ManifestError) in
            try Self.manifest(data).description()
        }
    }

    /// - Parameter tasks: what is to be answered: a model of another task is refused before it is read.
    /// - Throws: ``BundleFolderError``; of another task's model with the command that asks it.
    public static func read(
        _ path: String, for tasks: Set<BundleTask> = Set(BundleTask.allCases)
    ) throws -> ModelBundle {
        let folder = URL(fileURLWithPath: path)
        let (schema, data) = try manifestData(at: path)
        func check(_ task: BundleTask) throws(BundleFolderError) {
            guard tasks.contains(task) else { throw .otherTask(path: path, answers: task) }
        }
        if schema == 1 {
            let description = try LegacyFolder.description(data, path: path).description
            try check(description.task)
            try checkCurves(description, path)
            return try LegacyFolder.read(data, path: path)
        }
        let manifest = try checked(path) { () throws(ManifestError) in try Self.manifest(data) }
        let description = try checked(path) { () throws(ManifestError) in try manifest.description() }
        try check(description.task)
        try checkCurves(description, path)
        func file(_ name: String) throws(BundleFolderError) -> Data {
            try Self.file(name, manifest.files, folder)
        }
        func names(_ name: String) throws(BundleFolderError) -> Vocabulary {
            guard let vocabulary = VocabularyFile.decode(try file(name)) else {
                throw .damaged(
                    path: folder.appendingPathComponent(name).path, reason: "it is not a list of names, each once")
            }
            return vocabulary
        }
        func tensors(_ name: String) throws -> [String: Tensor] {
            try Safetensors.decode(try file(name), file: folder.appendingPathComponent(name).path).tensors
        }
        let reading = try file("reading.json")
        let (items, topics) = (try names("vocabulary/items.txt"), try names("vocabulary/topics.txt"))
        let people = manifest.files["vocabulary/people.txt"] == nil ? Vocabulary() : try names("vocabulary/people.txt")
        do {
            let decoded = try Tables.decode(
                try tensors("tables.safetensors"), manifest, items: items, topics: topics)
            let weights = try tensors("weights.safetensors")
            let count = weights.values.reduce(0) { $0 + $1.shape.reduce(1, *) }
            guard description.options.leastWeights <= 16 * count + (1 << 18) else {
                throw ManifestError("sizes of a network far beyond its \(count) weights")
            }
            let readsCompanions = description.task == .ranking && ModelFamilies.readsCompanions(description.family)
            guard !readsCompanions || decoded.companions != nil else {
                throw BundleFolderError.notAModel(
                    path: path,
                    reason:
                        "wane \(description.code) trained it before \(description.family) read what goes with what; train it again"
                )
            }
            let network = try Self.network(description, decoded.vocabulary, decoded.companions)
            try network.module.load(weights)
            var bundle = ModelBundle(
                description: description, vocabulary: decoded.vocabulary, scale: decoded.scale,
                popularity: decoded.popularity, network: network, smoothed: decoded.smoothed, people: people,
                reading: try Self.decoder.decode(ReadingRecord.self, from: reading).options())
            bundle.population = decoded.population
            bundle.members = decoded.members
            return bundle
        } catch let error as ManifestError {
            throw BundleFolderError.damaged(path: path, reason: "it holds \(error.reason)")
        } catch let error as DecodingError {
            throw BundleFolderError.damaged(path: path, reason: "reading.json: \(words(error))")
        }
    }

    /// A curve whose half-life meant something else is not asked for one, nor one without what its head reads.
    private static func checkCurves(_ description: BundleDescription, _ path: String) throws(BundleFolderError) {
        guard description.task == .interest, description.family != LSTMBasic.name,
            description.halfLives?.left == nil || description.halfLives?.rates == nil
        else {
            return
        }
        throw .notAModel(
            path: path,
            reason: description.halfLives?.left == nil
                ? "wane \(description.code) trained it when a half-life meant something else; train it again"
                : "wane \(description.code) trained it before models followed how often each person comes back; train it again"
        )
    }

    /// A network of the description's family and sizes, with weights drawn anew.
    static func network(
        _ description: BundleDescription, _ vocabulary: ModelVocabulary, _ companions: ItemCompanions? = nil
    ) throws -> ModelBundle.Network {
        let (options, items, topics) = (description.options, vocabulary.itemRows, vocabulary.topicRows)
        switch description.task {
        case .interest where description.family == LSTMBasic.name: return .basic(try LSTMBasic())
        case .interest:
            return .interest(
                try InterestModel(options, items: items, topics: topics, visitPause: description.visitPause))
        case .ranking: return .ranking(try RankingModel(options, items: items, companions: companions))
        case .return:
            return .returns(
                try ReturnModel(options, items: items, topics: topics, followsHours: description.hours != nil))
        case .cohort:
            guard let cohort = description.cohort else { throw ManifestError("no cohort") }
            return .cohort(try CohortModel(options, items: items, topics: topics), cohort.classic)
        }
    }

    private struct Version: Decodable { let schema: Int }

    private static func manifestData(at path: String) throws(BundleFolderError) -> (schema: Int, data: Data) {
        let url = URL(fileURLWithPath: path).appendingPathComponent("model.json")
        guard FileManager.default.fileExists(atPath: url.path) else {
            var isFolder: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            throw isThere && !isFolder.boolValue ? .aFile(path: path) : .missing(path: path)
        }
        let data = try bytes(of: url, limit: jsonLimit)
        guard let version = try? JSONDecoder().decode(Version.self, from: data), version.schema >= 1 else {
            throw .notAModel(path: url.path, reason: "model.json holds no schema number")
        }
        guard version.schema <= Manifest.currentSchema else {
            throw .newerSchema(path: url.path, found: version.schema, known: Manifest.currentSchema)
        }
        return (version.schema, data)
    }

    private static func manifest(_ data: Data) throws(ManifestError) -> Manifest {
        do { return try decoder.decode(Manifest.self, from: data) } catch {
            throw ManifestError(words(error))
        }
    }

    /// What `model.json` must not say becomes an error that names the folder.
    static func checked<Value>(
        _ path: String, _ body: () throws(ManifestError) -> Value
    ) throws(BundleFolderError) -> Value {
        do throws(ManifestError) { return try body() } catch {
            throw .notAModel(path: path, reason: "model.json does not describe a model: \(error.reason)")
        }
    }

    /// A file whose size and hash are those that `model.json` names.
    static func file(
        _ name: String, _ files: [String: Manifest.FileRecord], _ folder: URL
    ) throws(BundleFolderError) -> Data {
        let url = folder.appendingPathComponent(name)
        guard let record = files[name] else {
            throw .notAModel(path: folder.path, reason: "model.json does not list \(name)")
        }
        let data = try bytes(of: url, limit: record.bytes, exactly: true)
        guard Fingerprint.sha256(data) == record.sha256 else {
            throw .damaged(path: url.path, reason: "its contents are not those that were saved")
        }
        return data
    }

    /// Reads a file only after its size on disk has been compared with what it may be.
    private static func bytes(of url: URL, limit: Int, exactly: Bool = false) throws(BundleFolderError) -> Data {
        var status = stat()
        guard stat(url.path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .damaged(path: url.path, reason: "the file is missing")
        }
        let size = Int(status.st_size)
        guard exactly ? size == limit : size <= limit else {
            let expected = exactly ? "\(limit)" : "at most \(limit)"
            throw .damaged(path: url.path, reason: "it holds \(size) bytes, not \(expected)")
        }
        do { return try Data(contentsOf: url) } catch {
            throw .damaged(path: url.path, reason: (error as NSError).localizedDescription)
        }
    }

    static func words(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "no \(key.stringValue)"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
        default: "\(error)"
        }
    }
}
