import CExchange
import Foundation
import Torch
import WaneData
import WaneModels

/// Why a model folder cannot be read.
public enum ModelFolderError: Error, Sendable, Equatable, CustomStringConvertible {
    case missing(path: String)
    case notAModel(path: String, reason: String)
    case newerSchema(path: String, found: Int, known: Int)
    case damaged(path: String, reason: String)
    case wouldOverwrite(path: String)

    public var description: String {
        switch self {
        case .missing(let path): "\(path): there is no model; make one with `wane train LOG --output \(path)`"
        case .notAModel(let path, let reason): "\(path): not a model folder: \(reason)"
        case .newerSchema(let path, let found, let known):
            "\(path): written in format \(found); this program reads formats up to \(known); use a newer wane"
        case .damaged(let path, let reason): "\(path): \(reason); restore it from a copy or train again"
        case .wouldOverwrite(let path): "\(path): exists and is no model folder; name another with --output"
        }
    }
}

/// A model on disk: `model.json`, `weights.safetensors`, `vocabulary/`, `metrics.json`, `card.md`.
///
/// Written whole beside its place, synced, then exchanged with what was there in one step, so a reader finds
/// the old model or the new one. Reading checks every size and hash before it makes anything of a file.
public enum ModelFolder {
    static let jsonLimit = 16 << 20

    public static func write(
        _ model: TrainedModel, metrics: Data, card: String, to path: String
    ) throws {
        try write(
            model.description,
            [
                ("weights.safetensors", try Safetensors.encode(try model.weights())),
                ("vocabulary/items.txt", VocabularyFile.encode(model.vocabulary.items)),
                ("vocabulary/topics.txt", VocabularyFile.encode(model.vocabulary.topics)),
                ("metrics.json", metrics), ("card.md", Data(card.utf8)),
            ], to: path)
    }

    public static func write(_ model: TrainedRanker, metrics: Data, card: String, to path: String) throws {
        try write(
            model.description,
            [
                ("weights.safetensors", try Safetensors.encode(try model.weights())),
                ("vocabulary/items.txt", VocabularyFile.encode(model.items)),
                ("metrics.json", metrics), ("card.md", Data(card.utf8)),
            ], to: path)
    }

    private static func write(
        _ description: some FolderDescription, _ contents: [(String, Data)], to path: String
    ) throws {
        let url = URL(fileURLWithPath: path)
        let manager = FileManager.default
        let exists = manager.fileExists(atPath: url.path)
        if exists, !manager.fileExists(atPath: url.appendingPathComponent("model.json").path) {
            throw ModelFolderError.wouldOverwrite(path: path)
        }
        let temporary = url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(getpid()).tmp")
        defer { try? manager.removeItem(at: temporary) }
        do {
            try manager.createDirectory(
                at: temporary.appendingPathComponent("vocabulary"), withIntermediateDirectories: true)
        } catch {
            throw StorageError.cannotWrite(path: path, reason: (error as NSError).localizedDescription)
        }
        var description = description
        description.files = [:]
        for (name, data) in contents {
            try DurableFile.write(data, to: temporary.appendingPathComponent(name))
            description.files[name] = .init(bytes: data.count, sha256: Fingerprint.sha256(data))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try DurableFile.write(try encoder.encode(description), to: temporary.appendingPathComponent("model.json"))
        DurableFile.syncFolder(temporary.appendingPathComponent("vocabulary"))
        DurableFile.syncFolder(temporary)
        try exchange(temporary, url, exists: exists)
        DurableFile.syncFolder(url.deletingLastPathComponent())
    }

    /// After this, `place` holds the new folder; `new` holds the old one where there was one.
    private static func exchange(_ new: URL, _ place: URL, exists: Bool) throws(StorageError) {
        guard exists else {
            guard rename(new.path, place.path) == 0 else { throw DurableFile.failure(place) }
            return
        }
        if wane_exchange_paths(new.path, place.path) == 0 { return }
        // A file system without exchange: the old model steps aside for a moment.
        let aside = place.deletingLastPathComponent().appendingPathComponent(".\(place.lastPathComponent).old")
        guard rename(place.path, aside.path) == 0, rename(new.path, place.path) == 0 else {
            throw DurableFile.failure(place)
        }
        _ = rename(aside.path, new.path)
    }

    public static func description(at path: String) throws(ModelFolderError) -> ModelDescription {
        try description(ModelDescription.self, at: path)
    }

    /// Which task a folder's model answers.
    public static func task(at path: String) throws(ModelFolderError) -> String {
        try description(TaskName.self, at: path).task ?? "interest"
    }

    private struct TaskName: Decodable { let task: String? }

    public static func rankingDescription(at path: String) throws(ModelFolderError) -> RankingDescription {
        try description(RankingDescription.self, at: path)
    }

    public static func ranker(_ path: String) throws -> TrainedRanker {
        guard try task(at: path) == "ranking" else {
            throw ModelFolderError.notAModel(
                path: path, reason: "it answers how much, not what next; train one with `wane rank train`")
        }
        let description = try rankingDescription(at: path)
        let folder = URL(fileURLWithPath: path)
        let weights = try checked("weights.safetensors", description, folder)
        let items = try vocabulary("vocabulary/items.txt", description, folder)
        let tensors = try Safetensors.decode(weights, file: folder.appendingPathComponent("weights.safetensors").path)
            .tensors
        return try TrainedRanker(description, items: items, weights: tensors)
    }

    private static func description<Description: Decodable>(
        _ type: Description.Type, at path: String
    ) throws(ModelFolderError) -> Description {
        let url = URL(fileURLWithPath: path).appendingPathComponent("model.json")
        guard FileManager.default.fileExists(atPath: url.path) else { throw .missing(path: path) }
        let data = try bytes(of: url, limit: jsonLimit)
        guard let version = try? JSONDecoder().decode(Version.self, from: data) else {
            throw .notAModel(path: url.path, reason: "model.json holds no schema number")
        }
        guard version.schema <= ModelDescription.currentSchema else {
            throw .newerSchema(path: url.path, found: version.schema, known: ModelDescription.currentSchema)
        }
        do { return try JSONDecoder().decode(Description.self, from: data) } catch {
            throw .notAModel(path: url.path, reason: "model.json does not describe a model: \(words(error))")
        }
    }

    private struct Version: Decodable { let schema: Int }

    public static func read(_ path: String) throws -> TrainedModel {
        guard try task(at: path) == "interest" else {
            throw ModelFolderError.notAModel(
                path: path, reason: "it ranks items; ask it with `wane rank`, or train one of interest")
        }
        let description = try description(at: path)
        let folder = URL(fileURLWithPath: path)
        let weights = try checked("weights.safetensors", description, folder)
        let vocabulary = ModelVocabulary(
            items: try vocabulary("vocabulary/items.txt", description, folder),
            topics: try vocabulary("vocabulary/topics.txt", description, folder))
        let tensors = try Safetensors.decode(weights, file: folder.appendingPathComponent("weights.safetensors").path)
            .tensors
        return try TrainedModel(description, vocabulary: vocabulary, weights: tensors)
    }

    private static func vocabulary(
        _ name: String, _ description: some FolderDescription, _ folder: URL
    ) throws(ModelFolderError) -> Vocabulary {
        guard let vocabulary = VocabularyFile.decode(try checked(name, description, folder)) else {
            throw .damaged(path: folder.appendingPathComponent(name).path, reason: "it is not UTF-8")
        }
        return vocabulary
    }

    /// A file whose size and hash are those that `model.json` names.
    private static func checked(
        _ name: String, _ description: some FolderDescription, _ folder: URL
    ) throws(ModelFolderError) -> Data {
        let url = folder.appendingPathComponent(name)
        guard let record = description.files[name] else {
            throw .notAModel(path: folder.path, reason: "model.json does not list \(name)")
        }
        let data = try bytes(of: url, limit: record.bytes, exactly: true)
        guard Fingerprint.sha256(data) == record.sha256 else {
            throw .damaged(path: url.path, reason: "its contents are not those that were saved")
        }
        return data
    }

    /// Reads a file only after its size on disk has been compared with what it may be.
    private static func bytes(of url: URL, limit: Int, exactly: Bool = false) throws(ModelFolderError) -> Data {
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

    private static func words(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "no \(key.stringValue)"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
        default: "\(error)"
        }
    }
}

/// A vocabulary as a text file: a name a line, with `\n`, `\r` and `\\` for what a line cannot hold.
enum VocabularyFile {
    static func encode(_ vocabulary: Vocabulary) -> Data {
        var text = ""
        for name in vocabulary.names {
            text += name.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\r", with: "\\r") + "\n"
        }
        return Data(text.utf8)
    }

    static func decode(_ data: Data) -> Vocabulary? {
        guard let text = String(validating: data, as: UTF8.self) else { return nil }
        return Vocabulary(
            text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
                var name = ""
                var escaped = false
                for character in line {
                    if escaped {
                        name.append(character == "n" ? "\n" : character == "r" ? "\r" : character)
                        escaped = false
                    } else if character == "\\" {
                        escaped = true
                    } else {
                        name.append(character)
                    }
                }
                return name
            })
    }
}
