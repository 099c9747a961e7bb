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
        self.topics = Self.ordered(topics)
        self.duration = duration
        self.type = type
        self.weight = weight
    }

    /// In the order of their names, each once.
    static func ordered(_ topics: [String]) -> [String] {
        topics.count < 2 ? topics : Set(topics.map(ExactName.init)).sorted().map(\.text)
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
        let fields = EventRecord.Fields(of: records)
        var text = fields.header
        for record in records { text += fields.line(record) }
        let (log, report) = try LogReader.read(
            bytes: Array(text.utf8), file: "stored events", options: .ofStoredEvents(like: reading, threads: 1))
        self = try Self(storedEvents: log, report)
    }

    /// A log that was read ``ReadingOptions/ofStoredEvents(like:threads:)`` of lines as ``EventRecord/Fields`` writes them.
    public init(storedEvents log: EventLog, _ report: ReadingReport) throws(LogError) {
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

extension EventRecord {
    /// Which of the fields that may be missing any event has: lines of a log have these.
    public struct Fields: Sendable, Equatable {
        public var topics = false
        public var types = false
        public var weights = false
        public var durations = false

        public init() {}

        public init(of records: some Sequence<EventRecord>) {
            for record in records {
                topics = topics || !record.topics.isEmpty
                types = types || record.type != nil
                weights = weights || record.weight != nil
                durations = durations || record.duration != nil
            }
        }

        /// What either has.
        public mutating func join(_ other: Fields) {
            (topics, types) = (topics || other.topics, types || other.types)
            (weights, durations) = (weights || other.weights, durations || other.durations)
        }

        /// The first line of a log.
        public var header: String {
            var text = "UserID,Time,PageID"
            for (name, isThere) in [
                ("Topic", topics), ("EventType", types), ("Weight", weights), ("Duration", durations),
            ] where isThere { text += "," + name }
            return text + "\n"
        }

        /// An event as a line of a log.
        public func line(_ record: EventRecord) -> String {
            func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
            var text = CSVField.always(record.user) + "," + TimeFormat.rfc3339(record.time) + ","
            text += CSVField.always(record.item)
            if topics {
                let separator = String(UnicodeScalar(RowBuilder.listSeparator))
                text += "," + CSVField.always(record.topics.joined(separator: separator))
            }
            if types { text += "," + (record.type.map(CSVField.always) ?? "") }
            if weights { text += "," + number(record.weight) }
            if durations { text += "," + number(record.duration) }
            return text + "\n"
        }
    }
}

extension ReadingOptions {
    /// How lines of stored events are read by the rules of another log: weights by type of event, and what counts as shown.
    public static func ofStoredEvents(like reading: ReadingOptions, threads: Int? = nil) -> ReadingOptions {
        var options = ReadingOptions()
        options.eventWeights = reading.eventWeights
        options.mayLackEventTypes = true
        if let threads { options.threads = threads }
        options.timeFormat = .auto
        return options
    }
}
