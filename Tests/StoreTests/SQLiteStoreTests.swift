import Foundation
import GRDB
import TestSupport
import Testing
import WaneEvents

@testable import WaneStore

@Suite("Events in SQLite")
struct SQLiteStoreTests {
    private let folder: TemporaryFolder
    private var path: String { folder.file("service").path }

    init() throws { folder = try TemporaryFolder() }

    private static func record(_ user: String, _ hour: Int64, _ item: String = "p", id: String? = nil) -> EventRecord {
        EventRecord(
            id: id, user: user, time: 1_735_787_045_000_000 + hour * 3_600_000_000, item: item, topics: ["x", "y"],
            duration: 1.5, type: "view", weight: 0.5)
    }

    @Test("what has a receipt is there after opening again, once, in order of time")
    func append() async throws {
        let store = try SQLiteStore(folder: path)
        let events = [Self.record("a", 3, id: "1"), Self.record("b", 1, id: "2"), Self.record("a", 1, id: "3")]
        #expect(try await store.append([events]) == [[.accepted, .accepted, .accepted]])
        #expect(try await store.append([[events[0]], [Self.record("a", 2, id: "4")]]) == [[.duplicate], [.accepted]])
        try await store.close()
        let again = try SQLiteStore(folder: path)
        var expected = [Self.record("a", 1), Self.record("a", 2), Self.record("a", 3)]
        #expect(try await again.events(of: "a") == expected)
        #expect(try await again.events(of: "nobody").isEmpty)
        #expect(try await again.count() == 4)
        #expect(try await again.faults().isEmpty)
        #expect(try await again.users(after: nil, limit: 10) == ["a", "b"])
        #expect(try await again.users(after: "a", limit: 10) == ["b"])
        // One without anything but the least, and names of all kinds.
        let bare = EventRecord(user: "ü/%😀\"'", time: 5_000_000_000_000_000, item: "", topics: [])
        #expect(try await again.append([[bare]]) == [[.accepted]])
        expected = [bare]
        #expect(try await again.events(of: bare.user) == expected)
    }

    @Test("an id that another event has is refused, and the one stored stays")
    func conflict() async throws {
        let store = try SQLiteStore(folder: path)
        _ = try await store.append([[Self.record("a", 1, id: "1")]])
        #expect(
            try await store.append([[Self.record("a", 2, id: "1"), Self.record("b", 1, id: "1")]]) == [
                [.conflict, .conflict]
            ])
        #expect(try await store.events(of: "a") == [Self.record("a", 1)])
        #expect(try await store.count() == 1)
    }

    @Test("without ids a sending repeated is stored once, and equal events of one sending are as many")
    func withoutIDs() async throws {
        let store = try SQLiteStore(folder: path)
        let sending = [Self.record("a", 1), Self.record("a", 1), Self.record("a", 2)]
        #expect(try await store.append([sending]) == [[.accepted, .accepted, .accepted]])
        #expect(try await store.append([sending]) == [[.duplicate, .duplicate, .duplicate]])
        #expect(try await store.events(of: "a").count == 3)
        // Named by the sender in the same way, they are the same events.
        var namer = EventNamer()
        var named = sending
        for index in named.indices { named[index].id = namer.id(of: named[index]) }
        #expect(try await store.append([named]) == [[.duplicate, .duplicate, .duplicate]])
        #expect(Set(named.compactMap(\.id)).count == 3)
    }

    @Test("names that only look alike are two, and one write that fails does not mix people up")
    func exactNames() async throws {
        let store = try SQLiteStore(folder: path)
        let (composed, combined) = ("Jos\u{E9}", "Jose\u{301}")
        #expect(composed == combined)
        _ = try await store.append([[Self.record(composed, 1, composed)]])
        _ = try await store.append([[Self.record(combined, 2, combined)]])
        #expect(try await store.events(of: composed).map(\.time) == [Self.record("", 1).time])
        #expect(try await store.events(of: combined).map(\.time) == [Self.record("", 2).time])
        #expect(try await store.faults().isEmpty)
        // A commit that does not happen: the disk is full as it is written.
        try await store.pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA max_page_count = 30") }
        let many = (0..<4_000).map { Self.record("new-\($0)", 1, "item-\($0)") }
        await #expect(throws: StoreError.full) { try await store.append([many]) }
        #expect(try await store.count() == 2)
        try await store.pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA max_page_count = 100000") }
        _ = try await store.append([[Self.record("other", 1)], [many[0], many[1]]])
        #expect(try await store.events(of: "new-0").map(\.item) == ["item-0"])
        #expect(try await store.events(of: "other").count == 1)
        #expect(try await store.faults().isEmpty)
    }

    @Test("each write is flushed, in a log of writes")
    func flushed() async throws {
        let store = try SQLiteStore(folder: path)
        let (mode, level) = try await store.pool.write { db in
            (try String.fetchOne(db, sql: "PRAGMA journal_mode"), try Int.fetchOne(db, sql: "PRAGMA synchronous"))
        }
        #expect(mode == "wal" && level == 2)
    }

    @Test(
        "a row that is not what was written is never read as one",
        arguments: [
            "UPDATE events SET time = time + 1", "UPDATE events SET duration = 2", "UPDATE events SET weight = NULL",
            "UPDATE events SET item = (SELECT max(number) FROM items)",
            "UPDATE people SET name = 'a2' WHERE name = 'a'",
            "UPDATE items SET name = 'q'||number", "UPDATE words SET text = text||'z'",
            "UPDATE events SET sum = sum + 1",
            "UPDATE events SET key = zeroblob(16)",
        ])
    func damage(change: String) async throws {
        let store = try SQLiteStore(folder: path)
        _ = try await store.append([[Self.record("a", 1, "p"), Self.record("b", 1, "p2")]])
        try await store.pool.write { db in
            try db.execute(sql: "DELETE FROM events WHERE person = (SELECT number FROM people WHERE name = 'b')")
            try db.execute(sql: "UPDATE counters SET value = 1")
            try db.execute(sql: change)
        }
        let name = change.contains("people") ? "a2" : "a"
        await #expect(throws: StoreError.self) { try await store.events(of: name) }
        #expect(try await !store.faults().isEmpty)
    }

    @Test("a second program is refused the folder, and one that comes after the first has it")
    func lock() async throws {
        let store = try SQLiteStore(folder: path)
        #expect(throws: StoreError.inUse(path: path)) { try SQLiteStore(folder: path) }
        try await store.close()
        let again = try SQLiteStore(folder: path)
        try await again.close()
    }

    @Test("what a later version wrote is left alone")
    func newer() async throws {
        let store = try SQLiteStore(folder: path)
        try await store.pool.write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('99: of tomorrow')")
        }
        try await store.close()
        #expect(throws: StoreError.newer(path: path + "/events.sqlite")) { try SQLiteStore(folder: path) }
    }

    @Test("no byte of an erased person's name is left in the folder, and others keep theirs")
    func erase() async throws {
        let store = try SQLiteStore(folder: path)
        let name = "planted-person-7c1"
        _ = try await store.append([(0..<2_000).map { Self.record($0 % 2 == 0 ? name : "b", Int64($0)) }])
        #expect(try await store.erase(user: name) == 1_000)
        #expect(try await store.erase(user: name) == 0)
        #expect(try await store.events(of: name).isEmpty)
        #expect(try await store.events(of: "b").count == 1_000)
        #expect(try await store.count() == 1_000)
        #expect(try await store.faults().isEmpty)
        for file in try FileManager.default.contentsOfDirectory(atPath: path) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path + "/" + file))
            #expect(bytes.range(of: Data(name.utf8)) == nil, "\(file)")
        }
        // Who comes back is somebody new.
        #expect(try await store.append([[Self.record(name, 1)]]) == [[.accepted]])
        #expect(try await store.events(of: name).count == 1)
    }

    @Test("many who send at once share writes, and each has the receipts of its own events")
    func groups() async throws {
        let store = try SQLiteStore(folder: path)
        let writer = EventWriter(store)
        let receipts = try await withThrowingTaskGroup(of: (Int, [Receipt]).self) { group in
            for sender in 0..<40 {
                group.addTask {
                    let own = (0...sender).map { Self.record("u\(sender)", Int64($0), id: "\(sender % 20)-\($0)") }
                    return (sender, try await writer.append(own))
                }
            }
            return try await group.reduce(into: [Int: [Receipt]]()) { $0[$1.0] = $1.1 }
        }
        #expect(receipts.allSatisfy { $0.value.count == $0.key + 1 })
        let accepted = receipts.values.flatMap { $0 }.count { $0 == .accepted }
        #expect(try await store.count() == accepted)
        #expect(await writer.queued == 0)
    }

    @Test("where too many events wait, more are refused and not stored")
    func busy() async throws {
        let store = try SQLiteStore(folder: path)
        let writer = EventWriter(store, limit: 10)
        let all = try await withThrowingTaskGroup(of: Int.self) { group in
            for sender in 0..<30 {
                group.addTask {
                    do throws(StoreError) {
                        return try await writer.append((0..<8).map { Self.record("u\(sender)", $0) }).count
                    } catch {
                        #expect(error == .busy)
                        return 0
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(try await store.count() == all && all >= 8)
    }

    @Test("keys and labels are there after opening again, the secret is not")
    func keys() async throws {
        let store = try SQLiteStore(folder: path)
        let (key, secret) = StoredKey.make(role: .read, name: "desk")
        try await store.add(key)
        try await store.move([
            ModelLabel(task: "interest", .champion): "abc", ModelLabel(task: "interest", .previous): "def",
        ])
        try await store.move([ModelLabel(task: "interest", .previous): nil as String?])
        try await store.close()
        let again = try SQLiteStore(folder: path)
        #expect(try await again.keys() == [key])
        #expect(secret.utf8.count == StoredKey.secretLength && key.isMade(from: StoredKey.hash(secret)))
        #expect(!key.isMade(from: StoredKey.hash(secret + "0")) && !key.isMade(from: Data()))
        #expect(try await again.labels() == [ModelLabel(task: "interest", .champion): "abc"])
        try await again.close()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path + "/events.sqlite"))
        #expect(bytes.range(of: Data(secret.utf8)) == nil)
        let reopened = try SQLiteStore(folder: path)
        #expect(try await reopened.removeKey(prefix: "none") == .lastAdmin)
        #expect(try await reopened.removeKey(prefix: key.prefix) == .removed)
        #expect(try await reopened.keys().isEmpty)
    }
}
