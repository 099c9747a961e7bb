import Foundation
import Synchronization
import WaneEvents

/// Standard output: what a command answers. A byte that is not taken makes the command fail, also the last one.
enum StandardOutput {
    private static let failure = Atomic<Int32>(0)

    /// One line, or several.
    static func print(_ text: String) {
        guard failure.load(ordering: .relaxed) == 0 else { return }
        do { try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8)) } catch {
            failure.store(errno == 0 ? EIO : errno, ordering: .relaxed)
        }
    }

    /// Where the answer goes instead, and the file that it is written to until it is whole.
    private static let file = Mutex<(path: String, draft: String)?>(nil)

    /// Sends all that is written to standard output into a file, which takes its place when the command has succeeded. A device or
    /// a pipe is written as it comes.
    static func redirect(to path: String) throws {
        try OutputFile.prepare(path)
        var status = stat()
        let kind = stat(path, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG
        let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
        let isReplaced = kind == S_IFREG && !isLink
        let draft = isReplaced ? "\(path).\(getpid())" : path
        let descriptor = open(draft, O_WRONLY | O_CREAT | (isReplaced ? O_TRUNC : 0) | O_CLOEXEC, 0o644)
        guard descriptor >= 0, dup2(descriptor, STDOUT_FILENO) >= 0 else {
            throw OutputError(path: path, reason: String(cString: strerror(errno)))
        }
        close(descriptor)
        if isReplaced { file.withLock { $0 = (path, draft) } } else if kind == S_IFREG { ftruncate(STDOUT_FILENO, 0) }
    }

    /// - Throws: where not all of the answer has been taken.
    static func check() throws {
        let code = failure.load(ordering: .relaxed)
        let path = file.withLock { $0?.path } ?? "standard output"
        if code != 0 { throw OutputError(path: path, reason: String(cString: strerror(code))) }
    }

    /// The same, and puts the file in its place.
    static func finish() throws {
        try check()
        guard let own = file.withLock({ $0 }) else { return }
        guard fsync(STDOUT_FILENO) == 0, rename(own.draft, own.path) == 0 else {
            throw OutputError(path: own.path, reason: String(cString: strerror(errno)))
        }
    }

    /// Leaves the file that was there before as it was.
    static func discard() { if let own = file.withLock({ $0 }) { unlink(own.draft) } }
}
