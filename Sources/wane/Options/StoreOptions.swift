import ArgumentParser
import Foundation
import WaneStore

/// Where a service keeps its events.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder of the service: models, and events where there is no --store. Made where it is not there.",
            valueName: "folder"))
    var data: String
    @Option(
        help: ArgumentHelp(
            "A PostgreSQL database for events, keys and models, which several services share: postgres://host/database. A password "
                + "better stands in ~/.pgpass.",
            valueName: "url"))
    var store: String?

    func validate() throws {
        if let store, !store.hasPrefix("postgres://"), !store.hasPrefix("postgresql://") {
            throw ValidationError("--store \(store.prefix(12))...: give a URL that begins with postgres://")
        }
    }

    func open() async throws -> any ServiceStore {
        if let store { return try await PostgresStore(url: store) }
        return try SQLiteStore(folder: data)
    }

    /// The same, of a service that there is.
    func openExisting() async throws -> any ServiceStore {
        guard store != nil || FileManager.default.fileExists(atPath: data + "/events.sqlite") else {
            throw CommandError("\(data) is no folder of a service; wane serve --data makes one")
        }
        return try await open()
    }
}
