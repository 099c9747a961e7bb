import ArgumentParser
import WaneBundle
import WaneEvents
import WaneTasks

struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Measures a saved model of interest on a window of any log, beside baselines fitted to what came before.",
        discussion: """
            The window begins where the model's own test part did when absent, or at the log's beginning where that is
            later. Baselines learn from the log before the window.

            Example:
              wane evaluate models/visits visits.csv --from 2024-04-01 --to 2024-05-01
            """)

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @OptionGroup var social: SocialOptions
    @Option(name: .customLong("from"), help: ArgumentHelp("Where the window begins.", valueName: "time")) var start:
        String?
    @Option(
        name: .customLong("to"),
        help: ArgumentHelp("Where the window ends; the log's end when absent.", valueName: "time"))
    var end: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let bundle = try BundleFolder.read(model, for: [.interest])
        let measured = try MeasuredLog(bundle, input, friends: social.friends, from: start, to: end, console)
        let (task, predictor) = (measured.task, measured.predictor)
        let comparison = try InterestRun.compare(
            task, bundle.description.training,
            [(bundle.description.family, predictor)], console: console)
        try ComparisonTable.print(comparison, output.format, clock: task.histories.log.clock)
    }
}
