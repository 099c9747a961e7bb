import Foundation
import Torch
import WaneBundle
import WaneModels
import WaneTasks

/// How a model is trained, saved with it.
public struct TrainingOptions: Codable, Sendable, Equatable {
    public var epochs = 60
    /// Epochs without a better validation loss before training ends.
    public var patience = 8
    public var learningRate = 1e-3
    public var optimizer = OptimizerRule.adamW(weightDecay: 0.01)
    public var schedule = Schedule.constant
    /// Steps over which the learning rate rises.
    public var warmup = 50
    /// The largest norm of a step's gradients.
    public var clip = 1.0
    /// How much of the weights' moving average each step keeps; the average is what is validated and kept.
    /// None when 0.
    public var averaging = 0.99
    /// The weight of the sum of all weights' magnitudes.
    public var l1 = 0.0
    /// Queries in a step.
    public var batch = 1_024
    /// Queries drawn anew for each epoch, and drawn once for validation and test.
    public var trainQueries = 50_000
    public var validationQueries = 20_000
    public var testQueries = 50_000
    public var seed: UInt64 = 7

    public init() {}

    /// - Throws: ``TrainingError`` naming the first value out of range.
    /// Of queries, epochs and rows: far beyond use, and such that sums of them stay numbers.
    static let largestCount = 100_000_000

    public func checked() throws(TrainingError) -> TrainingOptions {
        let counts = [
            ("epochs", epochs), ("patience", patience), ("batch", batch), ("train queries", trainQueries),
            ("validation queries", validationQueries), ("test queries", testQueries),
        ]
        for (name, value) in counts where !(1...Self.largestCount).contains(value) {
            throw .option(name: name, value: Double(value), needs: "between 1 and \(Self.largestCount)")
        }
        guard learningRate > 0, learningRate < 10 else {
            throw .option(name: "learning rate", value: learningRate, needs: "between 0 and 10")
        }
        guard (0..<1).contains(averaging) else {
            throw .option(name: "averaging", value: averaging, needs: "at least 0 and below 1")
        }
        guard clip > 0 else { throw .option(name: "clip", value: clip, needs: "above 0") }
        guard l1 >= 0 else { throw .option(name: "l1", value: l1, needs: "0 or more") }
        return self
    }
}

extension TrainingOptions {
    /// What a model keeps of how it was trained.
    public var record: TrainingRecord {
        let name =
            switch optimizer {
            case .adam: "adam"
            case .adamW: "adamw"
            case .sgd: "sgd"
            }
        return TrainingRecord(
            seed: seed, trainQueries: trainQueries, validationQueries: validationQueries, testQueries: testQueries,
            settings: [
                "epochs": "\(epochs)", "patience": "\(patience)", "learning-rate": "\(learningRate)",
                "optimizer": name, "weight-decay": "\(optimizer.weightDecay)", "schedule": schedule.rawValue,
                "warmup": "\(warmup)", "clip": "\(clip)", "averaging": "\(averaging)", "l1": "\(l1)",
                "batch": "\(batch)",
            ])
    }
}

/// What a run is of, so that another run's checkpoint is refused: everything that the weights depend on beside the
/// training options.
struct RunIdentity {
    let text: String

    /// Goes up where the same settings train something else: a run of before is not gone on with.
    static let recipe = 2

    init(_ task: String, _ model: ModelOptions, _ split: Split?, data: DataFingerprint, more: [String] = []) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        var parts = ["\(Self.recipe)", task, String(decoding: try encoder.encode(model), as: UTF8.self), data.sha256]
        if let split {
            parts += [split.start, split.trainEnd, split.validationEnd, split.end, split.horizon].map { "\($0)" }
            parts.append("\(split.random)")
        }
        text = Fingerprint.sha256(Data((parts + more).joined(separator: "/").utf8))
    }
}

/// Why training stopped without a model.
public enum TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
    case option(name: String, value: Double, needs: String)
    case notFinite(what: String, epoch: Int, step: Int)
    case interrupted(checkpoint: String?, again: Again = .withResume)
    case checkpointDiffers(file: String, what: String)
    case anotherSearch(file: String)
    case loss(String, family: String)

    /// How an interrupted command goes on.
    public enum Again: Sendable, Equatable { case withResume, sameCommand }

    public var description: String {
        switch self {
        case .option(let name, let value, let needs): "\(name) of \(value): it must be \(needs)"
        case .notFinite(let what, let epoch, let step):
            "\(what) is not a finite number in epoch \(epoch), step \(step); "
                + "try a smaller --learning-rate. The last checkpoint is whole"
        case .interrupted(let checkpoint, let again):
            checkpoint.map {
                "interrupted; go on with the same command\(again == .withResume ? " and --resume" : "") (state in \($0))"
            } ?? "interrupted"
        case .loss(let loss, let family):
            "\(family) meets candidates one by one, so its loss cannot be \(loss) over all items; give --loss sampled, "
                + "bce or gbce"
        case .checkpointDiffers(let file, let what):
            "\(file) belongs to a run with another \(what); give the same options, or start anew, without "
                + "--resume or in another folder of --runs"
        case .anotherSearch(let file):
            "\(file) holds the trials of a search with another log, task, family, seed, horizon, split or set of training options; "
                + "give the same, or another --file"
        }
    }
}
