import ArgumentParser
import Foundation
import WaneBundle
import WaneStore

struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Backs up, restores and verifies what a service keeps.",
        discussion: "Example:\n  wane store backup --data service --output backup-monday",
        subcommands: [Backup.self, Restore.self, Verify.self])

    /// Versions of models in a service's folder.
    static func versions(_ folder: String) throws -> [String] {
        let models = folder + "/models"
        guard FileManager.default.fileExists(atPath: models) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: models).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// Copies a store whole, into a folder that is there whole or not at all.
    private static func copy(_ source: String, to target: String) throws {
        guard !FileManager.default.fileExists(atPath: target) else {
            throw CommandError("\(target) is there already; name a new folder")
        }
        let temporary = target + ".\(getpid()).tmp"
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        try FileManager.default.createDirectory(
            atPath: temporary, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try SQLiteCopy.back(up: source, to: temporary)
        for version in try versions(source) {
            try BundleFolder.copy("\(source)/models/\(version)", to: "\(temporary)/models/\(version)")
        }
        try FileManager.default.moveItem(atPath: temporary, toPath: target)
    }

    /// Faults of a store and of the models beside it.
    static func faults(_ folder: String) throws -> [String] {
        try SQLiteCopy.faults(folder) + modelFaults(folder)
    }

    /// Faults of the versions of models in a service's folder.
    static func modelFaults(_ folder: String) throws -> [String] {
        var faults: [String] = []
        for version in try versions(folder) {
            do {
                let path = "\(folder)/models/\(version)"
                guard try BundleFolder.version(at: path) == version else {
                    faults.append("what lies in the folder of version \(version) is another one")
                    continue
                }
                _ = try BundleFolder.read(path)
            } catch {
                faults.append("version \(version): \(error)")
            }
        }
        return faults
    }

    struct Backup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copies events, keys and models of a service, which may be running, into a new folder.",
            discussion: "Example:\n  wane store backup --data service --output backup-monday")
        @Option(help: ArgumentHelp("The folder of the service.", valueName: "folder")) var data: String
        @Option(name: .shortAndLong, help: ArgumentHelp("A folder that is not there yet.", valueName: "folder"))
        var output: String

        func run() async throws {
            try StoreCommand.copy(data, to: output)
            let facts = try SQLiteCopy.facts(output)
            Console(quiet: false).note(
                "\(facts.events) events and \(try StoreCommand.versions(output).count) models are in \(output)")
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the folder of a service from a backup, after looking at every row of it.",
            discussion: "Example:\n  wane store restore backup-monday --data service")
        @Argument(help: "The backup's folder.") var backup: String
        @Option(help: ArgumentHelp("A folder that is not there yet.", valueName: "folder")) var data: String

        func run() async throws {
            let faults = try StoreCommand.faults(backup)
            guard faults.isEmpty else {
                throw CommandError(
                    "\(backup) is not what was written, and is not restored: \(faults.joined(separator: "; "))")
            }
            try StoreCommand.copy(backup, to: data)
            Console(quiet: false).note(
                "\(try SQLiteCopy.facts(data).events) events are in \(data); wane serve --data \(data)")
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Looks at every event and every model of a service, which may be running, or of a backup.",
            discussion: "Example:\n  wane store verify --data service")
        @OptionGroup var place: StoreOptions

        func run() async throws {
            let faults: [String]
            let events: Int
            if place.store != nil {
                let store = try await place.openExisting()
                (faults, events) = (try await store.faults(), try await store.count())
                try await store.close()
            } else {
                (faults, events) = (try StoreCommand.faults(place.data), try SQLiteCopy.facts(place.data).events)
            }
            guard faults.isEmpty else { throw CommandError("not what was written: \(faults.joined(separator: "; "))") }
            StandardOutput.print(
                "\(events) events and \(try StoreCommand.versions(place.data).count) models are what was written")
        }
    }
}
