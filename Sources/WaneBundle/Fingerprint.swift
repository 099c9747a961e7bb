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
        // Which column it is goes before its bytes: durations are no weights.
        update(&hash, [log.clock.rawValue, log.topics.source.rawValue])
        for (name, column) in [("duration", log.duration), ("weight", log.weight), ("label", log.label)] {
            guard let column else { continue }
            update(&hash, [name])
            column.withBytes { hash.update(bufferPointer: $0) }
        }
        if let types = log.eventType {
            update(&hash, ["types"] + log.eventTypes.names)
            types.withBytes { hash.update(bufferPointer: $0) }
        }
        if let exposures = log.exposures {
            update(&hash, ["exposures"] + (0..<log.users.count).map { "\(exposures.count(ofUser: $0))" })
            exposures.item.withBytes { hash.update(bufferPointer: $0) }
            exposures.time.withBytes { hash.update(bufferPointer: $0) }
        }
        for names in [log.users, log.items, log.topics.names] { update(&hash, names.names) }
        var lists: [UInt32] = []
        for item in 0..<UInt32(log.items.count) {
            lists.append(contentsOf: log.topics[item])
            lists.append(.max)
        }
        lists.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return DataFingerprint(
            events: log.count, users: log.users.count, items: log.items.count, topics: log.topics.count,
            sha256: hex(hash.finalize()))
    }

    /// Of friendships, with since when each is one.
    public static func of(_ edges: SocialEdges) -> String {
        var hash = SHA256()
        for (person, friends) in edges.friends.enumerated() where !friends.isEmpty {
            update(&hash, ["\(person)"] + friends.map { "\($0.user) \($0.since)" })
        }
        return hex(hash.finalize())
    }

    private static func update(_ hash: inout SHA256, _ texts: [String]) {
        for text in texts {
            hash.update(data: Data(text.utf8))
            hash.update(data: Data([0]))
        }
    }

    private static func hex(_ digest: SHA256.Digest) -> String {
        digest.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
