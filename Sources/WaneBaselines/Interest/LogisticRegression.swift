import WaneEvents
import WaneState
import WaneTasks

/// Logistic regression on every feature that the deep models see, with a ridge of one pseudo-row for each
/// weight; the degree is fitted as a fractional logit (Papke and Wooldridge 1996).
struct LogisticRegression: Baseline {
    let name = "logistic regression"

    func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        let matrix = DesignMatrix(training, timed: true)
        return Fitted(
            scaling: matrix.scaling, returned: Self.fit(matrix, training.didReturn),
            degree: Self.fit(matrix, training.degree))
    }

    private static func fit(_ matrix: DesignMatrix, _ labels: [Float]) -> [Double] {
        matrix.ridge { row, score in
            let (p, y) = (Losses.sigmoid(score), Double(labels[row]))
            return (Losses.logLoss(p, y), p - y)
        }
    }

    private struct Fitted: FittedBaseline {
        let scaling: DesignMatrix.Scaling
        let returned: [Double]
        let degree: [Double]

        func predict(_ queries: QuerySet) -> (returnProbability: [Double], degree: [Double]) {
            let matrix = DesignMatrix(queries, timed: true, scaling: scaling)
            func values(_ weights: [Double]) -> [Double] {
                (0..<matrix.rows).map { Losses.sigmoid(matrix.dot($0, weights)) }
            }
            return (values(returned), values(degree))
        }
    }
}
