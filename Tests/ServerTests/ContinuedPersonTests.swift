import Foundation
import TestSupport
import Testing
import WaneEvents
import WanePrediction
import WaneStore

@testable import WaneServer

@Suite("People who are held while events come", .serialized, .usesTorch)
struct ContinuedPersonTests {
    /// All that a view says, to the last digit.
    private func answers(_ view: PersonView, _ model: LoadedModel, at moment: Int64) throws -> [String] {
        var said = ["\(view.lastTime) \(view.lastStored)"]
        for interest in try view.interests(at: moment, topic: nil, of: model, explained: true) {
            let curve = interest.curve
            let causes = interest.explanation.map { "\($0)" } ?? ""
            said.append(
                "\(interest.topic) \(interest.basis) \(curve.rate) \(curve.timeScale) \(curve.presenceHalfLife) "
                    + "\(curve.returns(after: 3_600)) \(curve.logSpread) \(causes)")
            if interest.basis == .history {
                said.append("\(try view.touches(of: interest.topic))")
                said.append("\(try view.counterfactuals(interest.topic, at: moment, of: model))")
            }
        }
        said.append("\(view.asked.itemNames(ofUser: 0, until: moment).sorted())")
        said.append("\(view.asked.coverage)")
        return said
    }

    /// An event of a person some time after another: of what the model knows, of what is new to it, under new topics, shown only.
    private func event(_ user: String, after time: Int64, _ generator: inout SeededGenerator) -> EventRecord {
        func draw(_ count: Int) -> Int { Int(generator.uniform() * Double(count)) }
        // Rarely at the same moment, or before.
        let step = [0, -40_000, 1, 30, 600, 5_000, 90_000, 300_000][generator.uniform() < 0.06 ? draw(2) : 2 + draw(6)]
        let topic = draw(3)
        let kind = draw(20)
        let item = kind < 14 ? "page-\(topic)-\(draw(4))" : "new-\(topic)-\(draw(6))"
        return EventRecord(
            user: user, time: time + Int64(step) * EventLog.second, item: item,
            topics: kind == 15 ? [] : kind == 16 ? ["topic-new-\(draw(2))"] : ["topic-\(kind == 17 ? draw(3) : topic)"],
            duration: draw(5) == 0 ? nil : Double(draw(60)),
            type: kind == 19 && (user.hasSuffix("0") || user.hasSuffix("1"))
                ? "impression" : kind > 15 ? (kind == 17 ? "purchase" : "view") : nil,
            weight: kind == 16 && draw(3) == 0 ? Double(draw(3)) : nil)
    }

    @Test(
        "a person who is held and gets events is read as one of whom all is read anew, whatever comes in whatever order",
        arguments: [("mlp", false), ("gru", false), ("wane", false), ("mlp", true)])
    func sameAsAnew(family: String, weighs: Bool) async throws {
        let own = try TestService()
        let model = try await own.service.registry.add(own.model(family, weighs: weighs))
        #expect(model.bundle.reading.eventWeights.isEmpty != weighs)
        var generator = SeededGenerator(seed: 5)
        let users = (0..<6).map { "newcomer-\($0)" } + ["user-3"]
        var last = Dictionary(uniqueKeysWithValues: users.map { ($0, TestService.start) })
        for round in 0..<120 {
            let user = users[Int(generator.uniform() * Double(users.count))]
            var batch: [EventRecord] = []
            for _ in 0...Int(generator.uniform() * 4) {
                let next = event(user, after: last[user] ?? 0, &generator)
                last[user] = max(last[user] ?? 0, next.time)
                batch.append(next)
            }
            // The first again: it is stored once.
            if generator.uniform() < 0.1, let first = batch.first {
                var same = first
                same.id = "same-\(round)"
                batch = [same, same] + batch.dropFirst()
            }
            _ = try await own.service.append(batch.shuffled(using: &generator))
            guard generator.uniform() < 0.7 else { continue }
            let moment = (last[user] ?? 0) + 86_400 * EventLog.second
            let held = try await own.service.person(user, .interest, at: moment).view
            let anew = try PersonView(user, try await own.store.events(of: user), for: model)
            #expect(try answers(held, model, at: moment) == answers(anew, model, at: moment), "round \(round)")
        }
        let counts = own.service.cacheCounts
        #expect(counts.continued > (weighs ? 0 : 10) && counts.misses > 5, "\(counts)")
    }

    @Test("who asks while events come and others are erased sees all that had a receipt before, and nobody who is gone")
    func whileEventsCome() async throws {
        let own = try TestService()
        _ = try await own.service.registry.add(own.model())
        let service = own.service
        let begin = TestService.start
        func record(_ user: String, _ number: Int) -> EventRecord {
            EventRecord(
                user: user, time: begin + Int64(number) * EventLog.second, item: "page-0-0", topics: ["topic-0"])
        }
        func count(_ user: String) async throws -> Int {
            try await service.person(user, .interest, at: .max).view.asked.log.count
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for user in (0..<3).map({ "busy-\($0)" }) {
                let acknowledged = LastValue()
                group.addTask {
                    for number in 0..<120 {
                        _ = try await service.append([record(user, number)])
                        acknowledged.store(Double(number + 1))
                    }
                }
                for _ in 0..<2 {
                    group.addTask {
                        while acknowledged.value < 120 {
                            let before = Int(acknowledged.value)
                            let seen = try await count(user)
                            #expect(seen >= before && seen <= 120)
                            // Who asks without a pause would leave no thread to those who store.
                            try await Task.sleep(for: .microseconds(100))
                        }
                        #expect(try await count(user) == 120)
                    }
                }
            }
            group.addTask {
                for round in 0..<15 {
                    for number in 0..<4 { _ = try await service.append([record("gone", round * 10 + number)]) }
                    #expect(try await count("gone") == 4)
                    _ = try await service.erase(user: "gone")
                    #expect(try await count("gone") == 0)
                }
            }
            try await group.waitForAll()
        }
        #expect(service.cacheCounts.continued > 20)
    }
}
