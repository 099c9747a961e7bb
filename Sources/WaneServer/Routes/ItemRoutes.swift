import Foundation
import Hummingbird
import WaneEvents
import WaneStore

/// What is said of items beside the events on them: topics, and whether they can be had.
struct ItemRoutes {
    let service: InterestService

    private static let forms: [(type: String, form: EventRecordReader.Form)] = [
        ("application/json", .json), ("application/x-ndjson", .lines), ("application/jsonl", .lines),
    ]

    var routes: [Route] {
        let types = Self.forms.map(\.type)
        return [
            Route(
                method: .post, path: "/v1/items", access: .key(.ingest),
                summary:
                    "Says what items are; what is not said of one stays as it was. Fields: item, topic or topics, is_available. Events that say no "
                    + "topics have those of their items; an item that is not available is not recommended.",
                bodies: types
            ) { call in
                let (body, type) = try await call.body(types)
                let form = Self.forms.first { $0.type == type }?.form ?? .json
                return try await put(body, form, limit: call.limits.events)
            },
            Route(
                method: .get, path: "/v1/items/{item}", access: .key(.read),
                summary: "What is known of an item: its topics as they were said and as the model learned them.",
                handler: item),
        ]
    }

    private struct Said: Decodable {
        let item: Name
        let topic: Name?
        let topics: [Name]?
        let isAvailable: Bool?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case item, topic, topics
            case isAvailable = "is_available"
        }

        /// A text or a number, as events have them.
        struct Name: Decodable {
            let text: String

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let text = try? container.decode(String.self) {
                    self.text = text
                } else if let number = try? container.decode(Int64.self) {
                    text = "\(number)"
                } else {
                    throw DecodingError.dataCorrupted(
                        .init(codingPath: decoder.codingPath, debugDescription: "give a text or a whole number"))
                }
            }
        }

        /// - Throws: ``Problem`` that names the field.
        func change() throws -> ItemChange {
            if let wrong = EventRecordReader.wrong(item.text) { throw Problem.field("/item", "bad_name", wrong) }
            let all =
                (topic.map { [("/topic", $0.text)] } ?? [])
                + (topics ?? []).enumerated().map { ("/topics/\($0)", $1.text) }
            for (place, name) in all {
                if let wrong = EventRecordReader.wrong(name) { throw Problem.field(place, "bad_name", wrong) }
            }
            guard all.count <= EventRecordReader.mostTopics else {
                throw Problem.field(
                    "/topics", "bad_topics",
                    "\(all.count) topics; an item has at most \(EventRecordReader.mostTopics)")
            }
            return ItemChange(
                item: item.text, topics: topic == nil && topics == nil ? nil : all.map(\.1), isAvailable: isAvailable)
        }
    }

    private func put(_ body: [UInt8], _ form: EventRecordReader.Form, limit: Int) async throws -> Response {
        var rows: [ReceiptsAnswer.Row] = []
        var items: [ItemChange] = []
        let fields = Said.CodingKeys.allCases.map(\.rawValue)
        do throws(EventRecordReader.Fault) {
            try EventRecordReader.forEachObject(body, as: form) { text, line in
                guard rows.count < limit else {
                    throw EventRecordReader.Fault(
                        pointer: "", reason: "more than \(limit) items; send them in several requests")
                }
                do {
                    items.append(try RequestBody.decode(Said.self, from: Array(text), fields: fields).change())
                    rows.append(.init(status: "accepted"))
                } catch let problem as Problem {
                    let place = problem.errors?.first
                    rows.append(
                        .init(
                            status: "rejected", pointer: "/\(rows.count)" + (place?.pointer ?? ""),
                            reason: place?.reason ?? problem.detail, line: line))
                }
            }
        } catch {
            throw Problem.unreadable(error)
        }
        if rows.isEmpty { throw Problem(400, "unreadable", "no items") }
        if !items.isEmpty { try await service.put(items) }
        let answer = ReceiptsAnswer(
            accepted: items.count, duplicate: 0, rejected: rows.count - items.count, receipts: rows)
        return Reply.json(answer, status: items.isEmpty ? .unprocessableContent : .ok)
    }

    private struct Known: Encodable {
        let item: String
        let topics: [String]
        let isAvailable: Bool
        /// As the model of interest learned them, which count for it; nothing where it has not met the item.
        @OrNull var learnedTopics: [String]?
    }

    @Sendable private func item(_ call: Call) async throws -> Response {
        let name = try call.part("item")
        let stored = try await service.store.item(name)
        let model = try? service.registry.model(.interest).bundle.vocabulary
        let learned = model.flatMap { vocabulary in
            vocabulary.items.find(name).map { vocabulary.itemTopics[$0].map { vocabulary.topics[Int($0)] } }
        }
        guard stored != nil || learned != nil else {
            throw Problem(404, "unknown_item", "nothing is known of an item \"\(name)\"")
        }
        return Reply.json(
            Known(
                item: name, topics: stored?.topics ?? [], isAvailable: stored?.isAvailable ?? true,
                learnedTopics: learned))
    }
}
