// JSON Lines, and whatever the front door takes the bytes for.
import Foundation

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    if let (log, report) = try? LogReader.read(bytes: bytes, file: "log.jsonl") {
        precondition(report.accepted == log.count && log.count > 0)
        precondition(log.item.allSatisfy { Int($0) < log.items.count })
        _ = log.sortedByUser()
    }
    return 0
}
