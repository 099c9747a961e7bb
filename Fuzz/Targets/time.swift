// Written times: any bytes, every form; what is read lies within the calendar.
import Foundation

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    guard size > 0 else { return 0 }
    let forms = TimeFormat.allCases
    let text = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
    let zone = data[0] & 1 == 0 ? nil : TimeZone(identifier: "America/New_York")
    let parser = TimeParser(format: forms[Int(data[0] >> 1) % forms.count], zone: zone)
    if case .time(let micros, _) = parser.parse(text) {
        precondition(TimeParser.range.contains(micros / 1_000_000))
    }
    return 0
}
