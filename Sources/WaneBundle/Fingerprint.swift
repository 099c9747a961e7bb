import Crypto
import Foundation
import WaneEvents

public enum Fingerprint {
    public static func sha256(_ data: Data) -> String { hex(SHA256.hash(data: data)) }

    public static func of(_ log: EventLog) -> DataFingerprint {
        var hash = SHA256()
        log.user.withBytes { hash.update(bufferPointer: $0) }
        log.item.withBytes { hash.update(bufferPointer: $0) }
        log.time.withBytes { hash.update(bufferPointer: $0) }
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
