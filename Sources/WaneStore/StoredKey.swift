import Crypto
import Foundation

/// What a key allows.
public enum KeyRole: String, Sendable, CaseIterable, Codable {
    /// Sends events.
    case ingest
    /// Asks.
    case read
    /// Everything.
    case admin

    /// Whether a key of this role does for what asks for another.
    public func allows(_ other: KeyRole) -> Bool { self == .admin || self == other }
}

/// A key as it is kept: without the secret, of which only a hash is.
public struct StoredKey: Sendable, Equatable {
    /// What people tell it by: the first letters of the secret.
    public let prefix: String
    public let hash: Data
    public let role: KeyRole
    /// For what it is.
    public let name: String
    /// Seconds since 1970.
    public let created: Int64

    public init(prefix: String, hash: Data, role: KeyRole, name: String, created: Int64) {
        self.prefix = prefix
        self.hash = hash
        self.role = role
        self.name = name
        self.created = created
    }

    /// A new key, and its secret, which is shown once: 256 random bits, of which a plain SHA-256 gives nothing away.
    public static func make(role: KeyRole, name: String, now: Date = Date()) -> (key: StoredKey, secret: String) {
        let secret = "wane_" + SymmetricKey(size: .bits256).withUnsafeBytes { $0.hexadecimal }
        let key = StoredKey(
            prefix: String(secret.prefix(13)), hash: hash(secret), role: role, name: name,
            created: Int64(now.timeIntervalSince1970))
        return (key, secret)
    }

    public static func hash(_ secret: String) -> Data { Data(SHA256.hash(data: Data(secret.utf8))) }

    /// Bytes of a secret.
    public static let secretLength = 69

    /// Whether a secret's hash is this key's; takes as long for one that is nearly right.
    public func isMade(from other: Data) -> Bool {
        guard other.count == hash.count else { return false }
        return zip(other, hash).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
