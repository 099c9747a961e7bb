import ArgumentParser
import Foundation
import WaneData
import WaneInsight
import WaneModels
import WaneTraining

struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model, measures it beside the baselines, and saves it.",
        discussion: "Example:\n  wane train visits.csv --model lstm --horizon 7d --output models/visits")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The family: see `wane models`.", valueName: "name")) var model = "lstm"
    @Option(name: .shortAndLong, help: ArgumentHelp("The model's folder.", valueName: "folder")) var output: String
    @Flag(help: "Go on where an interrupted run of the same command stopped.") var resume = false
    @Option(help: ArgumentHelp("Seconds between checkpoints.", valueName: "s")) var checkpointEvery = 20.0
    @OptionGroup var task: TaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var printing: OutputOptions

    func run() async throws {
        let console = printing.console
        let (modelOptions, trainingOptions) = try await training.resolved(family: model, seed: task.seed)
        let (log, _) = try input.read(console)
        let interest = try task.makeTask(log, console)
        let result = try Workbench.train(
            interest, modelOptions, trainingOptions, console: console,
            checkpoint: URL(fileURLWithPath: output + ".checkpoint"), resume: resume, every: checkpointEvery)
        let comparison = try Workbench.compare(interest, trainingOptions, [result], console: console)
        try ModelFolder.write(
            result, metrics: Data(try Render.json(comparison).utf8),
            card: ModelCard.text(result, comparison, clock: log.clock), to: output)
        try ComparisonTable.print(comparison, printing.format, clock: log.clock)
        console.note("saved \(output) (\(result.parameterCount) weights)")
    }
}
