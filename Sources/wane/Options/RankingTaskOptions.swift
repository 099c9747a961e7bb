import ArgumentParser
import WaneEvents
import WaneModels
import WaneTasks
import WaneTraining

/// What is to be guessed of a log, and how a model of the next item learns it.
struct RankingTaskOptions: ParsableArguments {
    @Option(
        name: .customLong("protocol"),
        help: "What is held back: each person's last event, or the last tenth of all events on one clock.")
    var rule: RankingProtocol = .leaveOneOut
    @Option(help: "Whether items already seen are ranked; left out where people hardly ever come back to one.")
    var seen: SeenItems?
    @OptionGroup var social: SocialOptions
    @Option(
        help: ArgumentHelp(
            "The loss: over all items (softmax), over drawn ones (sampled), or binary (bce, gbce). softmax when absent, "
                + "sampled for din and dien."))
    var loss: RankingLoss.Kind?
    @Option(
        help: ArgumentHelp(
            "Items drawn in each step (for each question with din and dien), for losses that draw.", valueName: "n"))
    var negatives: Int?
    @Option(help: ArgumentHelp("How far gbce mends over-confidence, 0 to 1.", valueName: "t")) var calibration: Double?
    @Option(help: ArgumentHelp("Events read at once.", valueName: "n")) var window = 50
    @Flag(help: "Multiply in bfloat16 in the loss over all items.") var bf16 = false
    @Option(help: "The seed of everything random.") var seed: UInt64 = 7

    /// The options for a family; one that its loss would not obey is refused.
    func options(_ family: String) throws -> RankingOptions {
        guard (2...4_096).contains(window) else { throw ValidationError("--window \(window): give 2 to 4096 events") }
        var options = RankingOptions()
        options.loss = RankingOptions.loss(family)
        if let loss {
            options.loss.kind = loss
            if ModelFamilies.named(family)?.meetsCandidates != true { options.loss.negatives = 256 }
        }
        if let negatives {
            guard (1...100_000).contains(negatives) else {
                throw ValidationError("--negatives \(negatives): draw 1 to 100000")
            }
            guard options.loss.kind != .softmax else {
                throw ValidationError(
                    "--negatives: a softmax over all items draws none; give --loss sampled, bce or gbce")
            }
            options.loss.negatives = negatives
        }
        if let calibration {
            guard (0...1).contains(calibration) else {
                throw ValidationError("--calibration \(calibration): give a number in 0...1")
            }
            guard options.loss.kind == .gbce else { throw ValidationError("--calibration: only --loss gbce has one") }
            options.loss.calibration = calibration
        }
        if bf16 {
            guard options.loss.kind == .softmax else {
                throw ValidationError("--bf16: only a softmax over all items is multiplied in bfloat16")
            }
            options.loss.bfloat16 = true
        }
        options.window = window
        return options
    }

    func task(_ log: EventLog) throws -> RankingTask { try RankingTask(log, rule: rule, seen: seen) }

    func friends(_ task: RankingTask, _ console: Console) throws -> SocialEdges {
        try social.read(for: task.log, until: task.cuts?.validation, console)
    }
}

extension RankingProtocol: ExpressibleByArgument {}
extension SeenItems: ExpressibleByArgument {}
extension RankingLoss.Kind: ExpressibleByArgument {}
