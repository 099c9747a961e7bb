import Foundation
import WaneCurves
import WaneEvents
import WaneState
import WaneTasks

/// How interest decays in each topic, and how far people differ in it, from the times between touches.
///
/// After each touch the next one comes at the rate
///
///     λ(d) = λ0 b (f + (1 - f) / (1 + (d / τ)^p)),    log τ = log τ0 + β depth + a,    a ~ N(0, σ²),  b ~ Gamma(k, k)
///
/// while the person is around. `λ0`, `τ0`, `p`, `f`, `k` are the topic's, `a` and `b` the pair's, and they hold through all of its
/// touches: that is what tells decay from people who come at different rates, and a spread of half-lives from the shape of one.
/// `b` is integrated in closed form, `a` over nodes; `σ` and `β` are of all topics together. Time after a person's last event
/// counts as far as they are likely still around (``Leaving``). Maximum a posteriori, by L-BFGS: a topic's numbers have a normal
/// prior around the mean of all topics, and decay costs a little a touch, so that what the data leave open is "does not fade".
public struct RenewalFit: Sendable {
    /// For each row of topics, 0 for those that the model does not know: `log τ0` in horizons, shape and floor before their links
    /// (see ``InterestCurve/Start``), `log λ0` in touches a horizon.
    public let rows: [[Double]]
    /// Deviation of each row's log half-life, as far as the data leave it open, by the sandwich of the curvature around the scores
    /// of people (Huber 1967); of rows that no touch speaks of, row 0 among them, the spread between topics.
    public let uncertainty: [Double]
    /// `k` of each row: pairs' rates have the variance `1 / k`.
    public let frailty: [Double]
    /// `σ`, and `β`.
    public let spread: Double
    public let depth: Double
    let hasDepth: Bool
    /// The share of people who are likely gone at the end of training.
    public let left: Double
    /// Everybody's shares of the 24 hours of a day, UTC; nothing where the log has none. Times between touches are measured in each
    /// person's own.
    public let hours: [Double]?
    /// How many topics fade, of those that touches speak of.
    public let fadingTopics: (count: Int, of: Int)
    /// Of each user-topic's `a`: mean and variance, given all of its touches; nothing for those that were not read.
    public let pairs: [Int: (mean: Double, variance: Double)]

    /// What decay costs in place of a rate that does not fade, in nats a touch.
    static let costOfDecay = 0.006
    static let columns = 5
    /// Precision of the prior of scales below a visit's pause.
    private static let visitPrior = 100.0
    private enum Place { static let time = 0, shape = 1, floor = 2, rate = 3, frailty = 4 }
    /// Deviations of the priors of a topic's numbers around those of all.
    private static let priors = [1.0, 1, 2, 1, 1]
    /// Nodes of `a`, in deviations.
    static let deviations: [Double] = (-4...4).map { 0.6 * Double($0) }
    static let logWeights: [Double] = {
        let weights = deviations.map { exp(-$0 * $0 / 2) }
        let all = weights.reduce(0, +)
        return weights.map { log($0 / all) }
    }()

    /// - Parameters:
    ///   - topicRow: the model's row of each topic of the log, 0 for none; `topicRows` how many there are beside 0.
    ///   - resolution: the unit in which the log's times are written, in microseconds.
    ///   - followsHours: whether times between touches are measured in each person's own hours, where the log has hours.
    ///   - users: whose events may be read; everyone's when absent.
    public init(
        _ histories: Histories, split: Split, topicRow: [Int64], topicRows: Int, resolution: Int64,
        followsHours: Bool = true, users: (@Sendable (UInt32) -> Bool)? = nil, checkInterruption: () throws -> Void = {}
    ) rethrows {
        let record = TouchRecord(
            histories, split: split, topicRow: topicRow, topicRows: topicRows, resolution: resolution,
            followsHours: followsHours, users: users)
        let likelihood = RenewalLikelihood(record, deviations: Self.deviations, logWeights: Self.logWeights)
        var leaving = Leaving(record, isKnown: record.hasTopics)
        var x = Self.start(record, likelihood)
        for round in 0..<(record.hasTopics ? 6 : 1) {
            try checkInterruption()
            let around = leaving.around
            x = LBFGS.minimize(from: x, iterations: round == 0 ? 80 : 30, tolerance: 1e-7) { x, gradient in
                Self.objective(likelihood, around, x, &gradient)
            }
            if record.hasTopics { leaving.update(expecting: likelihood.silentTouches(x, around: around)) }
        }
        x = Self.steadyWhereLevel(x, record, likelihood, leaving.around)
        let horizon = Double(split.horizon) / 1e6
        let numbers = x
        func row(_ at: Int) -> [Double] {
            let place = at * Self.columns
            return [
                numbers[place] - log(horizon), numbers[place + 1], numbers[place + 2],
                numbers[place + 3] + log(horizon),
            ]
        }
        let common = (0..<RateTable.width).map { column -> Double in
            let values = likelihood.used.indices.map { row($0)[column] }
            return values.reduce(0, +) / Double(max(1, values.count))
        }
        var rows = [[Double]](repeating: common, count: topicRows + 1)
        var uncertainty = [Double](repeating: 1, count: topicRows + 1)
        let deviations = likelihood.deviationsOfHalfLife(x, around: leaving.around, priors: Self.priors) {
            Self.logHalfLife($0)
        }
        let halfLives = likelihood.used.indices.compactMap { Self.logHalfLife(row($0)) }
        fadingTopics = (halfLives.count, likelihood.used.count)
        if halfLives.count > 1 {
            let mean = halfLives.reduce(0, +) / Double(halfLives.count)
            let variance = halfLives.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(halfLives.count - 1)
            // What no touch speaks of may be any of the topics.
            uncertainty = uncertainty.map { _ in min(3, max(0.3, variance.squareRoot())) }
        }
        for (at, number) in likelihood.used.enumerated() {
            rows[number] = row(at)
            uncertainty[number] = deviations[at]
        }
        var frailty = [Double](repeating: 1, count: topicRows + 1)
        for (at, number) in likelihood.used.enumerated() {
            frailty[number] = likelihood.frailty(at, x)
        }
        self.frailty = frailty
        self.rows = rows
        self.uncertainty = uncertainty
        spread = likelihood.spread(x)
        depth = likelihood.depth(x)
        hasDepth = record.hasDepth
        hours = record.generalHours
        left = leaving.aroundAtEnd.reduce(0) { $0 + 1 - $1 } / Double(max(1, record.people.count))
        pairs = likelihood.posteriors(x, around: leaving.around)
    }

    /// The same as states read it, by rows.
    ///
    /// - Parameter horizon: microseconds.
    public func rates(horizon: Int64) -> RateSchema {
        let horizon = log(Double(horizon) / 1e6)
        return RateSchema(
            topics: zip(rows, frailty).map { row, frailty in
                [
                    row[0] + horizon, InterestCurve.shape(row[1]), InterestCurve.floor(row[2]), row[3] - horizon,
                    frailty,
                ]
            }, depth: hasDepth ? depth : 0)
    }

    /// What the depth of the last touch adds to `log τ`.
    ///
    /// - Parameter engagement: of the touch.
    public func depthOffset(_ engagement: Float) -> Double {
        hasDepth ? depth * TouchRecord.depth[TouchRecord.level(engagement)] : 0
    }

    /// The log half-life of a row's numbers; nothing where it does not halve.
    public static func logHalfLife(_ x: [Double]) -> Double? {
        InterestCurve.halfLife(shape: InterestCurve.shape(x[Place.shape]), floor: InterestCurve.floor(x[Place.floor]))
            .map { x[Place.time] + log($0) }
    }

    /// Every topic at a rate and a scale of its own touches, which fade.
    private static func start(_ record: TouchRecord, _ likelihood: RenewalLikelihood) -> [Double] {
        var x = [Double](repeating: 0, count: likelihood.used.count * columns + RenewalLikelihood.globals)
        var all: [Double] = []
        let gaps = likelihood.used.map { row -> Double? in
            var sum = 0.0, count = 0.0
            for pair in record.pairsOfRow[row] {
                for entry in record.entries[record.pairs[pair].entries] {
                    let place = Double(Int(entry.place) % record.places)
                    sum += Double(entry.touches) * place
                    count += Double(entry.touches)
                }
            }
            guard count > 0 else { return nil }
            let mean = log(record.shortest) + TouchRecord.step * sum / count
            all.append(mean)
            return mean
        }
        let common = all.isEmpty ? log(record.span / 4) : all.reduce(0, +) / Double(all.count)
        for (at, gap) in gaps.enumerated() {
            let gap = gap ?? common
            x[at * columns + Place.time] = gap + log(2)
            x[at * columns + Place.floor] = 0.5
            x[at * columns + Place.rate] = -gap
            x[at * columns + Place.frailty] = log(2)
        }
        likelihood.setGlobals(&x, spread: 0.3, depth: 0)
        return x
    }

    /// Where decay is slow, a rate that hardly fades is tried too: from a floor of nothing no small step shows what it saves.
    private static func steadyWhereLevel(
        _ x: [Double], _ record: TouchRecord, _ likelihood: RenewalLikelihood, _ around: [Double]
    ) -> [Double] {
        let slow = log(record.span / 8)
        func floor(_ x: [Double], _ at: Int) -> Double { InterestCurve.floor(x[at * columns + Place.floor]) }
        let tried = likelihood.used.indices.filter {
            guard let halfLife = logHalfLife(Array(x[$0 * columns..<($0 + 1) * columns])) else { return false }
            return halfLife > slow
        }
        guard !tried.isEmpty else { return x }
        var other = x
        let (now, place) = (likelihood.values(x, around: around), Place.floor)
        for at in tried { other[at * columns + place] = 5 - InterestCurve.Start.floor }
        func descend(_ x: [Double]) -> [Double] {
            LBFGS.minimize(from: x, iterations: 30, tolerance: 1e-7) { x, gradient in
                objective(likelihood, around, x, &gradient)
            }
        }
        other = descend(other)
        let then = likelihood.values(other, around: around)
        var best = x
        for at in tried {
            let saved = costOfDecay * likelihood.touches[at] * (floor(other, at) - floor(x, at))
            if then[at] + saved > now[at] {
                for column in 0..<columns { best[at * columns + column] = other[at * columns + column] }
            }
        }
        return descend(best)
    }

    /// Minus the log posterior, a touch.
    private static func objective(
        _ likelihood: RenewalLikelihood, _ around: [Double], _ x: [Double], _ gradient: inout [Double]
    ) -> Double {
        var loss = -likelihood.value(x, around: around, &gradient)
        for place in gradient.indices { gradient[place] = -gradient[place] }
        let rows = likelihood.used.count
        for column in 0..<columns {
            let mean = (0..<rows).reduce(0.0) { $0 + x[$1 * columns + column] } / Double(max(1, rows))
            let precision = 1 / (priors[column] * priors[column])
            for row in 0..<rows {
                let off = x[row * columns + column] - mean
                loss += precision * off * off / 2
                gradient[row * columns + column] += precision * off
            }
        }
        for row in 0..<rows {
            let place = row * columns
            let frailty = (x[place + Place.frailty] - log(2)) / 2
            loss += frailty * frailty / 2
            gradient[place + Place.frailty] += frailty / 2
            // What no touch speaks of stays near where it began.
            loss += 0.125 * x[place + Place.shape] * x[place + Place.shape]
            gradient[place + Place.shape] += 0.25 * x[place + Place.shape]
            // Within a visit nothing is seen of the rate: it counts as even there, and a tail alone has no half-life below.
            let below = min(0, x[place + Place.time] - log(likelihood.record.shortest))
            loss += visitPrior * below * below / 2
            gradient[place + Place.time] += visitPrior * below
            let floor = InterestCurve.floor(x[place + Place.floor])
            let cost = costOfDecay * likelihood.touches[row]
            loss += cost * (1 - floor)
            gradient[place + Place.floor] -= cost * floor * (1 - floor)
        }
        loss += likelihood.globalPrior(x, &gradient)
        let scale = 1 / max(1, likelihood.touches.reduce(0, +))
        for place in gradient.indices { gradient[place] *= scale }
        return loss * scale
    }
}
