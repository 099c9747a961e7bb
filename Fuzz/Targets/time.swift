// Written times: any bytes; what is read lies within the calendar, whole columns are decided or refused.
import Foundation

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    guard size > 0 else { return 0 }
    let text = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
    let zone = data[0] & 1 == 0 ? nil : TimeZone(identifier: "America/New_York")
    let formats = TimeFormat.allCases
    let format = formats[Int(data[0] >> 1) % formats.count]
    // A line a value: the column as a whole, and the same in two parts.
    let column = TimeColumnBuilder(capacity: 4)
    let parts = (TimeColumnBuilder(capacity: 4), TimeColumnBuilder(capacity: 4))
    for line in text.split(separator: 0x0A) {
        if let written = WrittenTime(UnsafeRawBufferPointer(rebasing: line)), format.takes(written.form) {
            column.append(written)
            (column.count % 7 < Int(data[0] % 7) || parts.1.count > 0 ? parts.1 : parts.0).append(written)
        }
    }
    let count = column.count
    let joined = TimeColumnBuilder(capacity: 1)
    joined.append(contentsOf: parts.0)
    joined.append(contentsOf: parts.1)
    func finish(_ column: TimeColumnBuilder) -> TimeColumnBuilder.Resolved? {
        try? column.finish(
            format: format, preferred: nil, zone: zone, file: "log", column: "Time", line: { $0 + 2 })
    }
    let (whole, other) = (finish(column), finish(joined))
    precondition((whole == nil) == (other == nil) && whole?.reading == other?.reading)
    if let resolved = whole, let other {
        precondition(resolved.times.elementsEqual(other.times))
        precondition(resolved.faults.map(\.row) == other.faults.map(\.row))
        precondition(resolved.times.count == count)
        let faults = Set(resolved.faults.map(\.row))
        for (row, time) in resolved.times.enumerated() where !faults.contains(row) {
            // A zone moves a time by a day at most.
            precondition(abs(time) <= 253_402_300_800_000_000 + 86_400_000_000)
        }
    }
    if let moment = TimeFormat.moment(String(decoding: text, as: UTF8.self), zone: zone) {
        precondition(abs(moment) <= 253_402_300_800_000_000 + 86_400_000_000)
    }
    return 0
}
