#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import WaneCurves
import WaneEvents
import WaneState

/// Windows within which a return is asked about beside the horizon: training on them tells a rate that is high and soon gone from
/// one that is low and lasts.
public enum ReturnWindows {
    /// The shortest, as a share of the horizon.
    public static let shortest = 1e-4

    /// A window for each query, in horizons, spread evenly in its logarithm from a ten-thousandth (but what the log's times
    /// resolve at least) to the whole; which one follows from the query alone.
    public static func draw(_ queries: QuerySet, resolution: Int64, horizon: Int64) -> [Float] {
        let low = max(shortest, min(1, Double(resolution) / Double(horizon)))
        return (0..<queries.count).map { row in
            // No number of a vocabulary, which other rows of the log could move.
            let gaps =
                UInt64(queries.elapsedSinceTopic[row].bitPattern) << 32
                | UInt64(queries.elapsedSinceEvent[row].bitPattern)
            let key = UInt64(bitPattern: queries.moment[row]) &* 0x9E37_79B9_7F4A_7C15 ^ gaps
            var generator = SeededGenerator(seed: key, stream: 12)
            return Float(pow(low, generator.uniform()))
        }
    }
}

extension Histories {
    /// Everybody's shares of the 24 hours of a day, UTC, up to a moment; nothing where the log's times are dates or positions.
    public func hours(until end: Int64) -> [Double]? {
        guard log.hasHours(log.resolution(until: end)) else { return nil }
        return DailyRhythm.shares(
            (0..<userCount).lazy.map { DailyRhythm.counts(moments(ofUser: $0, until: end)) })
    }
}

extension EventLog {
    /// Whether times of this resolution have hours of the day: dates and positions have none.
    public func hasHours(_ resolution: Int64) -> Bool { clock == .wall && resolution <= 3_600 * Self.second }

    /// The unit in which all times up to a moment are written: a day, an hour, a minute, a second, or less, in microseconds; for
    /// a log of positions, a position.
    public func resolution(until end: Int64) -> Int64 {
        guard clock == .wall, let first = time.first(where: { $0 <= end }) else { return Self.second }
        for unit in [86_400, 3_600, 60, 1].map({ Int64($0) * Self.second })
        where time.allSatisfy({ $0 > end || ($0 - first) % unit == 0 }) {
            return unit
        }
        return 1
    }
}
