import Foundation
import TestSupport
import Testing
import WaneEvents

@testable import WaneStore

@Suite("Events in PostgreSQL", .enabled(if: PostgresServer.obstacle == nil, "\(PostgresServer.obstacle ?? "")"))
struct PostgresStoreTests {
    @Test("several processes that write the same people and the same events at once store each event once")
    func together() async throws {
        let url = try await PostgresServer.shared.database()
        let stores = [
            try await PostgresStore(url: url), try await PostgresStore(url: url), try await PostgresStore(url: url),
        ]
        let receipts = try await withThrowingTaskGroup(of: [Receipt].self) { group in
            for sender in 0..<30 {
                group.addTask {
                    // Each event comes from three senders, in another order each.
                    let own = (0..<100).map { index in
                        StorePlace.record("u\(index % 17)", Int64(index), "p\(index % 5)", id: "\(sender / 3)-\(index)")
                    }.shuffled()
                    return try await stores[sender % 3].append([own])[0]
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(receipts.count { $0 == .accepted } == 1_000)
        #expect(receipts.count { $0 == .duplicate } == 2_000)
        #expect(try await stores[0].count() == 1_000)
        #expect(try await stores[1].faults().isEmpty)
    }

    @Test("what one process stores or takes away has another number for all others")
    func revisions() async throws {
        let url = try await PostgresServer.shared.database()
        let (a, b) = (try await PostgresStore(url: url), try await PostgresStore(url: url))
        var seen: [Int64] = [try await b.revision(of: "ann")]
        _ = try await a.append([[StorePlace.record("ann", 1)]])
        seen.append(try await b.revision(of: "ann"))
        let other = try await b.revision(of: "ben")
        _ = try await a.append([[StorePlace.record("ann", 2)]])
        seen.append(try await b.revision(of: "ann"))
        _ = try await a.erase(user: "ann")
        #expect(try await b.revision(of: "ann") == 0)
        _ = try await a.append([[StorePlace.record("ann", 2)]])
        seen.append(try await b.revision(of: "ann"))
        #expect(Set(seen).count == seen.count)
        #expect(try await b.revision(of: "ben") == other)
    }

    @Test("people are erased while others write of them, and no event is left of nobody")
    func eraseBeside() async throws {
        let url = try await PostgresServer.shared.database()
        let (a, b) = (try await PostgresStore(url: url), try await PostgresStore(url: url))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for round in 0..<60 {
                    _ = try await a.append([(0..<20).map { StorePlace.record("u\($0 % 4)", Int64(round * 20 + $0)) }])
                }
            }
            group.addTask { for round in 0..<60 { _ = try await b.erase(user: "u\(round % 4)") } }
            try await group.waitForAll()
        }
        #expect(try await a.faults().isEmpty)
        let people = try await a.users(after: nil, limit: 10)
        var left = 0
        for user in people { left += try await a.events(of: user).count }
        #expect(try await a.count() == left)
    }

    @Test("two that open an empty database at once make its tables once; what a later version wrote is left alone")
    func migrations() async throws {
        let url = try await PostgresServer.shared.database()
        let stores = try await withThrowingTaskGroup(of: PostgresStore.self) { group in
            for _ in 0..<4 { group.addTask { try await PostgresStore(url: url) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(try await stores[3].count() == 0)
        try await PostgresServer.shared.psql(url, "INSERT INTO wane.migrations VALUES (99, 'of tomorrow')")
        await #expect {
            _ = try await PostgresStore(url: url)
        } throws: { error in
            guard case .newer = error as? StoreError else { return false }
            return true
        }
    }

    @Test("a row that is not what was written is never read as one")
    func damage() async throws {
        for change in [
            "UPDATE wane.events SET time = time + 1", "UPDATE wane.events SET weight = NULL",
            "UPDATE wane.items SET name = 'q' || number", "UPDATE wane.words SET text = text || 'z'",
            "UPDATE wane.people SET name = 'a2' WHERE name = 'a'",
            "UPDATE wane.events SET key = decode(repeat('00', 16), 'hex')",
        ] {
            let url = try await PostgresServer.shared.database()
            let store = try await PostgresStore(url: url)
            _ = try await store.append([[StorePlace.record("a", 1)]])
            try await PostgresServer.shared.psql(url, change)
            let name = change.contains("people") ? "a2" : "a"
            await #expect(throws: StoreError.self, "\(change)") { try await store.events(of: name) }
            #expect(try await !store.faults().isEmpty, "\(change)")
        }
    }

    @Test("a database that is not there, or a server, is named without the password")
    func unreachable() async throws {
        let url = try await PostgresServer.shared.database()
        for (place, word) in [
            (url.replacing("/d", with: "/no-such-d"), "no-such-d"),
            ("postgres://wane:s3cret@127.0.0.1:1/x", "127.0.0.1"),
        ] {
            do throws(StoreError) {
                _ = try await PostgresStore(url: place)
                Issue.record("opened")
            } catch {
                #expect(error.description.contains(word) && !error.description.contains("s3cret"))
            }
        }
    }

    @Test("while the server crashes and comes back, what has a receipt is there once, and the store goes on by itself")
    func crash() async throws {
        let server = PostgresServer()
        let store = try await PostgresStore(url: try await server.database())
        let acknowledged = try await withThrowingTaskGroup(of: [String].self) { group in
            for sender in 0..<4 {
                group.addTask {
                    var own: [String] = []
                    for round in 0..<150 {
                        let ids = (0..<5).map { "\(sender)-\(round)-\($0)" }
                        let records = ids.map { StorePlace.record("u\(sender)", Int64(round), $0, id: $0) }
                        if (try? await store.append([records])) != nil { own += ids }
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    return own
                }
            }
            group.addTask {
                for _ in 0..<3 {
                    try await Task.sleep(for: .milliseconds(300))
                    try await server.crash()
                }
                return []
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        var stored: [String] = []
        for sender in 0..<4 { stored += try await store.events(of: "u\(sender)").map(\.item) }
        #expect(acknowledged.count > 500)
        #expect(Set(stored).count == stored.count)
        #expect(Set(acknowledged).subtracting(stored).isEmpty)
        #expect(try await store.faults().isEmpty)
    }

    @Test("one of all processes holds a lease, and the next has it after that one's end")
    func leases() async throws {
        let url = try await PostgresServer.shared.database()
        let (a, b) = (try await PostgresStore(url: url), try await PostgresStore(url: url))
        var held = try await a.lease("learning")
        #expect(held != nil)
        #expect(try await b.lease("learning") == nil)
        #expect(try await b.lease("other") != nil)
        // Whoever lets go of it without a word has lost its connection.
        held = nil
        var next: StoreLease?
        for _ in 0..<100 where next == nil {
            next = try await b.lease("learning")
            if next == nil { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(next != nil)
        next?.release()
    }

    @Test("files of a model are kept for all")
    func models() async throws {
        let url = try await PostgresServer.shared.database()
        let (a, b) = (try await PostgresStore(url: url), try await PostgresStore(url: url))
        let files = ["model.json": Data("{}".utf8), "vocabulary/items": Data((0..<300_000).map { UInt8($0 % 256) })]
        try await a.save(model: "abc", files: files)
        try await a.save(model: "abc", files: files)
        #expect(try await b.files(ofModel: "abc") == files)
        #expect(try await b.models() == ["abc"])
        #expect(try await b.files(ofModel: "none").isEmpty)
    }
}
