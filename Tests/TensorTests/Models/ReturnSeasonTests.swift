import Foundation
import TestSupport
import Testing
import Torch
import WaneBaselines
import WaneBundle
import WaneCurves
import WaneEvents
@testable import WaneModels
import WanePrediction
import WaneState
import WaneTasks

@testable import WaneTraining

extension UsingTorch {
    @Suite("Return times in people's own hours")
    struct ReturnSeasonTests {
        init() throws { try Runtime.setThreads(1) }

        /// People who come in the evening, on seven days of ten, half of them at eight and half at ten.
        private func evenings() throws -> ReturnTask {
            var generator = SeededGenerator(seed: 5)
            var moments: [[Double]] = []
            for person in 0..<80 {
                var own: [Double] = []
                for day in 0..<80 where generator.uniform() < 0.7 {
                    own.append(Double(day) * 24 + (person % 2 == 0 ? 20 : 22) + generator.uniform() * 0.9)
                }
                moments.append(own)
            }
            let log = TinyLog.log(moments.map { $0.map { _ in 0 } }) { person, step in moments[person][step] }
            let sorted = log.sortedByUser().with(topics: .single(log.items.count))
            let split = try Split(sorted, horizon: 7 * 86_400 * EventLog.second)
            return ReturnTask(InterestTask(Histories(sorted, trainEnd: split.trainEnd), split: split, seed: 1))
        }

        @Test(
            "people of the evening are not expected by day, and the model saved says the same",
            arguments: ["wane", "gru"])
        func evening(family: String) throws {
            let task = try evenings()
            let model = try ReturnTraining(
                task, model: TrainingTests.model(family), training: TrainingTests.options(epochs: 12)
            ).run()
            #expect(model.description.hours?.count == 24)
            let questions = try task.questions(.test, count: 300, seed: 1)
            let horizon = 7 * 24.0
            func survival(_ model: ModelBundle) throws -> [Double] {
                let predictions = try QueryPredictor(model, of: task.interest.histories).predict(
                    questions, grid: [3 / horizon, 16 / horizon, 28 / horizon])
                return try #require(predictions.survival)
            }
            let curves = try survival(model)
            var (byDay, byEvening) = (0.0, 0.0)
            for row in 0..<questions.count {
                byDay += curves[row * 3] - curves[row * 3 + 1]
                byEvening += curves[row * 3 + 1] - curves[row * 3 + 2]
            }
            // Thirteen hours of night and day against twelve with an evening in them.
            #expect(byEvening > 10 * byDay, "\(byDay / 300), \(byEvening / 300)")
            let reread = try StandAloneTests.reread(model)
            #expect(try zip(survival(reread), curves).allSatisfy { abs($0 - $1) < 1e-6 })

            // Asked at nine in the morning, half are back by an evening.
            let predictor = Predictor(reread)
            let asked = try AskedLog(task.interest.histories.log, for: reread)
            let morning = Int64((50 * 24 + 9) * 3_600) * EventLog.second
            let people = (0..<20).map { (state: predictor.state(of: $0, in: asked, until: morning), user: Int64(-1)) }
            let times = try predictor.returnTimes(
                people.indices.map { StateQuestion(person: $0, topic: 0, moment: morning) }, of: people, in: asked)
            let hours = try times.map { time in
                let median = try #require(time?.time.median) / 3_600
                return (9 + median).truncatingRemainder(dividingBy: 24)
            }
            #expect(hours.count { (19.5...23.9).contains($0) } >= 15, "back at \(hours)")
            #expect(!hours.contains { (3...19).contains($0) }, "back at \(hours)")
        }

        @Test("times of dates alone follow no hours")
        func dates() throws {
            var generator = SeededGenerator(seed: 6)
            let days = (0..<60).map { _ in (0..<40).map { _ in (generator.uniform() * 120).rounded(.down) }.sorted() }
            let log = TinyLog.log(days.map { $0.map { _ in 0 } }) { person, step in days[person][step] * 24 }
            let sorted = log.sortedByUser().with(topics: .single(log.items.count))
            let split = try Split(sorted, horizon: 7 * 86_400 * EventLog.second)
            let task = ReturnTask(InterestTask(Histories(sorted, trainEnd: split.trainEnd), split: split, seed: 1))
            let model = try ReturnTraining(
                task, model: TrainingTests.model("mlp"), training: TrainingTests.options(epochs: 1)
            ).run()
            #expect(model.description.hours == nil && model.stateSchema.hours == nil)
        }

        @Test("a clock is turned back to the time at which it shows something")
        func inverse() {
            var shares = [Float](repeating: 0.004, count: 24)
            (shares[8], shares[21]) = (0.3, 0.612)
            for touch in [0.0, 12_345, 1.7e9 + 50_000] {
                let clock = ReturnClock(
                    DailyRhythm(shares: shares), touch: touch, horizon: 7 * 86_400, pause: 1 / 336)
                for time in [1e-4, 0.01, 0.13, 0.5, 1, 7.3] {
                    for share in [0.0, 0.4, 0.97] {
                        #expect(abs(clock.time(clock.counted(time, share), share) - time) < 1e-6)
                    }
                }
                // Whole days count days from the visit's end on, and within it all time counts.
                #expect(abs(clock.own(1 / 336 + 2 / 7.0) - 1 / 336 - 2 / 7.0) < 1e-9)
                #expect(clock.own(1 / 400) == 1 / 400 && clock.speed(1 / 400) == 1)
                // How fast time passes is the slope of what has passed.
                let slope = (clock.own(0.3 + 1e-7) - clock.own(0.3 - 1e-7)) / 2e-7
                #expect(abs(clock.speed(0.3) - slope) < 1e-3 * slope)
            }
        }
    }

    @Suite("Models without a part")
    struct ModelPartTests {
        init() throws { try Runtime.setThreads(1) }

        private func curves(_ without: Set<ModelPart>, _ task: InterestTask) throws -> (ModelBundle, [InterestCurve]) {
            var run = try InterestTraining(
                task, model: TrainingTests.model("wane"), training: TrainingTests.options(epochs: 2))
            run.ablation.without = without
            let bundle = try StandAloneTests.reread(run.run())
            let queries = try task.queries(.test, count: 300, seed: 3)
            return (bundle, try QueryPredictor(bundle, of: task.histories).curves(queries))
        }

        @Test("what is left out is not there, and nothing else is")
        func leftOut() throws {
            let task = try Small.task(users: 100)
            let (whole, wholeCurves) = try curves([], task)
            #expect(whole.description.halfLives?.hours != nil && whole.description.training.settings["without"] == nil)
            #expect(wholeCurves.contains { $0.presenceFloor < 0.5 })
            #expect(Set(wholeCurves.map { $0.halfLife ?? 0 }).count > 100)

            let (still, stillCurves) = try curves([.season, .presence], task)
            #expect(still.description.halfLives?.hours == nil)
            #expect(still.description.training.settings["without"] == "presence,season")
            #expect(stillCurves.allSatisfy { $0.presenceFloor > 0.999_99 })
            #expect(Set(stillCurves.map { $0.halfLife ?? 0 }).count > 100)

            // Without what pairs have of their own, a topic has one half-life.
            let queries = try task.queries(.test, count: 300, seed: 3)
            let (_, alike) = try curves([.pairs, .fatigue, .overload, .habit, .social], task)
            for topic in Set(queries.topic) {
                let own = queries.topic.indices.filter { queries.topic[$0] == topic }.compactMap { alike[$0].halfLife }
                #expect((own.max() ?? 1) / (own.min() ?? 1) < 1.001)
            }
        }
    }
}
