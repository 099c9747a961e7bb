import Crypto
import Foundation
import WaneData

enum Fingerprint {
    static func sha256(_ data: Data) -> String { hex(SHA256.hash(data: data)) }

    static func of(_ log: EventLog) -> DataFingerprint {
        var hash = SHA256()
        hash.update(bufferPointer: UnsafeRawBufferPointer(log.user.values))
        hash.update(bufferPointer: UnsafeRawBufferPointer(log.item.values))
        hash.update(bufferPointer: UnsafeRawBufferPointer(log.time.values))
        return DataFingerprint(
            events: log.count, users: log.users.count, items: log.items.count, topics: log.topics.count,
            sha256: hex(hash.finalize()))
    }

    private static func hex(_ digest: SHA256.Digest) -> String {
        digest.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
