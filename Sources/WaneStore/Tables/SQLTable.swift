import CPostgres
import Foundation
import GRDB
import WaneEvents

/// The rows that a query of a database gives, as the bytes of a log: comma-separated values with a header, streamed.
///
/// Nothing can be changed by it: both databases are told that only reading is allowed.
public enum SQLTable {
    /// Whether a log's name is one of a database: `postgres://...` or `sqlite:FILE`.
    public static func isDatabase(_ name: String) -> Bool {
        ["postgres://", "postgresql://", "sqlite:"].contains { name.hasPrefix($0) }
    }

    /// What messages call it: without who and with what.
    public static func title(_ name: String) -> String {
        guard isDatabase(name), !name.hasPrefix("sqlite:") else { return name }
        guard let parts = URLComponents(string: name) else { return "PostgreSQL" }
        return "postgres://\(parts.host ?? "")\(parts.port.map { ":\($0)" } ?? "")\(parts.path)"
    }

    /// - Throws: where the database cannot be opened, or does not take the query.
    public static func open(_ name: String, sql: String) throws(LogError) -> any ByteSource {
        var sql = sql.trimmingCharacters(in: .whitespacesAndNewlines)
        while sql.hasSuffix(";") { sql.removeLast() }
        if name.hasPrefix("sqlite:") { return try SQLiteRows(String(name.dropFirst(7)), sql) }
        return try PostgresCopy(name, sql, title(name))
    }
}

/// What `COPY (query) TO STDOUT` sends, which is such a log already.
private final class PostgresCopy: ByteSource {
    private let handle: OpaquePointer
    private let title: String
    private var rest: ArraySlice<UInt8> = []
    private var isOver = false

    init(_ url: String, _ sql: String, _ title: String) throws(LogError) {
        let handle = PQconnectdb(url)
        guard let handle, PQstatus(handle) == CONNECTION_OK else {
            let words = handle.map { Self.message($0) } ?? "no memory"
            PQfinish(handle)
            throw .unsupported(file: title, reason: words)
        }
        self.handle = handle
        self.title = title
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        for (text, expected) in [
            ("SET default_transaction_read_only = on", PGRES_COMMAND_OK), ("SET timezone = 'UTC'", PGRES_COMMAND_OK),
            ("SET datestyle = 'ISO'", PGRES_COMMAND_OK),
            ("COPY (\(sql)) TO STDOUT (FORMAT csv, HEADER true, ENCODING 'UTF8')", PGRES_COPY_OUT),
        ] {
            let result = PQexec(handle, text)
            let status = PQresultStatus(result)
            PQclear(result)
            guard status == expected else { throw .unsupported(file: title, reason: Self.message(handle)) }
        }
    }

    deinit { PQfinish(handle) }

    private static func message(_ handle: OpaquePointer) -> String {
        String(cString: PQerrorMessage(handle)).split(separator: "\n").first.map(String.init) ?? "no more is known"
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        var filled = 0
        while filled < buffer.count {
            if rest.isEmpty {
                guard !isOver else { break }
                var row: UnsafeMutablePointer<CChar>?
                let count = PQgetCopyData(handle, &row, 0)
                if count > 0, let row {
                    rest = Array(UnsafeRawBufferPointer(start: row, count: Int(count)))[...]
                    PQfreemem(row)
                    continue
                }
                isOver = true
                // The end is one only where the server says so: a connection that broke is none.
                let result = PQgetResult(handle)
                let status = PQresultStatus(result)
                PQclear(result)
                guard count == -1, status == PGRES_COMMAND_OK else {
                    throw .unsupported(file: title, reason: "the rows broke off: \(Self.message(handle))")
                }
                break
            }
            let part = rest.prefix(buffer.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).copyBytes(from: part)
            rest = rest.dropFirst(part.count)
            filled += part.count
        }
        return filled
    }
}

/// Rows of a SQLite file, a few thousand at a time.
private final class SQLiteRows: ByteSource {
    private let queue: DatabaseQueue
    private let title: String
    private var cursor: RowCursor?
    private var isDone = false
    private var rest: ArraySlice<UInt8> = []

    init(_ path: String, _ sql: String) throws(LogError) {
        title = "sqlite:" + path
        guard FileManager.default.fileExists(atPath: path) else {
            throw .unsupported(file: title, reason: "there is no such file")
        }
        do {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(30)
            queue = try DatabaseQueue(path: path, configuration: configuration)
            let (cursor, header) = try queue.unsafeRead { db in
                let statement = try db.makeStatement(sql: sql)
                guard statement.columnCount > 0 else { throw DatabaseError(message: "it gives no rows") }
                return (try Row.fetchCursor(statement), statement.columnNames)
            }
            self.cursor = cursor
            rest = Array((header.map { CSVField.always($0) }.joined(separator: ",") + "\n").utf8)[...]
        } catch {
            throw .unsupported(file: title, reason: Self.words(error))
        }
    }

    private static func words(_ error: any Error) -> String {
        (error as? DatabaseError)?.message ?? "\(type(of: error))"
    }

    private static let rowsAtOnce = 4_000

    deinit { try? queue.unsafeRead { _ in cursor = nil } }

    private func more() throws(LogError) {
        do {
            let (bytes, isOver) = try queue.unsafeRead { _ -> ([UInt8], Bool) in
                var bytes: [UInt8] = []
                guard let cursor = self.cursor else { return (bytes, true) }
                for _ in 0..<Self.rowsAtOnce {
                    guard let row = try cursor.next() else {
                        // Let go of where it may be let go of.
                        self.cursor = nil
                        return (bytes, true)
                    }
                    var isFirst = true
                    for (name, value) in row {
                        if !isFirst { bytes.append(UInt8(ascii: ",")) }
                        isFirst = false
                        switch value.storage {
                        case .null: break
                        case .int64(let number): bytes += Array("\(number)".utf8)
                        case .double(let number): bytes += Array("\(number)".utf8)
                        case .string(let text): bytes += Array(CSVField.always(text).utf8)
                        case .blob: throw DatabaseError(message: "column \(name) holds bytes, which no log has")
                        }
                    }
                    bytes.append(UInt8(ascii: "\n"))
                }
                return (bytes, false)
            }
            rest = bytes[...]
            isDone = isOver
        } catch {
            throw .unsupported(file: title, reason: Self.words(error))
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        while rest.isEmpty, !isDone { try more() }
        let part = rest.prefix(buffer.count)
        buffer.copyBytes(from: part)
        rest = rest.dropFirst(part.count)
        return part.count
    }
}
