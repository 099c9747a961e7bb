import Foundation
import Hummingbird
import WaneStore

/// Lets in who may ask.
actor AccessControl {
    private let store: any ServiceStore
    private var known: (keys: [StoredKey], read: ContinuousClock.Instant)?
    /// How often keys have changed: what was read before is not kept.
    private var changes = 0

    init(_ store: any ServiceStore) { self.store = store }

    /// Keys as they were at most a second ago: one that is taken away stops working.
    private func keys() async throws(StoreError) -> [StoredKey] {
        if let known, known.read.duration(to: .now) < .seconds(1) { return known.keys }
        let before = changes
        let keys = try await store.keys()
        if before == changes { known = (keys, .now) }
        return keys
    }

    /// The next request reads them anew.
    func forget() {
        known = nil
        changes += 1
    }

    /// - Returns: the key; nothing for who needs none.
    /// - Throws: ``Problem`` for who may not.
    func check(_ access: RouteAccess, _ request: Request, isLocal: Bool) async throws -> StoredKey? {
        let isLocal = isLocal && Self.isDirect(request)
        let role: KeyRole
        switch access {
        case .open: return nil
        case .keyOrLoopback(let needed):
            if isLocal { return nil }
            role = needed
        case .key(let needed): role = needed
        }
        let keys = try await keys()
        if keys.isEmpty, isLocal { return nil }
        guard let secret = try Self.secret(request) else {
            throw Problem(
                401, "no_key", "give a key: Authorization: Bearer wane_..., or X-API-Key; wane key create makes one")
        }
        let hash = secret.utf8.count == StoredKey.secretLength ? StoredKey.hash(secret) : nil
        guard let hash, let key = keys.first(where: { $0.isMade(from: hash) }) else {
            throw Problem(401, "unknown_key", "no such key")
        }
        guard key.role.allows(role) else {
            throw Problem(
                403, "forbidden",
                "a key for \(key.role.rawValue) does not allow this; it takes one for \(role.rawValue)")
        }
        return key
    }

    /// Whether a request was made by a program of this machine itself: for this machine by name, and neither handed on for somebody else nor
    /// made by a page that a browser shows, unless that is the dashboard of this service.
    private static func isDirect(_ request: Request) -> Bool {
        let host = (request.head.authority ?? "").lowercased()
        let isNamed = ["127.0.0.1", "localhost", "[::1]"].contains { host == $0 || host.hasPrefix($0 + ":") }
        let isOwn = request.headers[.origin].map { $0.lowercased() == "http://" + host } ?? true
        // Browsers say of a request whether another site's page makes it, also of those that have no Origin.
        let site = request.headers[.secFetchSite] ?? "none"
        return isNamed && isOwn && ["none", "same-origin"].contains(site)
            && [.forwarded, .forwardedFor, .forwardedHost].allSatisfy { request.headers[$0] == nil }
    }

    private static func secret(_ request: Request) throws -> String? {
        let bearer = request.headers[values: .authorization]
        let own = request.headers[values: .apiKey]
        guard bearer.count + own.count <= 1 else {
            throw Problem(400, "two_keys", "more than one key: give one, in Authorization or in X-API-Key")
        }
        if let own = own.first { return own }
        guard let bearer = bearer.first else { return nil }
        let parts = bearer.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw Problem(401, "bad_authorization", "Authorization: give Bearer and a key")
        }
        return String(parts[1])
    }
}
