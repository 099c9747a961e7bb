import Foundation
import Hummingbird
import WaneBundle

/// Which models there are, and which of them answer.
struct ModelRoutes {
    let service: InterestService

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/v1/models", access: .key(.read),
                summary: "All versions, with the labels they bear: champion answers, previous answered before.",
                handler: list),
            Route(
                method: .post, path: "/v1/models/{version}/activate", access: .key(.admin),
                summary: "Lets a version answer; the one that does becomes previous.", handler: activate),
            Route(
                method: .post, path: "/v1/models/{version}/rollback", access: .key(.admin),
                summary: "Lets the version before answer again; {version} is a task here: interest, ranking or return.",
                handler: rollBack),
        ]
    }

    private struct Versions: Encodable { let models: [VersionRow] }

    @Sendable private func list(_ call: Call) async throws -> Response {
        let rows = try await service.registry.versions().map {
            VersionRow(version: $0.version, task: $0.task, family: $0.family, labels: $0.labels, fault: $0.fault)
        }
        return Reply.json(Versions(models: rows))
    }

    private struct Activated: Encodable {
        let version: String
        let task: String
        let family: String
    }

    private func changed(_ change: () async throws -> LoadedModel) async throws -> Response {
        do {
            let model = try await change()
            service.metrics.count("wane_model_reloads_total", "result=\"done\"")
            return Reply.json(
                Activated(version: model.version, task: model.task.rawValue, family: model.bundle.description.family))
        } catch {
            service.metrics.count("wane_model_reloads_total", "result=\"refused\"")
            throw error
        }
    }

    @Sendable private func activate(_ call: Call) async throws -> Response {
        let version = try call.part("version")
        return try await changed { try await service.activate(version) }
    }

    @Sendable private func rollBack(_ call: Call) async throws -> Response {
        let task = try call.part("version")
        guard ModelRegistry.tasks.contains(where: { $0.rawValue == task }) else {
            throw Problem(404, "unknown_task", "no task \(task): interest, ranking or return")
        }
        return try await changed { try await service.rollBack(task) }
    }
}
