import Foundation
import Torch
import WaneBundle
import WaneEvents
import WaneModels

/// A random search over the settings of a family, judged by validation alone, within a budget, and taken up where it
/// was left.
///
/// Source: Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization" (JMLR 13, 2012).
public struct Search: Sendable {
    /// What is drawn for a trial. The first trial has the defaults.
    public struct Setting: Sendable, Codable, Equatable {
        public var learningRate: Double
        public var historyDropout: Double
        public var hidden: Int
        public var layers: Int
        public var weightDecay: Double
        public var averaging: Double

        init(_ model: ModelOptions, _ training: TrainingOptions) {
            learningRate = training.learningRate
            historyDropout = model.historyDropout
            hidden = model.hidden
            layers = model.layers
            weightDecay = training.optimizer.weightDecay
            averaging = training.averaging
        }

        /// Drawn anew: the same for the same seed and number.
        init(number: Int, seed: UInt64) {
            var generator = SeededGenerator(seed: seed, stream: 9_000 + UInt64(number))
            func among<Value>(_ values: [Value]) -> Value { values[Int(generator.uniform() * Double(values.count))] }
            learningRate = exp(log(3e-4) + generator.uniform() * (log(5e-3) - log(3e-4)))
            historyDropout = among([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
            hidden = among([16, 32, 48, 64, 96])
            layers = among([1, 2, 3])
            weightDecay = among([0, 1e-3, 1e-2, 1e-1])
            averaging = among([0, 0.98, 0.99])
        }

        /// The setting as a family takes it: what its encoder does not have keeps its value, a width is rounded up to
        /// what the heads divide, and the optimizer stays the one that was asked for.
        public func applied(_ model: ModelOptions, _ training: TrainingOptions) -> (ModelOptions, TrainingOptions) {
            var (model, training) = (model, training)
            let options = ModelFamilies.named(model.family)?.options ?? []
            if options.contains(.historyDropout) { model.historyDropout = historyDropout }
            if options.contains(.hidden) {
                let heads = options.contains(.heads) ? max(1, model.heads) : 1
                model.hidden = (hidden + heads - 1) / heads * heads
            }
            if options.contains(.layers) { model.layers = layers }
            training.learningRate = learningRate
            training.averaging = averaging
            training.optimizer = training.optimizer.with(weightDecay: weightDecay)
            return (model, training)
        }
    }

    public struct Trial: Sendable, Codable {
        public let number: Int
        public let setting: Setting
        /// The best validation loss; nothing where training failed.
        public let loss: Double?
        public let epochs: Int
        public let seconds: Double
        public let failure: String?
    }

    /// What a search file holds.
    struct State: Codable {
        /// What was searched: another search's file is refused.
        var task: String
        var trials: [Trial]
    }

    /// Trials of before the same settings trained something else are not to be compared.
    public static let recipe = RunIdentity.recipe

    public let model: ModelOptions
    public let training: TrainingOptions
    /// Seconds in all, earlier runs of the same search included, and trials in all.
    public let budget: Double
    public let limit: Int
    public let file: URL
    /// Names everything that trials must have alike to be compared: log, task, family, seed, horizon, split, epochs.
    public let task: String

    public init(
        model: ModelOptions, training: TrainingOptions, budget: Double, limit: Int, file: URL, task: String
    ) {
        self.model = model
        self.training = training
        self.budget = budget
        self.limit = limit
        self.file = file
        self.task = task
    }

    /// Runs trials as long as another one of the usual length fits the budget, at least one; every finished trial is kept at once.
    ///
    /// - Parameters:
    ///   - train: trains with a setting and returns its history.
    ///   - report: told of each finished trial.
    /// - Returns: all trials, earlier runs' included, best first.
    public func run(
        train: (ModelOptions, TrainingOptions) throws -> TrainingHistory, report: (Trial) -> Void
    ) throws -> [Trial] {
        var state = try load()
        // Another trial of the usual length is to end within the budget.
        func fits(_ trials: [Trial]) -> Bool {
            let spent = trials.reduce(0) { $0 + $1.seconds }
            return trials.isEmpty || spent + spent / Double(trials.count) <= budget
        }
        while state.trials.count < limit, fits(state.trials) {
            let number = state.trials.count
            let setting = number == 0 ? Setting(model, training) : Setting(number: number, seed: training.seed)
            let (model, options) = setting.applied(model, training)
            let start = ContinuousClock.now
            var history: TrainingHistory?
            var failure: String?
            do { history = try train(model, options) } catch TrainingError.interrupted {
                // What is finished is kept; this trial begins anew.
                throw TrainingError.interrupted(checkpoint: file.path, again: .sameCommand)
            } catch let error as TrainingError {
                // A setting under which training diverges is an answer too.
                failure = error.description
            } catch let error as ModelOptionsError {
                failure = error.description
            }
            let trial = Trial(
                number: number, setting: setting, loss: history?.bestLoss,
                epochs: history?.validationLoss.count ?? 0, seconds: start.duration(to: .now) / .seconds(1),
                failure: failure)
            state.trials.append(trial)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try DurableFile.replace(file, with: try encoder.encode(state))
            report(trial)
        }
        return state.trials.sorted { ($0.loss ?? .infinity, $0.number) < ($1.loss ?? .infinity, $1.number) }
    }

    private func load() throws -> State {
        guard FileManager.default.fileExists(atPath: file.path) else { return State(task: task, trials: []) }
        guard let data = FileManager.default.contents(atPath: file.path),
            let state = try? JSONDecoder().decode(State.self, from: data)
        else {
            throw BundleFolderError.damaged(path: file.path, reason: "it is no search's file")
        }
        guard state.task == task else {
            throw TrainingError.anotherSearch(file: file.path)
        }
        return state
    }
}
