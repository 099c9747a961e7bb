import Foundation
import TestSupport
import Testing
import Torch
import WaneBaselines
import WaneData
import WaneMetrics
import WaneModels

@testable import WaneTraining

extension UsingTorch {
    @Suite("Training")
    struct TrainingTests {
        static func options(epochs: Int = 2) -> TrainingOptions {
            var options = TrainingOptions()
            options.epochs = epochs
            options.trainQueries = 3_000
            options.validationQueries = 1_500
            options.testQueries = 3_000
            options.batch = 256
            return options
        }

        static func model(_ family: String) -> ModelOptions {
            var model = ModelOptions()
            model.family = family
            model.hidden = 16
            return model
        }

        private func logLoss(_ model: TrainedModel, _ task: InterestTask) throws -> Double {
            let test = try task.queries(.test, count: 3_000, seed: 7)
            let (returned, _) = try model.session(task.histories).predict(test)
            return Classification.report(returned, test.returned.map(Double.init), threshold: 0.5).logLoss
        }

        @Test(
            "every family learns: it beats the constant on a part it has not seen",
            arguments: ModelFamilies.all.map(\.name)
        )
        func families(name: String) throws {
            let task = try Small.task(users: 120)
            let trained = try InterestTraining(task, model: Self.model(name), training: Self.options(epochs: 5)).run()
            let test = try task.queries(.test, count: 3_000, seed: 7)
            let rate = test.returned.reduce(0.0) { $0 + Double($1) } / Double(test.count)
            let constant = -rate * log(rate) - (1 - rate) * log(1 - rate)
            #expect(try logLoss(trained, task) < constant - 0.03)
        }

        @Test("the textbook recipe trains and predicts, and has no curve")
        func basic() throws {
            let task = try Small.task(users: 60)
            var options = Self.options(epochs: 2)
            options.optimizer = .adam()
            let trained = try InterestTraining(task, model: Self.model("lstm-basic"), training: options).run()
            #expect(!trained.hasCurves)
            #expect(try logLoss(trained, task).isFinite)
        }

        @Test("the same seed gives the same weights, another seed others")
        func seeds() throws {
            try Runtime.setThreads(1)
            let task = try Small.task(users: 40)
            func weights(_ seed: UInt64) throws -> Data {
                var options = Self.options(epochs: 1)
                options.seed = seed
                return try Safetensors.encode(
                    InterestTraining(task, model: Self.model("lstm"), training: options).run().weights())
            }
            #expect(try weights(1) == weights(1))
            #expect(try weights(1) != weights(2))
        }

        @Test("interrupted at any step and resumed, a run ends as if it had not been", arguments: [1, 7, 13, 20])
        func resume(stopAfter: Int) throws {
            try Runtime.setThreads(1)
            let task = try Small.task(users: 40)
            let folder = try TemporaryFolder()
            func run(_ change: (inout Trainer) -> Void) throws -> Data {
                var training = try InterestTraining(task, model: Self.model("gru"), training: Self.options(epochs: 2))
                training.trainer.checkpoint = folder.file("checkpoint")
                change(&training.trainer)
                return try Safetensors.encode(training.run().weights())
            }
            let whole = try run { $0.checkpoint = nil }
            var steps = 0
            #expect(throws: TrainingError.self) {
                try run { trainer in
                    trainer.shouldStop = {
                        steps += 1
                        return steps > stopAfter
                    }
                }
            }
            #expect(FileManager.default.fileExists(atPath: folder.file("checkpoint").path))
            #expect(try run { $0.resume = true } == whole)
            #expect(!FileManager.default.fileExists(atPath: folder.file("checkpoint").path))
        }

        @Test("another run's checkpoint is refused, and says what differs")
        func otherCheckpoint() throws {
            let task = try Small.task(users: 40)
            let folder = try TemporaryFolder()
            func run(_ options: TrainingOptions, stop: Bool) throws {
                var training = try InterestTraining(task, model: Self.model("mlp"), training: options)
                training.trainer.checkpoint = folder.file("checkpoint")
                training.trainer.resume = true
                training.trainer.shouldStop = { stop }
                _ = try training.run()
            }
            #expect(throws: TrainingError.self) { try run(Self.options(), stop: true) }
            var other = Self.options()
            other.learningRate = 0.5
            let error = #expect(throws: TrainingError.self) { try run(other, stop: false) }
            #expect(error?.description.contains("options") == true)
        }

        @Test("a loss that is not finite stops the run with the step's name, and keeps the checkpoint")
        func notFinite() throws {
            let task = try Small.task(users: 40)
            var options = Self.options()
            options.learningRate = 9
            options.optimizer = .sgd()
            options.clip = 1e30
            options.warmup = 0
            let folder = try TemporaryFolder()
            var training = try InterestTraining(task, model: Self.model("mlp"), training: options)
            training.trainer.checkpoint = folder.file("checkpoint")
            do {
                _ = try training.run()
            } catch let error as TrainingError {
                guard case .notFinite(_, let epoch, let step) = error else { throw error }
                #expect(epoch >= 1 && step >= 1)
                #expect(error.description.contains("--learning-rate"))
            }
        }

        /// A task whose loss becomes NaN at a chosen step.
        private struct Poisoned: Trainable {
            let parameter: Parameter
            let at: Int
            var parameters: [(name: String, parameter: Parameter)] { [("w", parameter)] }
            mutating func begin(epoch: Int) -> Int { 10 }
            func rows(step: Int) -> Int { 1 }
            func validationLoss() -> Double { 1 }
            func loss(step: Int) throws -> Tensor {
                try step == at ? (parameter.value * Double.nan).sum() : (parameter.value * parameter.value).sum()
            }
        }

        @Test("a NaN at one step is found at that step", arguments: [0, 4, 9])
        func poisoned(step: Int) throws {
            var job = Poisoned(parameter: try Parameter(Tensor([1, 2] as [Float])), at: step)
            #expect(throws: TrainingError.notFinite(what: "the loss", epoch: 1, step: step + 1)) {
                try Trainer(Self.options()).run(&job)
            }
            #expect(try job.parameter.value.allFinite())
        }

        /// Validation that gets worse after the third epoch.
        private struct Worsening: Trainable {
            let parameter: Parameter
            var epoch = -1
            var parameters: [(name: String, parameter: Parameter)] { [("w", parameter)] }
            mutating func begin(epoch: Int) -> Int {
                self.epoch = epoch
                return 1
            }
            func rows(step: Int) -> Int { 1 }
            func validationLoss() -> Double { abs(Double(epoch) - 2) }
            func loss(step: Int) throws -> Tensor { try parameter.value.sum() }
        }

        @Test("training ends when validation has not improved for as long as patience lasts, with the best weights")
        func earlyStop() throws {
            var options = Self.options(epochs: 50)
            options.patience = 4
            options.averaging = 0
            options.optimizer = .sgd()
            options.warmup = 0
            options.learningRate = 1
            var job = Worsening(parameter: try Parameter(Tensor([0] as [Float])))
            let history = try Trainer(options).run(&job)
            #expect(history.bestEpoch == 3 && history.validationLoss.count == 7)
            // Each epoch takes one step of minus one; the third epoch's weights are kept.
            #expect(try job.parameter.value.item() == -3)
        }

        @Test("no tensor is left behind by a training run")
        func handles() throws {
            let task = try Small.task(users: 40)
            func run() throws {
                _ = try InterestTraining(task, model: Self.model("lstm"), training: Self.options(epochs: 1)).run()
            }
            try run()
            let before = try Runtime.liveHandles
            try run()
            #expect(try Runtime.liveHandles == before)
        }

        @Test(
            "folds divide people and time, and measure each model on what it has not seen",
            arguments: CrossValidation.Kind.allCases)
        func folds(kind: CrossValidation.Kind) throws {
            let task = try Small.task(users: 80)
            let result = try CrossValidation(folds: 3, kind: kind).run(
                task, model: Self.model("mlp"), training: Self.options(epochs: 1))
            #expect(result.logLoss.count == 3 && result.logLoss.allSatisfy { $0.isFinite && $0 > 0 })
        }

        @Test("options out of range are refused by name")
        func options() {
            var training = Self.options()
            training.batch = 0
            #expect(throws: TrainingError.option(name: "batch", value: 0, needs: "at least 1")) {
                try training.checked()
            }
            var model = Self.model("lstm")
            model.dropout = 1
            #expect(throws: ModelOptionsError.self) { try model.checked() }
            model = Self.model("transformer")
            #expect(throws: ModelOptionsError.self) { try model.checked() }
        }
    }
}
