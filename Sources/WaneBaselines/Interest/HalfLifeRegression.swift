import Foundation
import WaneEvents
import WaneState
import WaneTasks

/// Half-life regression: `p = 2^(-d / h)`, `h = 2^(θ · x)`, on the features measured at the last event.
///
/// Source: Settles and Meeder, "A Trainable Spaced Repetition Model for Language Learning" (ACL 2016),
/// equations 1 and 2, with its bounds on `p`; fitted to the log likelihood, as the label is a return and not
/// a recall rate.
struct HalfLifeRegression: Baseline {
    let name = "half-life regression"

    func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        let matrix = DesignMatrix(training, timed: false)
        let gaps = training.elapsedSinceTopic.map { Double($0) / horizon }
        return Fitted(
            scaling: matrix.scaling, horizon: horizon, returned: Self.fit(matrix, gaps, training.didReturn),
            degree: Self.fit(matrix, gaps, training.degree))
    }

    /// `d / h` in half-lives, bounded as in the paper's code.
    @inline(__always)
    fileprivate static func halvings(_ score: Double, _ gap: Double) -> Double {
        gap * exp2(-min(15, max(-15, score)))
    }

    @inline(__always)
    fileprivate static func chance(_ halvings: Double) -> Double { min(0.9999, max(0.0001, exp2(-halvings))) }

    private static func fit(_ matrix: DesignMatrix, _ gaps: [Double], _ labels: [Float]) -> [Double] {
        let ln2 = log(2.0)
        return matrix.ridge { row, score in
            let halvings = Self.halvings(score, gaps[row])
            let (p, y) = (Self.chance(halvings), Double(labels[row]))
            // dp/ds = p ln2 · halvings · ln2 for score s; zero where p is bounded.
            let inside = p > 0.0001 && p < 0.9999
            return (Losses.logLoss(p, y), inside ? (p - y) / (1 - p) * ln2 * halvings * ln2 : 0)
        }
    }

    private struct Fitted: FittedBaseline {
        let scaling: DesignMatrix.Scaling
        let horizon: Double
        let returned: [Double]
        let degree: [Double]

        func predict(_ queries: QuerySet) -> (returnProbability: [Double], degree: [Double]) {
            let matrix = DesignMatrix(queries, timed: false, scaling: scaling)
            func values(_ weights: [Double]) -> [Double] {
                (0..<matrix.rows).map { row in
                    let gap = Double(queries.elapsedSinceTopic[row]) / horizon
                    return HalfLifeRegression.chance(
                        HalfLifeRegression.halvings(matrix.dot(row, weights), gap))
                }
            }
            return (values(returned), values(degree))
        }
    }
}
