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
    /// The window of the verdict, RFC 3339.
    var from: String?
    var to: String?
}

/// Trains challengers on what is stored, in a process of its own that gives way to this one, and lets those answer that are better on the
/// newest events than the champion.
///
/// The process is `wane update` on a file of all events; the file is gone when it ends. Of several services on one store one learns at a time.
/// A verdict takes a horizon of newer events than the one before: the same events are not asked again and again until they say yes. Where an
/// operator took a promotion back, only what came after its window counts.
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
        let now = InterestService.now
        let time = TimeFormat.rfc3339(now)
        // A folder of its own: what is left of a round that was killed writes into no other's.
        let own = folder + "/" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var round: LearningRound
        do {
            round = try await run(champion, now, in: own)
        } catch is CancellationError {
            return nil
        } catch {
            round = LearningRound(
                time: time, seconds: 0, outcome: .failed, reason: Self.words(error), champion: champion.version)
        }
        round.seconds = short(start.duration(to: .now).inSeconds) ?? 0
        service.metrics.count("wane_train_runs_total", "result=\"\(round.outcome.rawValue)\"")
        service.metrics.measure("wane_train_duration_seconds", "", seconds: round.seconds)
        let body = String(decoding: try Reply.encoder.encode(round), as: UTF8.self)
        try await service.store.add(StoredReport(.learning, time: now, body: body))
        try await prune()
        return round
    }

    /// Challengers of long ago that nobody promoted go.
    private func prune() async throws {
        let challengers = try await rounds().compactMap(\.challenger)
        try await service.registry.remove(Array(Set(challengers).subtracting(challengers.prefix(Self.mostKept))))
    }

    /// Of challengers that bear no label.
    private static let mostKept = 5

    /// The last rounds, the newest first.
    private func rounds() async throws -> [LearningRound] {
        let decoder = Reply.decoder
        return try await service.store.reports(.learning, limit: 200).compactMap {
            try? decoder.decode(LearningRound.self, from: Data($0.body.utf8))
        }
    }

    /// What a failure is to who reads of it: without names of people, which an error's words may quote.
    private static func words(_ error: any Error) -> String {
        (error as? StoreError)?.description ?? (error as? RegistryError)?.description ?? "\(type(of: error))"
    }

    private func run(_ champion: LoadedModel, _ now: Int64, in folder: String) async throws -> LearningRound {
        let time = TimeFormat.rfc3339(now)
        func skipped(_ reason: String) -> LearningRound {
            LearningRound(time: time, seconds: 0, outcome: .skipped, reason: reason, champion: champion.version)
        }
        let horizon = champion.bundle.description.split.horizon
        let judged = try await rounds().filter { $0.to != nil }
        if let to = judged.first?.to.flatMap({ TimeFormat.moment($0) }) {
            let newest = try await service.store.newest(upTo: now) ?? 0
            guard newest >= to + horizon else {
                return skipped(
                    "a verdict takes a horizon of newer events than the last, which had those up to \(TimeFormat.rfc3339(to))"
                )
            }
        }
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let (log, known) = (folder + "/events.csv", folder + "/known.txt")
        try await export(to: log, known: known, until: now, horizon: horizon)
        let challenger = folder + "/challenger"
        let (status, output, errors) = try await runProgram(
            [
                "update", service.registry.place(champion.version), log, "--output", challenger, "--stored-events",
                "--known", known, "--parent", "\(getpid())", "--format", "json", "--quiet", "--threads", "1",
            ] + settings, in: folder)
        guard !isClosed else { throw CancellationError() }
        guard status == 0 || status == 2 else {
            let words = String(decoding: errors, as: UTF8.self)
            if words.contains("two horizons of what came after") {
                return skipped("too little has come in that the champion has not seen")
            }
            if words.contains("the log is too short") { return skipped("what is stored spans too short a time") }
            // Its words may quote what is stored.
            return LearningRound(
                time: time, seconds: 0, outcome: .failed, reason: "the trainer ended with status \(status)",
                champion: champion.version)
        }
        let verdict = try Reply.decoder.decode(Verdict.self, from: output)
        let version = try await service.registry.keep(challenger, label: .challenger)
        var outcome = LearningRound.Outcome.kept
        var reason = verdict.reason
        if status == 0, verdict.promote {
            let rejected = judged.first { $0.outcome == .promoted }.flatMap {
                $0.champion == champion.version ? $0.to : nil
            }
            if let rejected, verdict.from < rejected {
                reason =
                    "one that was promoted for events up to \(rejected) was taken back; only what came after them counts"
            } else {
                do {
                    // Somebody may have let another one answer meanwhile, which this one was not set beside.
                    try await service.promote(version, over: champion.version)
                    outcome = .promoted
                } catch RegistryError.replaced {
                    reason = "another version answers by now"
                }
            }
        }
        return LearningRound(
            time: time, seconds: 0, outcome: outcome, reason: reason, champion: champion.version, challenger: version,
            championScores: verdict.champion, challengerScores: verdict.challenger, difference: verdict.difference,
            questions: verdict.questions, people: verdict.people, from: verdict.from, to: verdict.to)
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
        let from: String
        let to: String
    }

    /// All events up to a moment as a log, person after person, and the names of those who have been there for two horizons: of people who came
    /// lately, and were not brought by the operator, it is not known that they are any.
    private func export(to path: String, known: String, until now: Int64, horizon: Int64) async throws {
        let fields = try await service.store.fields()
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            FileManager.default.createFile(atPath: known, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: path), let names = FileHandle(forWritingAtPath: known)
        else { throw StoreError.failed("no file can be written in the service's folder") }
        defer {
            try? file.close()
            try? names.close()
        }
        try file.write(contentsOf: Data(fields.header.utf8))
        var last: String?
        while true {
            guard !isClosed else { throw CancellationError() }
            let part = try await service.store.people(after: last, limit: 200)
            guard let name = part.last else { break }
            last = name
            var text = ""
            for record in part.records where record.time <= now { text += fields.line(record) }
            try file.write(contentsOf: Data(text.utf8))
            let old = part.arrived.filter { $0.time < now - 2 * horizon }
            try names.write(contentsOf: Data(old.map { $0.name + "\n" }.joined().utf8))
        }
    }

    /// Lets a process that has just begun, and its threads to come, run where nobody else would.
    ///
    /// Niceness alone is not enough: a processor that a nice thread keeps busy is not idle to Linux, so that threads that wake to answer
    /// requests are put one behind the other on what is left (`curve` at 500 a second beside 5,000 events took a median of 700 ms so, and
    /// 2 ms beside a trainer that is `SCHED_IDLE`).
    static func giveWay(_ process: pid_t) {
        _ = setpriority(.init(PRIO_PROCESS.rawValue), .init(process), 15)
        #if canImport(Glibc)
            var parameters = sched_param()
            // SCHED_IDLE, which Swift does not see.
            _ = sched_setscheduler(process, 5, &parameters)
        #endif
    }

    private func runProgram(
        _ arguments: [String], in folder: String
    ) async throws -> (status: Int32, output: Data, errors: Data) {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        let files = (folder + "/output", folder + "/errors")
        for path in [files.0, files.1] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: files.0)
        process.standardError = FileHandle(forWritingAtPath: files.1)
        guard !isClosed else { throw CancellationError() }
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
            Self.giveWay(process.processIdentifier)
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
