import Foundation
import WaneBundle
import WaneEvents
import WaneStore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A round of learning, and what became of it.
struct LearningRound: Codable, Sendable {
    enum Outcome: String, Codable, Sendable {
        /// The challenger answers now.
        case promoted
        /// The champion stays.
        case kept
        /// There was too little that is new, or somebody else learns.
        case skipped
        case failed
    }

    struct Scores: Codable, Sendable {
        let logLoss: Double
        let calibrationError: Double
    }
    struct Difference: Codable, Sendable {
        let value: Double
        let low: Double
        let high: Double
    }

    let time: String
    var seconds: Double
    let outcome: Outcome
    let reason: String
    let champion: String
    var challenger: String?
    var championScores: Scores?
    var challengerScores: Scores?
    /// Of log losses: below 0 where the challenger is better.
    var difference: Difference?
    var questions: Int?
    var people: Int?
}

/// Trains challengers on what is stored, in a process of its own that gives way to this one, and lets those answer that are better on the
/// newest events than the champion.
///
/// The process is `wane update` on a file of all events; the file is gone when it ends. Of several services on one store one learns at a time.
actor Learner {
    private let service: InterestService
    private let program: URL
    private let folder: String
    private let settings: [String]
    private var isLearning = false
    private var process: Process?
    private var isClosed = false
    /// Seconds after which a round is given up.
    private static let longest = 6.0 * 3_600

    /// - Parameters:
    ///   - program: this program's own file.
    ///   - folder: for what a round needs on disk; emptied before and after.
    ///   - settings: more that `wane update` is told.
    init(_ service: InterestService, program: URL, folder: String, settings: [String]) {
        (self.service, self.program, self.folder, self.settings) = (service, program, folder, settings)
        try? FileManager.default.removeItem(atPath: folder)
    }

    var isRunning: Bool { isLearning }

    /// One round. A second one that is asked for meanwhile is skipped.
    func learn() async throws -> LearningRound? {
        guard !isLearning, !isClosed else { return nil }
        let champion = try service.registry.model(.interest)
        isLearning = true
        defer { isLearning = false }
        guard let lease = try await service.store.lease("learning") else { return nil }
        defer { lease.release() }
        let start = ContinuousClock.now
        let time = TimeFormat.rfc3339(InterestService.now)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var round: LearningRound
        do {
            round = try await run(champion, time)
        } catch {
            round = LearningRound(
                time: time, seconds: 0, outcome: .failed, reason: Self.words(error), champion: champion.version)
        }
        round.seconds = short(start.duration(to: .now).inSeconds) ?? 0
        service.metrics.count("wane_train_runs_total", "result=\"\(round.outcome.rawValue)\"")
        service.metrics.measure("wane_train_duration_seconds", "", seconds: round.seconds)
        let body = String(decoding: try Reply.encoder.encode(round), as: UTF8.self)
        try await service.store.add(StoredReport(.learning, time: InterestService.now, body: body))
        return round
    }

    /// What a failure is to who reads of it: without names of people, which an error's words may quote.
    private static func words(_ error: any Error) -> String {
        (error as? StoreError)?.description ?? (error as? RegistryError)?.description ?? "\(type(of: error))"
    }

    private func run(_ champion: LoadedModel, _ time: String) async throws -> LearningRound {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let log = folder + "/events.csv"
        try await export(to: log)
        let challenger = folder + "/challenger"
        let (status, output, errors) = try await runProgram(
            [
                "update", service.registry.folder(of: champion.version), log, "--output", challenger, "--stored-events",
                "--format", "json", "--quiet", "--threads", "1",
            ] + settings)
        guard status == 0 || status == 2 else {
            let reason = Self.reason(errors)
            let isEarly = reason.contains("two horizons") || reason.contains("the log is too short")
            return LearningRound(
                time: time, seconds: 0, outcome: isEarly ? .skipped : .failed, reason: reason,
                champion: champion.version)
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let verdict = try decoder.decode(Verdict.self, from: output)
        let version = try await service.registry.keep(challenger, label: .challenger)
        var outcome = LearningRound.Outcome.kept
        var reason = verdict.reason
        if status == 0, verdict.promote {
            // Somebody may have let another one answer meanwhile, which this one was not set beside.
            if try service.registry.model(.interest).version == champion.version {
                _ = try await service.activate(version)
                try await service.store.move([
                    ModelLabel(task: BundleTask.interest.rawValue, .challenger): nil as String?
                ])
                outcome = .promoted
            } else {
                reason = "another version answers by now"
            }
        }
        return LearningRound(
            time: time, seconds: 0, outcome: outcome, reason: reason, champion: champion.version, challenger: version,
            championScores: verdict.champion, challengerScores: verdict.challenger, difference: verdict.difference,
            questions: verdict.questions, people: verdict.people)
    }

    /// What `wane update` says.
    private struct Verdict: Decodable {
        let promote: Bool
        let reason: String
        let champion: LearningRound.Scores
        let challenger: LearningRound.Scores
        let difference: LearningRound.Difference?
        let questions: Int
        let people: Int
    }

    /// The last line that a program has said, without what comes before its reason.
    private static func reason(_ errors: Data) -> String {
        let line =
            String(decoding: errors, as: UTF8.self).split(separator: "\n").last.map(String.init) ?? "no more is known"
        return String(line.replacing("Error: ", with: "").prefix(500))
    }

    /// All events as a log, person after person.
    private func export(to path: String) async throws {
        let fields = try await service.store.fields()
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: path)
        else { throw StoreError.failed("no file can be written in the service's folder") }
        defer { try? file.close() }
        try file.write(contentsOf: Data(fields.header.utf8))
        var last: String?
        while true {
            let records = try await service.store.events(ofPeopleAfter: last, limit: 200)
            guard let name = records.last?.user else { break }
            last = name
            var text = ""
            for record in records { text += fields.line(record) }
            try file.write(contentsOf: Data(text.utf8))
        }
    }

    private func runProgram(_ arguments: [String]) async throws -> (status: Int32, output: Data, errors: Data) {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        let files = (folder + "/output", folder + "/errors")
        for path in [files.0, files.1] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: files.0)
        process.standardError = FileHandle(forWritingAtPath: files.1)
        self.process = process
        defer { self.process = nil }
        let status = try await withCheckedThrowingContinuation { (answer: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { answer.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                answer.resume(throwing: error)
                return
            }
            let number = process.processIdentifier
            _ = setpriority(.init(PRIO_PROCESS.rawValue), .init(number), 15)
            DispatchQueue.global().asyncAfter(deadline: .now() + Self.longest) { [weak process] in process?.terminate()
            }
        }
        return (
            status, FileManager.default.contents(atPath: files.0) ?? Data(),
            FileManager.default.contents(atPath: files.1) ?? Data()
        )
    }

    /// Ends a round that is on its way, and begins no other.
    func close() {
        isClosed = true
        if let process, process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
}
