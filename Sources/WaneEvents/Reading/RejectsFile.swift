import Foundation

/// Keeps every row that was set aside: where, why, and the row.
final class RejectsFile {
    private let path: String
    private let handle: FileHandle

    init(path: String) throws(LogError) {
        self.path = path
        guard FileManager.default.createFile(atPath: path, contents: Data("line,column,reason,row\n".utf8)),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw .cannotOpen(file: path, reason: "cannot be written") }
        self.handle = handle
        _ = try? handle.seekToEnd()
    }

    func write(_ row: RejectedRow, text: String) throws(LogError) {
        func quoted(_ text: String) -> String { "\"" + text.replacing("\"", with: "\"\"") + "\"" }
        let line = "\(row.line),\(quoted(row.column)),\(quoted(row.description)),\(quoted(text))\n"
        do { try handle.write(contentsOf: Data(line.utf8)) } catch {
            throw .cannotRead(file: path, reason: "\(error)")
        }
    }

    func close() throws(LogError) {
        do { try handle.close() } catch { throw .cannotRead(file: path, reason: "\(error)") }
    }
}
