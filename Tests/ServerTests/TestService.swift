import Foundation
import Logging
import Synchronization
import TestSupport
import WaneEvents
import WaneStore

@testable import WaneServer

/// A service in a folder of its own, and events of people who come in the evening.
final class TestService: Sendable {
    static let start: Int64 = 1_735_689_600 * EventLog.second

    let folder: URL
    let store: SQLiteStore
    let service: InterestService
    let server: WaneServer

    init(limits: ServerLimits = ServerLimits()) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("wane-service-\(UUID().uuidString)")
        store = try SQLiteStore(folder: folder.appendingPathComponent("data").path)
        let registry = try ModelRegistry(folder: folder.appendingPathComponent("models").path, store: store)
        service = InterestService(store: store, registry: registry, peopleInMemory: 10)
        server = try WaneServer(service, limits: limits, program: "test", logger: Logger(label: "test"))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Events of 40 people on 90 days in three topics.
    static let records: [EventRecord] = {
        var generator = SeededGenerator(seed: 3)
        var records: [EventRecord] = []
        for person in 0..<40 {
            for day in 0..<90 where generator.uniform() < 0.4 {
                let topic = Int(generator.uniform() * 3)
                let time = start + (Int64(day) * 86_400 + 68_400 + Int64(generator.uniform() * 7_200)) * EventLog.second
                records.append(
                    EventRecord(
                        user: "user-\(person)", time: time, item: "page-\(topic)-\(Int(generator.uniform() * 4))",
                        topics: ["topic-\(topic)"], duration: (generator.uniform() * 60).rounded()))
            }
        }
        return records
    }()

    /// A model of the events, trained by the command in a process of its own: libtorch's generator is one for all of a process.
    /// - Parameter weighs: whether events count by their type.
    func model(_ family: String = "mlp", seed: UInt64 = 1, ranks: Bool = false, weighs: Bool = false) throws -> String {
        try Self.trained.withLock { folders in
            let name = "\(ranks ? "rank-" : weighs ? "weights-" : "")\(family)-\(seed)"
            if let known = folders[name] { return known }
            let log = folder.deletingLastPathComponent().appendingPathComponent("wane-models-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: log, withIntermediateDirectories: true)
            let (visits, model) = (log.appendingPathComponent("visits.csv"), log.appendingPathComponent(name))
            var text = "UserID,Time,PageID,Topic,Duration\(weighs ? ",EventType" : "")\n"
            for (place, record) in Self.records.enumerated() {
                text +=
                    "\(record.user),\(TimeFormat.rfc3339(record.time)),\(record.item),\(record.topics[0]),\(record.duration ?? 0)"
                    + (weighs ? ",\(place % 3 == 0 ? "purchase" : "view")" : "") + "\n"
            }
            try Data(text.utf8).write(to: visits)
            let own = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
            let process = Process()
            process.executableURL = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("wane")
            process.arguments =
                [
                    "train", visits.path, "--model", family, "--seed", "\(seed)", "--epochs", "1",
                    "--output", model.path, "--quiet",
                ] + (ranks ? [] : ["--queries", "1000", "--horizon", "7d"])
                + (weighs ? ["--event-weights", "view=0.2,purchase=1"] : [])
            if ranks { process.arguments?.insert("rank", at: 0) }
            (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw RegistryError.noVersion("wane train failed") }
            folders[name] = model.path
            return model.path
        }
    }

    private static let trained = Mutex<[String: String]>([:])
}
