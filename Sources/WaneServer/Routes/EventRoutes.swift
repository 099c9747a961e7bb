import Foundation
import Hummingbird
import WaneEvents
import WaneStore

/// `POST /v1/events`: events come in, each with a receipt, and are durable when the answer is sent.
struct EventRoutes {
    let service: InterestService

    private static let forms: [(type: String, form: EventRecordReader.Form)] = [
        ("application/json", .json), ("application/x-ndjson", .lines), ("application/jsonl", .lines),
        ("application/cloudevents+json", .cloudEvents), ("application/cloudevents-batch+json", .cloudEvents),
    ]

    var routes: [Route] {
        let types = Self.forms.map(\.type)
        return [
            Route(
                method: .post, path: "/v1/events", access: .key(.ingest),
                summary:
                    "Stores events; each has a receipt, and those accepted are durable. Fields: event_id, user, time, item, "
                    + "topic or topics, duration, event_type, weight.",
                bodies: types
            ) { call in
                let (body, type) = try await call.body(types)
                let form = Self.forms.first { $0.type == type }?.form ?? .json
                return try await add(body, form, call.limits, isTrusted: call.role != .ingest)
            }
        ]
    }

    private func add(_ body: [UInt8], _ form: EventRecordReader.Form, _ limits: ServerLimits, isTrusted: Bool)
        async throws -> Response
    {
        let now = InterestService.now
        let found: [Result<EventRecord, EventRecordReader.Fault>]
        do throws(EventRecordReader.Fault) {
            found = try EventRecordReader(now: now).read(body, as: form, limit: limits.events)
        } catch {
            throw Problem.unreadable(error)
        }
        let records = found.compactMap { try? $0.get() }
        var receipts: [Receipt] = []
        if !records.isEmpty {
            let start = ContinuousClock.now
            receipts = try await service.append(records, isTrusted: isTrusted)
            service.metrics.measure(
                "wane_ingest_commit_duration_seconds", "", seconds: start.duration(to: .now).inSeconds)
        }
        var next = receipts.makeIterator()
        var counts: [String: Int] = [:]
        let rows = found.map { result -> ReceiptsAnswer.Row in
            let row: ReceiptsAnswer.Row
            switch result {
            case .failure(let fault):
                row = .init(status: "rejected", pointer: fault.pointer, reason: fault.reason, line: fault.line)
            case .success:
                switch next.next() ?? .conflict {
                case .accepted: row = .init(status: "accepted")
                case .duplicate: row = .init(status: "duplicate")
                case .conflict:
                    row = .init(
                        status: "rejected",
                        reason: "another event is stored under this event_id; the one stored stays as it is")
                }
            }
            counts[row.status, default: 0] += 1
            return row
        }
        for (status, count) in counts {
            service.metrics.count("wane_ingest_events_total", "result=\"\(status)\"", by: Double(count))
        }
        if let newest = zip(records, receipts).filter({ $1 == .accepted }).map(\.0.time).max() {
            service.lag.store(max(0, Double(now - newest) / 1e6))
        }
        let answer = ReceiptsAnswer(
            accepted: counts["accepted"] ?? 0, duplicate: counts["duplicate"] ?? 0, rejected: counts["rejected"] ?? 0,
            receipts: rows)
        // Where nothing at all could be taken, the request as a whole has failed.
        return Reply.json(answer, status: answer.rejected == rows.count ? .unprocessableContent : .ok)
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
