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

    /// Where the answer goes instead, and the name of what it is written to until it is whole, where that has one.
    private static let file = Mutex<(path: String, draft: String?)?>(nil)

    /// Sends all that is written to standard output into a file, which takes its place when the command has succeeded. A device or
    /// a pipe is written as it comes.
    static func redirect(to path: String) throws {
        try OutputFile.prepare(path)
        // Through links to what they stand for.
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        var status = stat()
        let exists = stat(target, &status) == 0
        let isReplaced = !exists || status.st_mode & S_IFMT == S_IFREG
        var draft: String?
        var descriptor = open(target, O_WRONLY | O_CLOEXEC)
        if isReplaced {
            if descriptor >= 0 { close(descriptor) }
            // Without a name nothing is left of it, however the process ends; where the file system has no such files, one beside.
            let folder = URL(fileURLWithPath: target).deletingLastPathComponent().path
            descriptor = open(folder, 0o20200000 /* O_TMPFILE */ | O_WRONLY | O_CLOEXEC, 0o600)
            if descriptor < 0 {
                var name = Array("\(target).XXXXXX".utf8CString)
                descriptor = mkstemp(&name)
                draft = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
        }
        guard descriptor >= 0, dup2(descriptor, STDOUT_FILENO) >= 0 else {
            throw OutputError(path: path, reason: String(cString: strerror(errno)))
        }
        close(descriptor)
        guard isReplaced else { return }
        // As the file was, or as a new one would be.
        let mask = umask(0)
        umask(mask)
        fchmod(STDOUT_FILENO, exists ? status.st_mode & 0o7777 : 0o666 & ~mask)
        file.withLock { $0 = (target, draft) }
    }

    /// What a message about the output names.
    static var path: String { file.withLock { $0?.path } ?? "standard output" }

    /// - Throws: where not all of the answer has been taken.
    static func check() throws {
        let code = failure.load(ordering: .relaxed)
        if code != 0 { throw OutputError(path: path, reason: String(cString: strerror(code))) }
    }

    /// The same, and puts the file in its place.
    static func finish() throws {
        try check()
        guard let own = file.withLock({ $0 }) else { return }
        let draft = own.draft ?? "\(own.path).\(getpid())"
        let isNamed =
            own.draft != nil || linkat(AT_FDCWD, "/proc/self/fd/1", AT_FDCWD, draft, AT_SYMLINK_FOLLOW) == 0
        guard isNamed, fsync(STDOUT_FILENO) == 0, rename(draft, own.path) == 0 else {
            throw OutputError(path: own.path, reason: String(cString: strerror(errno)))
        }
        file.withLock { $0 = nil }
    }

    /// Leaves the file that was there before as it was.
    static func discard() { if let draft = file.withLock({ $0 })?.draft { unlink(draft) } }
}
