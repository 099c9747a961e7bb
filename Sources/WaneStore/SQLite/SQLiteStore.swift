import Foundation
import GRDB
import Synchronization
import WaneEvents

/// Events in one SQLite file, which this process alone writes.
///
/// The log of writes is flushed to the disk before ``append(_:)`` returns (`synchronous = FULL`); readers see the last
/// commit and wait for nobody.
public final class SQLiteStore: EventStore, @unchecked Sendable {
    let pool: DatabasePool
    private let lock: FolderLock
    private let known = KnownNames()

    /// - Parameter folder: made where it is not there.
    public init(folder: String) throws(StoreError) {
        lock = try FolderLock(folder)
        let path = folder + "/events.sqlite"
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.label = "events"
        configuration.prepareDatabase { db in
            // What is erased is overwritten, not only let go of.
            try db.execute(sql: "PRAGMA secure_delete = ON")
        }
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = FULL")
                let modes = (
                    try String.fetchOne(db, sql: "PRAGMA journal_mode"), try Int.fetchOne(db, sql: "PRAGMA synchronous")
                )
                guard modes == ("wal", 2) else {
                    throw StoreError.cannotOpen(
                        path: path, reason: "the file system does not allow a log of writes that is flushed")
                }
            }
            let migrator = SQLiteSchema.migrator
            guard try !pool.read(migrator.hasBeenSuperseded) else { throw StoreError.newer(path: path) }
            try migrator.migrate(pool)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .cannotOpen(path: path, reason: Self.words(error))
        }
    }

    // MARK: Writing

    public func append(_ lists: [Sending]) async throws(StoreError) -> [[Receipt]] {
        let keys = lists.map { EventKey.keys(of: $0.records) }
        return try await Self.mapped {
            let (receipts, numbers, generation) = try await self.pool.write { db in
                let generation = self.known.generation
                let numbers = NameNumbers(self.known.names)
                return (try self.insert(lists, keys, numbers, db), numbers.new, generation)
            }
            self.known.keep(numbers, of: generation)
            return receipts
        }
    }

    private func insert(
        _ lists: [Sending], _ keys: [[EventKey]], _ numbers: NameNumbers, _ db: Database
    ) throws -> [[Receipt]] {
        let insert = try db.cachedStatement(
            sql: """
                INSERT INTO events (person, time, key, item, topics, type, duration, weight, sum)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING
                """)
        var accepted = 0
        let receipts = try zip(lists, keys).map { sending, keys in
            try zip(sending.records, keys).map { record, key -> Receipt in
                let sum = RowSum(record, key: key.bytes).stored
                let person = try numbers.number(of: record.user, in: .people, db, arrived: sending.arrived)
                let item = try numbers.number(of: record.item, in: .items, db)
                let topics = try record.topicText.map { try numbers.number(of: $0, in: .words, db) }
                let type = try record.type.map { try numbers.number(of: $0, in: .words, db) }
                try insert.execute(arguments: [
                    person, record.time, key.bytes, item, topics, type, record.duration, record.weight, sum,
                ])
                if db.changesCount > 0 {
                    accepted += 1
                    return .accepted
                }
                let stored = try Int64.fetchOne(
                    db.cachedStatement(sql: "SELECT sum FROM events WHERE key = ?"), arguments: [key.bytes])
                return stored == sum ? .duplicate : .conflict
            }
        }
        if accepted > 0 {
            try db.execute(sql: "UPDATE counters SET value = value + ? WHERE name = 'events'", arguments: [accepted])
        }
        for place in lists.flatMap(\.places) {
            try db.cachedStatement(
                sql: """
                    INSERT INTO stream_places (stream, part, next) VALUES (?, ?, ?)
                    ON CONFLICT (stream, part) DO UPDATE SET next = excluded.next
                    """
            ).execute(arguments: [place.stream, place.part, place.next])
        }
        return receipts
    }

    public func places(of stream: String) async throws(StoreError) -> [Int32: Int64] {
        try await Self.mapped {
            try await self.pool.read { db in
                let rows = try Row.fetchAll(
                    db, sql: "SELECT part, next FROM stream_places WHERE stream = ?", arguments: [stream])
                return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
            }
        }
    }

    public func erase(user: String) async throws(StoreError) -> Int {
        try await Self.mapped {
            let count = try await self.pool.write { db -> Int in
                self.known.forget()
                guard
                    let person = try Int64.fetchOne(
                        db, sql: "SELECT number FROM people WHERE name = ?", arguments: [user])
                else { return 0 }
                try db.execute(sql: "DELETE FROM events WHERE person = ?", arguments: [person])
                let count = db.changesCount
                try db.execute(sql: "DELETE FROM people WHERE number = ?", arguments: [person])
                try db.execute(sql: "UPDATE counters SET value = value - ? WHERE name = 'events'", arguments: [count])
                return count
            }
            // The log of writes has the rows until it is written back: now, or where somebody reads meanwhile, soon.
            try? await self.pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
            return count
        }
    }

    // MARK: Reading

    private static let fields = """
        p.name AS user, e.time, e.key, i.name AS item, t.text AS topics, k.text AS type, e.duration, e.weight, e.sum
        """
    private static let tables = """
        FROM events e LEFT JOIN people p ON p.number = e.person LEFT JOIN items i ON i.number = e.item
        LEFT JOIN words t ON t.number = e.topics LEFT JOIN words k ON k.number = e.type
        """
    /// Events as they were sent; a folder that no service of this version has opened has no more.
    private static let sentColumns = "\(fields), NULL AS said \(tables)"
    /// With what was said of their items.
    private static let columns = """
        \(fields), s.text AS said \(tables)
        LEFT JOIN item_facts f ON e.topics IS NULL AND f.item = e.item LEFT JOIN words s ON s.number = f.topics
        """

    private static func record(_ row: Row) throws -> EventRecord {
        guard let user: String = row[0], let item: String = row[3] else {
            throw StoreError.damaged("an event of a person or an item that is not there")
        }
        var record = EventRecord(
            user: user, time: row[1], item: item, topics: EventRecord.topics(row[4]), duration: row[6], type: row[5],
            weight: row[7])
        try record.check(row[8], key: row[2])
        if record.topics.isEmpty { record.topics = EventRecord.topics(row[9]) }
        return record
    }

    private static func records(_ rows: RowCursor) throws -> [EventRecord] {
        var records: [EventRecord] = []
        while let row = try rows.next() { records.append(try record(row)) }
        return records
    }

    public func events(of user: String, asSent: Bool) async throws(StoreError) -> [EventRecord] {
        let columns = asSent ? Self.sentColumns : Self.columns
        return try await Self.mapped {
            try await self.pool.read { db in
                let statement = try db.cachedStatement(
                    sql:
                        "SELECT \(columns) WHERE e.person = (SELECT number FROM people WHERE name = ?) ORDER BY e.time, e.key"
                )
                return try Self.records(Row.fetchCursor(statement, arguments: [user]))
            }
        }
    }

    public func people(after name: String?, limit: Int) async throws(StoreError) -> PeoplePart {
        try await Self.mapped {
            try await self.pool.read { db in
                var part = PeoplePart()
                for row in try Row.fetchAll(
                    db, sql: "SELECT name, arrived FROM people WHERE name > ? ORDER BY name LIMIT ?",
                    arguments: [name ?? "", limit])
                {
                    part.arrived.append((row[0], row[1]))
                }
                let statement = try db.cachedStatement(
                    sql: """
                        SELECT \(Self.columns) WHERE e.person IN (
                            SELECT number FROM people WHERE name > ? ORDER BY name LIMIT ?
                        ) ORDER BY p.name, e.time, e.key
                        """)
                part.records = try Self.records(Row.fetchCursor(statement, arguments: [name ?? "", limit]))
                return part
            }
        }
    }

    public func newest(upTo moment: Int64) async throws(StoreError) -> Int64? {
        try await Self.mapped {
            try await self.pool.read { db in
                try Int64.fetchOne(db, sql: "SELECT max(time) FROM events WHERE time <= ?", arguments: [moment])
            }
        }
    }

    public func events(ofSomePeople count: Int) async throws(StoreError) -> [EventRecord] {
        try await Self.mapped {
            try await self.pool.read { db in
                let last = try Int64.fetchOne(db, sql: "SELECT max(number) FROM people") ?? 0
                let drawn = drawnNumbers(count, upTo: last).map(String.init).joined(separator: ",")
                return try Self.records(
                    Row.fetchCursor(
                        db, sql: "SELECT \(Self.columns) WHERE e.person IN (\(drawn)) ORDER BY p.name, e.time, e.key"))
            }
        }
    }

    public func fields() async throws(StoreError) -> EventRecord.Fields {
        try await Self.mapped {
            try await self.pool.read { db in
                var fields = EventRecord.Fields()
                func has(_ column: String) throws -> Bool {
                    try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM events WHERE \(column) IS NOT NULL)")
                        ?? false
                }
                (fields.topics, fields.types) = (try has("topics"), try has("type"))
                (fields.durations, fields.weights) = (try has("duration"), try has("weight"))
                if !fields.topics {
                    fields.topics =
                        try Bool.fetchOne(
                            db, sql: "SELECT EXISTS (SELECT 1 FROM item_facts WHERE topics IS NOT NULL)") ?? false
                }
                return fields
            }
        }
    }

    public func revision(of user: String) async throws(StoreError) -> Int64 { 0 }

    public func users(after name: String?, limit: Int) async throws(StoreError) -> [String] {
        try await Self.mapped {
            try await self.pool.read { db in
                try String.fetchAll(
                    db, sql: "SELECT name FROM people WHERE name > ? ORDER BY name LIMIT ?",
                    arguments: [name ?? "", limit])
            }
        }
    }

    public func count() async throws(StoreError) -> Int {
        try await Self.mapped {
            try await self.pool.read { db in
                try Int.fetchOne(db, sql: "SELECT value FROM counters WHERE name = 'events'") ?? 0
            }
        }
    }

    public func faults() async throws(StoreError) -> [String] {
        try await Self.mapped { try await self.pool.read { try Self.faults($0) } }
    }

    static func faults(_ db: Database) throws -> [String] {
        var faults = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
        var (count, damaged) = (0, 0)
        let rows = try Row.fetchCursor(db, sql: "SELECT \(sentColumns)")
        while let row = try rows.next() {
            count += 1
            do { _ = try record(row) } catch is StoreError { damaged += 1 }
        }
        if damaged > 0 { faults.append("\(damaged) events are not what was written") }
        let counted = try Int.fetchOne(db, sql: "SELECT value FROM counters WHERE name = 'events'")
        if counted != count { faults.append("\(count) events are there, and \(counted ?? 0) were counted") }
        return faults
    }

    public func check() async throws(StoreError) {
        try await Self.mapped {
            try await self.pool.write { db in
                try db.execute(sql: "UPDATE counters SET value = value WHERE name = 'events'")
            }
        }
    }

    public func close() async throws(StoreError) {
        try await Self.mapped {
            try await self.pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
            try self.pool.close()
            self.lock.release()
        }
    }

    // MARK: Items

    public func put(_ changes: [ItemChange]) async throws(StoreError) -> Bool {
        try await Self.mapped {
            let (areOthers, numbers, generation) = try await self.pool.write { db in
                let generation = self.known.generation
                let numbers = NameNumbers(self.known.names)
                var areOthers = false
                for change in changes {
                    let before = try Row.fetchOne(
                        db.cachedStatement(
                            sql:
                                "SELECT f.topics, f.available FROM items i LEFT JOIN item_facts f ON f.item = i.number WHERE i.name = ?"
                        ), arguments: [change.item])
                    let (topics, available): (Int64?, Int?) = (before?[0], before?[1])
                    let said = try change.topicText.map { try numbers.number(of: $0, in: .words, db) }
                    let now = change.topics == nil ? topics : said
                    // Of what was not known there are no events.
                    if before != nil, now != topics { areOthers = true }
                    try db.cachedStatement(
                        sql: """
                            INSERT INTO item_facts (item, topics, available) VALUES (?, ?, ?)
                            ON CONFLICT (item) DO UPDATE SET topics = excluded.topics, available = excluded.available
                            """
                    ).execute(arguments: [
                        try numbers.number(of: change.item, in: .items, db), now,
                        change.isAvailable.map { $0 ? 1 : 0 } ?? available ?? 1,
                    ])
                }
                return (areOthers, numbers.new, generation)
            }
            self.known.keep(numbers, of: generation)
            return areOthers
        }
    }

    public func item(_ name: String) async throws(StoreError) -> ItemRecord? {
        try await Self.mapped {
            try await self.pool.read { db in
                try Row.fetchOne(
                    db,
                    sql: """
                        SELECT w.text, f.available FROM items i LEFT JOIN item_facts f ON f.item = i.number
                        LEFT JOIN words w ON w.number = f.topics WHERE i.name = ?
                        """, arguments: [name]
                ).map { row in
                    let available: Int? = row[1]
                    return ItemRecord(item: name, topics: EventRecord.topics(row[0]), isAvailable: available != 0)
                }
            }
        }
    }

    public func unavailableItems() async throws(StoreError) -> [String] {
        try await Self.mapped {
            try await self.pool.read { db in
                try String.fetchAll(
                    db,
                    sql: """
                        SELECT i.name FROM item_facts f CROSS JOIN items i ON i.number = f.item WHERE f.available = 0
                        """)
            }
        }
    }

    /// No other process has the folder.
    public func itemsRevision() async throws(StoreError) -> ItemsRevision { ItemsRevision() }

    // MARK: Errors

    static func mapped<Value>(_ body: () async throws -> Value) async throws(StoreError) -> Value {
        do { return try await body() } catch { throw storeError(error) }
    }

    /// What an error of the database is to who uses a store.
    static func storeError(_ error: any Error) -> StoreError {
        if let error = error as? StoreError { return error }
        switch (error as? DatabaseError)?.resultCode.primaryResultCode {
        case .SQLITE_FULL: return .full
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return .damaged(words(error))
        default: return .failed(words(error))
        }
    }

    /// Without values of the statement, which may be personal.
    private static func words(_ error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(error)" }
        return "SQLite \(error.resultCode.rawValue): \(error.message ?? "no more is known")"
    }
}

/// Tables of names, each with a number.
private enum NameTable: String, CaseIterable, Sendable { case people, items, words }

private typealias Names = [NameTable: [ExactName: Int64]]

/// Numbers of names that were committed lately, as many as fit in some memory.
private final class KnownNames: Sendable {
    private let contents = Mutex<(names: Names, generation: Int)>(([:], 0))
    private static let most = 100_000

    var names: Names { contents.withLock { $0.names } }
    var generation: Int { contents.withLock { $0.generation } }

    /// Somebody is erased: what transactions before this one have found is not kept any more.
    func forget() { contents.withLock { $0 = ([:], $0.generation + 1) } }

    /// - Parameter generation: when the transaction began that has been committed.
    func keep(_ new: Names, of generation: Int) {
        contents.withLock { contents in
            guard contents.generation == generation else { return }
            for (table, names) in new {
                if contents.names[table, default: [:]].count + names.count > Self.most { contents.names[table] = [:] }
                contents.names[table, default: [:]].merge(names) { $1 }
            }
        }
    }
}

/// Numbers of names in one transaction, which may yet be undone: those that it gives are known to it alone.
private final class NameNumbers {
    private let known: Names
    private(set) var new: Names = [:]

    init(_ known: Names) { self.known = known }

    func number(of name: String, in table: NameTable, _ db: Database, arrived: Int64 = 0) throws -> Int64 {
        let key = ExactName(name)
        if let number = known[table]?[key] ?? new[table]?[key] { return number }
        let column = table == .words ? "text" : "name"
        if table == .people {
            try db.cachedStatement(
                sql: "INSERT INTO people (name, arrived) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
            ).execute(arguments: [name, arrived])
        } else {
            try db.cachedStatement(
                sql: "INSERT INTO \(table.rawValue) (\(column)) VALUES (?) ON CONFLICT (\(column)) DO NOTHING"
            ).execute(arguments: [name])
        }
        let number = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT number FROM \(table.rawValue) WHERE \(column) = ?"), arguments: [name])
        guard let number else { throw StoreError.failed("a name was not stored") }
        new[table, default: [:]][key] = number
        return number
    }
}
