import ArgumentParser
import Foundation
import WaneBundle
import WaneEvents
import WanePrediction
import WaneReport
import WaneTasks
import WaneTraining

struct Update: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Goes on from a model with a longer log, and says whether the outcome should take its place.",
        discussion: """
            A challenger is trained from the model's weights, and both are asked about the newest part of the log, two horizons or more, which neither
            has seen. It should take the model's place where it is better beyond the interval, over all people and over those
            whom the model knew. The status is 0 where it should, and 2 where it should not.

            Example:
              wane update models/visits visits-until-june.csv --output models/challenger
            """)

    @Argument(help: "The model's folder, the champion.") var model: String
    @OptionGroup var input: LogOptions
    @OptionGroup var saving: SavingOptions
    @Option(help: "The seed of everything random.") var seed: UInt64 = 7
    @OptionGroup var training: TrainOptions
    /// The log is what a service stored: lines as it writes them, read by the model's rules.
    @Flag(help: .hidden) var storedEvents = false
    /// Names of people who are known to be some, one a line; all of whom the model's log had when absent.
    @Option(help: .hidden) var known: String?
    /// The process that waits for this one: without it, this one ends.
    @Option(help: .hidden) var parent: Int32?
    @OptionGroup var printing: PrintingOptions

    func run() async throws {
        let console = printing.console
        if let parent { Self.end(with: parent) }
        var names: Set<ExactName>?
        if let known {
            guard let data = FileManager.default.contents(atPath: known) else {
                throw CommandError("\(known) cannot be read")
            }
            names = Set(data.split(separator: 0x0A).map { ExactName(String(decoding: $0, as: UTF8.self)) })
        }
        let champion = try BundleFolder.read(model, for: [.interest])
        guard champion.hasCurves else { throw PredictionError.noCurves(family: champion.description.family) }
        guard champion.description.clock == .wall else {
            throw CommandError(
                "\(model) was trained on order only; a model is updated with what came later, which takes times")
        }
        guard champion.description.causes?.evidence[.social].people ?? 0 == 0 else {
            throw CommandError(
                "\(model) was trained with friends, which an update has not; train it anew with --friends")
        }
        try await training.check([champion.description.family], for: .interest, console)
        var (_, options) = try await training.resolved(family: champion.description.family, seed: seed)
        if training.epochs == nil { options.epochs = 20 }
        if training.patience == nil { options.patience = 4 }
        try saving.prepare()
        let log: EventLog
        if storedEvents {
            let (read, report) = try LogReader.read(
                [input.log], options: .ofStoredEvents(like: champion.reading))
            log = try EventLog(storedEvents: read, report)
        } else {
            log = try input.read(console, over: champion.reading).log
        }
        let asked = try AskedLog(log, for: champion)
        if let words = asked.coverage.words { console.note("note: \(words)") }
        let span = LogSpan(asked.log)
        let update = ModelUpdate(
            champion, asked, split: try ModelUpdate.split(champion.description, start: span.start, end: span.end),
            known: names)
        let output = saving.output
        let (bundle, task, verdict) = try update.run(options) { lesson, trainer in
            trainer.checkpoint = URL(fileURLWithPath: "\(output).\(lesson.rawValue).checkpoint")
            trainer.resume = saving.resume
            InterestRun.watch(&trainer, as: "\(champion.description.family) (\(lesson.rawValue))", console)
        }
        var challenger = bundle
        let comparison = try InterestRun.compare(task, challenger.description.training, [challenger], console: console)
        challenger.description.halfLives?.isShown = comparison.decay?.isWin
        let note = try SavingOptions.write(
            challenger, metrics: comparison, card: ModelCard.text(challenger, comparison), to: output)
        for lesson in ModelUpdate.Lesson.allCases {
            try? FileManager.default.removeItem(atPath: "\(output).\(lesson.rawValue).checkpoint")
        }
        if printing.format == .json {
            StandardOutput.print(try Render.json(verdict))
        } else {
            var table = Table(["", "log loss", "calibration error"])
            for (name, own) in [("champion", verdict.champion), ("challenger", verdict.challenger)] {
                table.rows.append([name, Render.number(own.logLoss, 4), Render.number(own.calibrationError, 3)])
            }
            StandardOutput.print(printing.format == .csv ? table.csv : table.text)
            func words(_ own: ModelUpdate.Difference?) -> String {
                own.map {
                    "\(Render.number($0.value, 4)) [\(Render.number($0.low, 4)), \(Render.number($0.high, 4))]"
                } ?? "not to be had"
            }
            console.note(
                """
                \(verdict.questions) questions of \(verdict.people) people from \(verdict.from) on; difference (99 %) \(words(verdict.difference)), \
                of people whom the champion knew \(words(verdict.knownPeopleDifference))
                \(verdict.promote ? "The challenger should take the champion's place" : "The champion stays"): \(verdict.reason).
                """)
        }
        console.note(note)
        if !verdict.promote { throw ExitCode(2) }
    }

    private static func end(with parent: Int32) {
        Thread {
            while getppid() == parent { sleep(1) }
            _exit(1)
        }.start()
    }
}
