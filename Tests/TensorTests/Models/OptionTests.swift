import TestSupport
import Testing
import Torch
import WaneBundle
import WaneEvents
import WaneModels
import WaneTasks

@testable import WaneTraining

extension UsingTorch {
    /// No option is accepted and passed over: what a family says it obeys changes what it learns.
    @Suite("Options are obeyed")
    struct OptionTests {
        init() throws { try Runtime.setThreads(1) }

        private static func changed(_ option: EncoderOption, _ model: ModelOptions) -> ModelOptions {
            var model = model
            switch option {
            case .hidden: model.hidden = 24
            case .layers: model.layers = 2
            case .heads: model.heads = 4
            case .historyDropout: model.historyDropout = 0.1
            case .historyLength: model.historyLength = 4
            case .sparsity: model.sparsity = model.sparsity == .l1 ? .kl : .l1
            case .sparsityWeight: model.sparsityWeight = 10
            }
            return model
        }

        /// Weights after one short epoch, by name, with their shapes.
        private func learned(_ model: ModelOptions, _ task: InterestTask) throws -> [String: [Float]] {
            var training = TrainingTests.options(epochs: 1)
            (training.trainQueries, training.validationQueries, training.batch) = (300, 200, 100)
            let bundle = try InterestTraining(task, model: model, training: training).run()
            return try bundle.weights().mapValues { try $0.values(Float.self) }
        }

        @Test("every option of every family changes what is learned", arguments: ModelFamilies.all.map(\.name))
        func everyOption(family: String) throws {
            let task = try Small.task(users: 25)
            let model = TrainingTests.model(family)
            let plain = try learned(model, task)
            #expect(try learned(model, task) == plain, "the same settings give the same weights")
            for option in try #require(ModelFamilies.named(family)).options.sorted(by: { $0.rawValue < $1.rawValue }) {
                #expect(try learned(Self.changed(option, model), task) != plain, "\(family) --\(option.rawValue)")
            }
        }

        @Test("every loss is obeyed by families of both kinds, or refused", arguments: ["attention", "din", "dien"])
        func everyLoss(family: String) throws {
            let log = Small.simulated(users: 25).log
            let task = try RankingTask(log, rule: .leaveOneOut, seen: .kept)
            var known: [RankingLoss.Kind: [String: [Float]]] = [:]
            for loss in RankingLoss.Kind.allCases {
                func trained() throws -> ModelBundle {
                    try RankingTraining(
                        task, model: RankingTrainingTests.model(family),
                        training: RankingTrainingTests.training(epochs: 1),
                        ranking: RankingTrainingTests.options(family, loss)
                    ).run().bundle
                }
                if loss == .softmax, family != "attention" {
                    #expect(throws: TrainingError.self) { try trained() }
                } else {
                    known[loss] = try trained().weights().mapValues { try $0.values(Float.self) }
                }
            }
            #expect(known.count == (family == "attention" ? 4 : 3))
            for (loss, weights) in known {
                for (other, others) in known where other != loss { #expect(weights != others, "\(loss), \(other)") }
            }
        }
    }
}
