import Crypto
import Foundation
import Synchronization
import WaneEvents

/// Events in a PostgreSQL database, which several services may write and read at once.
///
/// A transaction is flushed to the server's disk before ``append(_:)`` returns; a server that was told not to flush is refused. Whoever writes of
/// a person holds that person's row, so that nobody is erased while events of theirs are stored.
public final class PostgresStore: EventStore, Sendable {
    let pool: PostgresPool
    /// Numbers of items and words: those never change, and none is taken away.
    private let numbers = Mutex<[NameTable: [ExactName: Int64]]>([:])
    private static let mostNumbers = 100_000

    /// - Parameter url: `postgres://...` as libpq reads it; a password better stands in `~/.pgpass` or `PGPASSWORD`.
    public init(url: String, connections: Int = 8) async throws(StoreError) {
        pool = PostgresPool(url, most: connections)
        let place = SQLTable.title(url)
        do {
            try await pool.run { connection in
                guard try connection.query("SELECT current_setting('fsync')").text(0, 0) == "on" else {
                    throw StoreError.cannotOpen(
                        path: connection.place, reason: "the server was told not to flush to its disk (fsync = off)")
                }
                try PostgresSchema.migrate(connection)
            }
        } catch let error as StoreError {
            throw error
        } catch let error as PostgresError {
            throw .cannotOpen(path: place, reason: error.message)
        } catch {
            throw .cannotOpen(path: place, reason: "\(error)")
        }
    }

    // MARK: Writing

    private enum NameTable: String { case items, words }

    /// Events of several lists, in one order.
    private struct Batch: Sendable {
        let records: [EventRecord]
        let keys: [EventKey]
        let sums: [Int64]
        let arrived: [Int64]
    }

    public func append(_ sendings: [Sending]) async throws(StoreError) -> [[Receipt]] {
        let lists = sendings.map(\.records)
        let keys = lists.flatMap { EventKey.keys(of: $0) }
        let records = lists.flatMap { $0 }
        let arrived = sendings.flatMap { sending in sending.records.map { _ in sending.arrived } }
        let places = sendings.flatMap(\.places)
        guard !records.isEmpty || !places.isEmpty else { return lists.map { _ in [] } }
        let sums = zip(records, keys).map { RowSum($0, key: $1.bytes).stored }
        let batch = Batch(records: records, keys: keys, sums: sums, arrived: arrived)
        // A server that was lost may come back as one that knows less: what it called things is asked anew.
        var isDone = false
        defer { if !isDone { numbers.withLock { $0 = [:] } } }
        let receipts = try await Self.mapped {
            let (receipts, new) = try await self.pool.run { connection in
                try connection.transaction {
                    let done = try batch.records.isEmpty ? ([], [:]) : self.insert(batch, connection)
                    for place in places {
                        try connection.query(
                            """
                            INSERT INTO stream_places (stream, part, next) VALUES ($1, $2, $3)
                            ON CONFLICT (stream, part) DO UPDATE SET next = excluded.next
                            """, [.text(place.stream), .int(Int64(place.part)), .int(place.next)])
                    }
                    return done
                }
            }
            self.keep(new)
            return receipts
        }
        isDone = true
        var start = 0
        return lists.map { list in
            defer { start += list.count }
            return Array(receipts[start..<start + list.count])
        }
    }

    public func places(of stream: String) async throws(StoreError) -> [Int32: Int64] {
        try await Self.mapped {
            try await self.pool.run { connection in
                let rows = try connection.query(
                    "SELECT part, next FROM stream_places WHERE stream = $1", [.text(stream)])
                return Dictionary(
                    (0..<rows.count).compactMap { row in
                        rows.int(row, 0).flatMap { part in
                            rows.int(row, 1).map { (Int32(truncatingIfNeeded: part), $0) }
                        }
                    }
                ) { $1 }
            }
        }
    }

    private func keep(_ new: [NameTable: [ExactName: Int64]]) {
        numbers.withLock { numbers in
            for (table, names) in new {
                if numbers[table, default: [:]].count + names.count > Self.mostNumbers { numbers[table] = [:] }
                numbers[table, default: [:]].merge(names) { $1 }
            }
        }
    }

    private func insert(
        _ batch: Batch, _ connection: PostgresConnection
    ) throws -> ([Receipt], [NameTable: [ExactName: Int64]]) {
        // The first of a person's is when they came.
        let arrived = Dictionary(
            zip(batch.records.map { ExactName($0.user) }, batch.arrived), uniquingKeysWith: { first, _ in first })
        let people = try hold(arrived.keys.sorted(), arrived, connection)
        let items = try find(Set(batch.records.map { ExactName($0.item) }).sorted(), in: .items, connection)
        let lists = batch.records.map { $0.topicText.map { ExactName($0) } }
        let types = batch.records.map { $0.type.map { ExactName($0) } }
        let words = try find(Set((lists + types).compactMap { $0 }).sorted(), in: .words, connection)
        // In the order of keys, so that two who send the same events do not wait for one another.
        let order = batch.keys.indices.sorted {
            (batch.keys[$0].bytes.lexicographicallyPrecedes(batch.keys[$1].bytes))
                || (batch.keys[$0] == batch.keys[$1] && $0 < $1)
        }
        let rows = try connection.query(
            """
            INSERT INTO events (person, time, key, item, topics, type, duration, weight, sum)
            SELECT * FROM unnest(
                $1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[], $7::float8[],
                $8::float8[], $9::bigint[])
            ON CONFLICT (key) DO NOTHING RETURNING key
            """,
            [
                .ints(order.map { people[ExactName(batch.records[$0].user)] }),
                .ints(order.map { batch.records[$0].time }), .byteLists(order.map { batch.keys[$0].bytes }),
                .ints(order.map { items[ExactName(batch.records[$0].item)] }),
                .ints(order.map { lists[$0].flatMap { words[$0] } }),
                .ints(order.map { types[$0].flatMap { words[$0] } }),
                .doubles(order.map { batch.records[$0].duration }), .doubles(order.map { batch.records[$0].weight }),
                .ints(order.map { batch.sums[$0] }),
            ])
        var new = Set((0..<rows.count).compactMap { rows.data($0, 0) })
        let accepted = new.count
        let missing = batch.keys.map(\.bytes).filter { !new.contains($0) }
        var stored: [Data: Int64] = [:]
        if !missing.isEmpty {
            let known = try connection.query(
                "SELECT key, sum FROM events WHERE key = ANY($1::bytea[])", [.byteLists(missing)])
            for row in 0..<known.count {
                if let key = known.data(row, 0), let sum = known.int(row, 1) { stored[key] = sum }
            }
        }
        // The first of several of one key in the order of sending is the one that was stored.
        let receipts = batch.keys.indices.map { index -> Receipt in
            let key = batch.keys[index].bytes
            if new.remove(key) != nil {
                stored[key] = batch.sums[index]
                return .accepted
            }
            return stored[key] == batch.sums[index] ? .duplicate : .conflict
        }
        if accepted > 0 { try count(accepted, connection) }
        return (receipts, [.items: items, .words: words])
    }

    private func count(_ change: Int, _ connection: PostgresConnection) throws {
        try connection.query(
            """
            INSERT INTO counters AS c VALUES ('events', pg_backend_pid() % 16, $1)
            ON CONFLICT (name, part) DO UPDATE SET value = c.value + excluded.value
            """, [.int(Int64(change))])
    }

    /// Numbers of people, whose rows are held until the transaction ends; those who are new are added.
    private func hold(
        _ names: [ExactName], _ arrived: [ExactName: Int64], _ connection: PostgresConnection
    ) throws -> [ExactName: Int64] {
        var found: [ExactName: Int64] = [:]
        func take(_ rows: PostgresRows) {
            for row in 0..<rows.count {
                if let number = rows.int(row, 0), let name = rows.text(row, 1) { found[ExactName(name)] = number }
            }
        }
        take(
            try connection.query(
                """
                UPDATE people SET revision = nextval('revisions') FROM (
                    SELECT number FROM people WHERE name = ANY($1::text[]) ORDER BY name FOR UPDATE
                ) held WHERE people.number = held.number RETURNING people.number, people.name
                """, [.texts(names.map(\.text))]))
        let missing = names.filter { found[$0] == nil }
        if !missing.isEmpty {
            take(
                try connection.query(
                    """
                    INSERT INTO people AS p (name, revision, arrived)
                    SELECT u.name, nextval('revisions'), u.arrived
                    FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS u (name, arrived, place) ORDER BY u.place
                    ON CONFLICT (name) DO UPDATE SET revision = nextval('revisions') RETURNING p.number, p.name
                    """, [.texts(missing.map(\.text)), .ints(missing.map { arrived[$0] ?? 0 })]))
        }
        guard names.allSatisfy({ found[$0] != nil }) else { throw StoreError.failed("a person was not stored") }
        return found
    }

    /// Numbers of items or words; those that are new are added.
    private func find(
        _ names: [ExactName], in table: NameTable, _ connection: PostgresConnection
    ) throws -> [ExactName: Int64] {
        var found = numbers.withLock { numbers in
            Dictionary(uniqueKeysWithValues: names.compactMap { name in numbers[table]?[name].map { (name, $0) } })
        }
        func unknown() -> [ExactName] { names.filter { found[$0] == nil } }
        let (keys, column) = table == .items ? ("text", "name") : ("bytea", "hash")
        func values(_ names: [ExactName]) -> PostgresValue {
            table == .items
                ? .texts(names.map(\.text)) : .byteLists(names.map { Data(SHA256.hash(data: Data($0.text.utf8))) })
        }
        let text = table == .items ? "name" : "text"
        for round in 0..<2 where !unknown().isEmpty {
            let names = unknown()
            let rows = try connection.query(
                "SELECT number, \(text) FROM \(table.rawValue) WHERE \(column) = ANY($1::\(keys)[])", [values(names)])
            for row in 0..<rows.count {
                if let number = rows.int(row, 0), let name = rows.text(row, 1) { found[ExactName(name)] = number }
            }
            let missing = unknown()
            guard round == 0, !missing.isEmpty else { continue }
            if table == .items {
                try connection.query(
                    "INSERT INTO items (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", [values(missing)])
            } else {
                try connection.query(
                    """
                    INSERT INTO words (hash, text) SELECT * FROM unnest($1::bytea[], $2::text[]) ON CONFLICT DO NOTHING
                    """, [values(missing), .texts(missing.map(\.text))])
            }
        }
        guard unknown().isEmpty else { throw StoreError.failed("a name was not stored") }
        return found
    }

    public func erase(user: String) async throws(StoreError) -> Int {
        try await Self.mapped {
            try await self.pool.run { connection in
                try connection.transaction {
                    let person = try connection.query(
                        "SELECT number FROM people WHERE name = $1 FOR UPDATE", [.text(user)]
                    ).int(0, 0)
                    guard let person else { return 0 }
                    let count = try connection.query("DELETE FROM events WHERE person = $1", [.int(person)]).changes
                    try connection.query("DELETE FROM people WHERE number = $1", [.int(person)])
                    try self.count(-count, connection)
                    return count
                }
            }
        }
    }

    // MARK: Reading

    private static let fields = "p.name, e.time, e.key, i.name, t.text, k.text, e.duration, e.weight, e.sum"
    private static let tables = """
        FROM events e LEFT JOIN people p ON p.number = e.person LEFT JOIN items i ON i.number = e.item
        LEFT JOIN words t ON t.number = e.topics LEFT JOIN words k ON k.number = e.type
        """
    private static let sentColumns = "\(fields), NULL::text \(tables)"
    /// With what was said of their items.
    private static let columns = """
        \(fields), s.text \(tables)
        LEFT JOIN item_facts f ON e.topics IS NULL AND f.item = e.item LEFT JOIN words s ON s.number = f.topics
        """

    private static func record(_ rows: PostgresRows, _ row: Int) throws(StoreError) -> EventRecord {
        guard let user = rows.text(row, 0), let time = rows.int(row, 1), let key = rows.data(row, 2),
            let item = rows.text(row, 3), let sum = rows.int(row, 8)
        else { throw .damaged("an event of a person or an item that is not there") }
        var record = EventRecord(
            user: user, time: time, item: item,
            topics: EventRecord.topics(rows.text(row, 4)),
            duration: rows.double(row, 6), type: rows.text(row, 5), weight: rows.double(row, 7))
        try record.check(sum, key: key)
        if record.topics.isEmpty { record.topics = EventRecord.topics(rows.text(row, 9)) }
        return record
    }

    private static func records(_ rows: PostgresRows) throws(StoreError) -> [EventRecord] {
        var records: [EventRecord] = []
        for row in 0..<rows.count { records.append(try record(rows, row)) }
        return records
    }

    public func events(of user: String, asSent: Bool) async throws(StoreError) -> [EventRecord] {
        let columns = asSent ? Self.sentColumns : Self.columns
        return try await Self.mapped {
            try await self.pool.run { connection in
                let rows = try connection.query(
                    """
                    SELECT \(columns) WHERE e.person = (SELECT number FROM people WHERE name = $1)
                    ORDER BY e.time, e.key
                    """, [.text(user)])
                return try Self.records(rows)
            }
        }
    }

    public func people(after name: String?, limit: Int) async throws(StoreError) -> PeoplePart {
        try await Self.mapped {
            try await self.pool.run { connection in
                var part = PeoplePart()
                let people = try connection.query(
                    "SELECT name, arrived, number FROM people WHERE name > $1 ORDER BY name LIMIT $2",
                    [.text(name ?? ""), .int(Int64(limit))])
                for row in 0..<people.count {
                    if let name = people.text(row, 0), let time = people.int(row, 1) {
                        part.arrived.append((name, time))
                    }
                }
                let rows = try connection.query(
                    "SELECT \(Self.columns) WHERE e.person = ANY ($1::bigint[]) ORDER BY p.name, e.time, e.key",
                    [.ints((0..<people.count).map { people.int($0, 2) })])
                part.records = try Self.records(rows)
                return part
            }
        }
    }

    public func newest(upTo moment: Int64) async throws(StoreError) -> Int64? {
        try await Self.mapped {
            try await self.pool.run { connection in
                try connection.query("SELECT max(time) FROM events WHERE time <= $1", [.int(moment)]).int(0, 0)
            }
        }
    }

    public func events(ofSomePeople count: Int) async throws(StoreError) -> [EventRecord] {
        try await Self.mapped {
            try await self.pool.run { connection in
                let last = try connection.query("SELECT max(number) FROM people").int(0, 0) ?? 0
                let rows = try connection.query(
                    "SELECT \(Self.columns) WHERE e.person = ANY ($1::bigint[]) ORDER BY p.name, e.time, e.key",
                    [.ints(drawnNumbers(count, upTo: last))])
                return try Self.records(rows)
            }
        }
    }

    public func fields() async throws(StoreError) -> EventRecord.Fields {
        try await Self.mapped {
            try await self.pool.run { connection in
                var fields = EventRecord.Fields()
                func has(_ column: String, _ table: String = "events") throws -> Bool {
                    let sql = "SELECT EXISTS (SELECT 1 FROM \(table) WHERE \(column) IS NOT NULL)::int::bigint"
                    return try connection.query(sql).int(0, 0) == 1
                }
                (fields.topics, fields.types) = (try has("topics") || has("topics", "item_facts"), try has("type"))
                (fields.durations, fields.weights) = (try has("duration"), try has("weight"))
                return fields
            }
        }
    }

    public func revision(of user: String) async throws(StoreError) -> Int64 {
        try await Self.mapped {
            try await self.pool.run { connection in
                try connection.query("SELECT revision FROM people WHERE name = $1", [.text(user)]).int(0, 0) ?? 0
            }
        }
    }

    public func users(after name: String?, limit: Int) async throws(StoreError) -> [String] {
        try await Self.mapped {
            try await self.pool.run { connection in
                let rows = try connection.query(
                    "SELECT name FROM people WHERE name > $1 ORDER BY name LIMIT $2",
                    [.text(name ?? ""), .int(Int64(limit))])
                return (0..<rows.count).compactMap { rows.text($0, 0) }
            }
        }
    }

    public func count() async throws(StoreError) -> Int {
        try await Self.mapped {
            try await self.pool.run { connection in
                Int(
                    try connection.query("SELECT sum(value)::bigint FROM counters WHERE name = 'events'").int(0, 0)
                        ?? 0)
            }
        }
    }

    public func faults() async throws(StoreError) -> [String] {
        try await Self.mapped {
            try await self.pool.run { connection in
                try connection.transaction {
                    try connection.script(
                        "SET LOCAL statement_timeout = 0; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    let patience = 86_400.0
                    try connection.query(
                        "DECLARE every_event NO SCROLL CURSOR FOR SELECT \(Self.sentColumns)", patience: patience)
                    var (count, damaged) = (0, 0)
                    while true {
                        let rows = try connection.query("FETCH 10000 FROM every_event", patience: patience)
                        guard rows.count > 0 else { break }
                        count += rows.count
                        for row in 0..<rows.count {
                            do throws(StoreError) { _ = try Self.record(rows, row) } catch { damaged += 1 }
                        }
                    }
                    var faults: [String] = []
                    if damaged > 0 { faults.append("\(damaged) events are not what was written") }
                    let counted = try connection.query(
                        "SELECT sum(value)::bigint FROM counters WHERE name = 'events'"
                    ).int(0, 0)
                    if Int(counted ?? 0) != count {
                        faults.append("\(count) events are there, and \(counted ?? 0) were counted")
                    }
                    return faults
                }
            }
        }
    }

    public func check() async throws(StoreError) {
        try await Self.mapped {
            try await self.pool.run { connection in
                guard try connection.query("SELECT pg_is_in_recovery()::int::bigint").int(0, 0) == 0 else {
                    throw StoreError.failed("the server is a copy that cannot be written")
                }
                try self.count(0, connection)
            }
        }
    }

    public func close() async throws(StoreError) { await pool.close() }

    // MARK: Items

    private static func raise(_ counter: String, _ connection: PostgresConnection) throws {
        try connection.query(
            """
            INSERT INTO counters AS c VALUES ($1, 0, 1) ON CONFLICT (name, part) DO UPDATE SET value = c.value + 1
            """, [.text(counter)])
    }

    public func put(_ changes: [ItemChange]) async throws(StoreError) -> Bool {
        // The last word on an item counts; in one order, so that two who write the same do not wait for one another.
        var topics: [ExactName: [String]] = [:]
        var available: [ExactName: Bool] = [:]
        for change in changes {
            if let own = change.topics { topics[ExactName(change.item)] = own }
            if let own = change.isAvailable { available[ExactName(change.item)] = own }
        }
        let names = Set(changes.map { ExactName($0.item) }).sorted()
        guard !names.isEmpty else { return false }
        let (listed, judged) = (topics.keys.sorted(), available.keys.sorted())
        let lists = listed.map { topics[$0].flatMap(EventRecord.text).map { ExactName($0) } }
        let flags = judged.map { available[$0] == false ? Int64(0) : 1 }
        var isDone = false
        defer { if !isDone { numbers.withLock { $0 = [:] } } }
        let areOthers = try await Self.mapped {
            let (new, areOthers) = try await self.pool.run { connection in
                try connection.transaction {
                    let met = try connection.query(
                        "SELECT name FROM items WHERE name = ANY($1::text[])", [.texts(listed.map(\.text))])
                    let known = Set((0..<met.count).compactMap { met.text($0, 0).map { ExactName($0) } })
                    let items = try self.find(names, in: .items, connection)
                    let words = try self.find(Set(lists.compactMap { $0 }).sorted(), in: .words, connection)
                    // One who has said something of items at a time: what is compared stays as it is.
                    try Self.raise("items", connection)
                    let rows = try connection.query(
                        "SELECT item, topics FROM item_facts WHERE item = ANY($1::bigint[])",
                        [.ints(names.map { items[$0] })])
                    var before: [Int64: Int64] = [:]
                    for row in 0..<rows.count {
                        if let item = rows.int(row, 0), let topics = rows.int(row, 1) { before[item] = topics }
                    }
                    // Of what was not known there are no events.
                    let areOthers = zip(listed, lists).contains { name, list in
                        known.contains(name) && items[name].flatMap { before[$0] } != list.flatMap { words[$0] }
                    }
                    if areOthers { try Self.raise("item topics", connection) }
                    try connection.query(
                        """
                        INSERT INTO item_facts (item, topics, available)
                        SELECT i, t, 1 FROM unnest($1::bigint[], $2::bigint[]) AS u (i, t)
                        ON CONFLICT (item) DO UPDATE SET topics = excluded.topics
                        """, [.ints(listed.map { items[$0] }), .ints(lists.map { $0.flatMap { words[$0] } })])
                    try connection.query(
                        """
                        INSERT INTO item_facts (item, topics, available)
                        SELECT i, NULL, a FROM unnest($1::bigint[], $2::bigint[]) AS u (i, a)
                        ON CONFLICT (item) DO UPDATE SET available = excluded.available
                        """, [.ints(judged.map { items[$0] }), .ints(flags)])
                    return ([NameTable.items: items, .words: words], areOthers)
                }
            }
            self.keep(new)
            return areOthers
        }
        isDone = true
        return areOthers
    }

    public func item(_ name: String) async throws(StoreError) -> ItemRecord? {
        try await Self.mapped {
            try await self.pool.run { connection in
                let rows = try connection.query(
                    """
                    SELECT w.text, f.available FROM items i LEFT JOIN item_facts f ON f.item = i.number
                    LEFT JOIN words w ON w.number = f.topics WHERE i.name = $1
                    """, [.text(name)])
                guard rows.count > 0 else { return nil }
                return ItemRecord(
                    item: name, topics: EventRecord.topics(rows.text(0, 0)), isAvailable: rows.int(0, 1) != 0)
            }
        }
    }

    public func unavailableItems() async throws(StoreError) -> [String] {
        try await Self.mapped {
            try await self.pool.run { connection in
                let rows = try connection.query(
                    "SELECT i.name FROM item_facts f JOIN items i ON i.number = f.item WHERE f.available = 0"
                )
                return (0..<rows.count).compactMap { rows.text($0, 0) }
            }
        }
    }

    public func itemsRevision() async throws(StoreError) -> ItemsRevision {
        try await Self.mapped {
            try await self.pool.run { connection in
                let rows = try connection.query(
                    "SELECT name, value FROM counters WHERE name IN ('items', 'item topics')")
                var revision = ItemsRevision()
                for row in 0..<rows.count {
                    if rows.text(row, 0) == "items" {
                        revision.all = rows.int(row, 1) ?? 0
                    } else {
                        revision.topics = rows.int(row, 1) ?? 0
                    }
                }
                return revision
            }
        }
    }

    // MARK: Errors

    static func mapped<Value>(_ body: () async throws -> Value) async throws(StoreError) -> Value {
        do {
            return try await body()
        } catch let error as StoreError {
            throw error
        } catch let error as PostgresError {
            // Messages name constraints and columns, not values.
            switch error.state {
            case "53100": throw .full
            case "XX001", "XX002": throw .damaged("PostgreSQL \(error.state ?? ""): \(error.message)")
            case let state?: throw .failed("PostgreSQL \(state)")
            case nil: throw .failed("PostgreSQL cannot be reached: \(error.message)")
            }
        } catch {
            throw .failed("\(type(of: error))")
        }
    }
}
