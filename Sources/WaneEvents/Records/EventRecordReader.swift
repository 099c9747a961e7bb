import Foundation

/// Reads events out of JSON: one object, a list of objects, objects one a line, or CloudEvents.
///
/// Each event is read or refused on its own; a body that is no such JSON is refused as a whole.
public struct EventRecordReader: Sendable {
    /// Moments that an event may have: one of 1970 is of a clock that was not set.
    public let times: ClosedRange<Int64>
    /// Bytes of a name of a person, an item, a topic or a type.
    public static let longestName = 512
    public static let mostTopics = 64
    /// Fields of different names in one body.
    static let mostFields = 256
    /// Seconds.
    public static let longestDuration = RowBuilder.longestDuration

    public enum Form: Sendable, CaseIterable {
        /// One object, or a list of them.
        case json
        /// One object a line.
        case lines
        /// CloudEvents 1.0, one or a list: the event is their `data`, known by their `source` and `id` together.
        case cloudEvents
    }

    /// What is wrong with an event, or with a body.
    public struct Fault: Error, Sendable, Equatable {
        /// The place as RFC 6901 writes it, `/3/time`; empty for the body as a whole.
        public let pointer: String
        public let reason: String
        /// The line, where events stand one a line.
        public var line: Int?

        public init(pointer: String, reason: String, line: Int? = nil) {
            self.pointer = pointer
            self.reason = reason
            self.line = line
        }
    }

    /// - Parameter now: microseconds; an event may lie a day after it, for clocks that are ahead.
    public init(now: Int64) {
        let year = 365 * 86_400 * EventLog.second
        times = year...max(year, now + 86_400 * EventLog.second)
    }

    /// The events of a body, in its order.
    ///
    /// - Parameter limit: how many at most.
    /// - Throws: ``Fault`` where the body as a whole cannot be read.
    /// - Complexity: O(bytes)
    public func read(_ body: [UInt8], as form: Form, limit: Int) throws(Fault) -> [Result<EventRecord, Fault>] {
        let columns = Columns(form)
        var found: [Result<EventRecord, Fault>] = []
        func add(_ text: ArraySlice<UInt8>, line: Int?) throws {
            guard found.count < limit else {
                throw Fault(pointer: "", reason: "more than \(limit) events; send them in several requests")
            }
            guard columns.object.keys.count <= Self.mostFields else {
                throw Fault(pointer: "", reason: "more than \(Self.mostFields) fields of different names")
            }
            let place = "/\(found.count)"
            do throws(Fault) {
                found.append(.success(try record(text, columns, place)))
            } catch {
                var fault = error
                fault.line = line
                found.append(.failure(fault))
            }
        }
        try Self.forEachObject(body, as: form) { try add($0, line: $1) }
        if found.isEmpty { throw Fault(pointer: "", reason: "no events") }
        return found
    }

    /// Why a text is no name of a person, an item, a topic or a type; nothing where it is one.
    public static func wrong(_ name: String) -> String? {
        if name.isEmpty { return "empty" }
        if name.utf8.count > longestName { return "\(name.utf8.count) bytes; a name has at most \(longestName)" }
        return name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } ? nil : "control characters in a name"
    }

    /// Calls `add` with the text of each object of a body, and its line where there is one a line.
    ///
    /// - Throws: ``Fault`` where the body as a whole cannot be read, and what `add` throws.
    public static func forEachObject(
        _ body: [UInt8], as form: Form, _ add: (ArraySlice<UInt8>, Int?) throws -> Void
    ) throws(Fault) {
        do {
            switch form {
            case .lines:
                var lines = LineReader(MemorySource(body), file: "body", from: 1)
                while let (line, text) = try lines.next() {
                    if !text.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { try add(text, line) }
                }
            case .json, .cloudEvents:
                let first = body.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
                guard let first else { break }
                if first == 0x5B {
                    var elements = ArrayReader(MemorySource(body), file: "body")
                    while let (_, text) = try elements.next() { try add(text, nil) }
                } else {
                    try add(body[...], nil)
                }
            }
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(pointer: "", reason: "\(error)")
        }
    }

    // MARK: One event

    private enum Field: Int, CaseIterable {
        case id, user, time, item, topic, topics, duration, type, weight
        /// Of a CloudEvent alone.
        case source, eventTime, eventType
    }

    /// Which keys have been met, and what each is for; kept from event to event.
    private final class Columns {
        let object = JSONObject()
        private let names: [String: Field]
        private let isEnvelope: Bool
        /// By the numbers of the object's keys.
        private var fields: [Field?] = []
        private(set) var places = [Int](repeating: -1, count: Field.allCases.count)

        private static let own: [(String, Field)] = [
            ("event_id", .id), ("user", .user), ("time", .time), ("item", .item), ("topic", .topic),
            ("topics", .topics),
            ("duration", .duration), ("event_type", .type), ("weight", .weight),
        ]

        init(_ form: Form) {
            isEnvelope = form == .cloudEvents
            let inside = Self.own.filter { $0.1 != .id }.map { ("data." + $0.0, $0.1) }
            let around: [(String, Field)] = [
                ("id", .id), ("source", .source), ("time", .eventTime), ("type", .eventType),
            ]
            names = Dictionary(uniqueKeysWithValues: isEnvelope ? inside + around : Self.own)
        }

        /// Finds what new keys are for.
        ///
        /// - Parameter isThere: whether the object at hand has a key, by its number.
        func update(_ isThere: (Int) -> Bool) throws(Fault) {
            while fields.count < object.keys.count {
                let field = names[object.keys[fields.count]]
                if let field { places[field.rawValue] = fields.count }
                fields.append(field)
            }
            for (number, field) in fields.enumerated() where field == nil && isThere(number) {
                let key = object.keys[number]
                // An envelope may have attributes of whose kind we know nothing.
                if isEnvelope, !key.hasPrefix("data.") { continue }
                let known = names.keys.filter { !isEnvelope || $0.hasPrefix("data.") }.sorted()
                let shown = String(key.prefix(64))
                throw Fault(
                    pointer: "/"
                        + shown.replacing("~", with: "~0").replacing("/", with: "~1").replacing(".", with: "/"),
                    reason:
                        "no such field\(NearestName.hint(shown, among: known)); there are \(known.joined(separator: ", "))"
                )
            }
        }

        func name(_ field: Field) -> String {
            (names.first { $0.value == field }?.key ?? "\(field)").replacing(".", with: "/")
        }
    }

    private func record(_ text: ArraySlice<UInt8>, _ columns: Columns, _ place: String) throws(Fault) -> EventRecord {
        let object = columns.object
        do throws(JSONObject.Fault) { try object.checked(text) } catch {
            throw Fault(pointer: place, reason: "not a JSON object: \(error.words)")
        }
        let whole = Array(text)
        let result = whole.withUnsafeBytes { text in
            object.withBytes { bytes in
                Result { () throws(Fault) in
                    try Fields(object, columns, bytes, text, place).record(times)
                }
            }
        }
        return try result.get()
    }

    /// The fields of the object at hand.
    private struct Fields {
        let object: JSONObject
        let columns: Columns
        let bytes: UnsafeRawBufferPointer
        let text: UnsafeRawBufferPointer
        let place: String

        init(
            _ object: JSONObject, _ columns: Columns, _ bytes: UnsafeRawBufferPointer, _ text: UnsafeRawBufferPointer,
            _ place: String
        ) throws(Fault) {
            (self.object, self.columns, self.bytes, self.text, self.place) = (object, columns, bytes, text, place)
            do throws(Fault) { try columns.update { object.kind($0) != nil } } catch {
                throw Fault(pointer: place + error.pointer, reason: error.reason)
            }
        }

        func fault(_ field: Field, _ reason: String) -> Fault {
            Fault(pointer: place + "/" + columns.name(field), reason: reason)
        }

        /// A value's text; nothing where there is none, or null.
        func value(_ field: Field, _ kinds: Set<JSONObject.Kind>, _ needed: String) throws(Fault) -> String? {
            let column = columns.places[field.rawValue]
            guard column >= 0, let kind = object.kind(column), let own = object.value(column, bytes, of: text) else {
                return nil
            }
            guard kinds.contains(kind) else { throw fault(field, needed) }
            return String(decoding: own, as: UTF8.self)
        }

        func checked(_ name: String, _ field: Field) throws(Fault) -> String {
            if let wrong = EventRecordReader.wrong(name) { throw fault(field, wrong) }
            return name
        }

        func name(_ field: Field) throws(Fault) -> String? {
            guard let text = try value(field, [.text, .number], "give a text or a number") else { return nil }
            return try checked(text, field)
        }

        func number(_ field: Field, _ range: ClosedRange<Double>, _ words: String) throws(Fault) -> Double? {
            guard let text = try value(field, [.number], "give a number") else { return nil }
            guard let number = Double(text), range.contains(number) else { throw fault(field, "\(text): \(words)") }
            return number
        }

        func moment(_ field: Field, _ times: ClosedRange<Int64>) throws(Fault) -> Int64? {
            guard let text = try value(field, [.text, .number], "give a time as RFC 3339 or as a number since 1970")
            else { return nil }
            guard let moment = TimeFormat.moment(text) else {
                throw fault(
                    field,
                    "\"\(text.prefix(64))\" is no time: give RFC 3339, or seconds, milliseconds or microseconds since 1970"
                )
            }
            guard times.contains(moment) else {
                throw fault(
                    field,
                    "\(TimeFormat.rfc3339(moment)) does not lie from \(TimeFormat.rfc3339(times.lowerBound)) to a day from now"
                )
            }
            return moment
        }

        func topicNames() throws(Fault) -> [String] {
            var names: [String] = []
            for field in [Field.topic, .topics] {
                guard let text = try value(field, [.text, .number, .list], "give a text, or a list of texts") else {
                    continue
                }
                for part in text.split(separator: "\u{1F}", omittingEmptySubsequences: true) {
                    names.append(try checked(String(part), field))
                }
                guard names.count <= EventRecordReader.mostTopics else {
                    throw fault(field, "\(names.count) topics; an event has at most \(EventRecordReader.mostTopics)")
                }
            }
            return names
        }

        func record(_ times: ClosedRange<Int64>) throws(Fault) -> EventRecord {
            guard let user = try name(.user) else { throw fault(.user, "missing: who did it") }
            var time = try moment(.time, times)
            if time == nil { time = try moment(.eventTime, times) }
            guard let time else { throw fault(.time, "missing: when it was") }
            let topics = try topicNames()
            // Topics stand in for items where there are none, as in a log without such a column.
            let item = try name(.item)
            guard let item = item ?? (topics.count == 1 ? topics[0] : nil) else {
                throw fault(.item, "missing: with what; where there are no items, one topic may stand in")
            }
            var id = try name(.id)
            // No name has a sign of control in it, so that no other event is known so.
            if let own = id, let source = try name(.source) { id = source + "\u{1}" + own }
            var type = try name(.type)
            if type == nil { type = try name(.eventType) }
            return EventRecord(
                id: id, user: user, time: time, item: item, topics: topics,
                duration: try number(
                    .duration, 0...EventRecordReader.longestDuration, "durations are seconds, from 0 to a year"),
                type: type,
                weight: try number(.weight, 0...1e9, "weights start at 0"))
        }
    }
}
