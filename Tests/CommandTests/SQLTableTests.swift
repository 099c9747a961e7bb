import Foundation
import GRDB
import TestSupport
import Testing

@Suite("Logs out of databases")
struct SQLTableTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private typealias Visit = (user: String, time: String, page: String?, seconds: Double?)

    private static let rows: [Visit] = (0..<6_000).map { number -> Visit in
        let user = number % 7 == 0 ? "o'neil, \"x\"\nü" : "u\(number % 90)"
        let day = String(format: "%02d", 1 + number % 28)
        let minute = String(format: "%02d", number % 60)
        let page: String? = number % 500 == 499 ? nil : "p\(number % 40)"
        let seconds: Double? = number % 3 == 0 ? nil : Double(number % 100) / 4
        return (user, "2024-03-\(day) 10:\(minute):00", page, seconds)
    }

    private func summary(_ arguments: [String]) throws -> (summary: [String: Any], errors: String) {
        let done = try Command.run(["inspect"] + arguments + ["--format", "json"])
        #expect(done.status == 0, "\(done.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(done.output.utf8)) as? [String: Any]
        return (object ?? [:], done.errors)
    }

    /// The same rows as a file.
    private func file() throws -> String {
        let path = folder.file("visits.csv").path
        var text = "user_id,time,page,duration\n"
        for row in Self.rows {
            text +=
                "\"\(row.user.replacing("\"", with: "\"\""))\",\(row.time),\(row.page ?? ""),\(row.seconds.map { "\($0)" } ?? "")\n"
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func same(_ arguments: [String]) throws {
        let (expected, _) = try summary([file()])
        let (found, _) = try summary(arguments)
        for key in ["users", "items", "events", "start", "end", "rejected", "people"] {
            #expect("\(found[key] ?? "")" == "\(expected[key] ?? "")", "\(key)")
        }
        #expect(found.count == expected.count)
    }

    @Test("a query of a SQLite file is read as the same rows in a file are; nothing can be changed by one")
    func sqlite() throws {
        let path = folder.file("shop.db").path
        let queue = try DatabaseQueue(path: path)
        try queue.write { db in
            try db.execute(sql: "CREATE TABLE visits (user_id TEXT, time TEXT, page TEXT, duration REAL)")
            for row in Self.rows {
                try db.execute(
                    sql: "INSERT INTO visits VALUES (?, ?, ?, ?)",
                    arguments: [row.user, row.time, row.page, row.seconds])
            }
        }
        try queue.close()
        try same(["sqlite:\(path)", "--sql", "select user_id, time, page, duration from visits;"])
        for (sql, word) in [
            ("delete from visits", "no rows"), ("select * from no_such", "no such table"), ("selec", "syntax error"),
            ("select x'00ff' as user_id, time, page from visits", "bytes"),
        ] {
            let done = try Command.run(["inspect", "sqlite:\(path)", "--sql", sql])
            #expect(done.status == 1 && done.errors.contains(word), "\(done.errors)")
        }
        let count = try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "SELECT count(*) FROM visits") }
        #expect(count == Self.rows.count)
        #expect(try Command.run(["inspect", "sqlite:\(path)"]).errors.contains("--sql"))
        #expect(try Command.run(["inspect", try file(), "--sql", "select 1"]).errors.contains("no database"))
        #expect(
            try Command.run(["inspect", "sqlite:/nowhere.db", "--sql", "select 1"]).errors.contains("no such file"))
    }

    @Test(
        "a query of PostgreSQL is read as the same rows in a file are, its own times too; nothing can be changed by one",
        .enabled(if: PostgresServer.obstacle == nil))
    func postgres() async throws {
        let url = try await PostgresServer.shared.database()
        func text(_ value: String?) -> String { value.map { "'\($0.replacing("'", with: "''"))'" } ?? "NULL" }
        let values = Self.rows.map {
            "(\(text($0.user)), \(text($0.time)), \(text($0.page)), \($0.seconds.map { "\($0)" } ?? "NULL"))"
        }
        let script = folder.file("rows.sql")
        try Data(
            ("CREATE TABLE visits (user_id TEXT, time TIMESTAMPTZ, page TEXT, duration FLOAT8); SET timezone = 'UTC'; INSERT INTO visits VALUES "
                + values.joined(separator: ",") + ";").utf8
        ).write(to: script)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: script.deletingLastPathComponent().path)
        try await PostgresServer.shared.psql(url, file: script.path)
        try same([url, "--sql", "select user_id, time, page, duration from visits"])
        for (sql, word) in [
            ("delete from visits returning *", "read-only"), ("select * from nothing", "does not exist"),
            ("select user_id, time, page, 1/(extract(day from time) - 28) from visits", "broke off"),
        ] {
            let done = try Command.run(["inspect", url, "--sql", sql])
            #expect(done.status == 1 && done.errors.contains(word), "\(sql): \(done.errors)")
        }
        let secret = try Command.run(["inspect", "postgres://wane:s3cret@127.0.0.1:1/x", "--sql", "select 1"])
        #expect(secret.status == 1 && !secret.errors.contains("s3cret"), "\(secret.errors)")
    }
}
