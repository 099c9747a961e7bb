import ArgumentParser
import Foundation
import Torch
import WaneBundle
import WaneEvents
import WaneModels
import WaneTasks
import WaneTraining

struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Searches the settings of a family at random, judged by validation alone, within a budget.",
        discussion: """
            Every finished trial is kept in the file at once; the same command goes on where an earlier one stopped.

            Example:
              wane search visits.csv --model gru --budget 30min --file gru.search.json
            """)

    enum Task: String, ExpressibleByArgument, CaseIterable {
        case interest, ranking, `return`

        var asked: BundleTask {
            switch self {
            case .interest: .interest
            case .ranking: .ranking
            case .return: .return
            }
        }
    }

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The family: see `wane models`.", valueName: "name")) var model = "gru"
    @Option(name: .customLong("task"), help: "What the model is to answer.") var taskKind: Task = .interest
    @Option(
        help: ArgumentHelp(
            "Time in all, earlier runs included: no trial begins that would likely end later.", valueName: "time"))
    var budget = "10min"
    @Option(help: ArgumentHelp("Trials in all, earlier runs included.", valueName: "n")) var trials = 30
    @Option(help: ArgumentHelp("Where finished trials are kept.", valueName: "file")) var file = "search.json"
    @OptionGroup var task: TaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        guard let span = TimeSpan.parse(budget), span > 0 else {
            throw ValidationError("--budget \(budget): give a time such as 30min")
        }
        guard trials >= 1 else { throw ValidationError("--trials \(trials): give at least 1") }
        if taskKind == .return { try task.refuseRandomSplit("return times") }
        let ranks = taskKind == .ranking
        try await training.check([model], for: taskKind.asked, console)
        let (base, options) = try await training.resolved(
            family: model, seed: task.seed, model: ranks ? RankingOptions.model(model) : ModelOptions(),
            training: ranks ? RankingOptions.training : TrainingOptions(), threads: ranks ? ThreadCount.available : 1)
        try OutputFile.prepare(file)
        let (log, _) = try input.read(console)
        let search = Search(
            model: base, training: options, budget: Double(span) / 1e6, limit: trials,
            file: URL(fileURLWithPath: file),
            task: try identity(log, base, options))
        let name = model
        func prepare(_ trainer: inout Trainer) {
            trainer.shouldStop = { Interruption.isAsked }
            trainer.report = { progress in
                console.status(
                    "\(name): epoch \(progress.epoch), loss \(Render.number(progress.loss))")
            }
        }
        Interruption.listen()
        let run = try runner(log, console, prepare)
        let found = try search.run(train: run) { trial in
            let loss = trial.loss.map { Render.number($0) } ?? trial.failure ?? "failed"
            console.note("trial \(trial.number + 1): \(loss) in \(Render.number(trial.seconds, 0)) s")
        }
        console.clearStatus()
        if output.format == .json { return StandardOutput.print(try Render.json(found)) }
        var table = Table(
            [
                "trial", "validation", "learning rate", "history dropout", "hidden", "layers", "weight decay",
                "averaging", "s",
            ])
        for trial in found {
            let s = trial.setting
            table.rows.append([
                "\(trial.number + 1)", Render.number(trial.loss ?? .nan), Render.number(s.learningRate, 5),
                Render.number(s.historyDropout, 1), "\(s.hidden)", "\(s.layers)", Render.number(s.weightDecay, 3),
                Render.number(s.averaging, 2), Render.number(trial.seconds, 0),
            ])
        }
        StandardOutput.print(output.format == .csv ? table.csv : table.text)
        guard output.format == .table else { return }
        console.note(
            "lower validation is better; kept in \(file), and the same command goes on. The columns are options of the commands that "
                + "train: --learning-rate, --history-dropout, --hidden, --layers, --weight-decay, --averaging")
    }

    /// Everything that trials must have alike to be ranked together.
    private func identity(_ log: EventLog, _ model: ModelOptions, _ options: TrainingOptions) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let settings = [
            String(decoding: try encoder.encode(model), as: UTF8.self),
            String(decoding: try encoder.encode(options), as: UTF8.self), task.horizon ?? "", task.split.rawValue,
        ].joined(separator: "/")
        return "recipe \(Search.recipe)/\(taskKind.rawValue)/\(self.model)/seed \(task.seed)/"
            + Fingerprint.sha256(Data((Fingerprint.of(log).sha256 + settings).utf8))
    }

    /// Trains once for the task and tells how validation went.
    private func runner(
        _ log: EventLog, _ console: Console, _ prepare: @escaping (inout Trainer) -> Void
    ) throws -> (ModelOptions, TrainingOptions) throws -> TrainingHistory {
        switch taskKind {
        case .interest:
            let interest = try task.makeTask(log, console)
            return { model, options in
                var run = try InterestTraining(interest, model: model, training: options)
                prepare(&run.trainer)
                return try run.run().description.history
            }
        case .ranking:
            let ranking = try RankingTask(log, rule: .leaveOneOut)
            var rankingOptions = RankingOptions()
            rankingOptions.loss = RankingOptions.loss(model)
            return { model, options in
                var run = try RankingTraining(
                    ranking, model: model, training: options, ranking: rankingOptions)
                prepare(&run.trainer)
                return try run.run().bundle.description.history
            }
        case .return:
            let returns = ReturnTask(try task.makeTask(log, console))
            return { model, options in
                var run = try ReturnTraining(returns, model: model, training: options)
                prepare(&run.trainer)
                return try run.run().description.history
            }
        }
    }
}
