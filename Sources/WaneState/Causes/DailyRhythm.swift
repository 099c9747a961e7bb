import WaneEvents

/// When a person is about: seconds of a day count as much as their hour has events, against others.
public struct DailyRhythm: Sendable {
    private static let day = 86_400.0
    private static let generalEvents = 24.0
    /// Up to each hour's begin, in days.
    private var sums: [Double]

    /// - Parameters:
    ///   - counts: of events in each of 24 hours.
    ///   - general: everybody's shares, which count as many events.
    public init(_ counts: [Float], general: [Double]) {
        sums = [0]
        sums.reserveCapacity(25)
        var all = 0.0
        for hour in 0..<24 {
            // An hour's neighbours say something of it.
            let own = Double(counts[hour]) + 0.5 * Double(counts[(hour + 23) % 24] + counts[(hour + 1) % 24])
            all += own + Self.generalEvents * general[hour]
            sums.append(all)
        }
        for hour in sums.indices { sums[hour] /= max(1e-9, all) }
    }

    /// Seconds that count up to a moment, in seconds.
    public func passed(_ time: Double) -> Double {
        let days = (time / Self.day).rounded(.down)
        let hours = (time - days * Self.day) / 3_600
        let hour = min(23, Int(hours))
        return (days + sums[hour] + (sums[hour + 1] - sums[hour]) * (hours - Double(hour))) * Self.day
    }
}

extension DailyRhythm {
    /// The hour of the day of a moment, in microseconds: 0...23.
    static func hour(of moment: Int64) -> Int {
        let day = 24 * 3_600 * EventLog.second
        let rest = moment % day
        return Int((rest < 0 ? rest + day : rest) / (3_600 * EventLog.second))
    }

    /// Hours of moments, in microseconds, counted.
    public static func counts(_ moments: some Sequence<Int64>) -> [Float] {
        var counts = [Float](repeating: 0, count: 24)
        for moment in moments { counts[hour(of: moment)] += 1 }
        return counts
    }

    /// Everybody's shares of the hours, from the counts of each of them; one event more in every hour.
    public static func shares(_ people: some Sequence<[Float]>) -> [Double] {
        var sums = [Double](repeating: 1, count: 24)
        for counts in people { for hour in sums.indices { sums[hour] += Double(counts[hour]) } }
        let all = sums.reduce(0, +)
        return sums.map { $0 / all }
    }
}
