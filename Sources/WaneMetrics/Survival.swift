#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The share that survives beyond each moment, estimated from durations some of which are censored.
///
/// Source: Kaplan and Meier, JASA 53 (1958).
public struct KaplanMeier: Sendable, Codable {
    /// Moments at which the curve falls, and its value from there on.
    public let times: [Double]
    public let survival: [Double]

    public init(durations: [Double], observed: [Bool]) {
        self.init(durations, falls: observed, leavingFirst: [Bool](repeating: false, count: durations.count))
    }

    /// The survival function of the time of censoring: where an event and a censoring tie, the event came first.
    public static func censoring(durations: [Double], observed: [Bool]) -> KaplanMeier {
        KaplanMeier(durations, falls: observed.map { !$0 }, leavingFirst: observed)
    }

    private init(_ durations: [Double], falls: [Bool], leavingFirst: [Bool]) {
        let order = durations.indices.sorted { durations[$0] < durations[$1] }
        var (times, survival) = ([Double](), [Double]())
        var value = 1.0
        var index = 0
        while index < order.count {
            let time = durations[order[index]]
            var atRisk = order.count - index
            var events = 0
            while index < order.count, durations[order[index]] == time {
                if falls[order[index]] { events += 1 }
                if leavingFirst[order[index]] { atRisk -= 1 }
                index += 1
            }
            guard events > 0 else { continue }
            value *= 1 - Double(events) / Double(atRisk)
            times.append(time)
            survival.append(value)
        }
        self.times = times
        self.survival = survival
    }

    /// The share beyond `time`, falls at `time` itself included.
    public func callAsFunction(_ time: Double) -> Double {
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 1 : survival[low - 1]
    }

    /// The first moment by which half are gone; nothing where more than half stay.
    public var median: Double? { time(share: 0.5) }

    /// The first moment by which a share is gone; nothing where so many were not seen to go.
    public func time(share: Double) -> Double? { zip(times, survival).first { $0.1 <= 1 - share }?.0 }
}

/// Measures of predicted times to an event.
public enum Survival {
    /// Harrell's C: of the pairs whose order is known, the share that `predicted` puts in that order, ties counting
    /// half. A pair's order is known when the shorter duration ended in an event; durations that tie with an event
    /// and a censoring have the event first.
    ///
    /// Source: Harrell, Lee and Mark, Statistics in Medicine 15 (1996), section 5.5.
    /// - Complexity: O(n log n)
    public static func concordance(predicted: [Double], durations: [Double], observed: [Bool]) -> Double {
        // From the longest duration down: a tree over predicted ranks holds all that outlast the present one.
        let sorted = Set(predicted).sorted()
        var rank: [Double: Int] = [:]
        for (index, value) in sorted.enumerated() { rank[value] = index + 1 }
        var tree = [Int](repeating: 0, count: sorted.count + 1)
        func insert(_ index: Int) {
            var index = index
            while index < tree.count {
                tree[index] += 1
                index += index & -index
            }
        }
        func upTo(_ index: Int) -> Int {
            var (index, sum) = (index, 0)
            while index > 0 {
                sum += tree[index]
                index -= index & -index
            }
            return sum
        }
        let order = durations.indices.sorted { durations[$0] > durations[$1] }
        var (right, known) = (0.0, 0.0)
        var (inserted, index) = (0, 0)
        while index < order.count {
            let time = durations[order[index]]
            var end = index
            while end < order.count, durations[order[end]] == time { end += 1 }
            let group = order[index..<end]
            for row in group where !observed[row] {
                insert(rank[predicted[row]] ?? 1)
                inserted += 1
            }
            for row in group where observed[row] {
                let own = rank[predicted[row]] ?? 1
                let (below, equal) = (upTo(own - 1), upTo(own) - upTo(own - 1))
                right += Double(inserted - below - equal) + Double(equal) / 2
                known += Double(inserted)
            }
            for row in group where observed[row] {
                insert(rank[predicted[row]] ?? 1)
                inserted += 1
            }
            index = end
        }
        return known > 0 ? right / known : .nan
    }

    /// The Brier score at each time of `grid`, weighed for censoring, and its mean over the grid's span by the
    /// trapezoidal rule.
    ///
    ///     BS(t) = mean of  S(t)^2 [T <= t, seen] / G(T)  +  (1 - S(t))^2 [T > t] / G(t)
    ///
    /// Source: Graf et al., Statistics in Medicine 18 (1999), equation 7.
    /// - Parameters:
    ///   - survival: `S(t | row)`, `[rows, grid]`, row by row.
    ///   - censoring: the survival function of the time of censoring.
    public static func brier(
        survival: [Double], grid: [Double], durations: [Double], observed: [Bool], censoring: KaplanMeier
    ) -> (scores: [Double], integrated: Double) {
        let rows = durations.count
        let weights = durations.map { 1 / max(1e-6, censoring($0)) }
        var scores: [Double] = []
        for (column, time) in grid.enumerated() {
            let later = 1 / max(1e-6, censoring(time))
            var sum = 0.0
            for row in 0..<rows {
                let s = survival[row * grid.count + column]
                if durations[row] > time {
                    sum += (1 - s) * (1 - s) * later
                } else if observed[row] {
                    sum += s * s * weights[row]
                }
            }
            scores.append(sum / Double(max(1, rows)))
        }
        guard let first = grid.first, let last = grid.last, last > first else { return (scores, scores.first ?? .nan) }
        var area = 0.0
        for index in 1..<grid.count {
            area += (scores[index] + scores[index - 1]) / 2 * (grid[index] - grid[index - 1])
        }
        return (scores, area / (last - first))
    }
}

/// How well times of return are predicted.
public struct ReturnReport: Sendable, Codable, Equatable {
    /// Mean over questions of the logarithm of the density (of horizons) where the return was seen, and of the chance
    /// of a later return where it was not; nothing for models that give no density.
    public var logLikelihood: Double?
    /// Of the predicted median against the time of the return, both cut at the horizon (restricted), of the questions whose
    /// time is known as far: what a log shows of later times is a matter of where it ends. In horizons.
    public var mae: Double
    public var rmse: Double
    /// The mean magnitude of the difference in the logarithm to base 2: 1 is a factor of two.
    public var octaves: Double
    public var concordance: Double
    public var integratedBrier: Double?
    public var questions: Int
    /// The share of returns that were seen.
    public var observed: Double
    /// 95 % intervals over people.
    public var intervals: [String: Evaluation.Interval] = [:]

    /// - Parameters:
    ///   - logLikelihood: of each question.
    ///   - survival: `[questions, grid]`, row by row.
    public init(
        logLikelihood: [Double]?, median: [Double], survival: [Double]?, grid: [Double], durations: [Double],
        observed: [Bool], users: [UInt32], seed: UInt64
    ) {
        let rows = durations.indices.filter { observed[$0] || durations[$0] >= 1 }
        let count = Double(max(1, rows.count))
        func cut(_ time: Double) -> Double { min(time, 1) }
        questions = durations.count
        self.observed = Double(observed.count { $0 }) / Double(max(1, durations.count))
        self.logLikelihood = logLikelihood.map { $0.reduce(0, +) / Double(max(1, $0.count)) }
        let errors = rows.map { cut(median[$0]) - cut(durations[$0]) }
        mae = errors.reduce(0) { $0 + abs($1) } / count
        rmse = (errors.reduce(0) { $0 + $1 * $1 } / count).squareRoot()
        octaves = rows.reduce(0) { $0 + abs(log2(max(1e-9, cut(median[$1])) / max(1e-9, cut(durations[$1])))) } / count
        concordance = Survival.concordance(predicted: median, durations: durations, observed: observed)
        integratedBrier = survival.map {
            let censoring = KaplanMeier.censoring(durations: durations, observed: observed)
            return Survival.brier(
                survival: $0, grid: grid, durations: durations, observed: observed, censoring: censoring
            ).integrated
        }
        let seen = UserBootstrap(users: rows.map { users[$0] }, seed: seed)
        intervals["mae"] = seen.interval(of: errors.map { abs($0) })
        if let logLikelihood {
            intervals["log_likelihood"] = UserBootstrap(users: users, seed: seed).interval(of: logLikelihood)
        }
    }
}
