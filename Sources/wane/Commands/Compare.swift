import ArgumentParser
import Foundation
import WaneBundle
import WaneEvents
import WaneMetrics
import WaneModels
import WaneReport
import WaneTasks
import WaneTraining

struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains several models and sets them beside the classical baselines on the same rows.",
        discussion: "Example:\n  wane compare visits.csv --models lstm,mlp --report report.html")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("Families, separated by commas, or all.", valueName: "names")) var models = "lstm,mlp"
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
        try social.check(families)
        try keeping.prepare()
        try OutputFile.prepare(report)
        try OutputFile.prepare(exportQueries)
        let (log, reading) = try input.read(console)
        let clock = log.clock
        let interest = try task.makeTask(consume log, console)
        let friends = try social.read(for: interest.histories.log, until: interest.split.trainEnd, console)
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
            run.friends = friends
            keeping.keep(&run.trainer, "interest-\(family)")
            InterestRun.watch(&run.trainer, as: family, console)
            runs.append(run.trainer)
            trained.append(try run.run())
        }
        let (_, options) = try await training.resolved(family: families.first ?? "lstm", seed: task.seed)
        let comparison = try InterestRun.compare(interest, options.record, trained, console: console) {
            try keeping.checkInterruption()
        }
        if let exportQueries {
            try QueryExport.write(interest, options, to: exportQueries)
            console.note("wrote \(exportQueries)")
        }
        if let report {
            let summary = LogSummary(interest.histories, horizon: interest.split.horizon, report: reading)
            let page = try ReportPage(
                title: URL(fileURLWithPath: input.log).lastPathComponent, summary: summary, comparison: comparison,
                models: trained, task: interest
            ).html()
            try OutputFile.write(page, to: report)
            console.note("wrote \(report)")
        }
        try ComparisonTable.print(comparison, output.format, clock: clock)
        try keeping.remove(runs)
    }
}

extension CrossValidation.Kind: ExpressibleByArgument {}
