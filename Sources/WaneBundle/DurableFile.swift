import Foundation

/// Why something could not be put on disk; what was there before is untouched.
public enum StorageError: Error, Sendable, Equatable, CustomStringConvertible {
    case cannotWrite(path: String, reason: String)

    /// What the system said.
    public var reason: String {
        switch self {
        case .cannotWrite(_, let reason): reason
        }
    }

    public var description: String {
        switch self {
        case .cannotWrite(let path, let reason):
            "\(path): cannot be written: \(reason); what was there before is unchanged"
        }
    }
}

/// Files that are there whole or not at all: written under another name, synced, renamed.
public enum DurableFile {
    public static func replace(_ url: URL, with data: Data) throws(StorageError) {
        let temporary = url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(getpid()).tmp")
        do throws(StorageError) {
            try write(data, to: temporary)
            guard rename(temporary.path, url.path) == 0 else { throw failure(url) }
        } catch {
            unlink(temporary.path)
            throw error
        }
        syncFolder(url.deletingLastPathComponent())
    }

    /// Writes and syncs a file that nobody reads yet.
    static func write(_ data: Data, to url: URL) throws(StorageError) {
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(url) }
        defer { close(descriptor) }
        let written: Int32 = data.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = Foundation.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                if count < 0 {
                    if errno == EINTR { continue }
                    return errno
                }
                done += count
            }
            return fsync(descriptor) == 0 ? 0 : errno
        }
        guard written == 0 else {
            throw .cannotWrite(path: url.path, reason: String(cString: strerror(written)))
        }
    }

    /// Makes a folder and those above it, where they are missing.
    ///
    /// - Parameter path: what is to be put there, for the error.
    static func makeFolder(_ url: URL, for path: String) throws(StorageError) {
        do { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) } catch {
            throw .cannotWrite(
                path: path,
                reason: "the folder \(url.relativePath) does not exist and could not be made "
                    + "(\((error as NSError).localizedDescription))")
        }
    }

    static func syncFolder(_ url: URL) {
        let descriptor = open(url.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    static func failure(_ url: URL) -> StorageError {
        .cannotWrite(path: url.path, reason: String(cString: strerror(errno)))
    }
}
