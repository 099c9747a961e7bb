import Foundation
import WaneBundle
import WaneCurves
import WanePrediction
import WaneTasks

/// How far the log half-lives of pairs lie apart of which a model knows the same.
///
/// A pair whose half-life is longer than its curve says comes back more often than said after each of its touches, so the
/// scores of its questions agree. With `s` the score of a question in `log τ`, freed of what a higher rate would explain as well,
/// and `I` its information, questions after **different** touches of one pair have `E[s s'] = σ² I I'`: touches are independent
/// once the pair's half-life is known. Hence
///
///     σ² = Σ s s' / Σ I I'        over such pairs of questions
///
/// which questions after the same touch, that share their outcome, do not enter. (A score test of a variance component: Liang
/// 1987.) A spread put into the likelihood of single questions has nothing to hold it: it trades with the shape of the decay.
enum PairSpread {
    /// Deviations beyond this say no more.
    static let most = 2.0

    static func deviation(_ queries: QuerySet, _ curves: [InterestCurve], _ histories: Histories) -> Double {
        var rows: [Row] = (0..<queries.count).compactMap { row in
            let curve = curves[row]
            guard curve.halfLife != nil else { return nil }
            return Row(
                pair: queries.userTopic[row],
                touch: histories.lastTopicEvent(of: queries.userTopic[row], at: queries.moment[row]) ?? -1,
                topic: queries.topic[row], curve, didReturn: queries.didReturn[row] > 0)
        }
        // What a higher rate explains as well, by topic.
        var sums: [UInt32: (both: Double, rate: Double)] = [:]
        for row in rows {
            sums[row.topic, default: (0, 0)].both += row.byScale * row.byRate * row.weight
            sums[row.topic, default: (0, 0)].rate += row.byRate * row.byRate * row.weight
        }
        for index in rows.indices {
            let (both, rate) = sums[rows[index].topic] ?? (0, 1)
            rows[index].free(of: rate > 0 ? both / rate : 0)
        }
        // What is wrong for a topic as a whole is no difference between pairs.
        var shifts: [UInt32: Sum] = [:]
        for row in rows { shifts[row.topic, default: Sum()].add(row) }
        for index in rows.indices {
            let whole = shifts[rows[index].topic] ?? Sum()
            rows[index].shift = whole.information > 0 ? whole.score / whole.information : 0
        }
        // The sum over pairs of different touches: all, less those of the same touch.
        var scores = 0.0
        var informations = 0.0
        let ordered = rows.sorted { ($0.pair, $0.touch) < ($1.pair, $1.touch) }
        var start = 0
        while start < ordered.count {
            var end = start
            var (all, own) = (Sum(), Sum())
            while end < ordered.count, ordered[end].pair == ordered[start].pair {
                if end > start, ordered[end].touch != ordered[end - 1].touch {
                    scores -= own.score * own.score
                    informations -= own.information * own.information
                    own = Sum()
                }
                all.add(ordered[end])
                own.add(ordered[end])
                end += 1
            }
            scores += all.score * all.score - own.score * own.score
            informations += all.information * all.information - own.information * own.information
            start = end
        }
        guard informations > 0 else { return 0 }
        return min(most, max(0, scores / informations).squareRoot())
    }

    private struct Sum {
        var score = 0.0
        var information = 0.0
        mutating func add(_ row: Row) {
            score += row.score
            information += row.information
        }
    }

    /// One question: how its chance moves with the logarithms of time scale and rate.
    private struct Row {
        let pair: Int
        let touch: Int
        let topic: UInt32
        var byScale: Double
        let byRate: Double
        /// `1 / (p (1 - p))`.
        let weight: Double
        private let surprise: Double

        init(pair: Int, touch: Int, topic: UInt32, _ curve: InterestCurve, didReturn: Bool) {
            (self.pair, self.touch, self.topic) = (pair, touch, topic)
            let chance = min(1 - 1e-6, max(1e-6, curve.returnProbability(after: 0)))
            let step = 0.05
            byScale =
                (curve.scaled(time: exp(step)).returnProbability(after: 0)
                    - curve.scaled(time: exp(-step)).returnProbability(after: 0)) / (2 * step)
            byRate =
                (curve.scaled(rate: exp(step)).returnProbability(after: 0)
                    - curve.scaled(rate: exp(-step)).returnProbability(after: 0)) / (2 * step)
            weight = 1 / (chance * (1 - chance))
            surprise = (didReturn ? 1 : 0) - chance
        }

        mutating func free(of share: Double) { byScale -= share * byRate }

        /// How far the whole topic is off.
        var shift = 0.0
        var score: Double { surprise * byScale * weight - shift * information }
        var information: Double { byScale * byScale * weight }
    }
}
