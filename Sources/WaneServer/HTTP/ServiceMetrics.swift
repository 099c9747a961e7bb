import Foundation
import Synchronization

/// What an operator counts, in the text that Prometheus reads. Labels are of few values: no people, no items, no paths as they came.
public final class ServiceMetrics: Sendable {
    private struct Histogram {
        var counts = [Int](repeating: 0, count: ServiceMetrics.bounds.count + 1)
        var sum = 0.0
    }

    private struct Contents {
        var counters: [String: [String: Double]] = [:]
        var histograms: [String: [String: Histogram]] = [:]
        var inFlight = 0
    }

    private let contents = Mutex(Contents())
    /// Seconds.
    static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private static let help = [
        "wane_http_requests_total": "requests that were answered",
        "wane_http_request_duration_seconds": "from the head of a request to its answer",
        "wane_http_requests_in_flight": "requests that are being answered",
        "wane_ingest_events_total": "events that came, by what became of them",
        "wane_ingest_commit_duration_seconds": "from events that were read to events that are durable",
        "wane_ingest_queue_events": "events that wait to be written",
        "wane_ingest_lag_seconds": "how long ago the newest event of the last request was",
        "wane_kafka_waiting_messages": "messages of the topic that were not read yet",
        "wane_kafka_lost_messages_total": "messages that the brokers let go of before they were read",
        "wane_predict_duration_seconds": "an answer, by kind",
        "wane_model_info": "the models that answer",
        "wane_model_loaded_timestamp_seconds": "when they were loaded",
        "wane_model_reloads_total": "changes of the model that answers",
        "wane_train_runs_total": "rounds of learning, by what became of them",
        "wane_train_duration_seconds": "a round of learning",
        "wane_train_running": "whether a round of learning is on its way",
        "wane_calibration_error_ratio": "how far the champion's chances lay from what then happened, at the last look",
        "wane_log_loss_nats": "the champion's log loss at the last look",
        "wane_drift_score":
            "population stability index of chances and of the inputs that lie furthest, at the last look",
        "wane_events_stored": "events in the store",
        "wane_people_in_memory": "people whose folded events are held",
        "wane_person_cache_total": "people asked about, by whether they were held",
        "wane_process_resident_memory_bytes": "memory in use",
        "wane_build_info": "this program",
    ]

    func count(_ name: String, _ labels: String, by amount: Double = 1) {
        contents.withLock { $0.counters[name, default: [:]][labels, default: 0] += amount }
    }

    func counter(_ name: String, _ labels: String) -> Double {
        contents.withLock { $0.counters[name]?[labels] ?? 0 }
    }

    func measure(_ name: String, _ labels: String, seconds: Double) {
        contents.withLock { contents in
            let place = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
            contents.histograms[name, default: [:]][labels, default: Histogram()].counts[place] += 1
            contents.histograms[name]?[labels]?.sum += seconds
        }
    }

    var inFlight: Int { contents.withLock { $0.inFlight } }
    func enter() { contents.withLock { $0.inFlight += 1 } }
    func leave() { contents.withLock { $0.inFlight -= 1 } }

    /// - Parameter gauges: what is asked for now: name, labels, value.
    func text(_ gauges: [(name: String, labels: String, value: Double)]) -> String {
        let (counters, histograms, inFlight) = contents.withLock { ($0.counters, $0.histograms, $0.inFlight) }
        var out = ""
        func head(_ name: String, _ type: String) {
            out += "# HELP \(name) \(Self.help[name] ?? name)\n# TYPE \(name) \(type)\n"
        }
        func line(_ name: String, _ labels: String, _ value: Double) {
            let number = value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
            out += labels.isEmpty ? "\(name) \(number)\n" : "\(name){\(labels)} \(number)\n"
        }
        for (name, values) in counters.sorted(by: { $0.key < $1.key }) {
            head(name, "counter")
            for (labels, value) in values.sorted(by: { $0.key < $1.key }) { line(name, labels, value) }
        }
        for (name, values) in histograms.sorted(by: { $0.key < $1.key }) {
            head(name, "histogram")
            for (labels, histogram) in values.sorted(by: { $0.key < $1.key }) {
                var total = 0
                let before = labels.isEmpty ? "" : labels + ","
                for (place, count) in histogram.counts.enumerated() {
                    total += count
                    let bound = place < Self.bounds.count ? "\(Self.bounds[place])" : "+Inf"
                    line(name + "_bucket", "\(before)le=\"\(bound)\"", Double(total))
                }
                line(name + "_sum", labels, histogram.sum)
                line(name + "_count", labels, Double(total))
            }
        }
        let all = gauges + [("wane_http_requests_in_flight", "", Double(inFlight))]
        for name in Set(all.map(\.name)).sorted() {
            head(name, "gauge")
            for gauge in all where gauge.name == name { line(name, gauge.labels, gauge.value) }
        }
        return out
    }

    /// Bytes of memory that the process holds.
    static var residentBytes: Double {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }
}
