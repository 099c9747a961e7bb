import Foundation

/// A few connections, each lent to one at a time; those that broke are replaced.
actor PostgresPool {
    private let url: String
    private let most: Int
    private var idle: [PostgresConnection] = []
    private var open = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// Who opens connections; a slow server must not hold up those who have one.
    private let opener = DispatchQueue(label: "wane.postgres.open", attributes: .concurrent)

    init(_ url: String, most: Int) {
        self.url = url
        self.most = most
    }

    private static let mostWaiting = 256

    /// Settings of each connection.
    private static let settings = """
        SET search_path = wane; SET statement_timeout = '25s'; SET idle_in_transaction_session_timeout = '60s';
        SET default_transaction_isolation = 'read committed'
        """

    static func connect(_ url: String) throws(PostgresError) -> PostgresConnection {
        let connection = try PostgresConnection(url)
        try connection.script(settings)
        // What an acknowledged event needs; what asks for more stays.
        let level = try connection.query("SELECT current_setting('synchronous_commit')").text(0, 0)
        if level == "off" { try connection.script("SET synchronous_commit = on") }
        return connection
    }

    private func take() async throws -> PostgresConnection {
        while true {
            if let connection = idle.popLast() { return connection }
            if open < most {
                open += 1
                do {
                    return try await separate()
                } catch {
                    release(nil)
                    throw error
                }
            }
            // Behind a server that hangs nobody is made to wait without end.
            guard waiting.count < Self.mostWaiting else { throw StoreError.busy }
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    /// A new connection, which is not one of those that are lent.
    func separate() async throws -> PostgresConnection {
        try await withCheckedThrowingContinuation { continuation in
            opener.async { [url] in continuation.resume(with: Result { try Self.connect(url) }) }
        }
    }

    private func release(_ connection: PostgresConnection?) {
        if let connection, !connection.isBroken {
            idle.append(connection)
        } else {
            open -= 1
            // A server that was restarted has broken the others as well.
            if connection != nil {
                open -= idle.count
                idle = []
            }
        }
        if !waiting.isEmpty { waiting.removeFirst().resume() }
    }

    /// Runs a piece of work, once more where the connection was lost or two wanted the same: what it does twice it must do once.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws -> Value
    ) async throws -> Value {
        var tries = 0
        while true {
            let connection = try await take()
            do {
                let value = try await connection.run(body)
                release(connection)
                return value
            } catch {
                release(connection)
                tries += 1
                guard let own = error as? PostgresError, own.isRetried, tries < (own.isConnection ? 2 : 10) else {
                    throw error
                }
            }
        }
    }

    func close() { (idle, open) = ([], open - idle.count) }
}
