import Foundation
import WaneBaselines
import WaneBundle
import WaneCurves
import WaneEvents
import WanePrediction
import WaneState

/// What a log shows of a cause, over all people.
public struct CauseSummary: Sendable {
    public let cause: Cause
    /// What the model's own log showed, beside placebos.
    public let evidence: CauseFit.Evidence
    /// People of this log who met the circumstance, and touches in it.
    public var people = 0
    public var touches = 0
    /// People whom it clearly moves: their sensitivity's 80 % interval is clear of 0.
    public var moved = 0
    /// What it multiplies half-lives by at touches in the circumstance, in the mean of logarithms.
    public var multiplier = 1.0
    /// The topics whose half-lives it moves most, from the largest effect down.
    public var topics: [String] = []
    /// How often it is the largest departure from what is usual, among touches in any circumstance: the rule that needs no model.
    public var largestDeparture = 0.0
    /// How its effect goes together with each other cause's, at touches in both: correlations.
    public var together = ByCause(repeating: 0.0)
}

extension Explainer {
    /// One summary a cause.
    ///
    /// - Complexity: one walk through the log's events.
    public func summaries(_ log: AskedLog, progress: (Int) throws -> Void = { _ in }) throws -> [CauseSummary] {
        var result = Cause.allCases.map { CauseSummary(cause: $0, evidence: evidence[$0]) }
        struct Sums {
            var count = 0.0
            var offset = 0.0
            var byTopic: [UInt32: (sum: Double, count: Double)] = [:]
            var departures = 0.0
        }
        var sums = Cause.allCases.map { _ in Sums() }
        // Of pairs of causes: sums of both, squares and products.
        var moments = [[(count: Double, x: Double, y: Double, xx: Double, yy: Double, xy: Double)]](
            repeating: Array(repeating: (0, 0, 0, 0, 0, 0), count: Cause.allCases.count), count: Cause.allCases.count)
        var inAny = 0.0
        for user in 0..<log.userCount {
            var state = predictor.newState(in: log)
            var met = ByCause(repeating: false)
            for index in log.events(ofUser: user) {
                log.apply(index, of: user, to: &state)
                let topics = log.log.topics[log.log.item[index]]
                guard let known = state.causes?.found else { continue }
                for topic in topics {
                    guard let measures = state.measures(of: topic) else { continue }
                    let values = measures.values
                    let largest = Cause.allCases.max { abs(values[$0]) < abs(values[$1]) }
                    if let largest, measures.isMet(largest) {
                        inAny += 1
                        sums[largest.index].departures += 1
                    }
                    for cause in Cause.allCases where measures.isMet(cause) {
                        let offset = known[cause] * Double(values[cause])
                        met[cause] = true
                        sums[cause.index].count += 1
                        sums[cause.index].offset += offset
                        let own = sums[cause.index].byTopic[topic] ?? (0, 0)
                        sums[cause.index].byTopic[topic] = (own.sum + offset, own.count + 1)
                    }
                    for a in Cause.allCases {
                        for b in Cause.allCases where a < b && measures.isMet(a) && measures.isMet(b) {
                            let (x, y) = (known[a] * Double(values[a]), known[b] * Double(values[b]))
                            let m = moments[a.index][b.index]
                            moments[a.index][b.index] = (
                                m.count + 1, m.x + x, m.y + y, m.xx + x * x, m.yy + y * y, m.xy + x * y
                            )
                        }
                    }
                }
            }
            guard let known = state.causes?.sensitivity else { continue }
            for cause in Cause.allCases where met[cause] {
                result[cause.index].people += 1
                // What the log does not show moves nobody that one could name.
                if evidence[cause].isShown, abs(known.mean[cause]) > 1.2816 * known.variance[cause].squareRoot(),
                    abs(known.mean[cause]) >= 0.1
                {
                    result[cause.index].moved += 1
                }
            }
            if user % 1_000 == 0 { try progress(user) }
        }
        for cause in Cause.allCases {
            let own = sums[cause.index]
            result[cause.index].touches = Int(own.count)
            result[cause.index].multiplier = own.count > 0 ? exp(own.offset / own.count) : 1
            result[cause.index].largestDeparture = inAny > 0 ? own.departures / inAny : 0
            result[cause.index].topics = own.byTopic.filter { $0.value.count >= 20 }
                .sorted { (abs($0.value.sum / $0.value.count), $1.key) > (abs($1.value.sum / $1.value.count), $0.key) }
                .prefix(3).map { log.log.topics.names[Int($0.key)] }
            for other in Cause.allCases where other != cause {
                let (a, b) = cause < other ? (cause, other) : (other, cause)
                let m = moments[a.index][b.index]
                guard m.count > 1 else { continue }
                let (vx, vy) = (m.xx - m.x * m.x / m.count, m.yy - m.y * m.y / m.count)
                guard vx > 0, vy > 0 else { continue }
                result[cause.index].together[other] = (m.xy - m.x * m.y / m.count) / (vx * vy).squareRoot()
            }
        }
        return result
    }
}
