import AsyncHTTPClient
import Foundation
import NIOCore
import Synchronization
import TestSupport
import Testing
import WaneEvents
import WaneStore

/// Kills of a service while events come in; `WANE_KILLS` says how many, a few when absent (`make torture` has 500).
@Suite("A service that is killed", .serialized)
struct ServiceCrashTests {
    private static let kills = ProcessInfo.processInfo.environment["WANE_KILLS"].flatMap { Int($0) } ?? 5

    /// A running service, its port read from what it says.
    private final class Served {
        private(set) var process = Process()
        private(set) var port = 0
        private let folder: String
        private let arguments: [String]

        init(_ folder: String, _ arguments: [String] = []) throws {
            (self.folder, self.arguments) = (folder, arguments)
            try start()
        }

        /// Runs, or runs again on another port.
        func start() throws {
            let (process, _, errors) = Command.process(["serve", "--data", folder, "--port", "0"] + arguments)
            self.process = process
            port = 0
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            var text = ""
            while port == 0 {
                let data = errors.fileHandleForReading.availableData
                guard !data.isEmpty else { throw StoreError.failed("the service ended: \(text)") }
                text += String(decoding: data, as: UTF8.self)
                if let range = text.range(of: "wane listens on http://127.0.0.1:") {
                    let digits = text[range.upperBound...].prefix { $0.isNumber }
                    if text[range.upperBound...].dropFirst(digits.count).first == ";" { port = Int(digits) ?? 0 }
                }
            }
            // Nobody reads on: a full pipe would stop the service.
            DispatchQueue.global().async { while !errors.fileHandleForReading.availableData.isEmpty {} }
        }

        func kill(_ signal: Int32 = SIGKILL) {
            Foundation.kill(process.processIdentifier, signal)
            process.waitUntilExit()
        }
    }

    /// One that does not go on trying where nobody listens any more.
    private static func client() -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// A log of people, and a model of it.
    private static func trained(_ folder: TemporaryFolder, users: Int) throws -> (log: String, model: String) {
        let (log, model) = (folder.file("visits.csv").path, folder.file("model").path)
        #expect(try Command.run(["simulate", "--users", "\(users)", "--output", log, "--quiet"]).status == 0)
        let trained = try Command.run([
            "train", log, "--model", "mlp", "--epochs", "1", "--queries", "2000", "--output", model, "--quiet",
        ])
        #expect(trained.status == 0, "\(trained.errors)")
        return (log, model)
    }

    /// What was sent, and for what there was a receipt.
    private final class Sent: Sendable {
        struct Names: Sendable {
            var acknowledged: Set<String> = []
            var all: Set<String> = []
        }
        private let names = Mutex(Names())

        func withLock<Value: Sendable>(_ body: (inout Names) -> Value) -> Value { names.withLock { body(&$0) } }
    }

    /// Sends events one batch after another until the service is gone.
    private static func send(_ client: HTTPClient, port: Int, round: Int, sender: Int, _ sent: Sent) async {
        var generator = SystemRandomNumberGenerator()
        for batch in 0... {
            let count = Int.random(in: 1...200, using: &generator)
            let ids = (0..<count).map { "\(round)-\(sender)-\(batch)-\($0)" }
            let body = ids.enumerated().map { place, id in
                #"{"event_id":"\#(id)","user":"user-\#(sender)-\#(place % 5)","time":"2025-01-01T00:00:00Z","item":"\#(id)"}"#
            }.joined(separator: "\n")
            sent.withLock { $0.all.formUnion(ids) }
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/v1/events")
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/x-ndjson")
            request.body = .bytes(ByteBuffer(string: body))
            guard let response = try? await client.execute(request, timeout: .seconds(10)), response.status == .ok,
                let answer = try? await response.body.collect(upTo: 1 << 20),
                String(buffer: answer).contains("\"accepted\":\(count),")
            else { return }
            sent.withLock { $0.acknowledged.formUnion(ids) }
        }
    }

    enum StoreKind: String, CaseIterable, Sendable { case sqlite, postgres }

    private static let kinds: [StoreKind] = PostgresServer.obstacle == nil ? StoreKind.allCases : [.sqlite]

    /// Where a store of a kind is, as `serve` is told.
    private static func arguments(_ kind: StoreKind) async throws -> [String] {
        kind == .sqlite ? [] : ["--store", try await PostgresServer.shared.database()]
    }

    private static func open(_ folder: String, _ arguments: [String]) async throws -> any ServiceStore {
        if let url = arguments.last { return try await PostgresStore(url: url) }
        return try SQLiteStore(folder: folder)
    }

    @Test("no event that had a receipt is lost, none is there twice, none is torn", arguments: kinds)
    func kills(_ kind: StoreKind) async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("service").path
        let arguments = try await Self.arguments(kind)
        let sent = Sent()
        let start = ContinuousClock.now
        let client = Self.client()
        for round in 0..<Self.kills {
            let served = try Served(path, arguments)
            let port = served.port
            await withTaskGroup(of: Void.self) { group in
                for sender in 0..<4 {
                    group.addTask { await Self.send(client, port: port, round: round, sender: sender, sent) }
                }
                try? await Task.sleep(for: .milliseconds(Int.random(in: 20...400)))
                served.kill()
                await group.waitForAll()
            }
        }
        try await client.shutdown()
        let store = try await Self.open(path, arguments)
        #expect(try await store.faults().isEmpty)
        var stored: [String] = []
        for user in try await store.users(after: nil, limit: 1_000) {
            stored += try await store.events(of: user).map(\.item)
        }
        let (acknowledged, all) = sent.withLock { ($0.acknowledged, $0.all) }
        #expect(!acknowledged.isEmpty)
        #expect(acknowledged.subtracting(stored).isEmpty, "lost")
        #expect(Set(stored).count == stored.count, "twice")
        #expect(Set(stored).subtracting(all).isEmpty, "of nobody")
        print(
            "D1 \(kind): \(Self.kills) kills, \(acknowledged.count) events acknowledged, \(stored.count) stored, 0 violations "
                + "expected, \(start.duration(to: .now).components.seconds) s"
        )
    }

    @Test(
        "two services share one database: either can be killed, nothing is lost, and both answer alike at once",
        .enabled(if: PostgresServer.obstacle == nil))
    func two() async throws {
        let folder = try TemporaryFolder()
        let (log, model) = try Self.trained(folder, users: 40)
        let arguments = try await Self.arguments(.postgres)
        let first = try Served(folder.file("first").path, arguments + ["--model", model])
        // The second has no model of its own: it takes the first one's out of the database.
        let second = try Served(folder.file("second").path, arguments)
        defer {
            first.kill()
            second.kill()
        }
        #expect(try Command.run(["ingest", log, "--to", "http://127.0.0.1:\(first.port)"]).status == 0)
        func interests(_ served: Served) async throws -> String {
            let path = "/v1/users/user-7/interests?at=2024-06-01"
            return String(decoding: try await fetch("http://127.0.0.1:\(served.port)\(path)").0, as: UTF8.self)
        }
        let before = try await interests(second)
        let own = try await interests(first)
        #expect(before == own && before.contains("half_life_seconds"))
        // What one stores the other knows of when it has answered.
        let client = Self.client()
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(first.port)/v1/events")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(
            ByteBuffer(string: #"{"user":"user-7","time":"2024-05-31T23:00:00Z","item":"new","topic":"topic-2"}"#))
        #expect(try await client.execute(request, timeout: .seconds(30)).status == .ok)
        let after = try await interests(second)
        let afterOwn = try await interests(first)
        #expect(after != before && after == afterOwn)
        // One after the other is killed while both take events in.
        let sent = Sent()
        for (round, victim) in [first, second].enumerated() {
            let survivor = round == 0 ? second.port : first.port
            let ports = [victim.port, survivor]
            await withTaskGroup(of: Void.self) { group in
                for sender in 0..<4 {
                    group.addTask {
                        await Self.send(client, port: ports[sender % 2], round: round, sender: sender, sent)
                    }
                }
                try? await Task.sleep(for: .milliseconds(400))
                victim.kill()
                try? await Task.sleep(for: .milliseconds(300))
                group.cancelAll()
            }
            if round == 0 { try first.start() }
        }
        try await client.shutdown()
        let store = try await Self.open("", arguments)
        var stored: [String] = []
        for sender in 0..<4 {
            for user in 0..<5 { stored += try await store.events(of: "user-\(sender)-\(user)").map(\.item) }
        }
        let acknowledged = sent.withLock { $0.acknowledged }
        #expect(!acknowledged.isEmpty && acknowledged.subtracting(stored).isEmpty && Set(stored).count == stored.count)
        #expect(try await store.faults().isEmpty)
    }

    @Test("told to stop, it answers what it has begun, and ends in time")
    func stop() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("service").path
        let served = try Served(path)
        let sent = Sent()
        let client = Self.client()
        let port = served.port
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<4 {
                group.addTask { await Self.send(client, port: port, round: 0, sender: sender, sent) }
            }
            try? await Task.sleep(for: .milliseconds(300))
            let start = ContinuousClock.now
            served.kill(SIGTERM)
            #expect(start.duration(to: .now) < .seconds(10))
            await group.waitForAll()
        }
        #expect(served.process.terminationStatus == 0 && served.process.terminationReason == .exit)
        try await client.shutdown()
        let store = try SQLiteStore(folder: path)
        let acknowledged = sent.withLock { $0.acknowledged.count }
        #expect(try await store.count() >= acknowledged && acknowledged > 0)
    }

    @Test("a log is sent whole, once, and answered about as wane predict does")
    func ingest() async throws {
        let folder = try TemporaryFolder()
        let (log, model) = try Self.trained(folder, users: 60)
        let served = try Served(folder.file("service").path, ["--model", model])
        defer { served.kill() }
        let rows = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").count - 1
        for expected in [
            "\(rows) events stored, 0 were stored before, 0 refused", "0 events stored, \(rows) were stored before",
        ] {
            let sent = try Command.run(["ingest", log, "--to", "http://127.0.0.1:\(served.port)"])
            #expect(sent.status == 0 && sent.errors.contains(expected), "\(sent.errors)")
        }
        struct Interests: Decodable {
            struct Row: Decodable { let topic: String, returnProbability: Double, halfLifeSeconds: Double? }
            let interests: [Row]
        }
        let csv = try Command.run([
            "predict", model, log, "--user", "user-7", "--at", "2024-05-01", "--format", "csv", "--quiet",
        ])
        let lines = csv.output.split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        let (data, _) = try await fetch("http://127.0.0.1:\(served.port)/v1/users/user-7/interests?at=2024-05-01")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let found = try decoder.decode(Interests.self, from: data).interests
        #expect(found.map(\.topic) == lines.map { String($0[1]) } && !lines.isEmpty)
        #expect(zip(found, lines).allSatisfy { abs($0.returnProbability - (Double($1[4]) ?? -1)) < 2e-6 })
        #expect(zip(found, lines).allSatisfy { $0.halfLifeSeconds == Double($1[6]) })
    }

    private func fetch(_ url: String) async throws -> (Data, Int) {
        let client = Self.client()
        let response = try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 1 << 22)
        try await client.shutdown()
        return (Data(body.readableBytesView), Int(response.status.code))
    }
}
