import Foundation

/// One event by names: as it comes over HTTP and as a store keeps it.
public struct EventRecord: Sendable, Equatable {
    /// Tells a second sending of the same event from a second event; nothing where the sender gave none.
    public var id: String?
    public var user: String
    /// Microseconds since 1970 in UTC.
    public var time: Int64
    public var item: String
    /// In the order of their names, each once; empty where the event says nothing of them.
    public var topics: [String]
    /// Seconds.
    public var duration: Double?
    public var type: String?
    public var weight: Double?

    public init(
        id: String? = nil, user: String, time: Int64, item: String, topics: [String] = [], duration: Double? = nil,
        type: String? = nil, weight: Double? = nil
    ) {
        self.id = id
        self.user = user
        self.time = time
        self.item = item
        self.topics = topics.count < 2 ? topics : Set(topics.map(ExactName.init)).sorted().map(\.text)
        self.duration = duration
        self.type = type
        self.weight = weight
    }

    /// All that it says but its id, so that no two that differ are written alike.
    public var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        func put(_ text: String?) {
            withUnsafeBytes(of: Int64(text?.utf8.count ?? -1).littleEndian) { bytes.append(contentsOf: $0) }
            if let text { bytes.append(contentsOf: text.utf8) }
        }
        func put(_ number: Double?) {
            let pattern = number.map { $0 == 0 ? 0 : $0.bitPattern } ?? Double.nan.bitPattern
            withUnsafeBytes(of: pattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        put(user)
        withUnsafeBytes(of: time.littleEndian) { bytes.append(contentsOf: $0) }
        put(item)
        withUnsafeBytes(of: Int64(topics.count).littleEndian) { bytes.append(contentsOf: $0) }
        for topic in topics { put(topic) }
        put(type)
        put(duration)
        put(weight)
        return bytes
    }
}

extension EventLog {
    /// Each row by names, in the log's order; what people were shown is among them where the log was read so (``ReadingOptions/keepsExposures``).
    ///
    /// - Parameter rows: these alone; all when absent.
    public func forEachRecord(in rows: Range<Int>? = nil, _ body: (EventRecord) throws -> Void) rethrows {
        func number(_ column: Column<Float>?, _ row: Int) -> Double? {
            column.flatMap { $0[row].isNaN ? nil : Double("\($0[row])") }
        }
        func topicNames(_ list: some Sequence<UInt32>) -> [String] {
            list.map { topics.names[Int($0)] }.filter { $0 != ItemTopics.unknownName }
        }
        let areGiven = topics.source == .column || topics.source == .sideFile
        for row in (rows ?? 0..<count).clamped(to: 0..<count) {
            let own = rowTopics.map { topicNames($0.lists[Int($0.list[row])]) } ?? topicNames(topics[item[row]])
            let type = eventType.flatMap { $0[row] == .max ? nil : eventTypes[Int($0[row])] }
            try body(
                EventRecord(
                    user: users[Int(user[row])], time: time[row], item: items[Int(item[row])],
                    topics: areGiven ? own : [], duration: number(duration, row), type: type,
                    weight: number(weight, row)))
        }
    }

    /// Events as a log, by the rules by which a model's own log was read: weights by type of event, and what counts as shown.
    ///
    /// It has columns of durations and of weights, empty where no event has any.
    ///
    /// - Parameter reading: how the model's own log was read.
    /// - Throws: ``LogError`` where no event is one of engagement.
    public init(_ records: [EventRecord], reading: ReadingOptions) throws(LogError) {
        var options = ReadingOptions()
        options.eventWeights = reading.eventWeights
        options.mayLackEventTypes = true
        options.threads = 1
        options.timeFormat = .auto
        let hasTopics = records.contains { !$0.topics.isEmpty }
        let hasTypes = records.contains { $0.type != nil }
        let hasWeights = records.contains { $0.weight != nil }
        let hasDurations = records.contains { $0.duration != nil }
        var text = "UserID,Time,PageID"
        for (name, isThere) in [
            ("Topic", hasTopics), ("EventType", hasTypes), ("Weight", hasWeights), ("Duration", hasDurations),
        ] where isThere { text += "," + name }
        text += "\n"
        let separator = String(UnicodeScalar(RowBuilder.listSeparator))
        func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
        for record in records {
            text += CSVField.always(record.user) + "," + TimeFormat.rfc3339(record.time) + ","
            text += CSVField.always(record.item)
            if hasTopics { text += "," + CSVField.always(record.topics.joined(separator: separator)) }
            if hasTypes { text += "," + (record.type.map(CSVField.always) ?? "") }
            if hasWeights { text += "," + number(record.weight) }
            if hasDurations { text += "," + number(record.duration) }
            text += "\n"
        }
        let (log, report) = try LogReader.read(bytes: Array(text.utf8), file: "stored events", options: options)
        if let fault = report.examples.first {
            throw .unsupported(file: "stored events", reason: "an event that no log may have: \(fault)")
        }
        self = log.withAllMeasures()
    }

    /// The same log with columns of durations and weights, empty where it had none.
    private func withAllMeasures() -> EventLog {
        let empty = Column([Float](repeating: .nan, count: count))
        return with(duration: duration ?? empty, weight: weight ?? empty)
    }
}
