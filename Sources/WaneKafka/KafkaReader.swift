import CKafka
import Dispatch

/// Messages of one Kafka topic, from places that the caller remembers: nothing of where it stands is left to the brokers, who are only told it
/// for others to see.
///
/// One caller at a time. Waiting is done on a thread of its own.
public final class KafkaReader: @unchecked Sendable {
    public struct Message: Sendable {
        public let partition: Int32
        public let offset: Int64
        /// Milliseconds since 1970, of the sender or of the broker; -1 where the topic has none.
        public let timestamp: Int64
        public let payload: [UInt8]
        /// Of the header `content-type`.
        public let contentType: String?
    }

    /// What came of waiting for messages.
    public struct Batch: Sendable {
        public var messages: [Message] = []
        /// Partitions whose next message is there no more: the broker has let go of it.
        public var lost: Set<Int32> = []
    }

    public let topic: String
    private let handle: OpaquePointer
    private let queue = DispatchQueue(label: "wane.kafka")
    private static let patience: Int32 = 10_000

    /// - Parameters:
    ///   - brokers: `host:port`, several with commas between.
    ///   - group: under which the brokers are told how far it has come.
    ///   - settings: more that librdkafka is told, such as `security.protocol`.
    /// - Throws: ``KafkaError/setting(_:_:)`` for one that librdkafka does not take.
    public init(brokers: String, topic: String, group: String, settings: [(name: String, value: String)] = [])
        throws(KafkaError)
    {
        self.topic = topic
        guard let configuration = rd_kafka_conf_new() else { throw .failed("no memory") }
        let own = [
            ("bootstrap.servers", brokers), ("group.id", group), ("client.id", "wane"),
            ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
            // What is gone is an error to be told of, not to be passed over.
            ("auto.offset.reset", "error"),
        ]
        var words = [CChar](repeating: 0, count: 512)
        for (name, value) in settings + own {
            guard rd_kafka_conf_set(configuration, name, value, &words, words.count) == RD_KAFKA_CONF_OK else {
                rd_kafka_conf_destroy(configuration)
                throw .setting(name, Self.text(words))
            }
        }
        // Its own lines on standard error would name brokers and nothing that is not told here too.
        rd_kafka_conf_set_log_cb(configuration, nil)
        guard let handle = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, &words, words.count) else {
            rd_kafka_conf_destroy(configuration)
            throw .failed(Self.text(words))
        }
        self.handle = handle
        rd_kafka_poll_set_consumer(handle)
    }

    deinit {
        rd_kafka_consumer_close(handle)
        rd_kafka_destroy(handle)
    }

    private static func text(_ words: [CChar]) -> String {
        String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func words(_ code: rd_kafka_resp_err_t) -> String {
        rd_kafka_err2str(code).map { String(cString: $0) } ?? "\(code.rawValue)"
    }

    private func run<Value: Sendable>(_ body: @escaping @Sendable () -> Result<Value, KafkaError>)
        async throws(KafkaError)
        -> Value
    {
        let result = await withCheckedContinuation { answer in queue.async { answer.resume(returning: body()) } }
        return try result.get()
    }

    /// Numbers of the topic's partitions.
    ///
    /// - Throws: ``KafkaError/noTopic(_:)``, ``KafkaError/failed(_:)`` where no broker answers.
    public func partitions() async throws(KafkaError) -> [Int32] {
        try await run { [self] in
            guard let own = rd_kafka_topic_new(handle, topic, nil) else { return .failure(.failed("no memory")) }
            defer { rd_kafka_topic_destroy(own) }
            var found: UnsafePointer<rd_kafka_metadata>?
            let code = rd_kafka_metadata(handle, 0, own, &found, Self.patience)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let found else { return .failure(.failed(Self.words(code))) }
            defer { rd_kafka_metadata_destroy(found) }
            guard found.pointee.topic_cnt > 0 else { return .failure(.noTopic(topic)) }
            let answer = found.pointee.topics[0]
            guard answer.err == RD_KAFKA_RESP_ERR_NO_ERROR, answer.partition_cnt > 0 else {
                return .failure(.noTopic(topic))
            }
            return .success((0..<Int(answer.partition_cnt)).map { answer.partitions[$0].id })
        }
    }

    /// Where reading of a partition begins.
    public enum Place: Sendable, Equatable { case earliest, latest, offset(Int64) }

    /// Reads these partitions from now on, each from its place.
    public func assign(_ places: [Int32: Place]) async throws(KafkaError) {
        try await run { [self] in
            let code = with(
                places.mapValues { place in
                    switch place {
                    case .earliest: Int64(RD_KAFKA_OFFSET_BEGINNING)
                    case .latest: Int64(RD_KAFKA_OFFSET_END)
                    case .offset(let next): next
                    }
                }
            ) { rd_kafka_assign(handle, $0) }
            return code == RD_KAFKA_RESP_ERR_NO_ERROR ? .success(()) : .failure(.failed(Self.words(code)))
        }
    }

    /// Tells the brokers how far it has come, without waiting for them: for tools that show how far readers lag.
    public func tell(_ next: [Int32: Int64]) {
        _ = with(next) { rd_kafka_commit(handle, $0, 1) }
    }

    private func with(
        _ offsets: [Int32: Int64],
        _ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> rd_kafka_resp_err_t
    ) -> rd_kafka_resp_err_t {
        let list = rd_kafka_topic_partition_list_new(Int32(offsets.count))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for (partition, offset) in offsets {
            rd_kafka_topic_partition_list_add(list, topic, partition)?.pointee.offset = offset
        }
        return body(list)
    }

    /// The oldest message that the brokers have of a partition, and the one that comes next.
    public func bounds(_ partition: Int32) async throws(KafkaError) -> Range<Int64> {
        try await run { [self] in
            var (low, high): (Int64, Int64) = (0, 0)
            let code = rd_kafka_query_watermark_offsets(handle, topic, partition, &low, &high, Self.patience)
            return code == RD_KAFKA_RESP_ERR_NO_ERROR
                ? .success(low..<max(low, high)) : .failure(.failed(Self.words(code)))
        }
    }

    /// How many messages wait, as far as the brokers have said lately.
    ///
    /// - Parameter next: of each partition the offset that is read next.
    public func waiting(_ next: [Int32: Int64]) -> Int64 {
        next.reduce(0) { sum, entry in
            var (low, high): (Int64, Int64) = (0, 0)
            let code = rd_kafka_get_watermark_offsets(handle, topic, entry.key, &low, &high)
            return sum + (code == RD_KAFKA_RESP_ERR_NO_ERROR ? max(0, high - entry.value) : 0)
        }
    }

    /// The messages that are there, at most so many; waits for the first, and then for as long again.
    ///
    /// - Parameter wait: milliseconds.
    public func poll(most: Int, wait: Int32) async throws(KafkaError) -> Batch {
        try await run { [self] in
            var batch = Batch()
            while batch.messages.count < most {
                guard let message = rd_kafka_consumer_poll(handle, batch.messages.isEmpty ? wait : min(wait, 20)) else {
                    break
                }
                defer { rd_kafka_message_destroy(message) }
                switch message.pointee.err {
                case RD_KAFKA_RESP_ERR_NO_ERROR: batch.messages.append(Self.message(message))
                case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: batch.lost.insert(message.pointee.partition)
                // It goes on trying by itself.
                case RD_KAFKA_RESP_ERR__PARTITION_EOF, RD_KAFKA_RESP_ERR__TRANSPORT,
                    RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__TIMED_OUT:
                    if batch.messages.isEmpty { return .success(batch) }
                case let code: return .failure(.failed(Self.words(code)))
                }
            }
            return .success(batch)
        }
    }

    private static func message(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> Message {
        let own = message.pointee
        var contentType: String?
        var headers: OpaquePointer?
        if rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR {
            var value: UnsafeRawPointer?
            var length = 0
            if rd_kafka_header_get_last(headers, "content-type", &value, &length) == RD_KAFKA_RESP_ERR_NO_ERROR,
                let value
            {
                contentType = String(decoding: UnsafeRawBufferPointer(start: value, count: length), as: UTF8.self)
            }
        }
        return Message(
            partition: own.partition, offset: own.offset, timestamp: rd_kafka_message_timestamp(message, nil),
            payload: Array(UnsafeRawBufferPointer(start: own.payload, count: own.payload == nil ? 0 : own.len)),
            contentType: contentType)
    }
}

public enum KafkaError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A setting that librdkafka does not take, and its words.
    case setting(String, String)
    case noTopic(String)
    case failed(String)

    public var description: String {
        switch self {
        case .setting(let name, let words): "Kafka's \(name): \(words)"
        case .noTopic(let name): "the brokers have no topic \(name)"
        case .failed(let words): "Kafka: \(words)"
        }
    }
}
