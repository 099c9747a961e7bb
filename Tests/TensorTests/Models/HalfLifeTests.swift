import Foundation
import TestSupport
import Testing
import Torch
import WaneCurves
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
            "of people no training saw, what fades does so in the planted time, what does not is said not to, and families agree"
        )
        func planted() throws {
            let (log, planted) = try Self.log()
            let split = try Split(log)
            let task = InterestTask(Histories(log.sortedByUser(), trainEnd: split.trainEnd), split: split, seed: 7)
            var training = TrainingOptions()
            // Decay is learned before the first of them.
            training.epochs = 2
            training.trainQueries = 10_000
            let isHeldOut: @Sendable (UInt32) -> Bool = { $0 % 4 == 0 }
            let queries = try task.queries(.test, count: 3_000, seed: 1, users: isHeldOut)
            var found: [[InterestCurve]] = []
            for family in ["mlp", "gru"] {
                var options = ModelOptions()
                options.family = family
                var job = try InterestTraining(task, model: options, training: training)
                job.users = { !isHeldOut($0) }
                found.append(try QueryPredictor(job.run(), of: task.histories).curves(queries))
            }
            var rows: [String: [Int]] = [:]
            for row in 0..<queries.count {
                rows[task.histories.log.topics.names[Int(queries.topic[row])], default: []].append(row)
            }
            #expect(rows.count == 6)
            for (topic, rows) in rows {
                guard let truth = planted[topic] else {
                    for curves in found {
                        let steady = rows.filter {
                            curves[$0].halfLife.map { $0 > Double(split.end - split.start) / 1e6 } ?? true
                        }
                        #expect(Double(steady.count) >= 0.95 * Double(rows.count), "\(topic)")
                    }
                    continue
                }
                let medians = found.map { curves in
                    rows.map { curves[$0].halfLife ?? .infinity }.sorted()[rows.count / 2]
                }
                for median in medians {
                    #expect(abs(Foundation.log(median / truth)) < Foundation.log(1.3), "\(topic): \(median / truth)")
                }
                #expect(abs(Foundation.log(medians[0] / medians[1])) < Foundation.log(1.15), "\(topic): \(medians)")
                let within = rows.filter { row in
                    guard let a = found[0][row].halfLifeInterval, let b = found[1][row].halfLife else { return false }
                    return a.contains(b)
                }
                #expect(within.count * 10 >= rows.count * 9, "\(topic)")
            }
        }
    }
}
