import Foundation
import TestSupport
import Testing
import Torch
import WaneBundle
import WaneEvents
import WaneModels
import WanePrediction
import WaneTasks

@testable import WaneTraining

extension UsingTorch {
    @Suite("What is said of decay")
    struct DecayVerdictTests {
        /// Each page a topic of its own, questions about a week.
        private static func task(_ people: [[(hour: Double, topic: Int)]]) throws -> InterestTask {
            let people = people.map { $0.sorted { $0.hour < $1.hour } }
            let log = TinyLog.log(people.map { $0.map(\.topic) }) { person, step in people[person][step].hour }
            let sorted = log.sortedByUser().with(topics: .own(log.items))
            let split = try Split(sorted, horizon: 7 * 86_400 * EventLog.second)
            return InterestTask(Histories(sorted, trainEnd: split.trainEnd), split: split, seed: 1)
        }

        @Test("a model that is better for other reasons where nothing fades speaks of no half-lives")
        func nothingFades() throws {
            try Runtime.setThreads(1)
            // People of very different activity, which a rate for each pair alone knows little of, on uniformly random hours.
            var generator = SeededGenerator(seed: 8)
            var people: [[(hour: Double, topic: Int)]] = []
            for person in 0..<150 {
                let rate = [0.01, 0.05, 0.4][person % 3]
                var own: [(hour: Double, topic: Int)] = []
                for topic in 0..<6 {
                    for _ in 0..<Int((rate * 120).rounded()) { own.append((generator.uniform() * 120 * 24, topic)) }
                }
                people.append(own)
            }
            let task = try Self.task(people)
            let training = TrainingTests.options(epochs: 4)
            let model = try InterestTraining(task, model: TrainingTests.model("mlp"), training: training).run()
            let comparison = try InterestComparison(
                task, model.description.training,
                models: [("mlp", QueryPredictor(model, of: task.histories))])
            #expect(model.description.halfLives?.fadingTopics == 0)
            #expect(comparison.fadingTopics == 0)
            let words = try #require(comparison.decayWords)
            #expect(!words.contains("spoken of."), "\(words)")
        }

        @Test(
            "decay is shown on a log too small for a network, and is not where nothing fades", arguments: [true, false])
        func smallLogs(fades: Bool) throws {
            try Runtime.setThreads(1)
            var generator = SeededGenerator(seed: 21)
            var people: [[(hour: Double, topic: Int)]] = []
            for _ in 0..<300 {
                var own: [(hour: Double, topic: Int)] = []
                for topic in 0..<4 where generator.uniform() < 0.7 {
                    // A rate a day that differs between topics and pairs, and halves in six days after each touch.
                    let most = [0.2, 0.3, 0.4, 0.6][topic] * -log(max(1e-9, generator.uniform()))
                    var now = generator.uniform() * 60
                    while now < 100 {
                        own.append((now * 24, topic))
                        var gap = 0.0
                        repeat {
                            gap += -log(max(1e-9, generator.uniform())) / most
                        } while now + gap < 100 && generator.uniform() >= (fades ? 0.12 + 0.88 * exp2(-gap / 5) : 0.4)
                        now += gap
                    }
                }
                people.append(own)
            }
            let task = try Self.task(people)
            let model = try InterestTraining(
                task, model: TrainingTests.model("mlp"), training: TrainingTests.options(epochs: 4)
            ).run()
            // As many questions as the command asks.
            var record = model.description.training
            (record.validationQueries, record.testQueries) = (10_000, 10_000)
            let comparison = try InterestComparison(
                task, record, models: [("mlp", QueryPredictor(model, of: task.histories))])
            let rates = try #require(comparison.ratesDecay)
            let words = try #require(comparison.decayWords)
            #expect(comparison.isDecayShown == fades, "\(words)")
            #expect(rates.isWin == fades, "\(rates)")
            #expect(words.contains("can be spoken of") == fades, "\(words)")
        }
    }
}
