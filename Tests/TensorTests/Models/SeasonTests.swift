import Foundation
import Testing
import Torch
import WaneCurves
import WaneEvents
import WanePrediction
import WaneState
import WaneTasks
import WaneTraining

@testable import WaneModels

extension UsingTorch {
    @Suite("The hours of a person's day")
    struct SeasonTests {
        private static func rhythm(_ seed: UInt64) -> DailyRhythm {
            var generator = SeededGenerator(seed: seed)
            return DailyRhythm(
                shares: (0..<24).map { _ in Float(exp(generator.normal() * 1.5)) })
        }

        private static func parameters(_ seed: UInt64) -> [Float] {
            var generator = SeededGenerator(seed: seed)
            return InterestCurve.Parameter.allCases.map { _ in Float(generator.normal()) }
        }

        private static func curve(
            _ seed: UInt64, horizon: Double, gap: Double = 3_000, personGap: Double = 2_000, rhythm: DailyRhythm?
        ) -> InterestCurve {
            InterestCurve(
                parameters(seed), elapsedSinceTopic: gap, elapsedSinceEvent: personGap, horizon: horizon,
                visitPause: 1_800, topicSpread: 0.3, rhythm: rhythm, moment: 1.7e9 + Double(seed) * 7_777)
        }

        @Test("expected touches are the integral of the rate times how much each hour counts", arguments: 0..<20)
        func integral(seed: UInt64) {
            let (horizon, rhythm) = (21_600.0, Self.rhythm(seed))
            let curve = Self.curve(seed, horizon: horizon, rhythm: rhythm)
            let moment = 1.7e9 + Double(seed) * 7_777
            let shares = rhythm.shares.map(Double.init)
            func weight(_ time: Double) -> Double {
                24 * shares[Int(time.truncatingRemainder(dividingBy: 86_400) / 3_600)]
            }
            // Second by second, from the touch on.
            var (own, sum) = (0.0, 0.0)
            for second in -3_000..<Int(horizon) {
                let here = weight(moment + Double(second) + 0.5)
                let elapsed = own + here / 2 + InterestCurve.smallestTime * horizon
                own += here
                if second < 0 { continue }
                let left = 1 / (1 + pow(elapsed / curve.timeScale, curve.shape))
                sum += curve.rate / horizon * (curve.floor + (1 - curve.floor) * left) * here
            }
            #expect(abs(curve.expectedTouches(after: 0) / sum - 1) < 2e-3)
        }

        @Test(
            "with a horizon of whole days the chance only falls; a lapse is where it passes the level",
            arguments: 0..<50)
        func falls(seed: UInt64) throws {
            let curve = Self.curve(seed, horizon: 604_800, rhythm: Self.rhythm(seed))
            let times = stride(from: 0.0, through: 30 * 86_400, by: 1_801)
            let chances = times.map { curve.returnProbability(after: $0) }
            #expect(zip(chances, chances.dropFirst()).allSatisfy { $0 >= $1 - 1e-12 })
            #expect(curve.bestHours == curve)
            if let lapse = curve.lapse(below: chances[0] * 0.8) {
                #expect(abs(curve.returnProbability(after: lapse) - chances[0] * 0.8) < 1e-6)
            }
            // Seen from later on it is the rest of the same curve.
            #expect(
                abs(curve.seen(after: 70_000).returnProbability(after: 5e4) - curve.returnProbability(after: 1.2e5))
                    < 1e-9)
        }

        @Test("with a horizon of hours a night is no lapse, and what the best hours say only falls", arguments: 0..<50)
        func nights(seed: UInt64) throws {
            let rhythm = Self.rhythm(seed)
            let curve = Self.curve(seed, horizon: 21_600, rhythm: rhythm)
            let times = stride(from: 0.0, through: 10 * 86_400, by: 907)
            let best = times.map { curve.bestHours.returnProbability(after: $0) }
            #expect(zip(best, best.dropFirst()).allSatisfy { $0 >= $1 - 1e-12 })
            #expect(zip(times, best).allSatisfy { curve.returnProbability(after: $0) <= $1 + 1e-12 })
            // Some hour of each day comes near it.
            let peak = (0..<96).map { curve.returnProbability(after: Double($0) * 900) }.max() ?? 0
            #expect(peak > 0.5 * curve.bestHours.returnProbability(after: 86_400))
            let level = best[0] * 0.7
            guard let lapse = curve.lapse(below: level) else { return }
            #expect(lapse > 0)
            #expect(
                stride(from: lapse + 1, to: lapse + 2 * 86_400, by: 601).allSatisfy {
                    curve.returnProbability(after: $0) < level
                })
            // The hour at which one asks does not move it.
            for elapsed in [3_600.0, 20_000, 50_000] where elapsed < lapse {
                let later = try #require(curve.seen(after: elapsed).lapse(below: level))
                #expect(abs(later + elapsed - lapse) < 1e-3 * lapse + 1)
            }
        }

        @Test("the tensors of training and the curve say the same", arguments: 0..<20)
        func agree(seed: UInt64) throws {
            let (horizon, gap, personGap) = (Int64(21_600), Float(40_000), Float(9_000))
            let moment = 1_700_000_000 + Int64(seed) * 7_777
            let width = FeatureSchema.lastEventCount
            let tensors = try QueryTensors(
                features: [Float](repeating: 0, count: width), topics: [0], elapsedSinceTopic: [gap],
                elapsedSinceEvent: [personGap], hours: Self.rhythm(seed).shares, moments: [moment * EventLog.second],
                scaling: FeatureScaling([Float](repeating: 0, count: width)), horizon: horizon * EventLog.second)
            let parameters = Self.parameters(seed)
            let curves = try DecayHead.Curves(
                Tensor(parameters, shape: [1, parameters.count]), logOwnSinceTopic: tensors.logOwnSinceTopic,
                logElapsedSinceEvent: tensors.logElapsedSinceEvent, visitPause: 1_800 / Double(horizon))
            let touches = try curves.expectedTouches(within: tensors.ownHorizon)
            let chance = try curves.returnProbability(touches, within: Tensor([Float(1)]))
            let curve = InterestCurve(
                parameters, elapsedSinceTopic: Double(gap), elapsedSinceEvent: Double(personGap),
                horizon: Double(horizon), visitPause: 1_800, topicSpread: 0.3, rhythm: Self.rhythm(seed),
                moment: Double(moment))
            #expect(abs(try chance.item() - curve.returnProbability(after: 0)) < 2e-5)
        }

        /// People who come some three times a day, at any time of four hours of their own.
        private static func log() -> (log: EventLog, hour: [Int]) {
            var generator = SeededGenerator(seed: 5)
            let start = Int64(1_700_006_400)
            var rows: [(user: UInt32, time: Int64)] = []
            var hour: [Int] = []
            for user in 0..<60 {
                hour.append(Int(generator.uniform() * 24))
                for day in 0..<60 {
                    for _ in 0..<6 where generator.uniform() < 0.5 {
                        let second = Int64((Double(hour[user]) + 4 * generator.uniform()) * 3_600)
                        rows.append((UInt32(user), (start + Int64(day) * 86_400 + second) * EventLog.second))
                    }
                }
            }
            return (
                EventLog(
                    users: Vocabulary((0..<60).map { "u\($0)" }), items: Vocabulary(["page"]),
                    user: Column(rows.map(\.user)), item: Column(rows.map { _ in 0 }), time: Column(rows.map(\.time)),
                    topics: .single(1)), hour
            )
        }

        @Test(
            "within hours people are expected at their own, by a batch and by a state alike; later events change nothing"
        )
        func ownHours() throws {
            let (log, hour) = Self.log()
            let sorted = log.sortedByUser()
            let split = try Split(sorted, horizon: 6 * 3_600 * EventLog.second)
            let task = InterestTask(Histories(sorted, trainEnd: split.trainEnd), split: split, seed: 3)
            let bundle = try InterestTraining(
                task, model: TrainingTests.model("mlp"), training: TrainingTests.options(epochs: 4)
            ).run()
            #expect(bundle.description.halfLives?.hours?.count == 24)
            let asked = try AskedLog(log, for: bundle)
            let predictor = Predictor(bundle)
            func chances(_ asked: AskedLog, after hours: Int) throws -> [Double] {
                let questions = (0..<60).map { user -> LogQuestion in
                    let day = split.validationEnd / (86_400 * EventLog.second)
                    let at = day * 86_400 + Int64(hour[user] + hours) * 3_600
                    return LogQuestion(
                        user: Int(asked.log.users.find("u\(user)") ?? 0), topic: 0, moment: at * EventLog.second)
                }
                return try predictor.answers(questions, in: asked) { part in
                    try predictor.curves(part.questions, of: part.states, in: asked).map {
                        $0.curve.returnProbability(after: 0)
                    }
                }.map { $0 ?? .nan }
            }
            func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
            // An hour before theirs and an hour after: nearly all of them and nobody comes within six hours.
            let (before, after) = (try chances(asked, after: -1), try chances(asked, after: 5))
            #expect(mean(before) > 0.75 && mean(after) < 0.25, "\(mean(before)), \(mean(after))")
            // A batch and states agree.
            let queries = try task.queries(.test, count: 100, seed: 1)
            let batch = try QueryPredictor(bundle, of: task.histories).predict(queries).returnProbability
            let one = try predictor.answers(
                (0..<queries.count).map { row in
                    let name = task.histories.log.users[Int(queries.user[row])]
                    return LogQuestion(
                        user: Int(asked.log.users.find(name) ?? 0), topic: 0, moment: queries.moment[row])
                },
                in: asked
            ) { part in
                try predictor.curves(part.questions, of: part.states, in: asked).map {
                    $0.curve.returnProbability(after: 0)
                }
            }
            for (a, b) in zip(batch, one) { #expect(abs(a - (b ?? .nan)) < 2e-4) }
            // What comes later is not read.
            let end = split.validationEnd + 12 * 3_600 * EventLog.second
            let kept = log.time.indices.filter { log.time[$0] <= end }
            let cut = EventLog(
                users: log.users, items: log.items, user: Column(kept.map { log.user[$0] }),
                item: Column(kept.map { log.item[$0] }), time: Column(kept.map { log.time[$0] }), topics: log.topics)
            #expect(try chances(AskedLog(cut, for: bundle), after: -15) == chances(asked, after: -15))
        }
    }
}
