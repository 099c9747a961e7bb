import Foundation

/// A zone's offsets over a stretch of time: local clocks into UTC by the rules of each moment's own day.
struct ZoneRules: Sendable {
    /// Microseconds in UTC from which on `offset` holds; the first is before everything.
    private var starts: [Int64] = [.min]
    /// Microseconds that the local clock is ahead of UTC.
    private var offsets: [Int64] = []

    /// - Parameters:
    ///   - from, to: microseconds, local or not: the stretch is widened by two days.
    init(_ zone: TimeZone, from: Int64, to: Int64) {
        func offset(_ seconds: Int64) -> Int64 {
            Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
        }
        let day: Int64 = 86_400
        let limits = GregorianCalendar.range
        var at = max(limits.lowerBound, from / 1_000_000 - 2 * day)
        let last = min(limits.upperBound, to / 1_000_000 + 2 * day)
        var current = offset(at)
        offsets.append(current * 1_000_000)
        // No zone changes twice within a day, and few stretches are longer than some decades.
        while at < last {
            let next = min(last, at + day)
            let then = offset(next)
            if then != current {
                var (low, high) = (at, next)
                while high - low > 1 {
                    let middle = low + (high - low) / 2
                    if offset(middle) == current { low = middle } else { high = middle }
                }
                starts.append(high * 1_000_000)
                offsets.append(then * 1_000_000)
                current = then
            }
            at = next
        }
    }

    enum Kind: Sendable, Equatable {
        case plain
        /// A clock that was put forward never showed this: read as if it had not been.
        case skipped
        /// A clock that was put back showed this twice: the first time is meant.
        case doubled
    }

    /// - Parameter hint: where to look first, and then where it was found: neighbours in a log are near in time.
    func utc(_ local: Int64, hint: inout Int) -> (micros: Int64, kind: Kind) {
        if hint >= starts.count || !isNear(local, hint) {
            // The last change that a local clock has passed, by the offset after it.
            var (low, high) = (0, starts.count)
            while high - low > 1 {
                let middle = (low + high) / 2
                if starts[middle] &+ offsets[middle] <= local { low = middle } else { high = middle }
            }
            hint = low
        }
        let index = hint
        let moment = local &- offsets[index]
        // Just before the next change the clock may show what comes again, just after one what was before.
        if index + 1 < starts.count, moment >= starts[index + 1] { return (moment, .skipped) }
        if index > 0 {
            let earlier = local &- offsets[index - 1]
            if earlier < starts[index] { return (earlier, .doubled) }
        }
        return (moment, .plain)
    }

    private func isNear(_ local: Int64, _ index: Int) -> Bool {
        (index == 0 || starts[index] &+ offsets[index] <= local)
            && (index + 1 == starts.count || local < starts[index + 1] &+ offsets[index + 1])
    }
}
