import Foundation
import Hummingbird
import WaneStore

/// Who may ask.
struct KeyRoutes {
    let service: InterestService

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/v1/keys", access: .key(.admin), summary: "All keys, without their secrets.",
                handler: list),
            Route(
                method: .post, path: "/v1/keys", access: .key(.admin),
                summary: "A new key: {\"role\": \"ingest\", \"name\": ...}. Its secret is shown in the answer, once.",
                bodies: ["application/json"], handler: create),
            Route(
                method: .delete, path: "/v1/keys/{prefix}", access: .key(.admin), summary: "Takes a key away.",
                handler: remove),
        ]
    }

    private struct Row: Encodable {
        let prefix: String
        let role: KeyRole
        let name: String
        let created: String
        var secret: String?

        init(_ key: StoredKey, secret: String? = nil) {
            (prefix, role, name, self.secret) = (key.prefix, key.role, key.name, secret)
            created = Date(timeIntervalSince1970: Double(key.created)).formatted(.iso8601)
        }
    }

    private struct Rows: Encodable { let keys: [Row] }

    @Sendable private func list(_ call: Call) async throws -> Response {
        Reply.json(Rows(keys: try await service.store.keys().map { Row($0) }))
    }

    private struct NewKey: Decodable {
        let role: String
        let name: String
    }

    @Sendable private func create(_ call: Call) async throws -> Response {
        let (body, _) = try await call.body(["application/json"])
        let asked = try RequestBody.decode(NewKey.self, from: body, fields: ["role", "name"])
        guard let role = KeyRole(rawValue: asked.role) else {
            let reason =
                "\(asked.role.prefix(40)): there are \(KeyRole.allCases.map(\.rawValue).joined(separator: ", "))"
            throw Problem.field("/role", "bad_role", reason)
        }
        guard (1...200).contains(asked.name.utf8.count) else {
            let reason = "say in 1 to 200 bytes what the key is for"
            throw Problem.field("/name", "bad_name", reason)
        }
        // The first key shuts the door: one that cannot open it again would lock everybody out.
        if role != .admin, try await service.store.keys().isEmpty {
            throw Problem(409, "first_key", "the first key has the role admin: from then on every request needs a key")
        }
        let (key, secret) = StoredKey.make(role: role, name: asked.name)
        try await service.store.add(key)
        await service.keysChanged()
        return Reply.json(Row(key, secret: secret), status: .created)
    }

    private struct Removed: Encodable { let prefix: String }

    @Sendable private func remove(_ call: Call) async throws -> Response {
        let prefix = try call.part("prefix")
        switch try await service.store.removeKey(prefix: prefix) {
        case .removed: break
        case .unknown: throw Problem(404, "no_key", "there is no key \(prefix.prefix(20))")
        case .lastAdmin:
            throw Problem(409, "last_admin", "this is the last key of the role admin; make another one first")
        }
        await service.keysChanged()
        return Reply.json(Removed(prefix: prefix))
    }
}
