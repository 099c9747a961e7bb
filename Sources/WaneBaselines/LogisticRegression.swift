import WaneData

/// Logistic regression on every feature that the deep models see, with a ridge of one pseudo-row for each
/// weight; the degree is fitted as a fractional logit (Papke and Wooldridge 1996).
struct LogisticRegression: Baseline {
    let name = "logistic regression"

    func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        let matrix = DesignMatrix(training, timed: true)
        return Fitted(
            scaling: matrix.scaling, returned: Self.fit(matrix, training.returned),
            degree: Self.fit(matrix, training.degree))
    }

    private static func fit(_ matrix: DesignMatrix, _ labels: [Float]) -> [Double] {
        let scale = 1 / Double(max(1, matrix.rows))
        return LBFGS.minimize(from: [Double](repeating: 0, count: matrix.columns)) { weights, gradient in
            var loss = 0.0
            for column in gradient.indices { gradient[column] = 0 }
            for row in 0..<matrix.rows {
                let (p, y) = (Losses.sigmoid(matrix.dot(row, weights)), Double(labels[row]))
                loss += Losses.logLoss(p, y)
                let start = row * matrix.columns
                for column in 0..<matrix.columns { gradient[column] += (p - y) * matrix.values[start + column] }
            }
            // The first weight is the constant, which is not shrunk.
            for column in 1..<matrix.columns {
                loss += weights[column] * weights[column] / 2
                gradient[column] += weights[column]
            }
            for column in gradient.indices { gradient[column] *= scale }
            return loss * scale
        }
    }

    private struct Fitted: FittedBaseline {
        let scaling: DesignMatrix.Scaling
        let returned: [Double]
        let degree: [Double]

        func predict(_ queries: QuerySet) -> (returned: [Double], degree: [Double]) {
            let matrix = DesignMatrix(queries, timed: true, scaling: scaling)
            func values(_ weights: [Double]) -> [Double] {
                (0..<matrix.rows).map { Losses.sigmoid(matrix.dot($0, weights)) }
            }
            return (values(returned), values(degree))
        }
    }
}
