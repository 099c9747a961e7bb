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

    /// - Throws: where not all of the answer has been taken.
    static func check() throws {
        let code = failure.load(ordering: .relaxed)
        if code != 0 { throw OutputError(path: "standard output", reason: String(cString: strerror(code))) }
    }
}
