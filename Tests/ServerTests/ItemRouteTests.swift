import Foundation
import HTTPTypes
import Hummingbird
import TestSupport
import Testing
import WaneEvents
import WaneStore

@testable import WaneServer

@Suite("Items by calls of their own", .serialized, .usesTorch)
struct ItemRouteTests {
    private struct Items: Decodable {
        struct Row: Decodable { let item: String }
        let items: [Row]
    }
    private struct Interests: Decodable {
        struct Row: Decodable { let topic: String, basis: String }
        let interests: [Row]
    }
    private struct Item: Decodable, Equatable {
        let item: String, topics: [String], isAvailable: Bool, learnedTopics: [String]?
    }
    private struct Receipts: Decodable {
        struct Row: Decodable { let status: String, pointer: String?, reason: String?, line: Int? }
        let accepted: Int, rejected: Int
        let receipts: [Row]
    }

    private func post(_ client: LiveClient, _ body: String, _ type: String = "application/json") async throws
        -> LiveClient.Answer
    {
        try await client.execute(
            uri: "/v1/items", method: .post, headers: [.contentType: type], body: ByteBuffer(string: body))
    }

    @Test("what cannot be had is not recommended until it can be had again, and is ranked where it is named")
    func availability() async throws {
        let own = try TestService()
        _ = try await own.service.registry.add(own.model("gru", ranks: true))
        _ = try await own.service.append(TestService.records)
        try await LiveClient.with(own.server) { client in
            func listed() async throws -> [String] {
                let found: Items = try await client.get(
                    "/v1/users/user-1/recommendations?n=100&at=2025-04-01T00:00:00Z"
                )
                .json()
                return found.items.map(\.item)
            }
            let all = try await listed()
            #expect(all.count == 12)
            let answer = try await post(
                client, #"[{"item":"\#(all[0])","is_available":false},{"item":"\#(all[3])","is_available":false}]"#)
            #expect(answer.status == .ok)
            #expect(try await listed() == all.filter { $0 != all[0] && $0 != all[3] })
            let ranked = try await client.execute(
                uri: "/v1/rank", method: .post, headers: [.contentType: "application/json"],
                body: ByteBuffer(
                    string: #"{"user":"user-1","items":["\#(all[3])","\#(all[0])"],"at":"2025-04-01T00:00:00Z"}"#))
            let found: Items = try ranked.json()
            #expect(found.items.map(\.item) == [all[0], all[3]])
            _ = try await post(client, #"{"item":"\#(all[0])","is_available":true}"#)
            #expect(try await listed() == all.filter { $0 != all[3] })
        }
    }

    @Test(
        "an event on an item that the model has not met counts for the topics that were said of the item, before or after"
    )
    func topics() async throws {
        let own = try TestService()
        _ = try await own.service.registry.add(own.model())
        try await LiveClient.with(own.server) { client in
            func topics() async throws -> [String] {
                let found: Interests = try await client.get("/v1/users/n/interests?at=2025-04-01T00:00:00Z").json()
                return found.interests.filter { $0.basis == "history" }.map(\.topic)
            }
            let time = TestService.start
            _ = try await own.service.append([EventRecord(user: "n", time: time, item: "new page")])
            #expect(try await topics() == ["(unknown)"])
            let said = try await post(
                client, #"{"item":"new page","topics":["topic-1"]}"# + "\n", "application/x-ndjson")
            #expect(said.status == .ok)
            #expect(try await topics() == ["topic-1"])
            // A person who is held, and one more event on another such item.
            _ = try await post(client, #"{"item":"newer page","topic":"topic-2"}"#)
            _ = try await own.service.append([EventRecord(user: "n", time: time + EventLog.second, item: "unsaid")])
            #expect(try await Set(topics()) == ["topic-1"])
            _ = try await own.service.append([
                EventRecord(user: "n", time: time + 60 * EventLog.second, item: "newer page")
            ])
            #expect(try await Set(topics()) == ["topic-1", "topic-2"])
            // A word on whether it can be had says nothing of its topics, and an export has what was sent.
            _ = try await post(client, #"{"item":"new page","is_available":false}"#)
            let lines = try await client.get("/v1/users/n/export").body
            #expect(String(buffer: lines).split(separator: "\n").allSatisfy { $0.contains(#""topics":[]"#) })
            let again = try await client.execute(
                uri: "/v1/events", method: .post, headers: [.contentType: "application/x-ndjson"], body: lines)
            let receipts: Receipts = try again.json()
            #expect(receipts.accepted == 0 && receipts.receipts.allSatisfy { $0.status == "duplicate" })
            _ = try await post(client, #"{"item":"new page","is_available":true}"#)
            let item: Item = try await client.get("/v1/items/new%20page").json()
            #expect(item == Item(item: "new page", topics: ["topic-1"], isAvailable: true, learnedTopics: nil))
            let known: Item = try await client.get("/v1/items/page-0-0").json()
            #expect(known == Item(item: "page-0-0", topics: [], isAvailable: true, learnedTopics: ["topic-0"]))
            #expect(try await client.get("/v1/items/none%20such").status == .notFound)
        }
    }

    @Test("what is wrong with an item is named with its place, and the others are kept")
    func wrong() async throws {
        let own = try TestService()
        try await LiveClient.with(own.server) { client in
            let body = """
                {"item":"a","topics":["x"]}
                {"item":"b","topcs":["x"]}
                {"topics":["x"]}
                {"item":"c","topics":["x",""]}
                {"item":"d","is_available":"no"}
                nothing
                {"item":""}
                """
            let found: Receipts = try await post(client, body, "application/x-ndjson").json()
            #expect(found.accepted == 1 && found.rejected == 6)
            #expect(
                found.receipts.map(\.pointer) == [
                    nil, "/1/topcs", "/2/item", "/3/topics/1", "/4/is_available", "/5", "/6/item",
                ])
            #expect(found.receipts.map(\.line) == [nil, 2, 3, 4, 5, 6, 7])
            #expect(found.receipts[1].reason?.contains("is topics meant?") == true)
            #expect(try await own.store.item("a")?.topics == ["x"])
            for (body, status) in [
                ("[]", 400), ("{", 422), ("[{\"item\":1.5}]", 422), ("[{\"item\":7}]", 200), ("", 400),
            ] {
                #expect(try await post(client, body).status.code == status, "\(body)")
            }
            #expect(try await post(client, "{}", "text/plain").status == .unsupportedMediaType)
        }
    }
}
