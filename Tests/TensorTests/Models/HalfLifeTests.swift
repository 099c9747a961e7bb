import Foundation
import TestSupport
import Testing
import Torch
import WaneEvents
import WaneModels
import WanePrediction
import WaneState
import WaneTasks
import WaneTraining

extension UsingTorch {
    @Suite("Half-lives")
    struct HalfLifeTests {
        /// Topics 0 to 2 are come back to at a steady rate, another for each pair; 3 to 5 fade, each person's by a factor of its
        /// own, by ordinary thinning.
        private static func log() throws -> (EventLog, halfLives: [String: Double]) {
            var generator = SeededGenerator(seed: 4)
            var rows: [(time: Double, user: Int, topic: Int)] = []
            let day = 86_400.0
            let (start, end) = (1.7e9, 1.7e9 + 150 * 86_400)
            let halfLives = [0.5, 2, 6].map { $0 * day }
            for user in 0..<350 {
                let factor = exp(generator.normal() * 0.3)
                for topic in 0..<6 {
                    let steady = topic < 3
                    let tau = steady ? .infinity : halfLives[topic - 3] * factor
                    let rate = steady ? 0.3 * exp(generator.normal() * 0.6) / day : 2 / halfLives[topic - 3]
                    func now(_ elapsed: Double) -> Double { rate / (1 + pow(elapsed / tau, 2)) }
                    var time = start + generator.uniform() * 90 * day
                    while time < end {
                        rows.append((time, user, topic))
                        var elapsed = 0.0
                        var isBack = false
                        while time + elapsed < end, !isBack {
                            let bound = now(elapsed)
                            elapsed += -Foundation.log(1 - generator.uniform()) / bound
                            isBack = generator.uniform() < now(elapsed) / bound
                        }
                        time += elapsed
                    }
                }
            }
            let text =
                "UserID,Time,PageID,Topic\n"
                + rows.map { "u\($0.user),\(Int($0.time)),p\($0.topic),t\($0.topic)\n" }.joined()
            let folder = try TemporaryFolder()
            let log = try LogReader.read(folder.write("log.csv", text)).log
            return (log, Dictionary(uniqueKeysWithValues: halfLives.enumerated().map { ("t\($0 + 3)", $1) }))
        }

        @Test(
            "what fades does so in the planted time, what does not is said not to"
        )
        func planted() throws {
            let (log, planted) = try Self.log()
            let split = try Split(log)
            let task = InterestTask(Histories(log.sortedByUser(), trainEnd: split.trainEnd), split: split, seed: 7)
            var options = ModelOptions()
            options.family = "mlp"
            var training = TrainingOptions()
            training.epochs = 60
            let bundle = try InterestTraining(task, model: options, training: training).run()
            let queries = try task.queries(.test, count: 3_000, seed: 1)
            let curves = try QueryPredictor(bundle, of: task.histories).curves(queries)
            var byTopic: [String: [Double]] = [:]
            for (row, curve) in curves.enumerated() {
                byTopic[task.histories.log.topics.names[Int(queries.topic[row])], default: []].append(
                    curve.halfLife ?? .infinity)
            }
            for (topic, found) in byTopic {
                guard let truth = planted[topic] else {
                    let steady = found.filter { $0 > Double(split.end - split.start) / 1e6 }
                    #expect(Double(steady.count) >= 0.95 * Double(found.count), "\(topic)")
                    continue
                }
                let median = found.sorted()[found.count / 2]
                #expect(abs(Foundation.log(median / truth)) < Foundation.log(1.6), "\(topic): \(median / truth)")
                #expect(found.filter(\.isInfinite).count * 20 <= found.count, "\(topic)")
            }
        }
    }
}
