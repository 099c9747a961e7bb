import Foundation
import WaneCurves
import WaneEvents
import WaneState
import WaneTasks

/// Touches at rates that differ between topics, and between pairs by a gamma distribution, with half-lives or without.
///
///     P(return) = 1 - Σ_a w_a ((k + λ0 (W_a + ΔW_a)) / (k + λ0 W_a))^-(k + x)
///
/// with `x` returns so far in other visits, `W` the integral of the rate since the first touch and `ΔW` that over the horizon, both
/// without `λ0`: of a rate that decays after each touch as ``RenewalFit`` finds it, or of one that stays. `a` are nodes of how far the
/// pair's `log τ` lies from its topic's, weighed by what its touches so far make of them. `λ0` and `k` of each topic have the
/// greatest likelihood of the touches up to the end of training, each way for itself, and nothing is fitted to labels: where rates
/// that decay are better than rates that stay, it is by decay alone.
///
/// - Complexity: O(touches · nodes) for the histories of the pairs asked about.
public struct DecayingGammaPoisson: Baseline {
    public static let decaying = "gamma-Poisson, decay"
    public static let steady = "gamma-Poisson, per topic"
    public let name: String

    private let histories: Histories
    private let decay: RenewalFit
    private let topicRow: [Int64]
    private let fades: Bool
    /// `λ0` in touches a second and `k` of each row, in logarithms.
    let rates: [(rate: Double, frailty: Double)]
    private let shortest: Double
    private let longest: Double
    private let horizon: Double

    /// Pairs that rates are fitted to, at most.
    private static let mostPairs = 50_000

    /// - Parameters:
    ///   - histories: from which queries are drawn.
    ///   - decay: of the training part, times between touches as they passed for everybody alike.
    ///   - topicRow: its row of each topic of the log.
    public init(
        _ histories: Histories, _ decay: RenewalFit, topicRow: [Int64], split: Split, fades: Bool,
        checkInterruption: () throws -> Void = {}
    ) rethrows {
        (self.histories, self.decay, self.topicRow, self.fades) = (histories, decay, topicRow, fades)
        name = fades ? Self.decaying : Self.steady
        horizon = Double(split.horizon) / 1e6
        shortest = max(1e-3, Double(StateSchema.visitPause(histories.log.clock)) / 1e6)
        let span = histories.log.span.map { Double($0.upperBound) - Double($0.lowerBound) } ?? 0
        longest = span / 1e6 + 2 * horizon
        let known = (0..<histories.userTopicTopic.count).filter { pair in
            histories.topicEvents(ofUserTopic: pair).first.map { histories.time(ofTopicEvent: $0) < split.trainEnd }
                ?? false
        }
        let stride = max(1, (known.count + Self.mostPairs - 1) / Self.mostPairs)
        var pairs = [[Int]](repeating: [], count: decay.rows.count)
        for place in Swift.stride(from: 0, to: known.count, by: stride) {
            pairs[Int(topicRow[Int(histories.userTopicTopic[known[place]])])].append(known[place])
        }
        var rates: [(rate: Double, frailty: Double)] = []
        for row in decay.rows.indices {
            try checkInterruption()
            let start = (decay.rows[row][3] - log(horizon), log(decay.frailty[row]))
            let table = PairTable(
                decay, row: row, fades: fades, horizon: horizon, shortest: shortest, longest: longest)
            let waits = pairs[row].map { number in
                var pair = PairWait(number, nodes: table.nodes)
                pair.advance(to: split.trainEnd - 1, in: histories, table)
                return pair.ended(at: split.trainEnd - 1, table)
            }
            let found = NelderMead.minimize(from: [start.0, start.1], tolerance: 1e-6, iterations: 120) { x in
                // Wide priors, for topics that few touch.
                let off = ((x[0] - start.0) / 2, (x[1] - start.1) / 2)
                return off.0 * off.0 / 2 + off.1 * off.1 / 2
                    - waits.reduce(0) { $0 + $1.logLikelihood(x[0], x[1], table) }
            }
            rates.append((found[0], found[1]))
        }
        self.rates = rates
    }

    public func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        let chances = chances(training)
        let mean = chances.reduce(0, +) / Double(max(1, chances.count))
        return Fitted(model: self, scale: mean > 0 ? training.degree.mean / mean : 0)
    }

    private struct Fitted: FittedBaseline {
        let model: DecayingGammaPoisson
        /// The mean degree for each unit of chance.
        let scale: Double

        func predict(_ queries: QuerySet) -> (returnProbability: [Double], degree: [Double]) {
            let returned = model.chances(queries)
            return (returned, returned.map { min(1, $0 * scale) })
        }
    }

    private func row(_ userTopic: Int) -> Int { Int(topicRow[Int(histories.userTopicTopic[userTopic])]) }

    private func chances(_ queries: QuerySet) -> [Double] {
        let order = (0..<queries.count).sorted {
            let (a, b) = (queries.userTopic[$0], queries.userTopic[$1])
            let (rowA, rowB) = (row(a), row(b))
            return (rowA, a, queries.moment[$0]) < (rowB, b, queries.moment[$1])
        }
        var result = [Double](repeating: 0, count: queries.count)
        var table: PairTable?
        var tableRow = -1
        var pair: PairWait?
        for query in order {
            let userTopic = queries.userTopic[query]
            let row = row(userTopic)
            if row != tableRow {
                table = PairTable(
                    decay, row: row, fades: fades, horizon: horizon, shortest: shortest, longest: longest)
                tableRow = row
                pair = nil
            }
            guard let table else { continue }
            if pair?.userTopic != userTopic { pair = PairWait(userTopic, nodes: table.nodes) }
            pair?.advance(to: queries.moment[query], in: histories, table)
            result[query] = pair?.chance(at: queries.moment[query], horizon: horizon, table, rates[row]) ?? 0
        }
        return result
    }
}

/// A topic's decaying rate and its integral, for every node of the spread between pairs.
private struct PairTable {
    private let rates: RateTable
    private let shortest: Double
    private let places: Int
    let nodes: Int
    let logWeights: [Double]
    let hasDepth: Bool

    init(_ decay: RenewalFit, row: Int, fades: Bool, horizon: Double, shortest: Double, longest: Double) {
        let numbers = decay.rows[row]
        // A rate that stays is the same however far pairs differ in half-lives.
        let deviations = fades ? RenewalFit.deviations : [0]
        places = TouchRecord.places(from: shortest, to: max(2 * shortest, longest))
        hasDepth = fades && decay.hasDepth
        var rates = RateTable(
            places: places, shortest: shortest, levels: hasDepth ? TouchRecord.levels : 1, nodes: deviations.count)
        rates.fill(
            logTime: numbers[0] + log(horizon), shape: InterestCurve.shape(numbers[1]),
            floor: fades ? InterestCurve.floor(numbers[2]) : 1, spread: decay.spread, deviations: deviations,
            depth: decay.depth)
        self.rates = rates
        self.shortest = shortest
        nodes = deviations.count
        logWeights = fades ? RenewalFit.logWeights : [0]
    }

    private func first(_ node: Int, _ level: Int) -> Int { node * rates.placesOfNode + level * places }

    private func place(_ seconds: Double) -> Float {
        Float(TouchRecord.place(seconds, from: shortest, of: places))
    }

    func waited(_ seconds: Double, node: Int, level: Int) -> Double {
        rates.waited(at: place(seconds), first: first(node, level))
    }

    func logRate(_ seconds: Double, node: Int, level: Int) -> Double {
        rates.logRate(at: place(seconds), first: first(node, level))
    }
}

/// What one pair has waited so far, and how often it came back.
private struct PairWait {
    let userTopic: Int
    private var next = 0
    private var last: Int64?
    private var level = 0
    private var returns = 0
    private var waits: [Double]
    private var logs: [Double]

    init(_ userTopic: Int, nodes: Int) {
        self.userTopic = userTopic
        waits = Array(repeating: 0, count: nodes)
        logs = waits
    }

    /// Takes in the touches up to a moment.
    mutating func advance(to moment: Int64, in histories: Histories, _ table: PairTable) {
        let touches = histories.topicEvents(ofUserTopic: userTopic)
        let pause = StateSchema.visitPause(histories.log.clock)
        while next < touches.count {
            let touch = touches.lowerBound + next
            let time = histories.time(ofTopicEvent: touch)
            guard time <= moment else { return }
            if let last, time - last > pause {
                let gap = Double(time - last) / 1e6
                for node in waits.indices {
                    waits[node] += table.waited(gap, node: node, level: level)
                    logs[node] += table.logRate(gap, node: node, level: level)
                }
                returns += 1
            }
            last = time
            level = table.hasDepth ? TouchRecord.level(histories.engagement[Int(histories.topicEvents[touch])]) : 0
            next += 1
        }
    }

    /// The same with the silence up to a moment.
    func ended(at moment: Int64, _ table: PairTable) -> PairWait {
        var other = self
        guard let last else { return other }
        for node in waits.indices {
            other.waits[node] += table.waited(Double(moment - last) / 1e6, node: node, level: level)
        }
        return other
    }

    /// Of its returns in its waits, at the logarithms of `λ0` and `k`.
    func logLikelihood(_ logRate: Double, _ logFrailty: Double, _ table: PairTable) -> Double {
        let (n, k, rate) = (Double(returns), exp(min(12, logFrailty)), exp(logRate))
        var most = -Double.infinity
        var sum = 0.0
        for node in waits.indices {
            let value = logs[node] + table.logWeights[node] - (n + k) * log(k + rate * waits[node])
            if value > most {
                sum = sum * exp(most - value) + 1
                most = value
            } else {
                sum += exp(value - most)
            }
        }
        return most + log(sum) + n * logRate + lgamma(n + k) - lgamma(k) + k * log(k)
    }

    func chance(
        at moment: Int64, horizon: Double, _ table: PairTable, _ own: (rate: Double, frailty: Double)
    ) -> Double {
        guard let last else { return 0 }
        let silence = Double(moment - last) / 1e6
        let (rate, frailty) = (exp(own.rate), exp(own.frailty))
        let shape = frailty + Double(returns)
        var (weights, stays): ([Double], [Double]) = ([], [])
        for node in waits.indices {
            let before = table.waited(silence, node: node, level: level)
            let now = frailty + rate * (waits[node] + before)
            let coming = rate * (table.waited(silence + horizon, node: node, level: level) - before)
            weights.append(logs[node] - shape * log(now) + table.logWeights[node])
            stays.append(-shape * log1p(coming / now))
        }
        let most = weights.max() ?? 0
        var (sum, stay) = (0.0, 0.0)
        for (weight, stays) in zip(weights, stays) {
            let share = exp(weight - most)
            sum += share
            stay += share * -expm1(stays)
        }
        return min(1, max(0, stay / sum))
    }
}
