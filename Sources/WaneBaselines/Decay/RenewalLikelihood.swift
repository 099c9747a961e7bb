import Foundation
import WaneCurves

/// The log-likelihood of the times between touches; see ``RenewalFit``.
///
/// Numbers stand in one vector: five of each row that has pairs (`log τ0` in seconds, shape and floor before their links, `log λ0`
/// in touches a second, `log k`), then the logarithm of `σ`, and `β`.
struct RenewalLikelihood: Sendable {
    static let globals = 2
    static let columns = RenewalFit.columns
    let record: TouchRecord
    /// Rows with pairs, and touches of each, first ones included.
    let used: [Int]
    let touches: [Double]
    private let deviations: [Double]
    private let logWeights: [Double]
    /// The most returns of a pair, of each row.
    private let mostReturns: [Int]

    init(_ record: TouchRecord, deviations: [Double], logWeights: [Double]) {
        self.record = record
        self.deviations = deviations
        self.logWeights = logWeights
        used = record.pairsOfRow.indices.filter { !record.pairsOfRow[$0].isEmpty }
        touches = used.map { row in
            record.pairsOfRow[row].reduce(0.0) { $0 + 1 + Double(record.pairs[$1].returns) }
        }
        mostReturns = used.map { row in record.pairsOfRow[row].reduce(0) { max($0, record.pairs[$1].returns) } }
    }

    private var end: Int { used.count * Self.columns }

    func setGlobals(_ x: inout [Double], spread: Double, depth: Double) {
        x[end] = log(spread)
        x[end + 1] = depth
    }

    /// Where numbers may lie; beyond, nothing moves with them.
    private let spreads = -4.0...1
    private let logRates = -60.0...40
    private let frailties = -3.0...8
    func spread(_ x: [Double]) -> Double { exp(min(spreads.upperBound, max(spreads.lowerBound, x[end]))) }
    func depth(_ x: [Double]) -> Double { x[end + 1] }
    /// `k` of a row.
    func frailty(_ at: Int, _ x: [Double]) -> Double {
        exp(min(frailties.upperBound, max(frailties.lowerBound, x[at * Self.columns + 4])))
    }

    /// Wide ones, of the spread and of depth.
    func globalPrior(_ x: [Double], _ gradient: inout [Double]) -> Double {
        var loss = 0.0
        for (place, mean, deviation) in [(end, log(0.4), 1.0), (end + 1, 0, 1)] {
            let off = (x[place] - mean) / deviation
            loss += off * off / 2
            gradient[place] += off / deviation
        }
        return loss
    }

    /// What a row's pairs are weighed with.
    private struct Row {
        var table: RateTable
        let floor: Double
        let rate: Double
        let logRate: Double
        /// `k`, with `log Γ(n + k) - log Γ(k)` and its slope in `k`, for all `n` up to the most returns.
        let k: Double
        let gammas: [Double]
        let gammaSlopes: [Double]
        let isFree: (rate: Bool, k: Bool)

        /// The mean of `λ0 b` of a pair with so many returns after so long a wait.
        @inline(__always)
        func expectedRate(returns: Int, waited: Double) -> Double {
            (Double(returns) + k) / (k + rate * waited) * rate
        }
    }

    private func row(_ at: Int, _ x: [Double], _ table: RateTable) -> Row {
        var table = table
        let place = at * Self.columns
        let floor = InterestCurve.floor(x[place + 2])
        table.fill(
            logTime: x[place], shape: InterestCurve.shape(x[place + 1]), floor: floor, spread: spread(x),
            deviations: deviations, depth: depth(x))
        let logRate = min(logRates.upperBound, max(logRates.lowerBound, x[place + 3]))
        let k = frailty(at, x)
        var (gammas, slopes) = ([0.0], [0.0])
        gammas.reserveCapacity(mostReturns[at] + 1)
        slopes.reserveCapacity(mostReturns[at] + 1)
        for n in 0..<mostReturns[at] {
            gammas.append(gammas[n] + log(k + Double(n)))
            slopes.append(slopes[n] + 1 / (k + Double(n)))
        }
        return Row(
            table: table, floor: floor, rate: exp(logRate), logRate: logRate, k: k, gammas: gammas,
            gammaSlopes: slopes,
            isFree: (logRates.contains(x[place + 3]), frailties.contains(x[place + 4])))
    }

    private var emptyTable: RateTable {
        RateTable(
            places: record.places, shortest: record.shortest, levels: record.hasDepth ? TouchRecord.levels : 1,
            nodes: deviations.count)
    }

    /// How long each boundary of the silence counts, given who is around: `Λ` of the silence is their sum.
    @inline(__always)
    private func silenceWeight(_ boundary: Int, _ pair: TouchRecord.Pair, _ around: [Double]) -> Double {
        let parts = TouchRecord.silences
        let first = pair.person * parts
        if boundary == 0 { return 1 - around[first] }
        if boundary == parts { return around[first + parts - 1] }
        return around[first + boundary - 1] - around[first + boundary]
    }

    /// Sums of a pair for each node: the logarithms of its rates, and what was waited, without `λ0`.
    @inline(__always)
    private func sums(
        _ pair: TouchRecord.Pair, _ row: Row, _ around: [Double], _ logs: inout [Double], _ waits: inout [Double]
    ) {
        let size = row.table.placesOfNode
        let width = RateTable.width
        for node in deviations.indices {
            var (sum, waited) = (0.0, 0.0)
            let base = node * size
            row.table.logRate.withUnsafeBufferPointer { logRate in
                row.table.waited.withUnsafeBufferPointer { table in
                    for entry in record.entries[pair.entries] {
                        let at = (base + Int(entry.place)) * width
                        sum += Double(entry.touches) * logRate[at]
                        waited += Double(entry.waits) * table[at]
                    }
                    let level = base + Int(pair.level) * record.places
                    for boundary in 0...TouchRecord.silences {
                        let weight = silenceWeight(boundary, pair, around)
                        if weight == 0 { continue }
                        waited += weight * row.table.waited(at: pair.silence[boundary], first: level)
                    }
                }
            }
            logs[node] = sum
            waits[node] = waited
        }
    }

    /// The log-likelihood of one pair, and each node's share of it.
    @inline(__always)
    private func weigh(
        _ pair: TouchRecord.Pair, _ row: Row, _ logs: [Double], _ waits: [Double], _ shares: inout [Double]
    ) -> Double {
        let n = Double(pair.returns)
        let k = row.k
        let constant = n * row.logRate + row.gammas[pair.returns] + k * log(k)
        var most = -Double.infinity
        for node in shares.indices {
            shares[node] = logs[node] + constant - (n + k) * log(k + row.rate * waits[node]) + logWeights[node]
            most = max(most, shares[node])
        }
        var sum = 0.0
        for node in shares.indices {
            shares[node] = exp(shares[node] - most)
            sum += shares[node]
        }
        for node in shares.indices { shares[node] /= sum }
        return most + log(sum)
    }

    /// - Parameter around: see ``Leaving/around``.
    func value(_ x: [Double], around: [Double], _ gradient: inout [Double]) -> Double {
        for place in gradient.indices { gradient[place] = 0 }
        let empty = emptyTable
        let nodes = deviations.count
        var logs = [Double](repeating: 0, count: nodes)
        var waits = logs, shares = logs
        var total = 0.0
        for (at, number) in used.enumerated() {
            var row = row(at, x, empty)
            row.table.clearSlopes()
            let size = row.table.placesOfNode
            let place = at * Self.columns
            let k = row.k
            for index in record.pairsOfRow[number] {
                let pair = record.pairs[index]
                sums(pair, row, around, &logs, &waits)
                total += weigh(pair, row, logs, waits, &shares)
                let n = Double(pair.returns)
                for node in 0..<nodes {
                    let share = shares[node]
                    if share < 1e-9 { continue }
                    let all = k + row.rate * waits[node]
                    // The slope in what was waited.
                    let slope = -share * row.expectedRate(returns: pair.returns, waited: waits[node])
                    gradient[place + 3] += row.isFree.rate ? share * n + slope * waits[node] : 0
                    gradient[place + 4] +=
                        !row.isFree.k
                        ? 0 : share * (row.gammaSlopes[pair.returns] + log(k) + 1 - log(all) - (n + k) / all) * k
                    let base = node * size
                    for entry in record.entries[pair.entries] {
                        row.table.logRateSlope[base + Int(entry.place)] += share * Double(entry.touches)
                        row.table.waitedSlope[base + Int(entry.place)] += slope * Double(entry.waits)
                    }
                    let level = base + Int(pair.level) * record.places
                    for boundary in 0...TouchRecord.silences {
                        let weight = silenceWeight(boundary, pair, around)
                        if weight == 0 { continue }
                        let silence = pair.silence[boundary]
                        let low = Int(silence)
                        let part = Double(silence - Float(low))
                        row.table.waitedSlope[level + low] += slope * weight * (1 - part)
                        row.table.waitedSlope[level + low + 1] += slope * weight * part
                    }
                }
            }
            let slopes = row.table.slopes(spread: spread(x), deviations: deviations)
            gradient[place] += slopes.time
            gradient[place + 1] += slopes.shape * InterestCurve.shapeSlope(x[place + 1])
            gradient[place + 2] += slopes.floor * row.floor * (1 - row.floor)
            if spreads.contains(x[end]) { gradient[end] += slopes.spread }
            gradient[end + 1] += slopes.depth
        }
        return total
    }

    /// Calls `body` with each pair, its row, waits and shares of nodes, and its log-likelihood.
    ///
    /// - Parameter rows: places among ``used``; all when absent.
    private func forEachPair(
        _ x: [Double], around: [Double], rows: Range<Int>? = nil,
        _ body: (
            _ at: Int, _ pair: TouchRecord.Pair, _ row: Row, _ waits: [Double], _ shares: [Double],
            _ value: Double
        ) -> Void
    ) {
        let empty = emptyTable
        var logs = [Double](repeating: 0, count: deviations.count)
        var waits = logs, shares = logs
        for at in rows ?? used.indices {
            let row = row(at, x, empty)
            for index in record.pairsOfRow[used[at]] {
                let pair = record.pairs[index]
                sums(pair, row, around, &logs, &waits)
                let value = weigh(pair, row, logs, waits, &shares)
                body(at, pair, row, waits, shares, value)
            }
        }
    }

    /// How each pair's log-likelihood moves with the first four numbers of its row.
    func scores(_ at: Int, _ x: [Double], around: [Double]) -> [(person: Int, value: [Double])] {
        let width = RateTable.width
        let place = at * Self.columns
        var result: [(person: Int, value: [Double])] = []
        result.reserveCapacity(record.pairsOfRow[used[at]].count)
        forEachPair(x, around: around, rows: at..<at + 1) { _, pair, row, waits, shares, _ in
            let n = Double(pair.returns)
            var score = [Double](repeating: 0, count: width)
            for node in deviations.indices {
                let share = shares[node]
                let slope = -share * row.expectedRate(returns: pair.returns, waited: waits[node])
                score[3] += share * n + slope * waits[node]
                let base = node * row.table.placesOfNode
                for entry in record.entries[pair.entries] {
                    let at = (base + Int(entry.place)) * width
                    for column in 1..<width {
                        score[column - 1] +=
                            Double(entry.touches) * share * row.table.logRate[at + column]
                            + Double(entry.waits) * slope * row.table.waited[at + column]
                    }
                }
                let level = base + Int(pair.level) * record.places
                for boundary in 0...TouchRecord.silences {
                    let weight = slope * silenceWeight(boundary, pair, around)
                    for column in 1..<width {
                        score[column - 1] +=
                            weight * row.table.waited(at: pair.silence[boundary], first: level, column: column)
                    }
                }
            }
            score[1] *= InterestCurve.shapeSlope(x[place + 1])
            score[2] *= row.floor * (1 - row.floor)
            result.append((pair.person, score))
        }
        return result
    }

    /// The log-likelihood of each row.
    func values(_ x: [Double], around: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: used.count)
        forEachPair(x, around: around) { at, _, _, _, _, value in result[at] += value }
        return result
    }

    /// Touches expected of each person in each part of the silence after their last event, if they were around.
    func silentTouches(_ x: [Double], around: [Double]) -> [Double] {
        let parts = TouchRecord.silences
        var result = [Double](repeating: 0, count: record.people.count * parts)
        forEachPair(x, around: around) { _, pair, row, waits, shares, _ in
            for node in deviations.indices {
                let weight = shares[node] * row.expectedRate(returns: pair.returns, waited: waits[node])
                let level = node * row.table.placesOfNode + Int(pair.level) * record.places
                var before = row.table.waited(at: pair.silence[0], first: level)
                for part in 0..<parts {
                    let now = row.table.waited(at: pair.silence[part + 1], first: level)
                    result[pair.person * parts + part] += weight * (now - before)
                    before = now
                }
            }
        }
        return result
    }

    /// Mean and variance of each pair's `a`.
    func posteriors(_ x: [Double], around: [Double]) -> [Int: (mean: Double, variance: Double)] {
        var result: [Int: (mean: Double, variance: Double)] = [:]
        let spread = spread(x)
        forEachPair(x, around: around) { _, pair, _, _, shares, _ in
            var (mean, square) = (0.0, 0.0)
            for (deviation, share) in zip(deviations, shares) {
                mean += share * deviation * spread
                square += share * deviation * spread * deviation * spread
            }
            result[pair.userTopic] = (mean, max(0, square - mean * mean))
        }
        return result
    }
}
