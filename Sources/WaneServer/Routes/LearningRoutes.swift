import Foundation
import Hummingbird
import WaneBundle
import WaneStore

/// How good the answers are, and what is learned from what comes in.
struct LearningRoutes {
    let service: InterestService

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/v1/quality", access: .key(.read),
                summary:
                    "What the champion said a while ago beside what then happened, and how far its inputs have drifted, the newest first.",
                parameters: [RouteParameter(name: "n", summary: "how many, 30 when absent", isInteger: true)],
                handler: quality),
            Route(
                method: .post, path: "/v1/quality", access: .key(.admin), summary: "Looks now.", handler: check),
            Route(
                method: .get, path: "/v1/learning", access: .key(.read),
                summary: "Rounds of learning and what became of them, the newest first.",
                parameters: [RouteParameter(name: "n", summary: "how many, 30 when absent", isInteger: true)],
                handler: rounds),
            Route(
                method: .post, path: "/v1/learning", access: .key(.admin),
                summary: "Begins a round of learning; GET says what came of it.", handler: learn),
        ]
    }

    /// Reports as they were stored, which are JSON already.
    private func stored(_ kind: StoredReport.Kind, _ call: Call, _ name: String, _ more: String = "") async throws
        -> Response
    {
        let count = try call.count("n", default: 30, most: 1_000)
        let bodies = try await service.store.reports(kind, limit: count).map(\.body)
        return Reply.text("{\"\(name)\":[\(bodies.joined(separator: ","))]\(more)}", type: "application/json")
    }

    @Sendable private func quality(_ call: Call) async throws -> Response { try await stored(.check, call, "checks") }

    @Sendable private func check(_ call: Call) async throws -> Response {
        guard let report = try await service.monitor.check(try service.registry.model(.interest)) else {
            throw Problem(409, "too_little", "too few people have events in the newest two horizons to be asked about")
        }
        return Reply.json(report)
    }

    @Sendable private func rounds(_ call: Call) async throws -> Response {
        let isRunning = await service.learner?.isRunning ?? false
        return try await stored(.learning, call, "rounds", ",\"is_running\":\(isRunning)")
    }

    private struct Begun: Encodable { let status = "begun" }

    @Sendable private func learn(_ call: Call) async throws -> Response {
        guard let learner = service.learner else {
            throw Problem(409, "no_learning", "this service does not learn; start it with wane serve --learn-every 1d")
        }
        guard await !learner.isRunning else {
            throw Problem(409, "learning", "a round is on its way; GET /v1/learning")
        }
        _ = try service.registry.model(.interest)
        Task { _ = try? await learner.learn() }
        return Reply.json(Begun(), status: .accepted)
    }
}
