import Foundation
import TestSupport
import Testing
import Torch
import WaneBaselines
import WaneEvents
import WaneState
import WaneTasks
import WaneSimulation
import WaneMetrics
import WaneModels
import WanePrediction
import WaneBundle

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

        private func logLoss(_ model: ModelBundle, _ task: InterestTask) throws -> Double {
            let test = try task.queries(.test, count: 3_000, seed: 7)
            let (chances, _) = try QueryPredictor(model, of: task.histories).predict(test)
            return Classification.report(chances, test.didReturn.map(Double.init), threshold: 0.5).logLoss
        }

        @Test(
            "every family learns: it beats the constant on a part it has not seen",
            arguments: ModelFamilies.all.map(\.name)
        )
        func families(name: String) throws {
            let task = try Small.task(users: 120)
            let trained = try InterestTraining(task, model: Self.model(name), training: Self.options(epochs: 5)).run()
            let test = try task.queries(.test, count: 3_000, seed: 7)
            let rate = test.didReturn.reduce(0.0) { $0 + Double($1) } / Double(test.count)
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

        @Test("interrupted at any step and resumed, a run ends as if it had not been", arguments: [3, 8, 14, 20, 27])
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
            // In the first of them decay is being fitted: there is nothing to keep yet.
            #expect(FileManager.default.fileExists(atPath: folder.file("checkpoint").path) == (stopAfter > 3))
            #expect(try run { $0.resume = true } == whole)
            // It is the caller's to remove, once the model is in its place: taken up again, nothing is lost.
            #expect(FileManager.default.fileExists(atPath: folder.file("checkpoint").path))
            var late = 0
            #expect(
                try run { trainer in
                    trainer.resume = true
                    trainer.report = { _ in late += 1 }
                } == whole)
            #expect(late == 0, "a finished run takes no step")
        }

        @Test("another run's checkpoint is refused, and says what differs")
        func otherCheckpoint() throws {
            let task = try Small.task(users: 40)
            let folder = try TemporaryFolder()
            func run(_ options: TrainingOptions, stop: Bool) throws {
                var training = try InterestTraining(task, model: Self.model("mlp"), training: options)
                training.trainer.checkpoint = folder.file("checkpoint")
                training.trainer.resume = true
                // Interrupted before training begins there is nothing to keep; here, after some steps.
                var asked = 0
                training.trainer.shouldStop = {
                    asked += 1
                    return stop && asked > 12
                }
                _ = try training.run()
            }
            #expect(throws: TrainingError.self) { try run(Self.options(), stop: true) }
            var other = Self.options()
            other.learningRate = 0.5
            let error = #expect(throws: TrainingError.self) { try run(other, stop: false) }
            #expect(error?.description.contains("options") == true)
        }

        /// A task whose loss becomes NaN at a chosen step, counted over all epochs of ten.
        private struct Poisoned: Trainable {
            let parameter: Parameter
            let at: Int
            private var first = 0
            init(parameter: Parameter, at: Int) {
                self.parameter = parameter
                self.at = at
            }
            var measure: String { "loss" }
            var parameters: [(name: String, parameter: Parameter)] { [("w", parameter)] }
            mutating func begin(epoch: Int) -> Int {
                first = 10 * epoch
                return 10
            }
            func rows(step: Int) -> Int { 1 }
            func validationLoss() -> Double { 1 }
            func loss(step: Int) throws -> Tensor {
                try first + step == at
                    ? (parameter.value * Double.nan).sum() : (parameter.value * parameter.value).sum()
            }
        }

        @Test("a NaN at one step is found at that step, and the checkpoint before it is whole", arguments: [0, 4, 13])
        func poisoned(step: Int) throws {
            let folder = try TemporaryFolder()
            var job = Poisoned(parameter: try Parameter(Tensor([1, 2] as [Float])), at: step)
            var trainer = Trainer(Self.options())
            trainer.checkpoint = folder.file("checkpoint")
            let error = #expect(throws: TrainingError.self) { try trainer.run(&job) }
            #expect(error == .notFinite(what: "the loss", epoch: step / 10 + 1, step: step % 10 + 1))
            #expect(error?.description.contains("--learning-rate") == true)
            #expect(try job.parameter.value.allFinite())
            // The first epoch's end was saved, where there was one.
            let saved = try? Checkpoint(reading: folder.file("checkpoint"))
            #expect(saved.map(\.place.epoch) == (step >= 10 ? 1 : nil))
            if let saved { for weight in saved.weights.values { #expect(try weight.allFinite()) } }
        }

        /// Validation that gets worse after the third epoch.
        private struct Worsening: Trainable {
            let parameter: Parameter
            var epoch = -1
            var measure: String { "loss" }
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
            let folds = CrossValidation(folds: 3, kind: kind)
            let result = try folds.run(task, model: Self.model("mlp"), training: Self.options(epochs: 1))
            #expect(result.logLoss.count == 3 && result.logLoss.allSatisfy { $0.isFinite && $0 > 0 })
            var held: [UInt32] = []
            for fold in 0..<3 {
                let part = try folds.arranged(task, fold, Self.options())
                switch kind {
                case .users:
                    let (seen, own) = (try #require(part.seen), try #require(part.held))
                    let users = (0..<80).map { UInt32($0) }
                    #expect(users.allSatisfy { seen($0) != own($0) })
                    held += users.filter(own)
                case .time:
                    // What is measured lies after what is learned from and stopped by, and before the test part.
                    #expect(part.task.split.trainEnd < part.task.split.validationEnd)
                    #expect(part.task.split.validationEnd < part.task.split.end)
                    #expect(part.task.split.end <= task.split.validationEnd)
                }
            }
            if kind == .users { #expect(held.sorted() == (0..<80).map { UInt32($0) }, "everybody once") }
        }

        @Test("options out of range are refused by name")
        func options() {
            var training = Self.options()
            training.batch = 0
            #expect(throws: TrainingError.option(name: "batch", value: 0, needs: "between 1 and 100000000")) {
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

@Suite("A search of settings")
struct SearchTests {
    @Test("begins no trial that would likely end beyond the budget, and one at least")
    func budget() throws {
        let folder = try TemporaryFolder()
        func trials(budget: Double, seconds: Double, _ name: String) throws -> Int {
            let search = Search(
                model: ModelOptions(), training: TrainingOptions(), budget: budget, limit: 20,
                file: folder.file(name), task: "a search")
            return try search.run { _, _ in
                Thread.sleep(forTimeInterval: seconds)
                return TrainingHistory()
            } report: { _ in
            }.count
        }
        #expect(try trials(budget: 0.01, seconds: 0.05, "one") == 1)
        // Each sleeps a twentieth of a second at least: a third one would end after the budget.
        #expect(try (1...2).contains(trials(budget: 0.14, seconds: 0.05, "two")))
        #expect(try trials(budget: 60, seconds: 0, "all") == 20)
    }

    @Test("goes on in its own file only")
    func another() throws {
        let folder = try TemporaryFolder()
        func search(_ task: String) -> Search {
            Search(
                model: ModelOptions(), training: TrainingOptions(), budget: 60, limit: 2, file: folder.file("trials"),
                task: task)
        }
        #expect(try search("a").run(train: { _, _ in TrainingHistory() }, report: { _ in }).count == 2)
        #expect(throws: TrainingError.anotherSearch(file: folder.file("trials").path)) {
            try search("b").run(train: { _, _ in TrainingHistory() }, report: { _ in })
        }
    }
}
