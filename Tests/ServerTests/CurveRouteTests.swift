import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import TestSupport
import Testing
import WaneEvents
import WanePrediction
import WaneState

@testable import WaneServer

@Suite("Curves over HTTP")
struct CurveRouteTests {
    private struct Curve: Decodable {
        struct Point: Decodable {
            let elapsedSeconds: Double
            let interest: Double?
            let returnProbability: Double?
            let degree: Double?
        }

        let points: [Point]
        let touches: [String]
    }

    private func withEvents(_ body: @escaping @Sendable (LiveClient, TestService, LoadedModel) async throws -> Void)
        async throws
    {
        let own = try TestService()
        let model = try await own.service.registry.add(own.model())
        _ = try await own.service.append(TestService.records.filter { $0.user == "user-3" })
        try await LiveClient.with(own.server) { client in try await body(client, own, model) }
    }

    private static let path = "/v1/users/user-3/interests/topic-1/curve?at=2025-04-02T00:00:00Z"

    @Test("each point is what the library says of that time, to six digits")
    func points() async throws {
        try await withEvents { client, own, model in
            let answer = try await client.execute(uri: Self.path + "&points=57&ahead=20d&from=touch", method: .get)
            #expect(answer.status == .ok && answer.headers[.contentType] == "application/json")
            let curve = try Reply.decoder.decode(Curve.self, from: Data(answer.body.readableBytesView))
            let moment = try #require(TimeFormat.moment("2025-04-02T00:00:00Z"))
            let view = try await own.service.person("user-3", .interest, at: moment).view
            let known = try #require(try view.interests(at: moment, topic: "topic-1", of: model).first).curve
            #expect(curve.points.count == 57 && !curve.touches.isEmpty)
            let since = known.elapsedSinceTopic
            for (step, point) in curve.points.enumerated() {
                let after = (since + 20 * 86_400) * Double(step) / 56
                let then = known.seen(after: -since)
                func isNear(_ a: Double?, _ b: Double) -> Bool { a.map { abs($0 - b) <= 1e-5 * abs(b) } ?? false }
                #expect(abs(point.elapsedSeconds - (after - since)) <= 1e-5 * max(1, abs(after - since)))
                #expect(isNear(point.interest, then.interest(after: after)))
                #expect(isNear(point.returnProbability, then.returnProbability(after: after)))
                #expect(isNear(point.degree, then.degree(after: after)))
            }
        }
    }

    @Test("an answer that one has is not sent again, and one that has changed is")
    func tags() async throws {
        try await withEvents { client, own, _ in
            let first = try await client.execute(uri: Self.path, method: .get)
            let tag = try #require(first.headers[.eTag])
            #expect(first.headers[.cacheControl] == "private, no-cache")
            for known in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
                let again = try await client.execute(uri: Self.path, method: .get, headers: [.ifNoneMatch: known])
                #expect(again.status == .notModified && again.body.readableBytes == 0 && again.headers[.eTag] == tag)
            }
            let other = try await client.execute(uri: Self.path, method: .get, headers: [.ifNoneMatch: "\"other\""])
            #expect(other.status == .ok && other.body == first.body)
            let later = EventRecord(
                user: "user-3", time: try #require(TimeFormat.moment("2025-04-01T20:00:00Z")), item: "page-1-0",
                topics: ["topic-1"], duration: 30)
            _ = try await own.service.append([later])
            let changed = try await client.execute(uri: Self.path, method: .get, headers: [.ifNoneMatch: tag])
            #expect(changed.status == .ok && changed.headers[.eTag] != tag)
            // Problems are no answers.
            let none = try await client.execute(
                uri: "/v1/users/user-3/interests/nothing/curve", method: .get, headers: [.ifNoneMatch: "*"])
            #expect(none.status == .notFound)
        }
    }

    @Test("rows that write themselves are what an encoder makes of them, whatever is in names")
    func rows() throws {
        struct Row: Codable, Equatable {
            let item: String
            let rank: Int
            let score: Double?
            let topics: [String]
        }
        for name in ["plain", "a \"b\" \\ c", "line\nfeed\ttab\u{0}\u{1f}", "emoji 🦆 / é", ""] {
            for score in [nil, 0.125, -3e-7] as [Double?] {
                let row = RecommendationsAnswer.Row(rank: 3, item: name, score: score, topics: [name, "other"])
                var text: [UInt8] = []
                row.write(to: &text)
                let read = try JSONDecoder().decode(Row.self, from: Data(text))
                #expect(read == Row(item: name, rank: 3, score: score, topics: [name, "other"]))
            }
        }
    }

    @Test("numbers have six digits, as C writes them, and what is none is null")
    func numbers() {
        var generator = SeededGenerator(seed: 12)
        for _ in 0..<2_000 {
            let number = (generator.uniform() - 0.5) * pow(10, generator.uniform() * 40 - 20)
            let text = String(format: "%.6g", number)
            var bytes: [UInt8] = []
            ShortNumber(number).write(to: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == text && ShortNumber(number).value == Double(text))
        }
        for number in [Double.nan, .infinity, -.infinity] {
            var bytes: [UInt8] = []
            ShortNumber(number).write(to: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == "null" && short(number) == nil)
        }
    }
}
