import WaneCurves
import WaneEvents

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
