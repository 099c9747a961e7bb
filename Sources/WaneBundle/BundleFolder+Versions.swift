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
    public static func copy(_ path: String, to place: String) throws {
        let manager = FileManager.default
        let (source, target) = (URL(fileURLWithPath: path), URL(fileURLWithPath: place))
        try DurableFile.makeFolder(target.deletingLastPathComponent(), for: place)
        let temporary = target.deletingLastPathComponent()
            .appendingPathComponent(".\(target.lastPathComponent).\(getpid()).tmp")
        defer { try? manager.removeItem(at: temporary) }
        try? manager.removeItem(at: temporary)
        try DurableFile.makeFolder(temporary.appendingPathComponent("vocabulary"), for: place)
        let names = try manager.subpathsOfDirectory(atPath: source.path).filter { name in
            var isFolder: ObjCBool = false
            _ = manager.fileExists(atPath: source.appendingPathComponent(name).path, isDirectory: &isFolder)
            return !isFolder.boolValue && (!name.contains("/") || name.hasPrefix("vocabulary/"))
        }
        for name in names.sorted() {
            let data = try Data(contentsOf: source.appendingPathComponent(name))
            try DurableFile.write(data, to: temporary.appendingPathComponent(name))
        }
        DurableFile.syncFolder(temporary.appendingPathComponent("vocabulary"))
        DurableFile.syncFolder(temporary)
        guard rename(temporary.path, target.path) == 0 else { throw DurableFile.failure(target) }
        DurableFile.syncFolder(target.deletingLastPathComponent())
    }
}
