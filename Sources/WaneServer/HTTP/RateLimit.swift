import Foundation
import Synchronization

/// How often somebody may ask: so many requests a second, and ten seconds' worth at once.
///
/// A bucket for each key, or for each address where there is none; those that are full again are forgotten.
final class RateLimit: Sendable {
    private struct Bucket {
        var tokens: Double
        var time: ContinuousClock.Instant
    }

    private let buckets = Mutex<[String: Bucket]>([:])
    private let rate: Double
    private let most: Double
    private static let mostBuckets = 10_000

    /// - Parameter rate: requests a second.
    init(rate: Double) {
        self.rate = rate
        most = max(1, rate * 10)
    }

    /// Seconds after which to try again; nothing where the request may pass.
    func wait(for name: String, now: ContinuousClock.Instant = .now) -> Double? {
        buckets.withLock { buckets in
            if buckets.count >= Self.mostBuckets {
                // Whoever has waited long enough has a full one.
                let (rate, most) = (rate, most)
                buckets = buckets.filter { $0.value.tokens + $0.value.time.duration(to: now).inSeconds * rate < most }
                // Too many who ask at once: all of them anew, rather than memory without end.
                if buckets.count >= Self.mostBuckets { buckets = [:] }
            }
            var bucket = buckets[name] ?? Bucket(tokens: most, time: now)
            bucket.tokens = min(most, bucket.tokens + max(0, bucket.time.duration(to: now).inSeconds) * rate)
            bucket.time = now
            defer { buckets[name] = bucket }
            guard bucket.tokens >= 1 else { return (1 - bucket.tokens) / rate }
            bucket.tokens -= 1
            return nil
        }
    }
}
