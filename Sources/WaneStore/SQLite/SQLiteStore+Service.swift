import Foundation
import GRDB

extension SQLiteStore: ServiceStore {
    public var isShared: Bool { false }

    /// No other process has the folder.
    public func lease(_ name: String) async throws(StoreError) -> StoreLease? { StoreLease() }

    public func add(_ report: StoredReport) async throws(StoreError) {
        try await Self.mapped {
            try await self.pool.write { db in
                try db.execute(
                    sql: "INSERT INTO reports (kind, time, body) VALUES (?, ?, ?)",
                    arguments: [report.kind.rawValue, report.time, report.body])
                try db.execute(
                    sql: """
                        DELETE FROM reports WHERE kind = ?1 AND rowid NOT IN (
                            SELECT rowid FROM reports WHERE kind = ?1 ORDER BY time DESC, rowid DESC LIMIT ?2
                        )
                        """, arguments: [report.kind.rawValue, StoredReport.mostKept])
            }
        }
    }

    public func reports(_ kind: StoredReport.Kind, limit: Int) async throws(StoreError) -> [StoredReport] {
        try await Self.mapped {
            try await self.pool.read { db in
                try Row.fetchAll(
                    db, sql: "SELECT time, body FROM reports WHERE kind = ? ORDER BY time DESC, rowid DESC LIMIT ?",
                    arguments: [kind.rawValue, limit]
                ).map { StoredReport(kind, time: $0[0], body: $0[1]) }
            }
        }
    }

    public func save(model version: String, files: [String: Data]) async throws(StoreError) {}
    public func files(ofModel version: String) async throws(StoreError) -> [String: Data] { [:] }
    public func models() async throws(StoreError) -> [String] { [] }

    public func add(_ key: StoredKey) async throws(StoreError) {
        try await Self.mapped {
            try await self.pool.write { db in
                try db.execute(
                    sql: "INSERT INTO api_keys (prefix, hash, role, name, created) VALUES (?, ?, ?, ?, ?)",
                    arguments: [key.prefix, key.hash, key.role.rawValue, key.name, key.created])
            }
        }
    }

    public func keys() async throws(StoreError) -> [StoredKey] {
        try await Self.mapped {
            try await self.pool.read { db in
                try Row.fetchAll(
                    db, sql: "SELECT prefix, hash, role, name, created FROM api_keys ORDER BY created, prefix"
                )
                .map { row in
                    // A key that is not understood is no reason to ask for none.
                    guard let role = KeyRole(rawValue: row[2]) else {
                        throw StoreError.damaged("a key of no role that is known")
                    }
                    return StoredKey(prefix: row[0], hash: row[1], role: role, name: row[3], created: row[4])
                }
            }
        }
    }

    public func removeKey(prefix: String) async throws(StoreError) -> KeyRemoval {
        try await Self.mapped {
            try await self.pool.write { db in
                let others = try String.fetchAll(
                    db, sql: "SELECT role FROM api_keys WHERE prefix <> ?", arguments: [prefix])
                if !others.isEmpty, !others.contains(KeyRole.admin.rawValue) { return .lastAdmin }
                try db.execute(sql: "DELETE FROM api_keys WHERE prefix = ?", arguments: [prefix])
                return db.changesCount > 0 ? .removed : .unknown
            }
        }
    }

    public func labels() async throws(StoreError) -> [ModelLabel: String] {
        try await Self.mapped { try await self.pool.read { try Self.labels($0) } }
    }

    static func labels(_ db: Database) throws -> [ModelLabel: String] {
        var labels: [ModelLabel: String] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT task, label, version FROM labels") {
            guard let name = ModelLabel.Name(rawValue: row[1]) else { continue }
            labels[ModelLabel(task: row[0], name)] = row[2]
        }
        return labels
    }

    private static func put(_ label: ModelLabel, _ version: String, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO labels (task, label, version) VALUES (?, ?, ?)
                ON CONFLICT (task, label) DO UPDATE SET version = excluded.version
                """, arguments: [label.task, label.name.rawValue, version])
    }

    public func promote(_ version: String, task: String, over known: String?) async throws(StoreError) -> Bool {
        try await Self.mapped {
            try await self.pool.write { db in
                let champion = try Self.labels(db)[ModelLabel(task: task, .champion)]
                guard champion == known else { return false }
                try Self.put(ModelLabel(task: task, .champion), version, db)
                if let champion { try Self.put(ModelLabel(task: task, .previous), champion, db) }
                try db.execute(
                    sql: "DELETE FROM labels WHERE task = ? AND label = ? AND version = ?",
                    arguments: [task, ModelLabel.Name.challenger.rawValue, version])
                return true
            }
        }
    }

    public func remove(model version: String) async throws(StoreError) {}

    public func move(_ labels: [ModelLabel: String?]) async throws(StoreError) {
        try await Self.mapped {
            try await self.pool.write { db in
                for (label, version) in labels {
                    if let version {
                        try Self.put(label, version, db)
                    } else {
                        try db.execute(
                            sql: "DELETE FROM labels WHERE task = ? AND label = ?",
                            arguments: [label.task, label.name.rawValue])
                    }
                }
            }
        }
    }
}
