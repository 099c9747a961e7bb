import Foundation
import GRDB
import WaneEvents

/// A store as it lies on the disk, read beside a service that has it.
public enum SQLiteCopy {
    private static func reader(_ folder: String) throws -> DatabaseQueue {
        let path = folder + "/events.sqlite"
        guard FileManager.default.fileExists(atPath: path) else {
            throw StoreError.cannotOpen(path: path, reason: "there is no such file")
        }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(30)
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    private static func mapped<Value>(_ body: () throws -> Value) throws(StoreError) -> Value {
        do { return try body() } catch { throw SQLiteStore.storeError(error) }
    }

    /// Writes all that is committed now to another folder, in one file, flushed to the disk; the service goes on meanwhile.
    ///
    /// - Parameter target: a folder without a store.
    public static func back(up folder: String, to target: String) throws(StoreError) {
        try mapped {
            let place = target + "/events.sqlite"
            guard !FileManager.default.fileExists(atPath: place) else {
                throw StoreError.cannotOpen(path: place, reason: "it is there already")
            }
            try reader(folder).inDatabase { db in
                try db.execute(sql: "VACUUM INTO ?", arguments: [place])
            }
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: place))
            try file.synchronize()
            try file.close()
        }
    }

    /// Looks at every row; nothing where all are what was written.
    public static func faults(_ folder: String) throws(StoreError) -> [String] {
        try mapped { try reader(folder).read { try SQLiteStore.faults($0) } }
    }

    /// Events that are stored, and the versions that bear labels.
    public static func facts(_ folder: String) throws(StoreError) -> (
        events: Int, labels: [ModelLabel: String], keys: Int
    ) {
        try mapped {
            try reader(folder).read { db in
                let events = try Int.fetchOne(db, sql: "SELECT value FROM counters WHERE name = 'events'") ?? 0
                let keys = try Int.fetchOne(db, sql: "SELECT count(*) FROM api_keys") ?? 0
                return (events, try SQLiteStore.labels(db), keys)
            }
        }
    }
}
