import Foundation
import Testing
import Torch
import WaneBundle
import WaneCurves
import WaneEvents
import WaneExplanation
import WaneModels
import WanePrediction
import WaneSimulation
import WaneTasks

@testable import WaneTraining

extension UsingTorch {
    @Suite("Explanations")
    struct ExplanationTests {
        private static func task() throws -> (task: InterestTask, log: EventLog, friends: SocialEdges) {
            var options = Scenario.Options()
            (options.users, options.days, options.seed, options.effect) = (80, 100, 4, 2)
            let result = CausedLog(options, mechanism: .rate)
            let friends = SocialEdges(
                result.scenario.people.map { $0.friends.map { SocialEdges.Friend(user: UInt32($0)) } })
            let log = result.log.sortedByUser()
            let split = try Split(log)
            let task = InterestTask(Histories(log, trainEnd: split.trainEnd), split: split, seed: 7)
            return (task.knowing(friends), log, friends)
        }

        private static func trained(_ task: InterestTask) throws -> ModelBundle {
            try InterestTraining(task, model: TrainingTests.model("wane"), training: TrainingTests.options(epochs: 1))
                .run()
        }

        @Test(
            "the half-life is the base times all multipliers; a log's batch, a person's state and live events agree, friends included"
        )
        func paths() throws {
            let (task, log, friends) = try Self.task()
            let bundle = try Self.trained(task)
            let asked = try AskedLog(log, for: bundle).knowing(friends, scale: bundle.scale)
            let explainer = try Explainer(Predictor(bundle))
            let queries = try task.queries(.test, count: 200, seed: 3)
            let curves = try QueryPredictor(bundle, of: task.histories).curves(queries)
            // Topics in the asked log have the model's numbers.
            let questions = (0..<queries.count).map { row in
                LogQuestion(
                    user: Int(asked.log.users.find(log.users[Int(queries.user[row])]) ?? 0),
                    topic: asked.log.topics.names.find(log.topics.names[Int(queries.topic[row])]) ?? 0,
                    moment: queries.moment[row])
            }
            var friendly = 0
            for ((curve, found), question) in zip(zip(curves, try explainer.explain(questions, in: asked)), questions) {
                let explanation = try #require(found)
                let product = Cause.allCases.reduce(1.0) { $0 * explanation.multiplier($1).value }
                if let half = explanation.curve.halfLife, let base = explanation.baseHalfLife,
                    let batch = curve.halfLife
                {
                    #expect(abs(base * product / half - 1) < 1e-4)
                    #expect(abs(batch / half - 1) < 1e-3)
                }
                if explanation.effects.measures.values[.social] != 0 { friendly += 1 }
                for cause in explanation.notShown { #expect(explanation.credited(cause) == 1) }
                if let main = explanation.mainCause { #expect(!explanation.notShown.contains(main)) }
                guard question.user < 3 else { continue }
                var live = LivePerson(explainer.predictor, in: asked)
                for index in asked.events(ofUser: question.user) where asked.log.time[index] <= question.moment {
                    let time = asked.log.time[index]
                    try live.apply(asked.event(index), topics: asked.log.topics[asked.log.item[index]]) {
                        asked.friends?.measure(question.user, $0, at: time) ?? 0
                    }
                }
                let other = try live.curves([question.topic], at: question.moment)[0].curve
                #expect(other.halfLife == explanation.curve.halfLife)
            }
            #expect(friendly > 20)
        }

        @Test("what comes later changes no explanation: own events, friends' events, others'")
        func nothingLater() throws {
            let (task, log, friends) = try Self.task()
            let bundle = try Self.trained(task)
            let moment = task.split.validationEnd
            let kept = log.time.indices.filter { log.time[$0] <= moment }
            let cut = EventLog(
                users: log.users, items: log.items, user: Column(kept.map { log.user[$0] }),
                item: Column(kept.map { log.item[$0] }), time: Column(kept.map { log.time[$0] }),
                duration: log.duration.map { duration in Column(kept.map { duration[$0] }) }, topics: log.topics)
            func explained(_ log: EventLog) throws -> [[Double?]] {
                let asked = try AskedLog(log, for: bundle).knowing(friends, scale: bundle.scale)
                let questions = (0..<40).flatMap { user in
                    (0..<asked.log.topics.count).map { LogQuestion(user: user, topic: UInt32($0), moment: moment) }
                }
                return try Explainer(Predictor(bundle)).explain(questions, in: asked).map { found in
                    guard let found else { return [] }
                    return [found.curve.halfLife] + Cause.allCases.map { found.multiplier($0).value }
                }
            }
            let (all, early) = (try explained(log), try explained(cut))
            #expect(all == early && all.contains { !$0.isEmpty })
        }

        @Test("a folder keeps what causes are measured with; one that lacks it, or has it out of range, is refused")
        func folder() throws {
            let (task, _, _) = try Self.task()
            let bundle = try Self.trained(task)
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wane-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let path = folder.path
            try BundleFolder.write(bundle, metrics: Data("{}".utf8), card: "", to: path)
            let read = try BundleFolder.read(path, for: [.interest])
            #expect(read.description.causes == bundle.description.causes)
            let file = folder.appendingPathComponent("model.json")
            let text = try String(contentsOf: file, encoding: .utf8)
            for (old, new) in [("\"temper\" : ", "\"temper\" : 0.1"), ("\"inflow\" : ", "\"inflow\" : -1")] {
                let start = try #require(text.range(of: old))
                let end = try #require(text[start.upperBound...].firstIndex { $0 == "," || $0 == "\n" })
                let broken = text.replacingCharacters(in: start.lowerBound..<end, with: new)
                try broken.write(to: file, atomically: true, encoding: .utf8)
                #expect(throws: BundleFolderError.self) { try BundleFolder.read(path, for: [.interest]) }
            }
        }
    }
}
