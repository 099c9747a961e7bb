// Events that come over HTTP: whatever the bytes, each is read or refused, and what is read can be folded and comes out of a log as it went in.
import Foundation

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let reader = EventRecordReader(now: 1_760_000_000_000_000)
    for form in EventRecordReader.Form.allCases {
        guard let found = try? reader.read(bytes, as: form, limit: 100) else { continue }
        let records = found.compactMap { try? $0.get() }
        for record in records {
            precondition(reader.times.contains(record.time) && !record.user.isEmpty && !record.item.isEmpty)
            do throws(LogError) {
                let log = try EventLog([record], reading: ReadingOptions())
                precondition(log.count == 1 && log.time[0] == record.time)
                precondition(log.users[0].utf8.elementsEqual(record.user.utf8))
                precondition(log.items[Int(log.item[0])].utf8.elementsEqual(record.item.utf8))
            } catch {
                guard case .onlyExposures = error else { preconditionFailure("\(error)") }
            }
        }
    }
    return 0
}
