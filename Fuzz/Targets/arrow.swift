// Parquet, Arrow's files and streams through the shim: whatever the bytes, a log, or an error with a line of words.
import Foundation

private let path = "/dev/shm/wane-fuzz-\(getpid())"

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    guard ArrowTable.isTable(Array(UnsafeBufferPointer(start: data, count: min(size, ArrowTable.magicSize)))),
        FileManager.default.createFile(atPath: path, contents: Data(bytes: data, count: size))
    else { return 0 }
    defer { unlink(path) }
    do {
        var options = ReadingOptions()
        options.threads = size % 2 + 1
        let (log, report) = try LogReader.read(path, options: options)
        precondition(report.accepted == log.count && log.count > 0)
        precondition(log.user.allSatisfy { Int($0) < log.users.count })
        precondition(log.item.allSatisfy { Int($0) < log.items.count })
        _ = log.sortedByUser()
    } catch {
        precondition(!"\(error)".isEmpty)
    }
    return 0
}
