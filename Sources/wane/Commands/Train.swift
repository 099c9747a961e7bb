import ArgumentParser
import Foundation
import WaneBundle
import WaneModels
import WaneReport
import WaneTasks
import WaneTraining

struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model, measures it beside the baselines, and saves it.",
        discussion: "Example:\n  wane train visits.csv --horizon 7d --output models/visits")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The family: see `wane models`.", valueName: "name")) var model = "wane"
    @OptionGroup var saving: SavingOptions
    @OptionGroup var social: SocialOptions
    @Option(help: ArgumentHelp("Seconds between checkpoints.", valueName: "s")) var checkpointEvery = 20.0
    @Option(
        help: ArgumentHelp(
            "Parts to do without, separated by commas, to see what they are worth: \(ModelPart.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "parts")) var without: String?
    @OptionGroup var task: TaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var printing: PrintingOptions

    func run() async throws {
        let console = printing.console
        guard checkpointEvery >= 0, checkpointEvery < 1e7 else {
            throw ValidationError("--checkpoint-every \(checkpointEvery): give seconds from 0 to 1e7")
        }
        let without = try parts()
        try await training.check([model], for: .interest, console)
        try social.check([model], isInterest: true)
        let (modelOptions, trainingOptions) = try await training.resolved(family: model, seed: task.seed)
        try saving.prepare()
        let (log, report) = try input.read(console)
        let clock = log.clock
        var interest = try task.makeTask(consume log, console)
        interest = interest.knowing(
            try social.read(for: interest.histories.log, until: interest.split.trainEnd, console))
        var run = try InterestTraining(interest, model: modelOptions, training: trainingOptions)
        run.ablation.without = without
        run.reading = try input.options(of: report)
        saving.keep(&run.trainer, every: checkpointEvery)
        InterestRun.watch(&run.trainer, as: model, console)
        var bundle = try run.run()
        let comparison = try InterestRun.compare(
            interest, bundle.description.training, [bundle], console: console, check: run.trainer.checkInterruption)
        bundle.description.halfLives?.isShown = comparison.decay?.isWin
        let note = try saving.save(bundle, metrics: comparison, card: ModelCard.text(bundle, comparison), run.trainer)
        try ComparisonTable.print(comparison, printing.format, clock: clock)
        console.note(note)
    }

    private func parts() throws -> Set<ModelPart> {
        var parts: Set<ModelPart> = []
        for name in without?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
            guard let part = ModelPart(rawValue: name.trimmingCharacters(in: .whitespaces)) else {
                throw ValidationError(
                    "--without \(name): there are \(ModelPart.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            let isOfCauses = part.cause != nil || part == .sensitivity
            if model == LSTMBasic.name || isOfCauses && ModelFamilies.named(model)?.measuresCauses != true {
                throw ValidationError("--without \(name): \(model) has no such part")
            }
            parts.insert(part)
        }
        return parts
    }
}
