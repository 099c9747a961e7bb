import ArgumentParser
import Foundation
import WaneBaselines
import WaneData
import WaneModels
import WaneTraining

struct Return: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "return",
        abstract: "Predicts when people come back: trains and compares models of the time until a return.",
        discussion: """
            Example:
              wane return compare visits.csv --models gru,hawkes
              wane return cohort purchases.csv --known 39w --ahead 39w
            """,
        subcommands: [ReturnCompare.self, ReturnCohort.self], defaultSubcommand: ReturnCompare.self)
}

struct ReturnCompare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Sets models of the time until the next touch of a topic beside the classical ones.",
        discussion: "Example:\n  wane return compare visits.csv --models gru,hawkes --horizon 7d")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("Families, separated by commas, or all.", valueName: "names")) var models = "gru,hawkes"
    @Option(help: ArgumentHelp("Friendships: UserID,FriendID[,Time].", valueName: "file")) var friends: String?
    @OptionGroup var task: TaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let (log, _) = try input.read(console)
        let interest = try task.makeTask(log, console)
        let returns = ReturnTask(interest)
        let social = try SocialOptions.read(
            friends, log: interest.histories.log, until: interest.split.trainEnd, console)
        var trained: [TrainedReturnModel] = []
        for family in try FamilyList.parse(models) {
            let (model, options) = try await training.resolved(family: family, seed: task.seed)
            var run = try ReturnTraining(returns, model: model, training: options)
            run.friends = social
            Workbench.watch(&run.trainer, as: family, console)
            trained.append(try run.run())
        }
        let (_, options) = try await training.resolved(family: "gru", seed: task.seed)
        console.status("fitting the classical models")
        let comparison = try ReturnComparison(returns, options, models: trained)
        console.clearStatus()
        try ReturnTable.print(comparison, output.format, clock: log.clock)
    }
}

/// A comparison of return times as a table: models first, then baselines, each from the best likelihood down.
enum ReturnTable {
    static func print(_ comparison: ReturnComparison, _ format: OutputOptions.Format, clock: EventLog.Clock) throws {
        if format == .json { return Swift.print(try Render.json(comparison)) }
        func likelihood(_ row: ReturnComparison.Row) -> Double { row.report.logLikelihood ?? -.infinity }
        let rows = comparison.rows.sorted {
            ($0.isModel ? 0 : 1, likelihood($1)) < ($1.isModel ? 0 : 1, likelihood($0))
        }
        var table = Table(["", "log likelihood", "C-index", "MAE", "RMSE", "octaves", "Brier"])
        for row in rows {
            let r = row.report
            table.rows.append(
                [row.isModel && format == .table ? "\(row.name) *" : row.name, Render.number(r.logLikelihood ?? .nan)]
                    + [r.concordance, r.mae, r.rmse, r.octaves, r.integratedBrier ?? .nan].map { Render.number($0) })
        }
        if format == .csv { return Swift.print(table.csv) }
        for verdict in comparison.verdicts { Swift.print(verdict) }
        Swift.print(
            "\(comparison.questions) questions of \(comparison.people) people, each right after a touch; "
                + "\(Render.number(100 * comparison.observed, 1)) % of the returns were seen.\n"
                + "Times in horizons of \(TimeSpan.words(comparison.horizon, clock)); MAE, RMSE and octaves "
                + "(factors of two) of the predicted median where the return was seen. * deep model\n")
        Swift.print(table.text)
    }
}

struct ReturnCohort: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cohort",
        abstract: "Asks once for each person whether and how often they come back, beside BG/NBD and Pareto/NBD.",
        discussion: "Example:\n  wane return cohort purchases.csv --known 39w --ahead 39w --models gru --seeds 3")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("From the log's first day on, what is known.", valueName: "time")) var known = "39w"
    @Option(help: ArgumentHelp("How far ahead is asked; as long as what is known when absent.", valueName: "time"))
    var ahead: String?
    @Option(help: ArgumentHelp("Families, separated by commas, or all.", valueName: "names")) var models = "gru"
    @Option(
        help: ArgumentHelp("Train each family this many times, with seeds that follow one another.", valueName: "n"))
    var seeds = 1
    @Option(help: "The seed of everything random.") var seed: UInt64 = 7
    @OptionGroup var training: TrainOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        guard let span = TimeSpan.parse(known), span > 0 else {
            throw ValidationError("--known \(known): give a time such as 39w")
        }
        guard let later = ahead.map({ TimeSpan.parse($0) }) ?? span, later > 0 else {
            throw ValidationError("--ahead \(ahead ?? ""): give a time such as 39w")
        }
        let (log, _) = try input.read(console)
        guard log.clock == .wall else {
            throw ValidationError("the log has order but no times; a cohort is followed over weeks")
        }
        let task = try CohortTask(log, known: span, ahead: later)
        let classics = CohortClassics(task) { console.status($0) }
        var answers: [CohortAnswers] = []
        for family in try FamilyList.parse(models) {
            for number in 0..<max(1, seeds) {
                let (model, options) = try await training.resolved(family: family, seed: seed + UInt64(number))
                var run = try CohortTraining(task, classics, model: model, training: options)
                Workbench.watch(&run.trainer, as: family, console)
                answers.append(try run.run())
            }
        }
        let comparison = CohortComparison(task, classics, answers)
        console.clearStatus()
        if output.format == .json { return print(try Render.json(comparison)) }
        var table = Table(
            ["", "ROC-AUC", "PR-AUC", "log loss", "Brier", "ECE", "MAE", "MAE of mean", "RMSE", "total"])
        for row in comparison.rows {
            table.rows.append(
                [row.isModel && output.format == .table ? "\(row.name) *" : row.name]
                    + [row.auc, row.prAUC, row.logLoss, row.brier, row.ece, row.mae, row.maeOfMean, row.rmse]
                    .map { Render.number($0) } + [Render.number(row.total, 2)])
        }
        if output.format == .csv { return print(table.csv) }
        print(
            "\(comparison.questions) people, one question each; \(Render.number(100 * comparison.returned, 1)) % come back.\n"
                + "MAE is of the median count where a model has one, RMSE and total of the mean. * deep model\n")
        print(table.text)
    }
}
