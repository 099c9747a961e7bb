import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Holds a folder for this process: a second one is refused, and the end of the process lets go, however it comes.
final class FolderLock: @unchecked Sendable {
    private var descriptor: Int32

    init(_ folder: String) throws(StoreError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw .cannotOpen(path: folder, reason: error.localizedDescription)
        }
        descriptor = open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .cannotOpen(path: folder, reason: String(cString: strerror(errno)))
        }
        // A process that another one is just starting has the lock of that one for a moment.
        var tries = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0, tries < 20 {
            usleep(50_000)
            tries += 1
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .inUse(path: folder)
        }
    }

    func release() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
    }

    deinit { release() }
}
