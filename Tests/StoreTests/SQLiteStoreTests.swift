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

    @Test("a folder or a backup of an earlier version is looked at as it is, and taken over when it is opened")
    func older() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("service").path
        let store = try SQLiteStore(folder: path)
        _ = try await store.append([[StorePlace.record("a", 1)]])
        // As version 4 left it.
        try await store.pool.write { db in
            try db.execute(
                sql: """
                    DROP TABLE item_facts; DROP TABLE stream_places;
                    DELETE FROM grdb_migrations WHERE identifier LIKE '5:%' OR identifier LIKE '6:%'
                    """)
        }
        try await store.close()
        #expect(try SQLiteCopy.faults(path).isEmpty)
        #expect(try SQLiteCopy.facts(path).events == 1)
        try FileManager.default.createDirectory(at: folder.file("copy"), withIntermediateDirectories: true)
        try SQLiteCopy.back(up: path, to: folder.file("copy").path)
        #expect(try SQLiteCopy.faults(folder.file("copy").path).isEmpty)
        let again = try SQLiteStore(folder: folder.file("copy").path)
        #expect(try await again.events(of: "a") == [StorePlace.record("a", 1)])
        #expect(try await again.item("p") == ItemRecord(item: "p"))
        try await again.close()
    }
}
