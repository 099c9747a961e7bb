import Foundation

extension BundleFolder {
    /// What a model is known by, wherever its folder lies: the first twelve digits of the SHA-256 of its manifest, which has those of all
    /// its files.
    public static func version(at path: String) throws -> String {
        let url = URL(fileURLWithPath: path).appendingPathComponent("model.json")
        guard let data = try? Data(contentsOf: url) else {
            throw BundleFolderError.damaged(path: path, reason: "it holds no model.json")
        }
        return String(Fingerprint.sha256(data).prefix(12))
    }

    /// Copies a model to a place where there is none: the whole of it, or nothing.
    ///
    /// - Parameter place: a folder that is not there yet.
    public static func copy(_ path: String, to place: String) throws { try put(files(at: path), at: place) }

    /// All files of a model, by their paths in its folder.
    public static func files(at path: String) throws -> [String: Data] {
        let source = URL(fileURLWithPath: path)
        let names = try FileManager.default.subpathsOfDirectory(atPath: source.path).filter { name in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(
                atPath: source.appendingPathComponent(name).path, isDirectory: &isFolder)
            return !isFolder.boolValue && isOwn(name)
        }
        return try Dictionary(
            uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: source.appendingPathComponent($0))) })
    }

    /// A name in a model's folder or in its vocabulary's, and no way out of them.
    private static func isOwn(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return !parts.contains { $0.isEmpty || $0.hasPrefix(".") }
            && (parts.count == 1 || (parts.count == 2 && parts[0] == "vocabulary"))
    }

    /// Writes a model's files to a place where there is none: the whole of it, or nothing.
    public static func put(_ files: [String: Data], at place: String) throws {
        let target = URL(fileURLWithPath: place)
        guard files.keys.allSatisfy(isOwn) else {
            throw BundleFolderError.damaged(path: place, reason: "it has a file that is none of a model")
        }
        try DurableFile.makeFolder(target.deletingLastPathComponent(), for: place)
        let temporary = target.deletingLastPathComponent()
            .appendingPathComponent(".\(target.lastPathComponent).\(UUID().uuidString).tmp")
        defer { try? FileManager.default.removeItem(at: temporary) }
        try? FileManager.default.removeItem(at: temporary)
        try DurableFile.makeFolder(temporary.appendingPathComponent("vocabulary"), for: place)
        for (name, data) in files.sorted(by: { $0.key < $1.key }) {
            try DurableFile.write(data, to: temporary.appendingPathComponent(name))
        }
        DurableFile.syncFolder(temporary.appendingPathComponent("vocabulary"))
        DurableFile.syncFolder(temporary)
        guard rename(temporary.path, target.path) == 0 else { throw DurableFile.failure(target) }
        DurableFile.syncFolder(target.deletingLastPathComponent())
    }
}
