import CKafka
import Foundation

/// librdkafka's own mock cluster: brokers in this process that speak the protocol over loopback, and a producer.
final class KafkaBrokers: @unchecked Sendable {
    private let handle: OpaquePointer
    private let cluster: OpaquePointer
    let address: String

    struct Failure: Error { let words: String }

    init() throws {
        let configuration = rd_kafka_conf_new()
        var words = [CChar](repeating: 0, count: 512)
        _ = rd_kafka_conf_set(configuration, "test.mock.num.brokers", "1", &words, words.count)
        rd_kafka_conf_set_log_cb(configuration, nil)
        guard let handle = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &words, words.count),
            let cluster = rd_kafka_handle_mock_cluster(handle), let address = rd_kafka_mock_cluster_bootstraps(cluster)
        else { throw Failure(words: "no mock cluster") }
        (self.handle, self.cluster, self.address) = (handle, cluster, String(cString: address))
    }

    deinit { rd_kafka_destroy(handle) }

    func make(_ topic: String, partitions: Int32) throws {
        guard rd_kafka_mock_topic_create(cluster, topic, partitions, 1) == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw Failure(words: "no topic")
        }
    }

    /// Sends messages to a partition; they are there when this returns.
    func send(_ messages: [String], to topic: String, partition: Int32) throws {
        guard let own = rd_kafka_topic_new(handle, topic, nil) else { throw Failure(words: "no topic") }
        defer { rd_kafka_topic_destroy(own) }
        for message in messages {
            var bytes = Array(message.utf8)
            // RD_KAFKA_MSG_F_COPY
            guard rd_kafka_produce(own, partition, 2, &bytes, bytes.count, nil, 0, nil) == 0 else {
                throw Failure(words: "not sent")
            }
        }
        guard rd_kafka_flush(handle, 30_000) == RD_KAFKA_RESP_ERR_NO_ERROR else { throw Failure(words: "not flushed") }
    }
}
