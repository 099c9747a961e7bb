import ArgumentParser
import WaneData
import WaneTraining

struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures a saved model beside the baselines on the test part of a log.",
        discussion: "Example:\n  wane evaluate models/visits visits.csv")

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let trained = try ModelFolder.read(model)
        let (log, _) = try input.read(console)
        let task = try Workplace(trained, log, console).task
        let comparison = try Workbench.compare(task, trained.description.training, [trained], console: console)
        console.clearStatus()
        try ComparisonTable.print(comparison, output.format, clock: log.clock)
    }
}

/// A saved model and a log brought together: topics as in training, and the task.
struct Workplace {
    let task: InterestTask

    init(_ trained: TrainedModel, _ log: EventLog, _ console: Console) throws {
        console.status("arranging histories")
        let sorted = log.sortedByUser()
        let topics = TopicChooser.topics(
            for: sorted, until: trained.description.split.trainEnd, seed: trained.description.training.seed)
        task = try trained.task(for: sorted.with(topics: topics))
        console.clearStatus()
    }
}
