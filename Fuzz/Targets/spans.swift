// Lengths of time and moments as the command line takes them: any text; what is read can be added to any moment.
import Foundation

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let text = String(decoding: UnsafeRawBufferPointer(start: data, count: size), as: UTF8.self)
    if let span = TimeSpan.parse(text) {
        precondition((1...TimeSpan.longest).contains(span))
        _ = TimeSpan.words(span)
    }
    if let moment = TimeFormat.moment(text) {
        precondition(abs(moment) <= 253_402_300_800_000_000)
        _ = moment + TimeSpan.longest
        _ = moment - TimeSpan.longest
    }
    if let number = Double(text) {
        for clock in [EventLog.Clock.wall, .position] { _ = TimeSpan.words(seconds: number, clock) }
    }
    return 0
}
