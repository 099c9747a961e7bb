import Foundation

extension PostgresStore: ServiceStore {
    public var isShared: Bool { true }

    public func add(_ key: StoredKey) async throws(StoreError) {
        try await Self.mapped {
            _ = try await self.pool.run { connection in
                // A try that was repeated after it came through leaves it as it is.
                try connection.query(
                    """
                    INSERT INTO api_keys (prefix, hash, role, name, created) VALUES ($1, $2, $3, $4, $5)
                    ON CONFLICT (prefix) DO UPDATE SET hash = excluded.hash WHERE api_keys.hash = excluded.hash
                    """,
                    [
                        .text(key.prefix), .bytes(key.hash), .text(key.role.rawValue), .text(key.name),
                        .int(key.created),
                    ]
                ).changes
            }
        }
    }

    public func keys() async throws(StoreError) -> [StoredKey] {
        try await Self.mapped {
            try await self.pool.run { connection in
                let rows = try connection.query(
                    "SELECT prefix, hash, role, name, created FROM api_keys ORDER BY created, prefix")
                return try (0..<rows.count).map { row in
                    // A key that is not understood is no reason to ask for none.
                    guard let prefix = rows.text(row, 0), let hash = rows.data(row, 1),
                        let role = rows.text(row, 2).flatMap(KeyRole.init), let name = rows.text(row, 3),
                        let created = rows.int(row, 4)
                    else { throw StoreError.damaged("a key of no role that is known") }
                    return StoredKey(prefix: prefix, hash: hash, role: role, name: name, created: created)
                }
            }
        }
    }

    public func removeKey(prefix: String) async throws(StoreError) -> KeyRemoval {
        try await Self.mapped {
            try await self.pool.run { connection in
                try connection.transaction {
                    // Two who take away the last two at once would leave none.
                    try connection.query("LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE")
                    let rows = try connection.query("SELECT role FROM api_keys WHERE prefix <> $1", [.text(prefix)])
                    let others = (0..<rows.count).compactMap { rows.text($0, 0) }
                    if !others.isEmpty, !others.contains(KeyRole.admin.rawValue) { return .lastAdmin }
                    let count = try connection.query("DELETE FROM api_keys WHERE prefix = $1", [.text(prefix)]).changes
                    return count > 0 ? .removed : .unknown
                }
            }
        }
    }

    public func labels() async throws(StoreError) -> [ModelLabel: String] {
        try await Self.mapped {
            try await self.pool.run { connection in
                var labels: [ModelLabel: String] = [:]
                let rows = try connection.query("SELECT task, label, version FROM labels")
                for row in 0..<rows.count {
                    guard let task = rows.text(row, 0), let name = rows.text(row, 1).flatMap(ModelLabel.Name.init),
                        let version = rows.text(row, 2)
                    else { continue }
                    labels[ModelLabel(task: task, name)] = version
                }
                return labels
            }
        }
    }

    private static func put(_ label: ModelLabel, _ version: String, _ connection: PostgresConnection) throws {
        try connection.query(
            """
            INSERT INTO labels (task, label, version) VALUES ($1, $2, $3)
            ON CONFLICT (task, label) DO UPDATE SET version = excluded.version
            """, [.text(label.task), .text(label.name.rawValue), .text(version)])
    }

    public func promote(_ version: String, task: String, over known: String?) async throws(StoreError) -> Bool {
        try await Self.mapped {
            try await self.pool.run { connection in
                try connection.transaction {
                    try connection.query("LOCK TABLE labels IN SHARE ROW EXCLUSIVE MODE")
                    func labelled(_ name: ModelLabel.Name) throws -> String? {
                        try connection.query(
                            "SELECT version FROM labels WHERE task = $1 AND label = $2",
                            [.text(task), .text(name.rawValue)]
                        ).text(0, 0)
                    }
                    let champion = try labelled(.champion)
                    // A try that was repeated after it came through.
                    if champion == version, try labelled(.previous) == known { return true }
                    guard champion == known else { return false }
                    try Self.put(ModelLabel(task: task, .champion), version, connection)
                    if let champion { try Self.put(ModelLabel(task: task, .previous), champion, connection) }
                    try connection.query(
                        "DELETE FROM labels WHERE task = $1 AND label = $2 AND version = $3",
                        [.text(task), .text(ModelLabel.Name.challenger.rawValue), .text(version)])
                    return true
                }
            }
        }
    }

    public func remove(model version: String) async throws(StoreError) {
        try await Self.mapped {
            _ = try await self.pool.run { connection in
                try connection.query("DELETE FROM model_files WHERE version = $1", [.text(version)]).changes
            }
        }
    }

    public func move(_ labels: [ModelLabel: String?]) async throws(StoreError) {
        let ordered = labels.sorted { ($0.key.task, $0.key.name.rawValue) < ($1.key.task, $1.key.name.rawValue) }
        try await Self.mapped {
            try await self.pool.run { connection in
                try connection.transaction {
                    for (label, version) in ordered {
                        if let version {
                            try Self.put(label, version, connection)
                        } else {
                            try connection.query(
                                "DELETE FROM labels WHERE task = $1 AND label = $2",
                                [.text(label.task), .text(label.name.rawValue)])
                        }
                    }
                }
            }
        }
    }

    /// A lock of the database, held by a connection of its own: it ends with the process, or with the server.
    public func lease(_ name: String) async throws(StoreError) -> StoreLease? {
        try await Self.mapped {
            let connection = try await self.pool.separate()
            let isHeld = try await connection.run { connection in
                try connection.query("SELECT pg_try_advisory_lock(hashtext($1))::int::bigint", [.text("wane " + name)])
                    .int(0, 0) == 1
            }
            return isHeld
                ? StoreLease {
                    Task { _ = try? await connection.run { _ = try $0.query("SELECT pg_advisory_unlock_all()::text") } }
                } : nil
        }
    }

    public func add(_ report: StoredReport) async throws(StoreError) {
        try await Self.mapped {
            _ = try await self.pool.run { connection in
                try connection.query(
                    "INSERT INTO reports (kind, time, body) VALUES ($1, $2, $3)",
                    [.text(report.kind.rawValue), .int(report.time), .text(report.body)])
                return try connection.query(
                    """
                    DELETE FROM reports WHERE kind = $1 AND number NOT IN (
                        SELECT number FROM reports WHERE kind = $1 ORDER BY time DESC, number DESC LIMIT $2
                    )
                    """, [.text(report.kind.rawValue), .int(Int64(StoredReport.mostKept))]
                ).changes
            }
        }
    }

    public func reports(_ kind: StoredReport.Kind, limit: Int) async throws(StoreError) -> [StoredReport] {
        try await Self.mapped {
            try await self.pool.run { connection in
                let rows = try connection.query(
                    "SELECT time, body FROM reports WHERE kind = $1 ORDER BY time DESC, number DESC LIMIT $2",
                    [.text(kind.rawValue), .int(Int64(limit))])
                return (0..<rows.count).compactMap { row in
                    guard let time = rows.int(row, 0), let body = rows.text(row, 1) else { return nil }
                    return StoredReport(kind, time: time, body: body)
                }
            }
        }
    }

    public func save(model version: String, files: [String: Data]) async throws(StoreError) {
        try await Self.mapped {
            try await self.pool.run { connection in
                try connection.transaction {
                    for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
                        try connection.query(
                            """
                            INSERT INTO model_files (version, name, bytes) VALUES ($1, $2, $3)
                            ON CONFLICT (version, name) DO UPDATE SET bytes = excluded.bytes
                            """, [.text(version), .text(name), .bytes(bytes)])
                    }
                }
            }
        }
    }

    public func files(ofModel version: String) async throws(StoreError) -> [String: Data] {
        try await Self.mapped {
            try await self.pool.run { connection in
                let rows = try connection.query(
                    "SELECT name, bytes FROM model_files WHERE version = $1", [.text(version)])
                var files: [String: Data] = [:]
                for row in 0..<rows.count {
                    if let name = rows.text(row, 0), let bytes = rows.data(row, 1) { files[name] = bytes }
                }
                return files
            }
        }
    }

    public func models() async throws(StoreError) -> [String] {
        try await Self.mapped {
            try await self.pool.run { connection in
                let rows = try connection.query("SELECT DISTINCT version FROM model_files ORDER BY version")
                return (0..<rows.count).compactMap { rows.text($0, 0) }
            }
        }
    }
}
