// model.json and reading.json: any bytes, as either schema; what is read holds what the code behind relies on.
import Foundation

/// In place of the one that needs a library of hashes: none is asked for here.
enum Fingerprint {
    static func sha256(_ data: Data) -> String { "" }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    guard size > 0 else { return 0 }
    let text = Data(bytes: data + 1, count: size - 1)
    if data[0] & 4 != 0 {
        if let record = try? BundleFolder.decoder.decode(ReadingRecord.self, from: text),
            let options = try? record.options()
        {
            precondition((options.durationUnit ?? 1) > 0)
        }
        return 0
    }
    if let model = try? BundleFolder.description(text, schema: data[0] & 1 == 0 ? 1 : 2, path: "model") {
        precondition((1...TimeSpan.longest).contains(model.split.horizon))
        precondition((0...1).contains(model.threshold) && model.scaling.mean.count == model.scaling.deviation.count)
        _ = model.options.leastWeights
        _ = model.split.end - model.split.start
    }
    return 0
}
