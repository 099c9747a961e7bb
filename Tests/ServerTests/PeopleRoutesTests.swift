import Foundation
import Hummingbird
import TestSupport
import Testing
import WaneBundle
import WaneEvents
import WanePrediction

@testable import WaneServer

@Suite("All people over HTTP", .serialized, .usesTorch)
struct PeopleRoutesTests {
    private struct Topics: Decodable {
        struct Row: Decodable, Equatable {
            let topic: String, people: Int, halfLifeSeconds: Double?, interestedNow: Int, lapsing: Int
            let trendPerPeriod: Double?
        }
        let at: String, people: Int
        let topics: [Row]
    }
    private struct Lapsing: Decodable {
        struct Row: Decodable, Hashable { let user: String, topic: String, lapseAt: String, returnProbability: Double }
        let count: Int
        let lapsing: [Row]
        let next: String?
    }
    private struct Users: Decodable { let users: [String], next: String? }
    private static let at = "2025-03-20T00:00:00Z"

    @Test("topics are those of the library on all events, and nothing later is read")
    func topics() async throws {
        let own = try TestService()
        let model = try await own.service.registry.add(try own.model())
        _ = try await own.service.append(TestService.records)
        let moment = try #require(TimeFormat.moment(Self.at))
        let log = try AskedLog(
            EventLog(TestService.records, reading: model.bundle.reading), for: model.bundle, isPart: true)
        let expected = try model.predictor.topicSummaries(log, at: moment)
        try await LiveClient.with(own.server) { client in
            let found: Topics = try await client.get("/v1/topics?at=\(Self.at)").json()
            #expect(found.people == 40 && found.at == Self.at)
            #expect(found.topics.map(\.topic) == expected.map(\.topic) && expected.count == 3)
            for (row, own) in zip(found.topics, expected) {
                #expect(
                    row.people == own.people && row.interestedNow == own.interestedNow && row.lapsing == own.lapsing)
                #expect(row.halfLifeSeconds == own.halfLife.flatMap { Double(String(format: "%.6g", $0)) })
                #expect(row.trendPerPeriod == own.trendPerPeriod.flatMap { Double(String(format: "%.6g", $0)) })
            }
            let first: Topics = try await client.get("/v1/topics?at=\(Self.at)&top=1").json()
            #expect(first.topics == Array(found.topics.prefix(1)))
        }
        // The same moment where nothing after it was ever stored.
        let other = try TestService()
        _ = try await other.service.registry.add(try own.model())
        _ = try await other.service.append(TestService.records.filter { $0.time <= moment })
        try await LiveClient.with(own.server) { client in
            let all = try await client.get("/v1/topics?at=\(Self.at)").body
            try await LiveClient.with(other.server) { client in
                let again = try await client.get("/v1/topics?at=\(Self.at)").body
                #expect(again == all)
            }
        }
    }

    @Test("whose interest lapses within a time: all of them, the soonest first, page after page")
    func lapsing() async throws {
        let own = try TestService()
        let model = try await own.service.registry.add(try own.model())
        _ = try await own.service.append(TestService.records)
        let moment = try #require(TimeFormat.moment(Self.at))
        let log = try AskedLog(
            EventLog(TestService.records, reading: model.bundle.reading), for: model.bundle, isPart: true)
        var survey = try TopicSurvey(model.predictor, at: moment)
        var pairs: [InterestedPair] = []
        try survey.add(log, each: { pairs.append($0) })
        let expected = Set(pairs.filter { ($0.lapse ?? .infinity) <= 3_650 * 86_400 }.map { $0.user + " " + $0.topic })
        #expect(expected.count > 5, "\(pairs.prefix(3))")
        let some = expected.count
        try await LiveClient.with(own.server) { client in
            var (rows, next): ([Lapsing.Row], String?) = ([], nil)
            repeat {
                let cursor = next.map { "&cursor=\($0)" } ?? ""
                let page: Lapsing = try await client.get("/v1/users?lapsing=3650d&at=\(Self.at)&n=3\(cursor)").json()
                #expect(page.count == some && page.lapsing.count <= 3)
                rows += page.lapsing
                next = page.next
            } while next != nil
            #expect(Set(rows.map { $0.user + " " + $0.topic }) == expected && rows.count == expected.count)
            #expect(rows.map(\.lapseAt) == rows.map(\.lapseAt).sorted())
            let one: Lapsing = try await client.get("/v1/users?lapsing=3650d&at=\(Self.at)&topic=topic-1").json()
            #expect(Set(one.lapsing) == Set(rows.filter { $0.topic == "topic-1" }))
            for (path, status) in [
                ("lapsing=0d", 400), ("lapsing=x", 400), ("topic=topic-1", 400), ("lapsing=1d&prefix=a", 400),
                ("lapsing=1d&cursor=1.2.3", 400), ("lapsing=1d&cursor=5.0", 410), ("cursor=%25", 400),
                ("lapsing=1d&topic=no-such", 404), ("n=0", 400), ("at=\(Self.at)", 400),
            ] {
                let found = try await client.get("/v1/users?\(path)").status.code
                #expect(found == status, "\(path)")
            }
        }
    }

    @Test("people are listed by how their names begin, page after page, each once")
    func list() async throws {
        let own = try TestService()
        _ = try await own.service.append(TestService.records)
        let names = Set(TestService.records.map(\.user))
        try await LiveClient.with(own.server) { client in
            for (prefix, n) in [("", 7), ("user-1", 3), ("user-3", 100), ("nobody", 5)] {
                var (found, next): ([String], String?) = ([], nil)
                repeat {
                    let cursor = next.map {
                        "&cursor=" + ($0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
                    }
                    let page: Users = try await client.get("/v1/users?prefix=\(prefix)&n=\(n)\(cursor ?? "")").json()
                    #expect(page.users.count <= n)
                    found += page.users
                    next = page.next
                } while next != nil
                #expect(found == names.filter { $0.hasPrefix(prefix) }.sorted(), "\(prefix)")
            }
        }
    }

    @Test("who is erased is in no list any more, and people of whom nothing was stored hide nobody")
    func erased() async throws {
        let own = try TestService()
        _ = try await own.service.registry.add(try own.model())
        _ = try await own.service.append(TestService.records)
        var taken = TestService.records[0]
        taken.id = "taken"
        _ = try await own.service.append([taken])
        let conflicts = (0..<150).map {
            EventRecord(id: "taken", user: "!\($0)", time: TestService.records[0].time, item: "p")
        }
        #expect(try await own.service.append(conflicts).allSatisfy { $0 == .conflict })
        try await LiveClient.with(own.server) { client in
            let path = "/v1/users?lapsing=3650d&at=\(Self.at)&n=1000"
            let all: Lapsing = try await client.get(path).json()
            let person = try #require(all.lapsing.first?.user)
            let topics: Topics = try await client.get("/v1/topics?at=\(Self.at)").json()
            #expect(topics.people == 40)
            #expect(try await client.execute(uri: "/v1/users/\(person)", method: .delete).status == .ok)
            let rest: Lapsing = try await client.get(path).json()
            #expect(!rest.lapsing.contains { $0.user == person } && !rest.lapsing.isEmpty)
            let fewer: Topics = try await client.get("/v1/topics?at=\(Self.at)").json()
            #expect(fewer.people == 39)
        }
    }
}
