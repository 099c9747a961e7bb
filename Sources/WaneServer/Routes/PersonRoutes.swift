import Foundation
import Hummingbird
import WaneBundle
import WaneCurves
import WaneEvents
import WaneExplanation
import WaneModels
import WaneState
import WaneTasks

/// What is asked about one person.
struct PersonRoutes {
    let service: InterestService

    private static let at = RouteParameter(name: "at", summary: "the moment; now when absent. Nothing later is read.")
    private static let topic = RouteParameter(name: "topic", summary: "one topic alone")

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/v1/users/{user}/interests", access: .key(.read),
                summary: "How much: each topic with its degree, chance of a return, half-life and lapse.",
                parameters: [
                    Self.at, Self.topic,
                    RouteParameter(name: "top", summary: "the likeliest returns alone", isInteger: true),
                ],
                handler: interests),
            Route(
                method: .get, path: "/v1/users/{user}/interests/{topic}/curve", access: .key(.read),
                summary: "How interest goes on while nothing happens.",
                parameters: [
                    Self.at,
                    RouteParameter(name: "ahead", summary: "how far, such as 30d; four half-lives when absent"),
                    RouteParameter(name: "points", summary: "how many, 100 when absent", isInteger: true),
                    RouteParameter(
                        name: "from", summary: "where it begins: at, or touch for the last touch; at when absent"),
                ], handler: curve),
            Route(
                method: .get, path: "/v1/users/{user}/interests/{topic}/explanation", access: .key(.read),
                summary:
                    "Why: causes with their multipliers and evidence, and what would be had things been otherwise.",
                parameters: [Self.at], handler: explanation),
            Route(
                method: .get, path: "/v1/users/{user}/returns", access: .key(.read),
                summary: "When a person comes back to each topic.", parameters: [Self.at, Self.topic], handler: returns),
            Route(
                method: .get, path: "/v1/users/{user}/recommendations", access: .key(.read),
                summary: "What next: the best items.",
                parameters: [
                    Self.at, RouteParameter(name: "n", summary: "how many, 10 when absent", isInteger: true),
                    RouteParameter(
                        name: "seen",
                        summary: "whether items already met are listed: kept or excluded; as in training when absent"),
                ], handler: recommendations),
            Route(
                method: .post, path: "/v1/rank", access: .key(.read),
                summary: "Ranks a list of items for a person: {\"user\": ..., \"items\": [...], \"at\": ...}.",
                bodies: ["application/json"], handler: rank),
            Route(
                method: .get, path: "/v1/users/{user}/export", access: .key(.admin),
                summary: "All that is stored of a person, one event a line.", handler: export),
            Route(
                method: .delete, path: "/v1/users/{user}", access: .key(.admin),
                summary: "Removes a person and all their events.", handler: erase),
        ]
    }

    private func timed(_ kind: String, _ body: () throws -> Response) rethrows -> Response {
        let start = ContinuousClock.now
        let response = try body()
        service.metrics.measure(
            "wane_predict_duration_seconds", "kind=\"\(kind)\"", seconds: start.duration(to: .now).inSeconds)
        return response
    }

    private func checkCurves(_ model: LoadedModel) throws {
        guard model.bundle.hasCurves else {
            throw Problem(
                409, "no_curves",
                "\(model.bundle.description.family) says nothing about what comes after; activate another family")
        }
    }

    // MARK: How much, and why

    @Sendable private func interests(_ call: Call) async throws -> Response {
        let user = try call.part("user")
        let (at, topic) = (try call.moment("at") ?? InterestService.now, try call.query("topic"))
        let top = try call.query("top") == nil ? nil : call.count("top", default: 1, most: 100_000)
        let (view, model) = try await service.person(user, .interest, at: at)
        try checkCurves(model)
        return try timed("interests") {
            let all = try view.interests(at: at, topic: topic, of: model)
            let rows = all.prefix(top ?? all.count).map { InterestRow($0, at: at, of: model.bundle) }
            return Reply.json(
                InterestsAnswer(user: user, at: TimeFormat.rfc3339(at), model: ModelName(model), interests: rows),
                of: model
            )
        }
    }

    @Sendable private func curve(_ call: Call) async throws -> Response {
        let (user, topic) = (try call.part("user"), try call.part("topic"))
        let at = try call.moment("at") ?? InterestService.now
        let count = try call.count("points", default: 100, most: 10_000)
        let ahead = try call.query("ahead").map { text -> Double in
            guard let span = TimeSpan.parse(text), span > 0 else {
                throw Problem(400, "bad_query", "ahead=\(text.prefix(40)): give a time such as 30d")
            }
            return Double(span) / 1e6
        }
        let from = try call.query("from") ?? "at"
        guard ["at", "touch"].contains(from) else {
            throw Problem(400, "bad_query", "from=\(from.prefix(40)): give at or touch")
        }
        let (view, model) = try await service.person(user, .interest, at: at)
        try checkCurves(model)
        return try timed("curve") {
            guard let answer = try view.interests(at: at, topic: topic, of: model).first else {
                throw Problem(404, "unknown_topic", "no topic \"\(topic)\"")
            }
            let curve = answer.curve
            let enough = 4 * (curve.halfLife ?? curve.horizon)
            let span = ahead ?? min(max(enough, curve.horizon / 100), max(curve.horizon, model.bundle.logSpan))
            let before = from == "touch" && answer.basis == .history ? curve.elapsedSinceTopic : 0
            let first = curve.seen(after: -before)
            let points = (0..<count).lazy.map { step -> CurvePoint in
                let after = count > 1 ? (before + span) * Double(step) / Double(count - 1) : 0
                let (chance, degree) = first.returns(after: after)
                return CurvePoint(
                    elapsedSeconds: after - before, interest: first.interest(after: after), returnProbability: chance,
                    degree: degree)
            }
            return try Reply.json(
                CurveAnswer(
                    user: user, at: TimeFormat.rfc3339(at), model: ModelName(model),
                    interest: InterestRow(answer, at: at, of: model.bundle),
                    touches: try view.touches(of: topic).suffix(100).map(TimeFormat.rfc3339)), "points", points,
                of: model)
        }
    }

    @Sendable private func explanation(_ call: Call) async throws -> Response {
        let (user, topic) = (try call.part("user"), try call.part("topic"))
        let at = try call.moment("at") ?? InterestService.now
        let (view, model) = try await service.person(user, .interest, at: at)
        try checkCurves(model)
        return try timed("explanation") {
            guard let answer = try view.interests(at: at, topic: topic, of: model, explained: true).first else {
                throw Problem(404, "unknown_topic", "no topic \"\(topic)\"")
            }
            let isKnown = answer.basis == .history
            let changed = isKnown ? try view.counterfactuals(topic, at: at, of: model) : []
            var notes: [String] = []
            if !isKnown {
                notes.append(
                    "the person has not met this topic by then: the answer is the population's chance of a first touch")
            }
            if model.explainer == nil {
                notes.append("\(model.bundle.description.family) tells no causes apart; wane does")
            } else if let obstacle = model.explainer?.obstacle {
                notes.append("causes are not told apart: \(obstacle)")
            }
            notes.append(
                "a cause is what goes together with shorter or longer half-lives in the model's log, beyond placebos")
            let explanation = answer.explanation
            let causes = explanation.map { own in
                Cause.allCases.map { cause -> ExplanationAnswer.CauseRow in
                    let (value, low, high) = own.multiplier(cause)
                    let isShown = !own.notShown.contains(cause)
                    return .init(
                        cause: cause.rawValue, multiplier: isShown ? short(value) : nil,
                        low: isShown ? short(low) : nil,
                        high: isShown ? short(high) : nil, credited: isShown ? short(own.credited(cause)) : nil,
                        isShown: isShown,
                        evidence: own.words(cause, topic: topic))
                }
            }
            return Reply.json(
                ExplanationAnswer(
                    user: user, topic: topic, at: TimeFormat.rfc3339(at), model: ModelName(model),
                    basis: answer.basis.rawValue,
                    baseHalfLifeSeconds: short(explanation?.baseHalfLife),
                    halfLifeSeconds: isKnown ? short(answer.curve.halfLife) : nil,
                    mainCause: explanation?.mainCause?.rawValue,
                    causes: causes ?? [], whatIf: changed.map(Self.row), notes: notes), of: model)
        }
    }

    private static func row(_ answer: Counterfactual) -> ExplanationAnswer.WhatIf {
        let change =
            switch answer.change {
            case .asItIs: "as_it_is"
            case .withoutTouches(1): "without_last_touch"
            case .withoutTouches(let count): "without_last_\(count)_touches"
            case .withoutDays(let days): "without_last_\(days)_days"
            case .ordinary(let cause): "without_\(cause.rawValue)"
            case .friendsAsOf: "friends_as_of"
            }
        return .init(
            change: change, halfLifeSeconds: answer.basis == .history ? short(answer.curve.halfLife) : nil,
            returnProbability: short(answer.curve.returnProbability(after: 0)),
            degree: short(answer.curve.degree(after: 0)),
            basis: answer.basis.rawValue)
    }

    // MARK: When

    @Sendable private func returns(_ call: Call) async throws -> Response {
        let user = try call.part("user")
        let (at, topic) = (try call.moment("at") ?? InterestService.now, try call.query("topic"))
        let (view, model) = try await service.person(user, .return, at: at)
        return try timed("returns") {
            let rows = try view.returns(at: at, topic: topic, of: model).map {
                ReturnsAnswer.Row(
                    topic: $0.topic, medianSeconds: short($0.time?.median), lowSeconds: short($0.time?.low),
                    highSeconds: short($0.time?.high), basis: $0.basis?.rawValue)
            }
            return Reply.json(
                ReturnsAnswer(user: user, at: TimeFormat.rfc3339(at), model: ModelName(model), returns: rows), of: model
            )
        }
    }

    // MARK: What next

    @Sendable private func recommendations(_ call: Call) async throws -> Response {
        let user = try call.part("user")
        let at = try call.moment("at") ?? InterestService.now
        let count = try call.count("n", default: 10, most: 10_000)
        let seen = try call.query("seen").map { text -> SeenItems in
            guard let rule = SeenItems(rawValue: text) else {
                throw Problem(400, "bad_query", "seen=\(text.prefix(40)): give kept or excluded")
            }
            return rule
        }
        return try await recommend(user, count, among: nil, at, seen)
    }

    private struct RankRequest: Decodable {
        let user: String
        let items: [String]
        let at: String?

        enum CodingKeys: String, CodingKey, CaseIterable { case user, items, at }
    }

    @Sendable private func rank(_ call: Call) async throws -> Response {
        let (body, _) = try await call.body(["application/json"])
        let asked = try RequestBody.decode(
            RankRequest.self, from: body, fields: RankRequest.CodingKeys.allCases.map(\.rawValue))
        guard (1...EventRecordReader.longestName).contains(asked.user.utf8.count) else {
            throw Problem.field("/user", "bad_user", "from 1 to \(EventRecordReader.longestName) bytes")
        }
        guard (1...10_000).contains(asked.items.count) else {
            throw Problem.field("/items", "bad_items", "\(asked.items.count) items: give from 1 to 10000")
        }
        return try await recommend(
            asked.user, asked.items.count, among: asked.items,
            try asked.at.map { try Call.moment($0) } ?? InterestService.now, .kept)
    }

    private func recommend(
        _ user: String, _ count: Int, among candidates: [String]?, _ at: Int64, _ seen: SeenItems?
    ) async throws -> Response {
        let (view, model) = try await service.person(user, .ranking, at: at)
        let hidden = try await candidates == nil ? service.unavailableItems() : []
        return try timed("rank") {
            let vocabulary = model.bundle.vocabulary
            let (items, basis) = try view.recommendations(
                count, among: candidates, at: at, seen: seen, hidden: hidden, of: model)
            let rows = items.enumerated().lazy.map { place, entry in
                RecommendationsAnswer.Row(
                    rank: place + 1, item: entry.item, score: entry.score.map(Double.init),
                    topics: vocabulary.items.find(entry.item).map { item in
                        vocabulary.itemTopics[item].map { vocabulary.topics[Int($0)] }
                    } ?? [])
            }
            return try Reply.json(
                RecommendationsAnswer(
                    user: user, at: TimeFormat.rfc3339(at), model: ModelName(model), basis: basis.rawValue),
                "items", rows, of: model)
        }
    }

    // MARK: What is stored

    @Sendable private func export(_ call: Call) async throws -> Response {
        let user = try call.part("user")
        let encoder = Reply.encoder
        var text = ""
        for record in try await service.store.events(of: user, asSent: true) {
            text += String(decoding: try encoder.encode(EventLine(record)), as: UTF8.self) + "\n"
        }
        return Reply.text(text, type: "application/x-ndjson")
    }

    private struct Erased: Encodable {
        let user: String
        let events: Int
        let note =
            "versions of models trained before still hold what they learned from these events until they are trained anew"
    }

    @Sendable private func erase(_ call: Call) async throws -> Response {
        let user = try call.part("user")
        return Reply.json(Erased(user: user, events: try await service.erase(user: user)))
    }
}
