import Foundation
import WaneCurves
import WaneState
import WaneTasks

/// The rate of touches since the last one, per topic:
///
///     λ(d) = λ0 exp(γ·z) (f + (1 - f) / (1 + (d / τ)^p))
///
/// with `z` what tells people who touch it often from those who do so rarely (the slow features, scaled): without them the rate
/// of all together would fall with the gap although nobody's does, because those who come often have been back already. It is
/// fitted
/// by maximum a posteriori to whether a return came within the horizon and within one drawn window of each query. A topic's
/// logarithms and logits have a normal prior of deviation one around those of all topics together.
///
/// What is known of decay is known here: deep models begin from these curves. They are fitted by Newton's kind of steps and not
/// by stochastic ones, which take thousands to walk the narrow valley where a higher rate and a shorter time scale say almost the
/// same.
public struct TopicRates: Sendable {
    /// For each row of topics, 0 for those that the model does not know: `log τ` in horizons, shape and floor before their links
    /// (see ``InterestCurve/Start``), `log λ0` in touches a horizon.
    public let rows: [[Double]]
    /// Deviation of each row's log half-life, as far as the data leave it open: from the curvature, people being the independent
    /// parts.
    public let uncertainty: [Double]

    private enum Place { static let timeScale = 0, shape = 1, floor = 2, rate = 3, people = 4 }

    /// One query as the fit reads it.
    private struct Question {
        let user: UInt32
        /// Logarithms of the times of the rule's nodes, for the horizon and then for the window.
        let logTimes: Int
        /// Where `z` begins.
        let people: Int
        let window: Double
        let didReturn: Bool
        let didReturnWithin: Bool
    }

    /// What questions read, end to end.
    private struct Data: Sendable {
        var logTimes: [Double]
        var people: [Double]
        let peopleCount: Int
    }

    /// - Parameters:
    ///   - topicRow: the model's row of each topic of the queries, 0 for none; `topicRows` how many there are beside 0.
    ///   - horizon: microseconds.
    ///   - windows: of ``ReturnWindows``.
    public init(_ queries: QuerySet, topicRow: [Int64], topicRows: Int, horizon: Int64, windows: [Float]) {
        let seconds = Double(horizon) / 1e6
        let rule = InterestCurve.rule
        let slow = FeatureSchema.slowNames.compactMap(FeatureSchema.lastEventIndex)
        let moments = ColumnMoments(queries.lastEventFeatures, width: FeatureSchema.lastEventCount)
        var data = Data(logTimes: [], people: [], peopleCount: slow.count)
        var byRow = [[Question]](repeating: [], count: topicRows + 1)
        for row in 0..<queries.count {
            let gap = Double(queries.elapsedSinceTopic[row]) / seconds + InterestCurve.smallestTime
            let window = Double(windows[row])
            let question = Question(
                user: queries.user[row], logTimes: data.logTimes.count, people: data.people.count, window: window,
                didReturn: queries.didReturn[row] > 0,
                didReturnWithin: Double(queries.timeToReturn[row]) / seconds <= window)
            for length in [1, window] { for place in rule { data.logTimes.append(log(gap + place.node * length)) } }
            for column in slow {
                let value = Double(queries.lastEventFeatures[row * FeatureSchema.lastEventCount + column])
                let deviation = moments.variance[column].squareRoot()
                data.people.append(deviation > 1e-6 ? min(6, max(-6, (value - moments.mean[column]) / deviation)) : 0)
            }
            let topic = Int(topicRow[Int(queries.topic[row])])
            byRow[topic < byRow.count ? topic : 0].append(question)
        }
        let everything = byRow.flatMap { $0 }
        // A part is enough for four numbers.
        let step = max(1, everything.count / 10_000)
        let sample = stride(from: 0, to: everything.count, by: step).map { everything[$0] }
        let common = Self.fit(
            sample, data, from: [Double](repeating: 0, count: Place.people + slow.count), prior: 1e-3)
        var rows = [[Double]](repeating: common, count: topicRows + 1)
        var uncertainty = [Double](repeating: 0, count: topicRows + 1)
        // Each topic is fitted by itself.
        let fitted = Fitted(count: topicRows + 1)
        let (byTopic, all) = (byRow, data)
        DispatchQueue.concurrentPerform(iterations: topicRows + 1) { row in
            guard row > 0, !byTopic[row].isEmpty else { return }
            let own = Self.fit(byTopic[row], all, from: common, prior: 1)
            fitted.set(row, own, Self.deviation(byTopic[row], all, at: own, around: common))
        }
        for row in 1..<max(1, topicRows + 1) {
            if let (own, deviation) = fitted[row] { (rows[row], uncertainty[row]) = (own, deviation) }
        }
        // Of a person like the mean of all.
        self.rows = rows.map { Array($0[..<Place.people]) }
        self.uncertainty = uncertainty
    }

    /// Results of topics, each written once.
    private final class Fitted: @unchecked Sendable {
        private var values: [(own: [Double], deviation: Double)?]
        private let lock = NSLock()
        init(count: Int) { values = Array(repeating: nil, count: count) }
        func set(_ row: Int, _ own: [Double], _ deviation: Double) {
            lock.withLock { values[row] = (own, deviation) }
        }
        subscript(row: Int) -> (own: [Double], deviation: Double)? { lock.withLock { values[row] } }
    }

    private static func fit(
        _ questions: [Question], _ data: Data, from start: [Double], prior: Double
    ) -> [Double] {
        LBFGS.minimize(from: start, iterations: 100, tolerance: 1e-9) { x, gradient in
            for place in gradient.indices { gradient[place] = 0 }
            var loss = 0.0
            for question in questions { loss += add(question, data, x, &gradient) }
            for place in x.indices {
                let off = x[place] - start[place]
                loss += prior * off * off / 2
                gradient[place] += prior * off
            }
            let scale = 1 / Double(max(1, questions.count))
            for place in gradient.indices { gradient[place] *= scale }
            return loss * scale
        }
    }

    /// A question's loss, and its gradient added.
    @inline(__always)
    private static func add(
        _ question: Question, _ data: Data, _ x: [Double], _ gradient: inout [Double]
    ) -> Double {
        let shape = InterestCurve.shape(x[Place.shape])
        let shapeSlope = Losses.sigmoid(x[Place.shape] + InterestCurve.Start.shape)
        let floor = InterestCurve.floor(x[Place.floor])
        let rates = InterestCurve.Start.logRates
        var logRate = x[Place.rate]
        for place in 0..<data.peopleCount { logRate += x[Place.people + place] * data.people[question.people + place] }
        let rate = exp(min(rates.upperBound, max(rates.lowerBound, logRate)))
        let rule = InterestCurve.rule
        var loss = -costOfDecay * floor
        gradient[Place.floor] -= costOfDecay * floor * (1 - floor)
        for (part, window, didReturn) in [(0, 1, question.didReturn), (1, question.window, question.didReturnWithin)] {
            var left = 0.0, byScale = 0.0, byShape = 0.0
            data.logTimes.withUnsafeBufferPointer { logTimes in
                for (place, node) in rule.enumerated() {
                    let distance = x[Place.timeScale] - logTimes[question.logTimes + part * rule.count + place]
                    let retention = Losses.sigmoid(shape * distance)
                    let bend = node.weight * retention * (1 - retention)
                    left += node.weight * retention
                    byScale += bend * shape
                    byShape += bend * distance
                }
            }
            let touches = max(1e-12, rate * window * (floor + (1 - floor) * left))
            let none = exp(-touches)
            // The slope of the loss in the expected touches.
            let slope = didReturn ? -none / max(1e-12, 1 - none) : 1
            loss += didReturn ? -log(max(1e-12, 1 - none)) : touches
            let scale = slope * rate * window
            gradient[Place.rate] += slope * touches
            for place in 0..<data.peopleCount {
                gradient[Place.people + place] += slope * touches * data.people[question.people + place]
            }
            gradient[Place.timeScale] += scale * (1 - floor) * byScale
            gradient[Place.shape] += scale * (1 - floor) * byShape * shapeSlope
            gradient[Place.floor] += scale * (1 - left) * floor * (1 - floor)
        }
        return loss
    }

    /// What decay costs in place of a rate that does not fade, in nats a query; in training too.
    public static let costOfDecay = 0.02

    /// The log half-life of a row's numbers; nothing where it does not halve.
    public static func logHalfLife(_ x: [Double]) -> Double? {
        InterestCurve.halfLife(shape: InterestCurve.shape(x[Place.shape]), floor: InterestCurve.floor(x[Place.floor]))
            .map { x[Place.timeScale] + log($0) }
    }

    /// The deviation of the log half-life: the sandwich of the curvature around the scores of people (Huber 1967), since
    /// questions of one person overlap.
    private static func deviation(
        _ questions: [Question], _ data: Data, at x: [Double], around common: [Double]
    ) -> Double {
        guard logHalfLife(x) != nil else { return 0 }
        let n = x.count
        func gradient(_ x: [Double]) -> [Double] {
            var sum = [Double](repeating: 0, count: n)
            for question in questions { _ = add(question, data, x, &sum) }
            for place in 0..<n { sum[place] += x[place] - common[place] }
            return sum
        }
        var curvature = [[Double]](repeating: [], count: n)
        var slope = [Double](repeating: 0, count: n)
        for place in 0..<n {
            var (up, down) = (x, x)
            up[place] += 1e-3
            down[place] -= 1e-3
            curvature[place] = zip(gradient(up), gradient(down)).map { ($0 - $1) / 2e-3 }
            slope[place] = ((logHalfLife(up) ?? 0) - (logHalfLife(down) ?? 0)) / 2e-3
        }
        guard let direction = solve(curvature, slope) else { return 1 }
        var byUser: [UInt32: [Double]] = [:]
        for question in questions {
            _ = add(question, data, x, &byUser[question.user, default: [Double](repeating: 0, count: n)])
        }
        func along(_ vector: [Double]) -> Double { zip(direction, vector).reduce(0) { $0 + $1.0 * $1.1 } }
        // The prior counts as one more part. People in an order, so that the sum is the same to the last bit each time.
        let variance = byUser.sorted { $0.key < $1.key }.reduce(along(direction)) { sum, user in
            let part = along(user.value)
            return sum + part * part
        }
        return min(3, variance.squareRoot())
    }

    /// `a x = b` by elimination; nothing where `a` is singular.
    private static func solve(_ a: [[Double]], _ b: [Double]) -> [Double]? {
        var a = zip(a, b).map { $0 + [$1] }
        let n = b.count
        for column in 0..<n {
            guard let pivot = (column..<n).max(by: { abs(a[$0][column]) < abs(a[$1][column]) }),
                abs(a[pivot][column]) > 1e-12
            else { return nil }
            a.swapAt(column, pivot)
            for row in 0..<n where row != column {
                let factor = a[row][column] / a[column][column]
                for place in column...n { a[row][place] -= factor * a[column][place] }
            }
        }
        return (0..<n).map { a[$0][n] / a[$0][$0] }
    }
}
