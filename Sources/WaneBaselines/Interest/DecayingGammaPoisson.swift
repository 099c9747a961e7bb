import Foundation
import WaneCurves
import WaneEvents
import WaneState
import WaneTasks

/// ``GammaPoisson`` with half-lives: after each touch of a pair the rate decays as ``RenewalFit`` finds it of the pair's topic.
///
///     P(return) = 1 - Σ_a w_a ((k + λ0 (W_a + ΔW_a)) / (k + λ0 W_a))^-(k + x)
///
/// with `x` returns so far, `W` the integral of the decaying rate since the first touch and `ΔW` that over the horizon, both
/// without `λ0`; `a` are nodes of how far the pair's `log τ` lies from its topic's, weighed by what its touches so far make of
/// them. Nothing is fitted to labels: where this row is better than rates that do not decay, it is by decay alone.
///
/// - Complexity: O(touches · nodes) for the histories of the pairs asked about.
public struct DecayingGammaPoisson: Baseline {
    public static let name = "gamma-Poisson, decay"
    public var name: String { Self.name }

    private let histories: Histories
    private let decay: RenewalFit
    private let topicRow: [Int64]

    /// - Parameters:
    ///   - histories: from which queries are drawn.
    ///   - decay: of the training part, times between touches as they passed for everybody alike.
    ///   - topicRow: its row of each topic of the log.
    public init(_ histories: Histories, _ decay: RenewalFit, topicRow: [Int64]) {
        (self.histories, self.decay, self.topicRow) = (histories, decay, topicRow)
    }

    public func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        let chances = chances(training, horizon: horizon)
        let mean = chances.reduce(0, +) / Double(max(1, chances.count))
        return Fitted(model: self, scale: mean > 0 ? training.degree.mean / mean : 0, horizon: horizon)
    }

    private struct Fitted: FittedBaseline {
        let model: DecayingGammaPoisson
        /// The mean degree for each unit of chance.
        let scale: Double
        let horizon: Double

        func predict(_ queries: QuerySet) -> (returnProbability: [Double], degree: [Double]) {
            let returned = model.chances(queries, horizon: horizon)
            return (returned, returned.map { min(1, $0 * scale) })
        }
    }

    private func row(_ userTopic: Int) -> Int { Int(topicRow[Int(histories.userTopicTopic[userTopic])]) }

    private func chances(_ queries: QuerySet, horizon: Double) -> [Double] {
        let order = (0..<queries.count).sorted {
            let (a, b) = (queries.userTopic[$0], queries.userTopic[$1])
            let (rowA, rowB) = (row(a), row(b))
            return (rowA, a, queries.moment[$0]) < (rowB, b, queries.moment[$1])
        }
        var result = [Double](repeating: 0, count: queries.count)
        let shortest = max(1e-3, Double(StateSchema.visitPause(histories.log.clock)) / 1e6)
        let span = histories.log.span.map { Double($0.upperBound) - Double($0.lowerBound) } ?? 0
        let longest = queries.elapsedSinceTopic.reduce(span / 1e6) { max($0, Double($1)) } + horizon
        var table: PairTable?
        var tableRow = -1
        var pair: PairWait?
        for query in order {
            let userTopic = queries.userTopic[query]
            let row = row(userTopic)
            if row != tableRow {
                table = PairTable(decay, row: row, horizon: horizon, shortest: shortest, longest: longest)
                tableRow = row
                pair = nil
            }
            guard let table else { continue }
            if pair?.userTopic != userTopic { pair = PairWait(userTopic, nodes: table.nodes) }
            pair?.advance(to: queries.moment[query], in: histories, table)
            result[query] = pair?.chance(at: queries.moment[query], horizon: horizon, table) ?? 0
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
    let rate: Double
    let frailty: Double
    let logWeights: [Double]
    let hasDepth: Bool

    init(_ decay: RenewalFit, row: Int, horizon: Double, shortest: Double, longest: Double) {
        let own = decay.rows[row]
        let deviations = RenewalFit.deviations
        places = 2 + Int((log2(max(2, longest / shortest)) * 4).rounded(.up))
        hasDepth = decay.hasDepth
        var rates = RateTable(
            places: places, shortest: shortest, levels: hasDepth ? TouchRecord.levels : 1, nodes: deviations.count)
        rates.fill(
            logTime: own[0] + log(horizon), shape: InterestCurve.shape(own[1]), floor: InterestCurve.floor(own[2]),
            spread: decay.spread, deviations: deviations, depth: decay.depth)
        self.rates = rates
        self.shortest = shortest
        nodes = deviations.count
        rate = exp(min(InterestCurve.Start.logRates.upperBound, own[3])) / horizon
        frailty = decay.frailty[row]
        logWeights = RenewalFit.logWeights
    }

    private func first(_ node: Int, _ level: Int) -> Int { node * rates.placesOfNode + level * places }

    private func place(_ seconds: Double) -> Float {
        seconds <= shortest ? 0 : Float(min(Double(places - 1) - 1e-3, log(seconds / shortest) / TouchRecord.step))
    }

    func waited(_ seconds: Double, node: Int, level: Int) -> Double {
        rates.waited(at: place(seconds), first: first(node, level))
    }

    func logRate(_ seconds: Double, node: Int, level: Int) -> Double {
        let place = place(seconds)
        let low = Int(place)
        let share = Double(place - Float(low))
        let at = (first(node, level) + low) * RateTable.width
        return rates.logRate[at] * (1 - share) + rates.logRate[at + RateTable.width] * share
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

    func chance(at moment: Int64, horizon: Double, _ table: PairTable) -> Double {
        guard let last else { return 0 }
        let silence = Double(moment - last) / 1e6
        let shape = table.frailty + Double(returns)
        var (weights, stays): ([Double], [Double]) = ([], [])
        for node in waits.indices {
            let before = table.waited(silence, node: node, level: level)
            let now = table.frailty + table.rate * (waits[node] + before)
            let coming = table.rate * (table.waited(silence + horizon, node: node, level: level) - before)
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
