import ArgumentParser
import Foundation
import WaneBundle
import WaneReport
import WaneTasks
import WaneTraining

struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model, measures it beside the baselines, and saves it.",
        discussion: "Example:\n  wane train visits.csv --model lstm --horizon 7d --output models/visits")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The family: see `wane models`.", valueName: "name")) var model = "lstm"
    @Option(name: .shortAndLong, help: ArgumentHelp("The model's folder.", valueName: "folder")) var output: String
    @Option(help: ArgumentHelp("Friendships, for graph families: UserID,FriendID[,Time].", valueName: "file"))
    var friends: String?
    @Flag(help: "Go on where an interrupted run of the same command stopped.") var resume = false
    @Option(help: ArgumentHelp("Seconds between checkpoints.", valueName: "s")) var checkpointEvery = 20.0
    @OptionGroup var task: TaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var printing: OutputOptions

    func run() async throws {
        let console = printing.console
        try training.check([model], ranks: false)
        let (modelOptions, trainingOptions) = try await training.resolved(family: model, seed: task.seed)
        try BundleFolder.prepare(output)
        let (log, _) = try input.read(console)
        let clock = log.clock
        let interest = try task.makeTask(consume log, console)
        var run = try InterestTraining(interest, model: modelOptions, training: trainingOptions)
        run.friends = try SocialOptions.read(
            friends, log: interest.histories.log, until: interest.split.trainEnd, families: [model], console)
        run.reading = try input.options()
        guard checkpointEvery >= 0, checkpointEvery < 1e7 else {
            throw ValidationError("--checkpoint-every \(checkpointEvery): give seconds from 0 to 1e7")
        }
        run.trainer.keep(beside: output, resume: resume, every: checkpointEvery)
        InterestRun.watch(&run.trainer, as: model, console)
        let bundle = try run.run()
        let comparison = try InterestRun.compare(
            interest, bundle.description.training, [bundle], console: console, checkpoint: run.trainer.checkpoint)
        try BundleFolder.write(
            bundle, metrics: Data(try Render.json(comparison).utf8), card: ModelCard.text(bundle, comparison),
            to: output)
        run.trainer.removeCheckpoint()
        try ComparisonTable.print(comparison, printing.format, clock: clock)
        console.note("saved \(output) (\(bundle.parameterCount) weights)")
    }
}
