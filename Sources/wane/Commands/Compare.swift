import ArgumentParser
import Foundation
import WaneBundle
import WaneEvents
import WaneMetrics
import WaneModels
import WanePrediction
import WaneReport
import WaneTasks
import WaneTraining

struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains several models and sets them beside the classical baselines on the same rows.",
        discussion: "Example:\n  wane compare visits.csv --models lstm,mlp --report report.html")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("Families, separated by commas, or all.", valueName: "names")) var models = "wane,lstm"
    @Option(help: ArgumentHelp("Write a report as one HTML file.", valueName: "file")) var report: String?
    @Option(
        help: ArgumentHelp(
            "Write the queries of all parts with features and labels, for models of your own.", valueName: "file"))
    var exportQueries: String?
    @OptionGroup var social: SocialOptions
    @Option(help: ArgumentHelp("Cross-validate with this many folds before the test.", valueName: "n")) var folds: Int?
    @Option(help: "What folds divide: users, or blocks of time.") var foldBy: CrossValidation.Kind = .users
    @OptionGroup var task: TaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var keeping: RunsOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let families = try FamilyList.parse(models, others: [LSTMBasic.name])
        try await training.check(families, for: .interest, console)
        try social.check(families, isInterest: true)
        try keeping.prepare()
        try OutputFile.prepare(report)
        try OutputFile.prepare(exportQueries)
        let (log, reading) = try input.read(console)
        let clock = log.clock
        var interest = try task.makeTask(consume log, console)
        interest = interest.knowing(
            try social.read(for: interest.histories.log, until: interest.split.trainEnd, console))
        var trained: [ModelBundle] = []
        var runs: [Trainer] = []
        for family in families {
            let (model, options) = try await training.resolved(family: family, seed: task.seed)
            if let folds {
                let result = try CrossValidation(folds: folds, kind: foldBy).run(
                    interest, model: model, training: options,
                    configure: { trainer, fold in
                        keeping.keep(&trainer, "interest-\(family)-\(foldBy.rawValue)-fold-\(fold + 1)-of-\(folds)")
                        InterestRun.watch(&trainer, as: "\(family), fold \(fold + 1)", console)
                        runs.append(trainer)
                    }
                ) { console.note($0) }
                console.note("\(family), \(folds) folds over \(foldBy.rawValue): \(result.words)")
            }
            var run = try InterestTraining(interest, model: model, training: options)
            keeping.keep(&run.trainer, "interest-\(family)")
            InterestRun.watch(&run.trainer, as: family, console)
            runs.append(run.trainer)
            trained.append(try run.run())
        }
        let (_, options) = try await training.resolved(family: families.first ?? "wane", seed: task.seed)
        let comparison = try InterestRun.compare(interest, options.record, trained, console: console) {
            try keeping.checkInterruption()
        }
        if let exportQueries {
            try QueryExport.write(interest, options, to: exportQueries)
            console.note("wrote \(exportQueries)")
        }
        if let report {
            let summary = LogSummary(interest.histories, horizon: interest.split.horizon, report: reading)
            var page = ReportPage(
                title: URL(fileURLWithPath: input.log).lastPathComponent, summary: summary, comparison: comparison,
                models: trained, task: interest)
            try ReportParts.add(to: &page, trained, comparison, interest, console)
            try OutputFile.write(page.html(), to: report)
            console.note("wrote \(report)")
        }
        try ComparisonTable.print(comparison, output.format, clock: clock)
        try keeping.remove(runs)
    }
}

/// What a page says beside its figures.
enum ReportParts {
    /// Larger logs are for `wane topics`, which says how far it is.
    private static let mostPeople = 20_000

    static func add(
        to page: inout ReportPage, _ models: [ModelBundle], _ comparison: InterestComparison, _ task: InterestTask,
        _ console: Console
    ) throws {
        page.command = CommandLine.arguments.enumerated().map { place, word in
            let word = place == 0 ? URL(fileURLWithPath: word).lastPathComponent : word
            let isPlain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=,:%+@".contains($0) }
            return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
        }.joined(separator: " ")
        page.date = TimeFormat.words(Int64(Date().timeIntervalSince1970 * 1e6)) + " UTC"
        guard let drawn = ReportPage.drawn(models, comparison), task.histories.userCount <= mostPeople else { return }
        let log = task.histories.log
        let moment = log.span?.upperBound ?? 0
        page.topics = try Predictor(drawn).topicSummaries(AskedLog(log, for: drawn), at: moment) { people in
            try Interruption.check()
            console.status("half-lives of \(people) of \(log.users.count) people")
        }
        console.clearStatus()
    }
}

extension CrossValidation.Kind: ExpressibleByArgument {}
