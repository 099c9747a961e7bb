import ArgumentParser
import Foundation
import Hummingbird
import Logging
import NIOCore
import WaneBundle
import WaneEvents
import WaneServer
import WaneStore

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Takes events in and answers over HTTP: how much, what next, when and why.",
        discussion: """
            Events are durable before they are acknowledged. Models are copied into the folder as versions; the last one
            given for a task answers, and after a restart what answered last.

            Example:
              wane serve --data service --model models/visits --model models/next
              curl -d '{"user":"ann","time":"2024-05-01T10:00:00Z","item":"page-3"}' \\
                -H 'Content-Type: application/json' http://127.0.0.1:8080/v1/events
              curl http://127.0.0.1:8080/v1/users/ann/interests
            """)

    @OptionGroup var place: StoreOptions
    @Option(help: ArgumentHelp("A model to take in and let answer; several, one a task.", valueName: "folder"))
    var model: [String] = []
    @Option(
        help: ArgumentHelp(
            "The address to listen on; beyond this machine only where there are keys.", valueName: "address"))
    var host = "127.0.0.1"
    @Option(help: ArgumentHelp("The port; 0 for any that is free.", valueName: "number")) var port = 8080
    @Option(
        help: ArgumentHelp("A certificate as a PEM file, with those it hangs on: HTTPS.", valueName: "file"))
    var tlsCertificate: String?
    @Option(help: ArgumentHelp("The certificate's key, a PEM file.", valueName: "file")) var tlsKey: String?
    @Option(
        help: ArgumentHelp(
            "How many requests a second one key may make, or one address where there are no keys; any when absent.",
            valueName: "n")) var rate: Double?
    @Option(help: ArgumentHelp("How many people's folded events are held in memory.", valueName: "n")) var people =
        2_000
    @Option(
        help: ArgumentHelp(
            "Train a challenger on what has come in so often, such as 1d, and let it answer where it is better; not when absent.",
            valueName: "time"))
    var learnEvery: String?
    @Option(
        help: ArgumentHelp("Set answers beside what then happened so often; 0 for never.", valueName: "time"))
    var checkEvery = "1h"
    @OptionGroup var kafka: KafkaOptions
    @Option(help: ArgumentHelp("What is logged: debug has a line a request.", valueName: "level")) var logLevel =
        LogLevel.info

    enum LogLevel: String, ExpressibleByArgument, CaseIterable { case debug, info, warning, error }

    func validate() throws {
        if !(0...65_535).contains(port) { throw ValidationError("--port \(port): give a number from 0 to 65535") }
        for (name, text) in [("learn-every", learnEvery), ("check-every", checkEvery == "0" ? nil : checkEvery)] {
            guard let text else { continue }
            guard let span = TimeSpan.parse(text), span >= 1_000_000 else {
                throw ValidationError("--\(name) \(text): give a time such as 1d or 6h")
            }
        }
        if (tlsCertificate == nil) != (tlsKey == nil) {
            throw ValidationError("--tls-certificate and --tls-key: give both")
        }
        if let rate, !(0.1...1e6).contains(rate) {
            throw ValidationError("--rate \(rate): give a number from 0.1 to 1e6")
        }
        if people < 1 { throw ValidationError("--people \(people): give a number from 1") }
    }

    private static func duration(_ text: String) -> Duration? {
        TimeSpan.parse(text).flatMap { $0 > 0 ? .microseconds($0) : nil }
    }

    func run() async throws {
        let console = Console(quiet: false)
        let kafkaSource = try kafka.source()
        let store = try await place.open()
        // A round of learning that was killed leaves a file of all events behind.
        try? FileManager.default.removeItem(atPath: place.data + "/learning")
        let registry = try ModelRegistry(folder: place.data + "/models", store: store)
        for failure in try await registry.restore() {
            console.note("warning: version \(failure.version) is not served: \(failure.reason)")
        }
        for path in model {
            do {
                let loaded = try await registry.add(path)
                console.note("\(path): version \(loaded.version) answers for \(loaded.task.rawValue)")
            } catch  where !registry.models.isEmpty {
                // What answered before goes on.
                console.note("warning: \(path) is not served: \(error)")
            }
        }
        if registry.models.isEmpty {
            console.note("note: no model answers yet: events are stored; give models with --model")
        }
        var logger = Logger(label: "wane") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Logger.Level(rawValue: logLevel.rawValue) ?? .info
        let service = InterestService(store: store, registry: registry, peopleInMemory: people)
        if learnEvery != nil {
            guard let program = Bundle.main.executableURL else {
                throw CommandError("--learn-every: this program does not find itself")
            }
            service.learn(with: program, in: place.data + "/learning")
        }
        var limits = ServerLimits()
        limits.rate = rate
        let tls = tlsCertificate.flatMap { certificate in tlsKey.map { TLSFiles(certificate: certificate, key: $0) } }
        let server = try WaneServer(service, limits: limits, program: CodeVersion.current, logger: logger)
        let address = host.contains(":") ? "[\(host)]" : host
        let application = try await server.application(
            host: host, port: port, tls: tls, checkEvery: Self.duration(checkEvery),
            learnEvery: learnEvery.flatMap(Self.duration), kafka: kafkaSource
        ) { port in
            console.note(
                "wane listens on \(tls == nil ? "http" : "https")://\(address):\(port); Ctrl-C ends it once all requests are answered"
            )
        }
        do {
            try await application.runService()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw CommandError("port \(port) of \(host) is in use by another program; give another --port")
        }
        try await store.close()
    }
}

struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes, lists and takes away keys of a service that is not running; one that runs has /v1/keys.",
        discussion: "Example:\n  wane key create --data service --role ingest --name 'the shop'",
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a key and shows it, once.",
            discussion: "Example:\n  wane key create --data service --role ingest --name 'the shop'")
        @OptionGroup var place: StoreOptions
        @Option(help: "What it allows.") var role: KeyRole
        @Option(help: ArgumentHelp("What it is for.", valueName: "text")) var name: String

        func run() async throws {
            let store = try await place.openExisting()
            let (key, secret) = StoredKey.make(role: role, name: name)
            try await store.add(key)
            StandardOutput.print(secret)
            try await store.close()
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists keys, without their secrets.")
        @OptionGroup var place: StoreOptions

        func run() async throws {
            let store = try await place.openExisting()
            var table = Table(["key", "role", "name"])
            table.rows = try await store.keys().map { [$0.prefix, $0.role.rawValue, $0.name] }
            try await store.close()
            StandardOutput.print(table.text)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Takes a key away.")
        @OptionGroup var place: StoreOptions
        @Argument(help: "What wane key list calls it.") var key: String

        func run() async throws {
            let store = try await place.openExisting()
            let removal = try await store.removeKey(prefix: key)
            try await store.close()
            switch removal {
            case .removed: break
            case .unknown: throw CommandError("there is no key \(key)")
            case .lastAdmin: throw CommandError("\(key) is the last key of the role admin; make another one first")
            }
        }
    }
}

extension KeyRole: ExpressibleByArgument {}
