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
            if others.contains(where: { isSame($0, output.path) }) {
                throw ValidationError("\(output.option) \(output.path): that file is read; write to another one")
            }
            if let first = written[..<place].first(where: { isSame($0.path, output.path) }) {
                throw ValidationError(
                    "\(output.option) \(output.path): \(first.option) writes it already; give another file")
            }
        }
    }

    private static func isSame(_ a: String, _ b: String) -> Bool {
        func identity(_ path: String) -> (device: UInt64, file: UInt64)? {
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            return (UInt64(status.st_dev), UInt64(status.st_ino))
        }
        if let one = identity(a), let other = identity(b) { return one == other }
        func whole(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
        return whole(a) == whole(b) && identity(a) == nil && identity(b) == nil
    }
}
