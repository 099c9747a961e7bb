import Crypto
import Foundation
import WaneEvents

/// What an event is known by: the first half of a SHA-256.
///
/// Of its id where the sender gave one; else of all its fields and its number among equal events of one sending, so that a
/// sending repeated is stored once, and two equal events of one sending are two.
struct EventKey: Hashable, Sendable {
    let bytes: Data

    init(id: String) { bytes = Data(SHA256.hash(data: Data(id.utf8)).prefix(16)) }

    /// Those of a sending, in its order.
    static func keys(of records: [EventRecord]) -> [EventKey] {
        var namer = EventNamer()
        return records.map { EventKey(id: $0.id ?? namer.id(of: $0)) }
    }
}

/// Ids of events that have none: the SHA-256 of all that they say and of their number among equal events of one sending or log.
public struct EventNamer {
    private var numbers: [Data: Int] = [:]

    public init() {}

    /// `sha256:` and 64 digits; another one for each of several equal events.
    public mutating func id(of record: EventRecord) -> String {
        let own = Data(SHA256.hash(data: record.canonicalBytes))
        let number = numbers[own, default: 0]
        numbers[own] = number + 1
        var digest = SHA256()
        digest.update(data: own)
        withUnsafeBytes(of: Int64(number).littleEndian) { digest.update(bufferPointer: $0) }
        return "sha256:" + digest.finalize().hexadecimal
    }
}

/// A number that a row is stored with, and checked by when it is read: no byte of it can change unseen.
///
/// FNV-1a over 64 bits (Fowler, Noll and Vo 1991), whose steps can be undone: two rows that differ in one byte have two sums.
struct RowSum: Equatable {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    init(_ record: EventRecord, key: some Sequence<UInt8>) {
        for byte in record.canonicalBytes { add(byte) }
        for byte in key { add(byte) }
    }

    /// As databases have numbers.
    var stored: Int64 { Int64(bitPattern: value) }

    private mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
}

extension EventRecord {
    /// Its topics as a store keeps them; nothing where it has none.
    var topicText: String? { Self.text(topics) }

    /// Topics as a store keeps them; nothing where there are none.
    static func text(_ topics: [String]) -> String? {
        topics.isEmpty ? nil : topics.joined(separator: "\u{1F}")
    }

    /// Topics as they were kept.
    static func topics(_ text: String?) -> [String] {
        text.map { $0.split(separator: "\u{1F}").map(String.init) } ?? []
    }

    /// - Throws: ``StoreError/damaged(_:)`` where this is not what was written under a key with a sum.
    func check(_ sum: Int64, key: Data) throws(StoreError) {
        guard RowSum(self, key: key).stored == sum else { throw .damaged("an event of \(TimeFormat.rfc3339(time))") }
    }
}

extension ItemChange {
    /// Its topics as a store keeps them; nothing where it has none, or says nothing of them.
    var topicText: String? { topics.flatMap(EventRecord.text) }
}

extension Sequence<UInt8> {
    /// Two digits a byte.
    var hexadecimal: String { map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
}
