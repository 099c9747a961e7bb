import Foundation
import WaneEvents
import WaneState
import WaneTasks

/// Touches at a constant rate that differs between pairs of person and topic by a gamma distribution: no decay.
///
///     P(return) = 1 - ((b + T) / (b + T + 1))^(a + x)
///
/// with `x` touches after the first in an age of `T` horizons: the chance under the posterior; `a` and `b` have the least
/// log loss on the training part. People who come at different rates make chances fall with the gap although nobody's interest
/// fades: only what is better than this row can be called decay.
struct GammaPoisson: Baseline {
    static let name = "gamma-Poisson, no decay"
    var name: String { Self.name }

    static func chance(_ pair: CustomerSummary, _ a: Double, _ b: Double) -> Double {
        -expm1((a + pair.x) * -log1p(1 / (b + pair.t)))
    }

    func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        let pairs = training.summaries(horizon)
        let best = NelderMead.minimize(from: [0, 0]) { x in
            let (a, b) = (exp(x[0]), exp(x[1]))
            var loss = 0.0
            for (pair, label) in zip(pairs, training.didReturn) {
                loss += Losses.logLoss(Self.chance(pair, a, b), Double(label))
            }
            return loss + 1e-3 * (x[0] * x[0] + x[1] * x[1])
        }
        let (a, b) = (exp(best[0]), exp(best[1]))
        let mean = pairs.reduce(0) { $0 + Self.chance($1, a, b) } / Double(max(1, pairs.count))
        return Fitted(a: a, b: b, scale: mean > 0 ? training.degree.mean / mean : 0, horizon: horizon)
    }

    private struct Fitted: FittedBaseline {
        let a: Double
        let b: Double
        /// The mean degree for each unit of chance.
        let scale: Double
        let horizon: Double

        func predict(_ queries: QuerySet) -> (returnProbability: [Double], degree: [Double]) {
            let returned = queries.summaries(horizon).map { GammaPoisson.chance($0, a, b) }
            return (returned, returned.map { min(1, $0 * scale) })
        }
    }
}
