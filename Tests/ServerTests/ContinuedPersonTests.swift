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
            duration: draw(5) == 0 ? nil : Double(draw(60)), type: kind == 19 ? "impression" : kind == 18 ? "view" : nil
        )
    }

    @Test(
        "a person who is held and gets events is read as one of whom all is read anew, whatever comes in whatever order",
        arguments: ["mlp", "gru", "wane"])
    func sameAsAnew(family: String) async throws {
        let own = try TestService()
        let model = try await own.service.registry.add(own.model(family))
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
        #expect(counts.continued > 15 && counts.misses > 5, "\(counts)")
    }

    @Test("requests that ask while events come never see a person without what had a receipt before they asked")
    func whileEventsCome() async throws {
        let own = try TestService()
        _ = try await own.service.registry.add(own.model())
        let service = own.service
        let begin = TestService.start
        func record(_ user: Int, _ number: Int) -> EventRecord {
            EventRecord(
                user: "busy-\(user)", time: begin + Int64(number) * EventLog.second, item: "page-0-0",
                topics: ["topic-0"])
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for user in 0..<4 {
                group.addTask {
                    for number in 0..<60 {
                        _ = try await service.append([record(user, number)])
                        let asked = try await withThrowingTaskGroup(of: Int.self) { askers in
                            for _ in 0..<3 {
                                askers.addTask {
                                    try await service.person("busy-\(user)", .interest, at: .max).view.asked.log.count
                                }
                            }
                            return try await askers.reduce(into: [Int]()) { $0.append($1) }
                        }
                        #expect(asked == [number + 1, number + 1, number + 1])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(service.cacheCounts.continued > 50)
    }
}
