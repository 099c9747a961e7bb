/// Bytes that were packed for their way.
public enum PackedBytes: String, Sendable, CaseIterable {
    case gzip, zstd

    public enum Fault: Error, Equatable { case damaged, tooLarge }

    /// Unpacks bytes: no more of them are made than are allowed, whatever they say.
    public func unpack(_ bytes: [UInt8], limit: Int) throws(Fault) -> [UInt8] {
        var result: [UInt8] = []
        do throws(LogError) {
            let packed = PeekedSource(MemorySource(bytes))
            let source: any ByteSource =
                switch self {
                case .gzip: try GzipSource(packed, file: "body")
                case .zstd: try ZstdSource(packed, file: "body")
                }
            while result.count <= limit {
                if try source.append(1 << 16, to: &result) == 0 { return result }
            }
        } catch {
            throw .damaged
        }
        throw .tooLarge
    }
}
