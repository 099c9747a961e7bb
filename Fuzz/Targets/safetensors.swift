// The header of a file of tensors: what is accepted covers the payload exactly.
import Foundation

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Data(UnsafeBufferPointer(start: data, count: size))
    if let (entries, _, payload) = try? Safetensors.entries(of: bytes, file: "x") {
        let covered = entries.reduce(0) { $0 + $1.range.count }
        precondition(payload + covered == size)
        for entry in entries { precondition(entry.shape.reduce(entry.dtype.width, *) == entry.range.count) }
    }
    return 0
}
