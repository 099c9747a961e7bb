import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import Synchronization
import WaneEvents
import WaneServer
import WaneStore

struct Ingest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sends a log to a service.",
        discussion: """
            Each event is known by what it says and by its number among equal ones, so that a log sent twice, or in part and
            then whole, is stored once: after an interruption the same command goes on.

            Example:
              wane ingest visits.csv --to http://127.0.0.1:8080
            """)

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The service.", valueName: "url")) var to: String
    @Option(
        help: ArgumentHelp("A file with a key that allows to send events; WANE_KEY when absent.", valueName: "file"))
    var keyFile: String?
    @Option(help: ArgumentHelp("Events in a request.", valueName: "n")) var batch = 1_000
    @OptionGroup var printing: PrintingOptions

    private static let atOnce = 4

    func validate() throws {
        if !(1...10_000).contains(batch) { throw ValidationError("--batch \(batch): give a number from 1 to 10000") }
    }

    func run() async throws {
        let console = printing.console
        guard let url = URL(string: to), ["http", "https"].contains(url.scheme ?? ""), url.host != nil else {
            throw ValidationError("--to \(to): give a URL such as http://127.0.0.1:8080")
        }
        var key = ProcessInfo.processInfo.environment["WANE_KEY"]
        if let keyFile {
            guard let text = try? String(contentsOfFile: keyFile, encoding: .utf8) else {
                throw CommandError("\(keyFile) cannot be read")
            }
            key = text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        // What people were shown is sent as what it is.
        var reading = ReadingOptions()
        reading.keepsExposures = true
        let (log, _) = try input.read(console, over: reading)
        guard log.clock == .wall else {
            throw CommandError(
                "\(input.log) has order only, and a service takes times; name its time column with --map Time=COLUMN")
        }
        let total = log.count
        Interruption.listen()
        let sender = EventSender(
            url: url.appendingPathComponent("v1/events").absoluteString, key: key, console: console)
        var sent = SentEvents()
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: ReceiptsAnswer.self) { group in
            var running = 0
            var namer = EventNamer()
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes]
            func finishOne() async throws {
                guard let one = try await group.next() else { return }
                running -= 1
                sent.add(one)
                let seconds = start.duration(to: .now) / .seconds(1)
                console.status(
                    "\(sent.count) of \(total) events sent, \(Int(Double(sent.count) / max(0.001, seconds))) a second")
            }
            for start in stride(from: 0, to: total, by: batch) {
                try Interruption.check()
                var lines = Data()
                try log.forEachRecord(in: start..<min(total, start + batch)) { record in
                    var record = record
                    record.id = namer.id(of: record)
                    lines.append(try encoder.encode(EventLine(record)) + [0x0A])
                }
                if running == Self.atOnce { try await finishOne() }
                running += 1
                group.addTask { [lines] in try await sender.send(lines) }
            }
            while running > 0 { try await finishOne() }
        }
        console.clearStatus()
        console.note(
            "\(sent.accepted) events stored, \(sent.duplicate) were stored before, \(sent.rejected) refused"
                + (sent.examples.isEmpty ? "" : ":\n  " + sent.examples.joined(separator: "\n  ")))
        if sent.rejected > 0 { throw ExitCode(1) }
    }
}

/// What became of all that was sent so far.
private struct SentEvents {
    var accepted = 0
    var duplicate = 0
    var rejected = 0
    var examples: [String] = []
    var count: Int { accepted + duplicate + rejected }

    mutating func add(_ answer: ReceiptsAnswer) {
        accepted += answer.accepted
        duplicate += answer.duplicate
        rejected += answer.rejected
        for row in answer.receipts where row.status == "rejected" && examples.count < 5 {
            examples.append("\(row.pointer ?? ""): \(row.reason ?? "")")
        }
    }
}

/// Sends events until they are stored: a service that is busy, or starts anew, is asked again.
private final class EventSender: Sendable {
    let url: String
    let key: String?
    let console: Console
    private let hasSaid = Atomic(false)
    private static let attempts = 8
    /// Without tries of its own, which take a minute each.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(3)
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    init(url: String, key: String?, console: Console) {
        self.url = url
        self.key = key
        self.console = console
    }

    func send(_ body: Data) async throws -> ReceiptsAnswer {
        var wait = 0.2
        for attempt in 1...Self.attempts {
            var request = HTTPClientRequest(url: url)
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/x-ndjson")
            if let key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
            request.body = .bytes(body, length: .known(Int64(body.count)))
            var fault: String
            do {
                let response = try await Self.client.execute(request, timeout: .seconds(60))
                let data = Data(try await response.body.collect(upTo: 64 << 20).readableBytesView)
                let status = Int(response.status.code)
                if status == 200 || status == 422, let sent = try? JSONDecoder().decode(ReceiptsAnswer.self, from: data)
                {
                    return sent
                }
                fault = "answers \(status): \(String(decoding: data.prefix(400), as: UTF8.self))"
                guard [429, 503, 507].contains(status) else { throw CommandError("\(url) \(fault)") }
            } catch let error as CommandError {
                throw error
            } catch {
                try Interruption.check()
                fault = "cannot be reached; is wane serve running there?"
                if hasSaid.exchange(true, ordering: .relaxed) == false {
                    console.note("waiting for \(url), which cannot be reached yet")
                }
            }
            if attempt == Self.attempts { throw CommandError("\(url) \(fault)") }
            try await Task.sleep(for: .seconds(wait))
            wait = min(10, wait * 2)
        }
        throw CommandError("\(url) cannot be reached")
    }
}
