import Foundation
import HTTPTypes
import Hummingbird
import TestSupport
import Testing
import WaneBundle
import WaneEvents
import WaneModels
import WanePrediction
import WaneState
import WaneStore

@testable import WaneServer

@Suite("A service over HTTP", .serialized, .usesTorch)
struct ServiceTests {
    private struct Interests: Decodable {
        struct Row: Decodable, Equatable {
            let topic: String, degree: Double?, returnProbability: Double?, halfLifeSeconds: Double?, basis: String
        }
        struct Model: Decodable { let version: String }
        let interests: [Row]
        let model: Model
    }
    private struct Receipts: Decodable {
        struct Row: Decodable { let status: String, pointer: String?, reason: String? }
        let accepted: Int, duplicate: Int, rejected: Int
        let receipts: [Row]
    }
    private struct Fault: Decodable { let code: String, status: Int, title: String, requestId: String, detail: String }

    private func with<Value: Sendable>(
        _ own: TestService, _ body: @escaping @Sendable (LiveClient) async throws -> Value
    ) async throws -> Value {
        try await LiveClient.with(own.server, body)
    }

    private func json<Value: Decodable>(_ response: LiveClient.Answer, as _: Value.Type = Value.self) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Value.self, from: Data(response.body.readableBytesView))
    }

    private func post(
        _ client: LiveClient, _ path: String, _ body: String, _ type: String = "application/json"
    )
        async throws -> LiveClient.Answer
    {
        try await client.execute(
            uri: path, method: .post, headers: [.contentType: type], body: ByteBuffer(string: body))
    }

    private func line(_ record: EventRecord) -> String {
        let topics = record.topics.map { "\"\($0)\"" }.joined(separator: ",")
        return
            #"{"user":"\#(record.user)","time":"\#(TimeFormat.rfc3339(record.time))","item":"\#(record.item)","topics":[\#(topics)],"duration":\#(record.duration ?? 0)}"#
    }

    private static let at = "2025-03-20T00:00:00Z"

    /// What the library answers about a person's events by the moment.
    private func expected(_ records: [EventRecord], _ model: LoadedModel) throws -> [String: Double] {
        let log = try AskedLog(
            EventLog(records, reading: model.bundle.reading), for: model.bundle, isPart: true)
        let moment = try #require(TimeFormat.moment(Self.at))
        let state = model.predictor.state(of: 0, in: log, until: moment)
        let questions = state.topics.map { StateQuestion(person: 0, topic: $0.topic, moment: moment) }
        let curves = try model.predictor.curves(questions, of: [(state, log.userOf[0])], in: log)
        return Dictionary(
            uniqueKeysWithValues: zip(questions, curves).map {
                (log.log.topics.names[Int($0.topic)], $1.curve.returnProbability(after: 0))
            })
    }

    @Test("events come in and answers go out, those of the library on the same events, whatever their order")
    func answers() async throws {
        let own = try TestService()
        let model = try await own.service.registry.add(own.model())
        let mine = TestService.records.filter { $0.user == "user-3" }.shuffled()
        try await with(own) { client in
            // One that comes last lies before all others: the person is folded anew.
            for record in mine {
                let response = try await post(client, "/v1/events", line(record))
                #expect(response.status == .ok)
                _ = try await client.execute(uri: "/v1/users/user-3/interests?at=\(Self.at)", method: .get)
            }
            let response = try await client.execute(uri: "/v1/users/user-3/interests?at=\(Self.at)", method: .get)
            let found: Interests = try json(response)
            let wanted = try expected(mine, model)
            #expect(found.interests.count == wanted.count && !wanted.isEmpty)
            for row in found.interests {
                #expect(abs((row.returnProbability ?? -1) - (wanted[row.topic] ?? -2)) < 1e-5, "\(row.topic)")
            }
            #expect(found.model.version == model.version)
            #expect(response.headers[HTTPField.Name("X-Wane-Model")!] == model.version)
            // Nothing later is read.
            let before: Interests = try json(
                try await client.execute(uri: "/v1/users/user-3/interests?at=2025-01-10", method: .get))
            let later = EventRecord(
                user: "user-3", time: TestService.start + 60 * 86_400 * EventLog.second, item: "page-0-0",
                topics: ["topic-0"],
                duration: 900)
            _ = try await post(client, "/v1/events", line(later))
            let after: Interests = try json(
                try await client.execute(uri: "/v1/users/user-3/interests?at=2025-01-10", method: .get))
            #expect(before.interests == after.interests && !before.interests.isEmpty)
            let now: Interests = try json(
                try await client.execute(uri: "/v1/users/user-3/interests?at=\(Self.at)", method: .get))
            #expect(now.interests != found.interests)
        }
    }

    @Test("a receipt for each event, in order; equal ones of two sendings are stored once")
    func receipts() async throws {
        let own = try TestService()
        try await with(own) { client in
            let body = """
                {"event_id":"1","user":"a","time":"2025-01-01","item":"p"}
                {"event_id":"2","user":"a","time":"never","item":"p"}
                {"event_id":"1","user":"a","time":"2025-01-01","item":"p"}
                {"event_id":"1","user":"a","time":"2025-01-02","item":"p"}
                """
            let first: Receipts = try json(try await post(client, "/v1/events", body, "application/x-ndjson"))
            #expect(first.receipts.map(\.status) == ["accepted", "rejected", "duplicate", "rejected"])
            #expect((first.accepted, first.duplicate, first.rejected) == (1, 1, 2))
            #expect(first.receipts[1].pointer == "/1/time")
            #expect(first.receipts[3].reason?.contains("another event") == true)
            let again = try await post(client, "/v1/events", #"{"user":"a"}"#)
            #expect(again.status == .unprocessableContent)
            #expect(try await own.store.count() == 1)
        }
    }

    @Test(
        "what is wrong is a problem that names it, nothing is stored, and nothing fails inside",
        arguments: [
            ("GET", "/nope", "", "", 404), ("PUT", "/v1/events", "{}", "application/json", 405),
            ("POST", "/healthz", "", "", 405), ("POST", "/v1/events", "{}", "text/plain", 415),
            ("POST", "/v1/events", "{}", "", 415), ("POST", "/v1/events", "[", "application/json", 400),
            ("POST", "/v1/events", "", "application/json", 400), ("POST", "/v1/events", "[]", "application/json", 400),
            ("POST", "/v1/events", "{\"a\":" + String(repeating: "[", count: 5_000), "application/json", 422),
            ("POST", "/v1/events", "[" + String(repeating: " ", count: 70_000) + "]", "application/json", 413),
            ("GET", "/v1/users/a/interests?at=yesterday", "", "", 400),
            ("GET", "/v1/users/a/interests?top=0", "", "", 400),
            ("GET", "/v1/users/a/interests?at=2025-01-01&at=2025-01-02", "", "", 400),
            ("GET", "/v1/users/a/interests?At=2025-01-01", "", "", 400), ("GET", "/healthz?x=1", "", "", 400),
            ("GET", "/v1/users/a/interests?topic=none", "", "", 404),
            ("GET", "/v1/users/a/interests/topic-0/curve?points=0", "", "", 400),
            ("GET", "/v1/users/a/interests/topic-0/curve?ahead=-3d", "", "", 400),
            ("GET", "/v1/users/a/recommendations", "", "", 503), ("GET", "/v1/users/a/returns", "", "", 503),
            ("POST", "/v1/rank", #"{"user":"a","itms":[]}"#, "application/json", 422),
            ("POST", "/v1/rank", #"{"user":"a"}"#, "application/json", 422),
            ("POST", "/v1/rank", #"{"user":1,"items":[]}"#, "application/json", 422),
            ("POST", "/v1/rank", "nothing", "application/json", 400),
            ("POST", "/v1/models/../../etc/activate", "", "", 404),
            ("POST", "/v1/models/..%2F..%2Fetc/activate", "", "", 404),
            ("POST", "/v1/models/000000000000/activate", "", "", 404),
            ("POST", "/v1/models/interest/rollback", "", "", 409),
            ("POST", "/v1/models/nothing/rollback", "", "", 404), ("DELETE", "/v1/keys/none", "", "", 404),
            ("POST", "/v1/keys", #"{"role":"king","name":"x"}"#, "application/json", 422),
            ("POST", "/v1/keys", #"{"role":"read","name":"x"}"#, "application/json", 409),
        ])
    func problems(method: String, path: String, body: String, type: String, status: Int) async throws {
        var limits = ServerLimits()
        limits.bodyBytes = 65_536
        let own = try TestService(limits: limits)
        if path.contains("topic") || path.contains("interests") || path.contains("rollback") {
            _ = try await own.service.registry.add(own.model())
        }
        try await with(own) { client in
            var headers = HTTPFields()
            if !type.isEmpty { headers[.contentType] = type }
            let response = try await client.execute(
                uri: path, method: HTTPRequest.Method(method)!, headers: headers,
                body: body.isEmpty ? nil : ByteBuffer(string: body))
            #expect(response.status.code == status, "\(method) \(path.prefix(60)): \(String(buffer: response.body))")
            if path == "/v1/events", status == 422 { return }
            #expect(response.headers[.contentType] == "application/problem+json")
            let fault: Fault = try json(response)
            #expect(fault.status == status && !fault.title.isEmpty && !fault.requestId.isEmpty)
            if status == 405 { #expect(response.headers[.allow] != nil) }
            #expect(try await own.store.count() == 0)
            #expect(try await client.execute(uri: "/healthz", method: .get).status == .ok)
        }
    }

    @Test("names with slashes, percent signs and emoji are the person's own")
    func names() async throws {
        let own = try TestService()
        _ = try await own.service.registry.add(own.model())
        let name = "a/b%2F😀 ?&"
        let path = try #require(name.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        try await with(own) { client in
            var record = TestService.records[0]
            record.user = name
            _ = try await post(client, "/v1/events", line(record))
            let known: Interests = try json(
                try await client.execute(uri: "/v1/users/\(path)/interests", method: .get))
            #expect(known.interests.map(\.basis) == ["history"])
            let unknown: Interests = try json(
                try await client.execute(uri: "/v1/users/nobody/interests", method: .get))
            #expect(Set(unknown.interests.map(\.basis)) == ["population"] && unknown.interests.count == 3)
            let erased = try await client.execute(uri: "/v1/users/\(path)", method: .delete)
            #expect(erased.status == .ok)
            let after: Interests = try json(
                try await client.execute(uri: "/v1/users/\(path)/interests", method: .get))
            #expect(Set(after.interests.map(\.basis)) == ["population"])
        }
    }

    // MARK: Who may

    @Test("each route lets in whom its table says, for every key, and nobody else")
    func permissions() async throws {
        let own = try TestService()
        let made = KeyRole.allCases.map { ($0, StoredKey.make(role: $0, name: "test")) }
        for (_, (key, _)) in made { try await own.store.add(key) }
        let revoked = StoredKey.make(role: .admin, name: "gone")
        let secrets: [(KeyRole?, String?)] =
            made.map { ($0.0, $0.1.secret) } + [
                (nil, nil), (nil, "wane_wrong"), (nil, ""), (nil, revoked.secret),
                (nil, String(made[2].1.secret.dropLast())), (nil, made[2].1.secret.uppercased()),
            ]
        try await with(own) { client in
            for route in own.server.routes {
                let path = route.path.replacing("{user}", with: "a").replacing("{topic}", with: "t")
                    .replacing("{version}", with: "000000000000").replacing("{prefix}", with: "none")
                for (role, secret) in secrets {
                    let isAllowed =
                        switch route.access {
                        case .open, .keyOrLoopback: true
                        case .key(let needed): role?.allows(needed) ?? false
                        }
                    for name in [HTTPField.Name.authorization, HTTPField.Name("X-API-Key")!] {
                        var headers = HTTPFields()
                        if let secret { headers[name] = name == .authorization ? "Bearer \(secret)" : secret }
                        let response = try await client.execute(uri: path, method: route.method, headers: headers)
                        let isRefused = [401, 403].contains(response.status.code)
                        #expect(
                            isRefused != isAllowed,
                            "\(route.method) \(path), \(role.map { "\($0)" } ?? "no role"): \(response.status)")
                    }
                }
            }
            // Handed on for others, or made by a page in a browser, a request is not of this machine.
            for name in ["X-Forwarded-For", "Forwarded", "Origin", "Host"] {
                let headers: HTTPFields = [HTTPField.Name(name)!: "shop.example"]
                let response = try await client.execute(uri: "/metrics", method: .get, headers: headers)
                #expect(response.status == .unauthorized, "\(name)")
            }
            // Two keys are none.
            let both: HTTPFields = [
                .authorization: "Bearer \(made[2].1.secret)", HTTPField.Name("X-API-Key")!: made[2].1.secret,
            ]
            #expect(try await client.execute(uri: "/v1/models", method: .get, headers: both).status == .badRequest)
        }
    }

    @Test(
        "the first key shuts the door, the last of the role admin cannot be taken away, and one that is stops working at once"
    )
    func keys() async throws {
        struct Made: Decodable { let prefix: String, secret: String? }
        let own = try TestService()
        try await with(own) { client in
            #expect(try await client.execute(uri: "/v1/models", method: .get).status == .ok)
            let first: Made = try json(try await post(client, "/v1/keys", #"{"role":"admin","name":"one"}"#))
            #expect(try await client.execute(uri: "/v1/models", method: .get).status == .unauthorized)
            let headers: HTTPFields = [
                .authorization: "Bearer \(first.secret ?? "")", .contentType: "application/json",
            ]
            let response = try await client.execute(
                uri: "/v1/keys", method: .post, headers: headers,
                body: ByteBuffer(string: #"{"role":"read","name":"two"}"#))
            let second: Made = try json(response)
            let other: HTTPFields = [.authorization: "bearer \(second.secret ?? "")"]
            #expect(try await client.execute(uri: "/v1/models", method: .get, headers: other).status == .ok)
            #expect(
                try await client.execute(uri: "/v1/keys/\(first.prefix)", method: .delete, headers: headers).status
                    == .conflict)
            #expect(
                try await client.execute(uri: "/v1/keys/\(second.prefix)", method: .delete, headers: headers).status
                    == .ok)
            #expect(try await client.execute(uri: "/v1/models", method: .get, headers: other).status == .unauthorized)
            // The list has no secrets.
            let list = try await client.execute(uri: "/v1/keys", method: .get, headers: headers)
            #expect(!String(buffer: list.body).contains(first.secret ?? "-"))
        }
    }

    @Test("without keys a page in a browser, and who comes through a proxy, are let in nowhere")
    func strangers() async throws {
        let own = try TestService()
        try await with(own) { client in
            for name in ["X-Forwarded-For", "Forwarded", "Origin", "Host"] {
                for path in ["/v1/models", "/v1/keys", "/metrics"] {
                    let headers: HTTPFields = [HTTPField.Name(name)!: "shop.example"]
                    let response = try await client.execute(uri: path, method: .get, headers: headers)
                    #expect(response.status == .unauthorized, "\(name) \(path)")
                }
            }
        }
    }

    @Test("a service without keys does not listen beyond this machine")
    func loopback() async throws {
        let own = try TestService()
        await #expect(throws: ServerError.noKeys(host: "0.0.0.0")) {
            try await own.server.application(host: "0.0.0.0", port: 0)
        }
        try await own.store.add(StoredKey.make(role: .admin, name: "x").key)
        _ = try await own.server.application(host: "0.0.0.0", port: 0)
    }

    @Test("the description has every route, and no other")
    func openAPI() async throws {
        let own = try TestService()
        try await with(own) { client in
            let response = try await client.execute(uri: "/openapi.json", method: .get)
            let document = try #require(
                JSONSerialization.jsonObject(with: Data(response.body.readableBytesView)) as? [String: Any])
            let paths = try #require(document["paths"] as? [String: [String: Any]])
            let described = Set(paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } })
            #expect(described == Set(own.server.routes.map { "\($0.method.rawValue) \($0.path)" }))
            let router = own.server.router()
            let routed = Set(
                router.routes.map { "\($0.method.rawValue) \("\($0.path)".replacing(":", with: "{"))" })
            #expect(
                Set(described.map { $0.replacing("}", with: "") }) == Set(routed.map { $0.replacing("}", with: "") }))
        }
    }

    // MARK: Models

    @Test("a version answers once it is active, the one before comes back, and a damaged one never gets in")
    func versions() async throws {
        let own = try TestService()
        let registry = own.service.registry
        let first = try await registry.add(own.model(seed: 1))
        let second = try await registry.add(own.model("lstm", seed: 2))
        #expect(try registry.model(.interest).version == second.version && first.version != second.version)
        #expect(try await own.service.rollBack("interest").version == first.version)
        #expect(try await own.service.activate(second.version).version == second.version)
        // A bit of its weights is turned.
        let place = own.folder.appendingPathComponent("models/\(first.version)/weights.safetensors")
        var bytes = try Data(contentsOf: place)
        bytes[bytes.count - 3] ^= 1
        try bytes.write(to: place)
        await #expect(throws: (any Error).self) { try await own.service.activate(first.version) }
        await #expect(throws: (any Error).self) { try await own.service.rollBack("interest") }
        #expect(try registry.model(.interest).version == second.version)
        // A restart finds what answered.
        let again = try ModelRegistry(folder: own.folder.appendingPathComponent("models").path, store: own.store)
        #expect(try await again.restore().isEmpty)
        #expect(try again.model(.interest).version == second.version)
        // Given again at a start, a version that is known does not take another's place.
        #expect(
            try await again.add(own.model(seed: 1)).version
                == second.version)
        let labels = Dictionary(uniqueKeysWithValues: try await again.versions().map { ($0.version, $0.labels) })
        #expect(labels == [first.version: ["previous"], second.version: ["champion"]])
    }

    @Test("no request fails while versions change, and each answer is of one that was active")
    func swap() async throws {
        let own = try TestService()
        let registry = own.service.registry
        let versions = [
            try await registry.add(own.model(seed: 1)).version, try await registry.add(own.model(seed: 2)).version,
        ]
        try await with(own) { client in
            for record in TestService.records.prefix(200) { _ = try await own.service.append([record]) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for round in 0..<20 { _ = try await own.service.activate(versions[round % 2]) }
                }
                for asker in 0..<3 {
                    group.addTask {
                        for round in 0..<60 {
                            let response = try await client.execute(
                                uri: "/v1/users/user-\((asker + round) % 6)/interests", method: .get)
                            #expect(response.status == .ok)
                            let found: Interests = try json(response)
                            #expect(versions.contains(found.model.version))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("an operator reads counts, and no person's name among them")
    func metrics() async throws {
        let own = try TestService()
        _ = try await own.service.registry.add(own.model())
        try await with(own) { client in
            _ = try await post(client, "/v1/events", line(TestService.records[0]))
            for path in ["/v1/users/very-own-name/interests", "/what/ever-\(Int.random(in: 0...9_999))"] {
                _ = try await client.execute(uri: path, method: .get)
            }
            #expect(try await client.execute(uri: "/readyz", method: .get).status == .ok)
            let text = String(buffer: try await client.execute(uri: "/metrics", method: .get).body)
            for line in [
                "wane_events_stored 1", "wane_ingest_events_total{result=\"accepted\"} 1",
                "wane_http_requests_total{route=\"/v1/users/{user}/interests\",method=\"GET\",code=\"200\"} 1",
            ] {
                #expect(text.contains(line + "\n"), "\(line)")
            }
            #expect(!text.contains("very-own-name") && !text.contains("ever-"))
        }
    }
}
