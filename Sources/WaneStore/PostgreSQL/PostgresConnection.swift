import CPostgres
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the server or the way to it said.
struct PostgresError: Error {
    /// Five signs (PostgreSQL's appendix A); nothing where the connection itself is gone.
    let state: String?
    let message: String

    /// The connection is of no more use, and whether the last statement came through is not known.
    var isConnection: Bool { state == nil || state?.hasPrefix("08") == true || state?.hasPrefix("57P") == true }
    /// Two who wanted the same at once: the same again succeeds.
    var isRetried: Bool { isConnection || state == "40001" || state == "40P01" }
}

/// Rows that the server sent, each value in its binary form.
final class PostgresRows {
    private let result: OpaquePointer
    let count: Int

    fileprivate init(_ result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
    }

    deinit { PQclear(result) }

    /// Rows that the statement has changed.
    var changes: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

    private func bytes(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer? {
        guard row < count, PQgetisnull(result, Int32(row), Int32(column)) == 0,
            let start = PQgetvalue(result, Int32(row), Int32(column))
        else { return nil }
        return UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, Int32(row), Int32(column))))
    }

    func text(_ row: Int, _ column: Int) -> String? {
        bytes(row, column).map { String(decoding: $0, as: UTF8.self) }
    }

    func data(_ row: Int, _ column: Int) -> Data? { bytes(row, column).map { Data($0) } }

    func int(_ row: Int, _ column: Int) -> Int64? {
        bytes(row, column).flatMap { $0.count == 8 ? Int64(bigEndian: $0.loadUnaligned(as: Int64.self)) : nil }
    }

    func double(_ row: Int, _ column: Int) -> Double? {
        int(row, column).map { Double(bitPattern: UInt64(bitPattern: $0)) }
    }
}

/// One connection to a server, which one thread at a time uses.
///
/// Statements are prepared once each. A server that does not answer in time is given up, and the connection with it.
final class PostgresConnection: @unchecked Sendable {
    private let handle: OpaquePointer
    private let queue = DispatchQueue(label: "wane.postgres")
    private var prepared: [String: String] = [:]
    /// Of a statement, where it is not said otherwise.
    static let patience = 30.0
    private(set) var isBroken = false

    /// Connects: blocks up to five seconds.
    init(_ url: String) throws(PostgresError) {
        let words = ["dbname", "connect_timeout", "application_name", "tcp_user_timeout", "client_encoding"]
        let values = [url, "5", "wane", "10000", "UTF8"]
        let handle = Self.withPointers(words) { words in
            Self.withPointers(values) { PQconnectdbParams(words, $0, 1) }
        }
        guard let handle else { throw PostgresError(state: nil, message: "no memory for a connection") }
        self.handle = handle
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        guard PQstatus(handle) == CONNECTION_OK else { throw PostgresError(state: nil, message: Self.message(handle)) }
    }

    deinit { PQfinish(handle) }

    /// What the connection leads to, without a password.
    var place: String {
        func text(_ value: UnsafeMutablePointer<CChar>?) -> String { value.map { String(cString: $0) } ?? "" }
        return "postgres://\(text(PQhost(handle)))/\(text(PQdb(handle)))"
    }

    private static func withPointers<Value>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Value
    ) -> Value {
        let copies = texts.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return (copies.map { $0.map { UnsafePointer($0) } } + [nil]).withUnsafeBufferPointer { body($0.baseAddress) }
    }

    /// The first line: what follows quotes statements and their values.
    private static func message(_ handle: OpaquePointer) -> String {
        String(cString: PQerrorMessage(handle)).split(separator: "\n").first.map(String.init) ?? "no more is known"
    }

    /// Runs a piece of work on the connection's own thread.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body(self) }) }
        }
    }

    /// Runs one statement.
    @discardableResult
    func query(
        _ sql: String, _ values: [PostgresValue] = [], patience: Double = PostgresConnection.patience
    ) throws(PostgresError) -> PostgresRows {
        let name: String
        if let known = prepared[sql] {
            name = known
        } else {
            name = "w\(prepared.count)"
            let types = values.map(\.type)
            let sent = types.withUnsafeBufferPointer {
                PQsendPrepare(handle, name, sql, Int32($0.count), $0.baseAddress)
            }
            try finish(sent, patience)
            prepared[sql] = name
        }
        let encoded = values.map(\.encoded)
        let lengths = encoded.map { Int32($0.count) }
        let formats = [Int32](repeating: 1, count: values.count)
        // One block of memory for all, which stands still while it is sent.
        var block: [UInt8] = []
        block.reserveCapacity(encoded.reduce(1) { $0 + $1.count })
        var places: [Int] = []
        for own in encoded {
            places.append(block.count)
            block += own
        }
        block.append(0)
        let sent = block.withUnsafeBytes { bytes in
            let pointers = places.map { bytes.baseAddress?.advanced(by: $0).assumingMemoryBound(to: CChar.self) }
            return PQsendQueryPrepared(handle, name, Int32(values.count), pointers, lengths, formats, 1)
        }
        return try finish(sent, patience)
    }

    /// Several statements without values, such as those of a migration.
    func script(_ sql: String) throws(PostgresError) { try finish(PQsendQuery(handle, sql), Self.patience) }

    /// Waits for what was sent, and takes the last result.
    @discardableResult
    private func finish(_ sent: Int32, _ patience: Double) throws(PostgresError) -> PostgresRows {
        guard sent == 1 else { throw broken(Self.message(handle)) }
        let end = ContinuousClock.now + .seconds(patience)
        var last: OpaquePointer?
        var failure: PostgresError?
        while true {
            while PQisBusy(handle) == 1 {
                let left = ContinuousClock.now.duration(to: end)
                guard left > .zero else {
                    PQclear(last)
                    throw broken("the server did not answer within \(Int(patience)) s")
                }
                var event = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
                let milliseconds = left.components.seconds * 1_000 + left.components.attoseconds / 1_000_000_000_000_000
                guard poll(&event, 1, Int32(clamping: max(1, milliseconds))) >= 0 || errno == EINTR else {
                    PQclear(last)
                    throw broken(String(cString: strerror(errno)))
                }
                if event.revents != 0, PQconsumeInput(handle) == 0 {
                    PQclear(last)
                    throw broken(Self.message(handle))
                }
            }
            guard let result = PQgetResult(handle) else { break }
            PQclear(last)
            last = result
            let status = PQresultStatus(result)
            if status != PGRES_COMMAND_OK, status != PGRES_TUPLES_OK, failure == nil {
                let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) }
                let words = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) }
                failure = PostgresError(state: state, message: words ?? Self.message(handle))
            }
        }
        if let failure {
            PQclear(last)
            if failure.isConnection || PQstatus(handle) != CONNECTION_OK { isBroken = true }
            throw failure
        }
        guard let last else { throw broken(Self.message(handle)) }
        return PostgresRows(last)
    }

    private func broken(_ message: String) -> PostgresError {
        isBroken = true
        return PostgresError(state: nil, message: message)
    }

    /// All or nothing of a piece of work.
    func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try query("BEGIN")
        do {
            let value = try body()
            try query("COMMIT")
            return value
        } catch {
            if !isBroken { do { try query("ROLLBACK") } catch { isBroken = true } }
            throw error
        }
    }
}
