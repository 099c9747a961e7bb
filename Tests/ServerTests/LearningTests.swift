import Foundation
import Hummingbird
import TestSupport
import Testing
import WaneBundle
import WaneEvents
import WaneStore

@testable import WaneServer

@Suite("A service that learns", .serialized, .usesTorch)
struct LearningTests {
    private struct Checks: Decodable { let checks: [QualityReport] }
    private struct Rounds: Decodable { let rounds: [LearningRound], isRunning: Bool }
    private struct Versions: Decodable {
        struct Row: Decodable { let version: String, labels: [String] }
        let models: [Row]
    }

    @Test("answers of a while ago stand beside what then happened, by library and by service, and are kept")
    func quality() async throws {
        let own = try TestService()
        let model = try await own.service.registry.add(try own.model())
        try await LiveClient.with(own.server) { client in
            #expect(try await client.execute(uri: "/v1/quality", method: .post).status == .conflict)
            _ = try await own.service.append(TestService.records)
            let answer = try await client.execute(uri: "/v1/quality", method: .post)
            let report: QualityReport = try answer.json()
            let end = TestService.records.map(\.time).max() ?? 0
            #expect(report.version == model.version && report.to == TimeFormat.rfc3339(end))
            #expect(report.from == TimeFormat.rfc3339(end - 14 * 86_400 * EventLog.second))
            #expect(report.people == 40 && report.bins.reduce(0) { $0 + $1.count } == report.questions)
            // Every question is of a moment whose horizon has passed: what truly happened, counted from the records.
            let returned = report.bins.reduce(0) { $0 + $1.observed * Double($1.count) } / Double(report.questions)
            #expect(abs(returned - report.returnRate) < 1e-3 && (0.3...1).contains(report.returnRate))
            #expect(report.drift?.isEmpty == false && report.scoreDrift != nil)
            let kept: Checks = try await client.get("/v1/quality").json()
            #expect(kept.checks.map(\.time) == [report.time])
            let metrics = String(buffer: try await client.get("/metrics").body)
            #expect(metrics.contains("wane_calibration_error_ratio{horizon=\"7 d\"}"))
            #expect(metrics.contains("wane_drift_score{feature=\"chance\"}"))
        }
    }

    @Test(
        "a round of learning leaves a challenger and a verdict, nothing else, and changes answers only where it promotes"
    )
    func round() async throws {
        let own = try TestService()
        let model = try await own.service.registry.add(try own.model())
        _ = try await own.service.append(TestService.records)
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        let program = URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("wane")
        let learning = own.folder.appendingPathComponent("learning").path
        try await LiveClient.with(own.server) { client in
            #expect(try await client.execute(uri: "/v1/learning", method: .post).status == .conflict)
            own.service.learn(with: program, in: learning, settings: ["--epochs", "2", "--queries", "5000"])
            #expect(try await client.execute(uri: "/v1/learning", method: .post).status == .accepted)
            var found = Rounds(rounds: [], isRunning: true)
            for _ in 0..<600 where found.rounds.isEmpty {
                try await Task.sleep(for: .milliseconds(200))
                found = try await client.get("/v1/learning").json()
            }
            let round = try #require(found.rounds.first)
            #expect(!found.isRunning && round.champion == model.version)
            #expect([.kept, .promoted].contains(round.outcome), "\(round.outcome) \(round.reason)")
            let versions: Versions = try await client.get("/v1/models").json()
            let answering = try own.service.registry.model(.interest).version
            let challenger = try #require(versions.models.first { $0.version == round.challenger })
            if round.outcome == .promoted {
                #expect(answering == round.challenger && challenger.labels == ["champion"])
            } else {
                #expect(answering == model.version && challenger.labels == ["challenger"])
            }
            #expect((round.difference?.high ?? 1 < 0) == (round.outcome == .promoted) || round.outcome == .kept)
            // The same events are not asked twice.
            let learner = try #require(own.service.learner)
            let again = try #require(try await learner.learn())
            #expect(again.outcome == .skipped && again.reason.contains("newer events"))
            // The file of all events is gone.
            #expect(!FileManager.default.fileExists(atPath: learning))
            #expect(String(buffer: try await client.get("/metrics").body).contains("wane_train_runs_total"))
        }
    }

    @Test("a trainer that fails changes nothing, and says so")
    func failure() async throws {
        let own = try TestService()
        let model = try await own.service.registry.add(try own.model())
        _ = try await own.service.append(TestService.records)
        own.service.learn(
            with: URL(fileURLWithPath: "/bin/false"), in: own.folder.appendingPathComponent("learning").path)
        let learner = try #require(own.service.learner)
        let round = try #require(try await learner.learn())
        #expect(round.outcome == .failed)
        #expect(try own.service.registry.model(.interest).version == model.version)
        #expect(try await own.store.reports(.learning, limit: 5).count == 1)
        #expect(try await own.store.labels()[ModelLabel(task: "interest", .challenger)] == nil)
    }

    @Test(
        "two services on one database: rolling back on the one that has not heard of the change takes it back for both",
        .enabled(if: PostgresServer.obstacle == nil))
    func stale() async throws {
        let own = try TestService()
        let url = try await PostgresServer.shared.database()
        let stores = [try await PostgresStore(url: url), try await PostgresStore(url: url)]
        let services = try stores.enumerated().map { place, store in
            InterestService(
                store: store,
                registry: try ModelRegistry(
                    folder: own.folder.appendingPathComponent("models-\(place)").path, store: store))
        }
        let good = try await services[0].registry.add(try own.model("mlp", seed: 1)).version
        try await services[1].follow()
        #expect(try services[1].registry.model(.interest).version == good)
        let bad = try await services[0].registry.add(try own.model("mlp", seed: 2)).version
        #expect(try services[0].registry.model(.interest).version == bad && bad != good)
        // The second still answers with the good one.
        #expect(try await services[1].rollBack("interest").version == good)
        try await services[0].follow()
        #expect(try services[0].registry.model(.interest).version == good)
        #expect(try services[1].registry.model(.interest).version == good)
        // A challenger that was set beside a champion of before does not get in.
        await #expect(throws: RegistryError.replaced(task: "interest")) {
            try await services[1].promote(bad, over: bad)
        }
        // An empty folder is filled by many who look at once.
        let third = try ModelRegistry(folder: own.folder.appendingPathComponent("models-2").path, store: stores[1])
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<16 { group.addTask { try await third.versions().count { $0.fault == nil } } }
            for try await count in group { #expect(count == 2) }
        }
    }

    #if os(Linux)
        @Test("a process that gives way has the policy of what runs where nobody else would")
        func givesWay() throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sleep")
            process.arguments = ["60"]
            try process.run()
            defer { process.terminate() }
            Learner.giveWay(process.processIdentifier)
            // SCHED_IDLE
            #expect(sched_getscheduler(process.processIdentifier) == 5)
        }
    #endif
}
