import ArgumentParser
import Foundation

/// No command writes over what it reads, nor two of its answers into one file.
enum OverwriteGuard {
    /// Options whose value is a file that is written.
    private static let outputs: Set<String> = [
        "--output", "--rejects", "--report", "--truth", "--friends-output", "--svg", "--export-queries",
    ]

    /// - Parameter arguments: as ``CommandWords`` has them.
    static func check(_ arguments: [String]) throws {
        var written: [(option: String, path: String)] = []
        var others: [String] = []
        var index = 0
        while index < arguments.count {
            let word = arguments[index]
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            if outputs.contains(word), index + 1 < arguments.count {
                written.append((word, arguments[index + 1]))
                index += 1
            } else if parts.count == 2, outputs.contains(parts[0]) {
                written.append((parts[0], parts[1]))
            } else {
                others.append(parts.count == 2 && word.hasPrefix("-") ? parts[1] : word)
            }
            index += 1
        }
        for (place, output) in written.enumerated() {
            // A device takes whatever comes.
            if output.path == "-" || output.path.hasPrefix("/dev/") { continue }
            // A word such as a command or a family may be the name of a new file: only what looks like a path is compared by name.
            let isRead = others.contains { word in
                isSame(word, output.path) && (identity(word) != nil || word.contains { $0 == "." || $0 == "/" })
            }
            if isRead {
                throw ValidationError("\(output.option) \(output.path): that file is read; write to another one")
            }
            if let first = written[..<place].first(where: { isSame($0.path, output.path) }) {
                throw ValidationError(
                    "\(output.option) \(output.path): \(first.option) writes it already; give another file")
            }
        }
    }

    /// A file that is there, by what it is and not by its name.
    private struct Identity: Equatable {
        let device: UInt64
        let file: UInt64
    }

    private static func identity(_ path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Identity(device: UInt64(status.st_dev), file: UInt64(status.st_ino))
    }

    private static func isSame(_ a: String, _ b: String) -> Bool {
        if let one = identity(a), let other = identity(b) { return one == other }
        func whole(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
        return whole(a) == whole(b) && identity(a) == nil && identity(b) == nil
    }
}
