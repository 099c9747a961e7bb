import ArgumentParser
import Foundation
import WaneEvents
import WaneModels
import WaneTraining

struct Sparse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Thins what is learned from and shows which remedies help: sparse codes, L1, graphs, friends, counts.",
        discussion: "Example:\n  wane sparse visits.csv --shares 0.1,0.3,1 --friends friends.csv")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The family that remedies are set beside.", valueName: "name")) var model = "attention"
    @Option(help: "What is thinned: the people, or each person's events.") var thin: [SparseExperiment.Thinning] = [
        .users, .events,
    ]
    @Option(help: ArgumentHelp("Shares that are kept, separated by commas.", valueName: "shares")) var shares =
        "0.1,0.3,1"
    @OptionGroup var task: RankingTaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var keeping: RunsOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let kept = try shares.split(separator: ",").map { text -> Double in
            guard let share = Double(text), share > 0, share <= 1 else {
                throw ValidationError("--shares \(text): give numbers above 0 and up to 1")
            }
            return share
        }
        if training.l1 != nil { throw ValidationError("--l1: it is one of the remedies that are tried; leave it out") }
        let families = SparseExperiment.Remedy.families(of: model)
        try await training.check(families, for: .ranking, console)
        try keeping.prepare()
        var models: [String: ModelOptions] = [:]
        var options = RankingOptions.training
        for family in families {
            (models[family], options) = try await training.resolved(
                family: family, seed: task.seed, model: RankingOptions.model(family), training: RankingOptions.training,
                threads: ThreadCount.available)
        }
        options.l1 = 0
        let (log, _) = try input.read(console)
        let ranking = try task.task(log)
        let experiment = SparseExperiment(
            ranking, family: model, models: models, training: options, ranking: try task.options(model),
            friends: try task.friends(ranking, console))
        Interruption.listen()
        var rows: [SparseExperiment.Row] = []
        var runs: [Trainer] = []
        for thinning in thin {
            for share in kept {
                rows += try experiment.run(thinning, share: share) { trainer, remedy in
                    keeping.keep(&trainer, "sparse-\(thinning.rawValue)-\(share)-\(model)-\(remedy.rawValue)")
                    runs.append(trainer)
                    trainer.shouldStop = { Interruption.isAsked }
                    trainer.report = { progress in
                        console.status(
                            "\(thinning.rawValue) \(share), \(remedy.rawValue): epoch \(progress.epoch)")
                    }
                }
            }
        }
        console.clearStatus()
        if output.format == .json {
            StandardOutput.print(try Render.json(rows))
            return try keeping.remove(runs)
        }
        var table = Table(["thinned", "share", "events", "remedy", "HR@10", "NDCG@10", "difference in NDCG@10 (95 %)"])
        for row in rows {
            let difference = row.difference.map { "[\(Render.number($0.low)), \(Render.number($0.high))]" } ?? ""
            table.rows.append([
                row.thinning.rawValue, "\(row.share)", "\(row.trainingEvents)", row.remedy.rawValue,
                Render.number(row.report.hitRate[10] ?? .nan), Render.number(row.report.ndcg[10] ?? .nan), difference,
            ])
        }
        StandardOutput.print(output.format == .csv ? table.csv : table.text)
        if output.format == .table {
            let helping = rows.filter { ($0.difference?.low ?? 0) > 0 }
                .map { "\($0.remedy.rawValue) at \($0.share) of \($0.thinning.rawValue)" }
            console.note(
                "\(model); difference: against no remedy at the same share; above 0 at both ends: "
                    + (helping.isEmpty ? "none" : helping.joined(separator: ", ")))
        }
        try keeping.remove(runs)
    }
}

extension SparseExperiment.Thinning: ExpressibleByArgument {}
