import Foundation
import Hummingbird
import WaneBundle
import WaneEvents
import WanePrediction
import WaneStore

/// What is to be said of all people: topics, and whom to win back.
struct PeopleRoutes {
    let service: InterestService

    private static let at = RouteParameter(
        name: "at",
        summary:
            "the moment; lately when absent: a minute ago, or ten times as long as a look over all takes. Nothing later is read."
    )

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/v1/topics", access: .key(.read),
                summary:
                    "Each topic over all people: half-lives, who is interested, who is about to go, the main cause.",
                parameters: [
                    Self.at, RouteParameter(name: "top", summary: "those with most interested people", isInteger: true),
                ],
                handler: topics),
            Route(
                method: .get, path: "/v1/users", access: .key(.read),
                summary:
                    "People by name; with lapsing, whose interest in what is about to lapse, the soonest first, and why.",
                parameters: [
                    RouteParameter(name: "lapsing", summary: "within which time, such as 7d"),
                    RouteParameter(name: "topic", summary: "with lapsing: one topic alone"),
                    RouteParameter(name: "at", summary: "with lapsing: the moment; lately when absent"),
                    RouteParameter(name: "prefix", summary: "without lapsing: how names begin"),
                    RouteParameter(name: "n", summary: "how many, 100 when absent", isInteger: true),
                    RouteParameter(name: "cursor", summary: "the next of the answer before"),
                ], handler: users),
        ]
    }

    // MARK: Topics

    private struct TopicsAnswer: Encodable {
        struct Row: Encodable {
            let topic: String
            let people: Int
            @OrNull var halfLifeSeconds: Double?
            @OrNull var halfLifeLowSeconds: Double?
            @OrNull var halfLifeHighSeconds: Double?
            let halfLifeBound: String
            let interestedNow: Int
            @OrNull var trendPerPeriod: Double?
            let lapsing: Int
            @OrNull var mainCause: String?
        }
        let at: String
        let people: Int
        let model: ModelName
        let horizonSeconds: Double
        let topics: [Row]
    }

    private func model() throws -> LoadedModel {
        let model = try service.registry.model(.interest)
        guard model.bundle.hasCurves else { throw PredictionError.noCurves(family: model.bundle.description.family) }
        return model
    }

    @Sendable private func topics(_ call: Call) async throws -> Response {
        let model = try model()
        let at = try call.moment("at")
        let top = try call.query("top") == nil ? nil : call.count("top", default: 1, most: 100_000)
        let survey = try await service.surveys.survey(at: at, of: model)
        let rows = survey.topics.prefix(top ?? survey.topics.count).map { own in
            TopicsAnswer.Row(
                topic: own.topic, people: own.people, halfLifeSeconds: short(own.halfLife),
                halfLifeLowSeconds: short(own.halfLifeLow), halfLifeHighSeconds: short(own.halfLifeHigh),
                halfLifeBound: model.bundle.halfLifeBound(own.halfLife).rawValue, interestedNow: own.interestedNow,
                trendPerPeriod: short(own.trendPerPeriod), lapsing: own.lapsing, mainCause: own.mainCause?.rawValue)
        }
        return Reply.json(
            TopicsAnswer(
                at: TimeFormat.rfc3339(survey.moment), people: survey.people, model: ModelName(model),
                horizonSeconds: Double(model.bundle.description.split.horizon) / 1e6, topics: rows), of: model)
    }

    // MARK: People

    private struct LapsingAnswer: Encodable {
        struct Row: Encodable {
            let user: String
            let topic: String
            let lapseAt: String
            @OrNull var returnProbability: Double?
            @OrNull var degree: Double?
            @OrNull var halfLifeSeconds: Double?
            @OrNull var mainCause: String?
        }
        let at: String
        let model: ModelName
        /// All that there are, on all pages.
        let count: Int
        let lapsing: [Row]
        @OrNull var next: String?
    }

    private struct UsersAnswer: Encodable {
        let users: [String]
        @OrNull var next: String?
    }

    @Sendable private func users(_ call: Call) async throws -> Response {
        let count = try call.count("n", default: 100, most: 1_000)
        guard let text = try call.query("lapsing") else {
            for name in ["topic", "at"] where try call.query(name) != nil {
                throw Problem(400, "bad_query", "\(name) says something of lapsing, which is not given")
            }
            return try await list(call, count)
        }
        guard try call.query("prefix") == nil else {
            throw Problem(400, "bad_query", "prefix and lapsing: give one of them")
        }
        guard let span = TimeSpan.parse(text), span > 0, Double(span) <= SurveyDesk.farthest * 1e6 else {
            throw Problem(400, "bad_query", "lapsing=\(text.prefix(40)): give a time such as 7d, of 3650d at most")
        }
        let model = try model()
        let topic = try call.query("topic")
        let cursor = try call.query("cursor").map(LapsingCursor.init)
        let survey: PeopleSurvey
        if let cursor {
            guard let kept = await service.surveys.kept(version: model.version, moment: cursor.moment) else {
                throw Problem(410, "cursor_gone", "cursor: what it goes on from is kept no more; begin anew without it")
            }
            survey = kept
        } else {
            survey = try await service.surveys.survey(at: try call.moment("at"), of: model)
        }
        let limit = Double(span) / 1e6
        let all = survey.lapsing.filter { ($0.lapse ?? .infinity) <= limit && (topic == nil || $0.topic == topic) }
        if let topic, !survey.topics.contains(where: { $0.topic == topic }) {
            throw PredictionError.unknownTopic(topic, known: [])
        }
        let start = min(all.count, cursor?.offset ?? 0)
        let end = min(all.count, start + count)
        let rows = all[start..<end].map { pair in
            LapsingAnswer.Row(
                user: pair.user, topic: pair.topic,
                lapseAt: TimeFormat.rfc3339(survey.moment + Int64((pair.lapse ?? 0) * 1e6)),
                returnProbability: short(pair.returnProbability), degree: short(pair.degree),
                halfLifeSeconds: short(pair.halfLife), mainCause: pair.mainCause?.rawValue)
        }
        return Reply.json(
            LapsingAnswer(
                at: TimeFormat.rfc3339(survey.moment), model: ModelName(model), count: all.count, lapsing: rows,
                next: end < all.count ? LapsingCursor(moment: survey.moment, offset: end).text : nil), of: model)
    }

    private func list(_ call: Call, _ count: Int) async throws -> Response {
        let prefix = try call.query("prefix") ?? ""
        var found: [String] = []
        var after: String? = prefix
        if let cursor = try call.query("cursor") {
            guard let data = Data(base64Encoded: cursor), let name = String(data: data, encoding: .utf8) else {
                throw LapsingCursor.wrong
            }
            after = name
        } else if !prefix.isEmpty, try await !service.store.events(of: prefix).isEmpty {
            // Names come after a name: one that is the whole beginning does not.
            found.append(prefix)
        }
        let next = try await service.store.users(after: after, limit: count + 1 - found.count)
        found += next.prefix { $0.utf8.starts(with: prefix.utf8) }
        let isMore = found.count > count
        found = Array(found.prefix(count))
        return Reply.json(
            UsersAnswer(
                users: found, next: isMore ? found.last.map { Data($0.utf8).base64EncodedString() } : nil))
    }
}

/// Where an answer ended, for the next.
private struct LapsingCursor {
    let moment: Int64
    let offset: Int

    static let wrong = Problem(400, "bad_cursor", "cursor: give the next of the answer before, as it was")

    init(moment: Int64, offset: Int) { (self.moment, self.offset) = (moment, offset) }

    init(_ text: String) throws {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let moment = Int64(parts[0]), let offset = Int(parts[1]), offset >= 0 else {
            throw Self.wrong
        }
        self.init(moment: moment, offset: offset)
    }

    var text: String { "\(moment).\(offset)" }
}
