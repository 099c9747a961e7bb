import ArgumentParser
import WaneData
import WaneModels
import WaneTraining

/// What is to be guessed of a log, and how a model of the next item learns it.
struct RankingTaskOptions: ParsableArguments {
    @Option(
        name: .customLong("protocol"),
        help: "What is held back: each person's last event, or the last tenth of all events on one clock.")
    var rule: RankingProtocol = .leaveOneOut
    @Option(help: "Whether items already seen are ranked; left out where people hardly ever come back to one.")
    var seen: SeenItems?
    @Option(help: ArgumentHelp("Friendships: UserID,FriendID[,Time].", valueName: "file")) var friends: String?
    @Option(help: "The loss: over all items, over drawn ones with correction, or binary.")
    var loss: RankingLoss.Kind = .softmax
    @Option(help: ArgumentHelp("Items drawn in each step, for losses that draw.", valueName: "n")) var negatives = 256
    @Option(help: ArgumentHelp("How far gbce mends over-confidence, 0 to 1.", valueName: "t")) var calibration = 0.75
    @Option(help: ArgumentHelp("Events read at once.", valueName: "n")) var window = 50
    @Flag(help: "Multiply in bfloat16 in the loss over all items.") var bf16 = false
    @Option(help: "The seed of everything random.") var seed: UInt64 = 7

    func options() throws -> RankingOptions {
        guard negatives >= 1 else { throw ValidationError("--negatives \(negatives): draw at least one") }
        guard (0...1).contains(calibration) else {
            throw ValidationError("--calibration \(calibration): give a number in 0...1")
        }
        guard (2...4_096).contains(window) else { throw ValidationError("--window \(window): give 2 to 4096 events") }
        var options = RankingOptions()
        options.loss.kind = loss
        options.loss.negatives = negatives
        options.loss.calibration = calibration
        options.loss.bfloat16 = bf16
        options.window = window
        return options
    }

    func task(_ log: EventLog) throws -> RankingTask { try RankingTask(log, rule: rule, seen: seen) }

    func friends(_ task: RankingTask, _ console: Console) throws -> [[UInt32]] {
        try SocialOptions.read(friends, log: task.log, until: task.cuts?.validation, console)
    }
}

extension RankingProtocol: ExpressibleByArgument {}
extension SeenItems: ExpressibleByArgument {}
extension RankingLoss.Kind: ExpressibleByArgument {}
