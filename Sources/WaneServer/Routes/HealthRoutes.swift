import Foundation
import Hummingbird
import WaneBundle
import WaneEvents
import WaneStore

/// Whether it lives, whether it can answer, and what an operator counts.
struct HealthRoutes {
    let service: InterestService
    let program: String

    var routes: [Route] {
        [
            Route(method: .get, path: "/healthz", access: .open, summary: "The process lives.") { _ in
                Reply.json(["status": "ok"])
            },
            Route(
                method: .get, path: "/readyz", access: .open, summary: "The store can be written and a model answers.",
                handler: ready),
            Route(
                method: .get, path: "/v1/status", access: .key(.read),
                summary: "What the service holds and does, in a few numbers.", handler: status),
            Route(
                method: .get, path: "/metrics", access: .keyOrLoopback(.admin),
                summary: "Measures as Prometheus reads them.",
                handler: metrics),
        ]
    }

    private struct Ready: Encodable {
        let status: String
        let models: [String: String]
    }

    @Sendable private func ready(_ call: Call) async throws -> Response {
        try await service.checkStore()
        let models = service.registry.models
        guard !models.isEmpty else {
            throw Problem(503, "no_model", "no model is active; give one with wane serve --model FOLDER", retryAfter: 5)
        }
        return Reply.json(
            Ready(status: "ready", models: Dictionary(models.map { ($0.task.rawValue, $0.version) }) { $1 }))
    }

    private struct Status: Encodable {
        struct Model: Encodable {
            let task: String
            let version: String
            let family: String
        }
        let program: String
        let events: Int
        /// Since the process began.
        let accepted: Int
        let queued: Int
        /// How far the newest event of the last request lay behind the clock when it came.
        @OrNull var lagSeconds: Double?
        /// Of all that are stored and are not in the future.
        @OrNull var newestEventAt: String?
        let learns: Bool
        let isLearning: Bool
        let models: [Model]
    }

    @Sendable private func status(_ call: Call) async throws -> Response {
        let accepted = service.metrics.counter("wane_ingest_events_total", "result=\"accepted\"")
        let learner = service.learner
        return Reply.json(
            Status(
                program: program, events: try await service.store.count(), accepted: Int(accepted),
                queued: await service.queued, lagSeconds: accepted > 0 ? short(service.lag.value) : nil,
                newestEventAt: try await service.newest().map(TimeFormat.rfc3339),
                learns: learner != nil, isLearning: await learner?.isRunning ?? false,
                models: service.registry.models.map {
                    Status.Model(
                        task: $0.task.rawValue, version: $0.version, family: $0.bundle.description.family)
                }.sorted { $0.task < $1.task }))
    }

    @Sendable private func metrics(_ call: Call) async throws -> Response {
        var gauges: [(name: String, labels: String, value: Double)] = [
            ("wane_events_stored", "", Double(try await service.store.count())),
            ("wane_ingest_queue_events", "", Double(await service.queued)),
            ("wane_ingest_lag_seconds", "", service.lag.value),
            ("wane_kafka_waiting_messages", "", service.kafkaLag.value),
            ("wane_process_resident_memory_bytes", "", ServiceMetrics.residentBytes),
            ("wane_build_info", "version=\"\(program)\"", 1),
        ]
        if let learner = service.learner {
            gauges.append(("wane_train_running", "", await learner.isRunning ? 1 : 0))
        }
        if let quality = await service.monitor.last {
            let horizon = "horizon=\"\(TimeSpan.words(Int64(quality.horizonSeconds * 1e6)))\""
            gauges.append(("wane_calibration_error_ratio", horizon, quality.calibrationError))
            gauges.append(("wane_log_loss_nats", horizon, quality.logLoss))
            if let drift = quality.scoreDrift { gauges.append(("wane_drift_score", "feature=\"chance\"", drift)) }
            for own in quality.drift ?? [] {
                gauges.append(("wane_drift_score", "feature=\"\(own.feature)\"", own.stabilityIndex))
            }
        }
        let cache = service.cacheCounts
        gauges.append(("wane_people_in_memory", "", Double(cache.people)))
        gauges.append(("wane_person_cache_total", "result=\"held\"", Double(cache.hits)))
        gauges.append(("wane_person_cache_total", "result=\"continued\"", Double(cache.continued)))
        gauges.append(("wane_person_cache_total", "result=\"folded\"", Double(cache.misses)))
        for model in service.registry.models {
            let labels = "task=\"\(model.task.rawValue)\""
            gauges.append(
                (
                    "wane_model_info",
                    labels + ",version=\"\(model.version)\",family=\"\(model.bundle.description.family)\"", 1
                ))
            gauges.append(("wane_model_loaded_timestamp_seconds", labels, model.loaded.timeIntervalSince1970.rounded()))
        }
        return Reply.text(service.metrics.text(gauges), type: "text/plain; version=0.0.4; charset=utf-8")
    }
}
