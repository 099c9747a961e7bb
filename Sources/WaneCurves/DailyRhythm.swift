/// When a person is about: seconds of a day count as much as their hour has events, against others. A whole day counts a day.
public struct DailyRhythm: Sendable, Equatable, Codable {
    private static let day = 86_400.0
    private static let generalEvents = 24.0
    /// Up to each hour's begin, in days.
    private var sums: [Double]

    /// - Parameters:
    ///   - counts: of events in each of 24 hours.
    ///   - general: everybody's shares, which count as many events.
    public init(_ counts: [Float], general: [Double]) {
        var weights = [Double](repeating: 0, count: 24)
        for hour in weights.indices {
            // An hour's neighbours say something of it.
            let beside = Double(counts[(hour + 23) % 24] + counts[(hour + 1) % 24])
            weights[hour] = Double(counts[hour]) + 0.5 * beside + Self.generalEvents * general[hour]
        }
        self.init(weights: weights)
    }

    /// - Parameter shares: of the day's 24 hours, as ``shares`` gives them.
    public init(shares: some Sequence<Float>) { self.init(weights: shares.map(Double.init)) }

    private init(weights: [Double]) {
        sums = [0]
        sums.reserveCapacity(25)
        var all = 0.0
        for weight in weights {
            all += weight
            sums.append(all)
        }
        for hour in sums.indices { sums[hour] /= max(1e-9, all) }
    }

    /// What each hour has of the whole day: 24 numbers.
    public var shares: [Float] { zip(sums, sums.dropFirst()).map { Float($1 - $0) } }

    /// Seconds that count up to a moment, in seconds.
    public func passed(_ time: Double) -> Double {
        let days = (time / Self.day).rounded(.down)
        let hours = (time - days * Self.day) / 3_600
        let hour = min(23, Int(hours))
        return (days + sums[hour] + (sums[hour + 1] - sums[hour]) * (hours - Double(hour))) * Self.day
    }

    /// How much a second of a moment's hour counts.
    public func speed(_ time: Double) -> Double {
        let days = (time / Self.day).rounded(.down)
        let hour = min(23, Int((time - days * Self.day) / 3_600))
        return 24 * (sums[hour + 1] - sums[hour])
    }

    /// Seconds that count between two moments.
    public func length(from start: Double, to end: Double) -> Double { max(0, passed(end) - passed(start)) }
}
