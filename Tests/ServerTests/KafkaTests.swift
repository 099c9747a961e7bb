import Foundation
import Logging
import TestSupport
import Testing
import WaneEvents
import WaneKafka
import WaneStore

@testable import WaneServer

@Suite("Events out of Kafka", .serialized)
struct KafkaTests {
    private func feed(_ own: TestService, _ brokers: KafkaBrokers, _ topic: String) -> KafkaFeed {
        var source = KafkaFeed.Source(brokers: brokers.address, topic: topic)
        // The brokers tell of a new message when it comes, and of none after this.
        source.settings = [("fetch.wait.max.ms", "20")]
        return KafkaFeed(source, own.service, limits: ServerLimits(), logger: Logger(label: "test"))
    }

    /// Reads until so many events are stored, or time is up.
    private func read(_ feed: KafkaFeed, _ own: TestService, until count: Int, seconds: Double = 60) async throws {
        let task = Task { try await feed.read() }
        let end = ContinuousClock.now + .seconds(seconds)
        while try await own.store.count() < count, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(20))
        }
        // What is more than that would come now.
        try await Task.sleep(for: .milliseconds(300))
        task.cancel()
        _ = await task.result
    }

    @Test("every message is stored once, equal ones as often as they were sent, wherever reading was broken off")
    func once() async throws {
        let own = try TestService()
        let brokers = try KafkaBrokers()
        try brokers.make("visits", partitions: 3)
        let feed = feed(own, brokers, "visits")
        var generator = SeededGenerator(seed: 9)
        var sent = 0
        for round in 0..<12 {
            for partition in 0..<Int32(3) {
                // Two of each are equal in all that they say.
                let messages = (0..<100).map {
                    #"{"user":"u\#(partition)-\#($0 % 7)","time":\#(1_735_700_000 + round * 1_000 + $0 / 2),"item":"p\#($0 / 2)"}"#
                }
                try brokers.send(messages, to: "visits", partition: partition)
                sent += messages.count
            }
            let task = Task { try await feed.read() }
            try await Task.sleep(for: .milliseconds(Int(generator.uniform() * 150)))
            task.cancel()
            _ = await task.result
        }
        try await read(feed, own, until: sent)
        #expect(try await own.store.count() == sent)
        #expect(try await own.store.places(of: "kafka:visits") == [0: 1_200, 1: 1_200, 2: 1_200])
        let first = try await own.store.events(of: "u0-0")
        #expect(first.count == 15 * 12)
        // From the begin once more, as if places had not been stored: all are known by where they stand.
        _ = try await own.store.append([
            Sending([], places: (0..<3).map { StreamPlace(stream: "kafka:visits", part: $0, next: 0) })
        ])
        let again = Task { try await feed.read() }
        let end = ContinuousClock.now + .seconds(60)
        while try await own.store.places(of: "kafka:visits") != [0: 1_200, 1: 1_200, 2: 1_200],
            ContinuousClock.now < end
        {
            try await Task.sleep(for: .milliseconds(20))
        }
        try await Task.sleep(for: .milliseconds(300))
        again.cancel()
        _ = await again.result
        #expect(try await own.store.count() == sent)
        #expect(own.service.metrics.counter("wane_ingest_events_total", "result=\"duplicate\"") == Double(sent))
    }

    @Test(
        "lists of events are read, what is no event is counted and passed over, and the place is stored with nothing else"
    )
    func wrong() async throws {
        let own = try TestService()
        let brokers = try KafkaBrokers()
        try brokers.make("mixed", partitions: 1)
        try brokers.send(
            [
                #"[{"user":"a","time":1735700000,"item":"p","event_id":"1"},{"user":"a","time":1735700001,"itm":"p"}]"#,
                "not JSON", "", #"{"user":"a","time":1735700000,"item":"p","event_id":"1"}"#,
                #"{"user":"a","time":1735700009,"item":"q"}"#, "[]",
            ], to: "mixed", partition: 0)
        try await read(feed(own, brokers, "mixed"), own, until: 2)
        let counted = ["accepted", "duplicate", "rejected"].map {
            own.service.metrics.counter("wane_ingest_events_total", "result=\"\($0)\"")
        }
        #expect(counted == [2, 1, 4])
        #expect(try await own.store.events(of: "a").map(\.item) == ["p", "q"])
        #expect(try await own.store.places(of: "kafka:mixed") == [0: 6])
    }

    @Test(
        "a topic that is not there is named, a setting that there is none of too, and a topic made anew is read from its begin"
    )
    func names() async throws {
        let own = try TestService()
        let brokers = try KafkaBrokers()
        #expect(throws: KafkaError.self) {
            _ = try KafkaReader(brokers: brokers.address, topic: "t", group: "g", settings: [("no.such", "1")])
        }
        do {
            _ = try KafkaReader(brokers: brokers.address, topic: "t", group: "g", settings: [("no.such", "1")])
        } catch { #expect("\(error)".contains("no.such")) }
        try brokers.make("again", partitions: 1)
        try brokers.send([#"{"user":"a","time":1735700000,"item":"p"}"#], to: "again", partition: 0)
        _ = try await own.store.append([Sending([], places: [StreamPlace(stream: "kafka:again", part: 0, next: 50)])])
        try await read(feed(own, brokers, "again"), own, until: 1)
        #expect(try await own.store.count() == 1)
        #expect(try await own.store.places(of: "kafka:again") == [0: 1])
    }
}
