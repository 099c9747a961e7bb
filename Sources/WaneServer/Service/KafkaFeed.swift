import Logging
import ServiceLifecycle
import WaneEvents
import WaneKafka
import WaneStore

/// Events out of a Kafka topic, one service at a time.
///
/// How far the topic has been read is stored in the transaction that stores the events, so that a restart goes on exactly there; an event
/// without an id of its own is known by its place in the topic besides. What cannot be read is counted and named in the log by its
/// place, and passed over.
public struct KafkaFeed: Service, CustomStringConvertible {
    public struct Source: Sendable {
        public var brokers: String
        public var topic: String
        public var group = "wane"
        /// Where a topic that was never read is begun.
        public var begin = KafkaReader.Place.earliest
        public var settings: [(name: String, value: String)] = []

        public init(brokers: String, topic: String) { (self.brokers, self.topic) = (brokers, topic) }

        /// Under which its places are stored.
        var name: String { "kafka:" + topic }
    }

    /// Without settings, which may be passwords: what runs services names them in its log.
    public var description: String { "KafkaFeed(\(source.topic))" }

    let source: Source
    let service: InterestService
    let limits: ServerLimits
    let logger: Logger

    private static let atOnce = 2_000
    /// Milliseconds.
    private static let wait: Int32 = 200
    /// How often new partitions are looked for.
    private static let look = Duration.seconds(30)

    public init(_ source: Source, _ service: InterestService, limits: ServerLimits, logger: Logger) {
        (self.source, self.service, self.limits, self.logger) = (source, service, limits, logger)
    }

    public func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if let lease = try await service.store.lease(source.name) {
                        defer { lease.release() }
                        try await read()
                    }
                } catch is CancellationError {
                    return
                } catch let error as KafkaError {
                    logger.warning("\(error); trying again")
                } catch {
                    logger.warning("reading Kafka failed: \(type(of: error)); trying again")
                }
                try await Task.sleep(for: .seconds(2))
            }
        }
    }

    /// Reads until it is told to stop, or something fails; then what was not stored is read again.
    func read() async throws {
        let reader = try KafkaReader(
            brokers: source.brokers, topic: source.topic, group: source.group, settings: source.settings)
        var next = try await service.store.places(of: source.name)
        var parts: Set<Int32> = []
        var looked: ContinuousClock.Instant?
        while !Task.isCancelled {
            if looked.map({ $0.duration(to: .now) > Self.look }) ?? true {
                let now = Set(try await reader.partitions())
                if now != parts { try await assign(now, next, reader) }
                (parts, looked) = (now, .now)
            }
            let batch = try await reader.poll(most: Self.atOnce, wait: Self.wait)
            if !batch.messages.isEmpty {
                for (part, place) in try await store(batch.messages) { next[part] = place }
                reader.tell(next)
            }
            if !batch.lost.isEmpty {
                for part in batch.lost {
                    let first = try await reader.bounds(part).lowerBound
                    let wanted = next[part] ?? 0
                    if wanted < first {
                        logger.error(
                            "the brokers have let go of messages of partition \(part) of \(source.topic) before they were read: from \(wanted) to \(first - 1)"
                        )
                        service.metrics.count("wane_kafka_lost_messages_total", "", by: Double(first - wanted))
                    } else {
                        logger.warning(
                            "partition \(part) of \(source.topic) ends before \(wanted), which is to be read next: the topic was made anew, and is read from its begin"
                        )
                    }
                    next[part] = first
                }
                try await assign(parts, next, reader)
            }
            service.kafkaLag.store(Double(reader.waiting(next)))
        }
    }

    private func assign(_ parts: Set<Int32>, _ next: [Int32: Int64], _ reader: KafkaReader) async throws {
        var places: [Int32: KafkaReader.Place] = [:]
        for part in parts { places[part] = next[part].map { .offset($0) } ?? source.begin }
        try await reader.assign(places)
    }

    /// Stores the events of some messages, and how far the partitions are read with them.
    private func store(_ messages: [KafkaReader.Message]) async throws -> [Int32: Int64] {
        let reader = EventRecordReader(now: InterestService.now)
        var records: [EventRecord] = []
        var (next, rejected): ([Int32: Int64], Int) = ([:], 0)
        func reject(_ message: KafkaReader.Message, _ fault: EventRecordReader.Fault) {
            rejected += 1
            // What was wrong may be personal; where it lies is not.
            logger.warning(
                "an event in \(source.topic), partition \(message.partition), offset \(message.offset) is not read: \(fault.pointer) is not as it has to be"
            )
        }
        for message in messages {
            next[message.partition] = max(next[message.partition] ?? 0, message.offset + 1)
            let isCloudEvent = message.contentType?.hasPrefix("application/cloudevents") == true
            do throws(EventRecordReader.Fault) {
                let found = try reader.read(
                    message.payload, as: isCloudEvent ? .cloudEvents : .json, limit: limits.events)
                for (place, result) in found.enumerated() {
                    do throws(EventRecordReader.Fault) {
                        var record = try result.get()
                        // No id that a sender gives has a sign of control in front; a topic that was made anew has the same places at other
                        // times.
                        let own = [Int64(message.partition), message.offset, message.timestamp, Int64(place)]
                        record.id =
                            record.id ?? "\u{1}\(source.name)\u{1}" + own.map(String.init).joined(separator: "\u{1}")
                        records.append(record)
                    } catch {
                        reject(message, error)
                    }
                }
            } catch {
                reject(message, error)
            }
        }
        let places = next.map { StreamPlace(stream: source.name, part: $0.key, next: $0.value) }
        let receipts = try await service.append(records, places: places)
        var counts: [Receipt: Int] = [:]
        for receipt in receipts { counts[receipt, default: 0] += 1 }
        let conflicts = counts[.conflict] ?? 0
        if conflicts > 0 {
            logger.warning("\(conflicts) events of \(source.topic) have the ids of others that are stored, which stay")
        }
        for (result, count) in [
            ("accepted", counts[.accepted] ?? 0), ("duplicate", counts[.duplicate] ?? 0),
            ("rejected", rejected + conflicts),
        ] where count > 0 {
            service.metrics.count("wane_ingest_events_total", "result=\"\(result)\"", by: Double(count))
        }
        return next
    }
}
