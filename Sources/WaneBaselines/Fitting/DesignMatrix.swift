import WaneEvents
import WaneState
import WaneTasks

/// The features of queries, scaled to mean zero and deviation one in the training part, with a leading one.
struct DesignMatrix: Sendable {
    /// Row by row.
    let values: [Double]
    let rows: Int
    let columns: Int

    struct Scaling: Sendable {
        let mean: [Double]
        let deviation: [Double]

        init(_ moments: ColumnMoments) {
            mean = moments.mean
            deviation = moments.variance.map { $0 > 1e-12 ? $0.squareRoot() : 1 }
        }
    }

    /// - Parameter timed: with the features of the query's own moment, or only those of the last event.
    static func raw(_ queries: QuerySet, timed: Bool) -> (values: [Float], columns: Int) {
        let (a, t) = (FeatureSchema.lastEventCount, timed ? FeatureSchema.queryTimeCount : 0)
        var values: [Float] = []
        values.reserveCapacity(queries.count * (a + t))
        for row in 0..<queries.count {
            values.append(contentsOf: queries.lastEventFeatures[row * a..<(row + 1) * a])
            if timed { values.append(contentsOf: queries.queryTimeFeatures[row * t..<(row + 1) * t]) }
        }
        return (values, a + t)
    }

    init(_ queries: QuerySet, timed: Bool, scaling: Scaling? = nil) {
        let (raw, width) = Self.raw(queries, timed: timed)
        let rows = queries.count
        let scaling = scaling ?? Scaling(ColumnMoments(raw, width: width))
        var values = [Double](repeating: 1, count: rows * (width + 1))
        for row in 0..<rows {
            for column in 0..<width {
                // Far-out values of an unseen part must not run away with a linear score.
                let scaled = (Double(raw[row * width + column]) - scaling.mean[column]) / scaling.deviation[column]
                values[row * (width + 1) + column + 1] = min(8, max(-8, scaled))
            }
        }
        self.values = values
        self.rows = rows
        columns = width + 1
        self.scaling = scaling
    }

    let scaling: Scaling

    @inline(__always)
    func dot(_ row: Int, _ weights: [Double]) -> Double {
        var sum = 0.0
        let start = row * columns
        for column in 0..<columns { sum += values[start + column] * weights[column] }
        return sum
    }

    /// Weights with the least mean loss of the rows' scores, with a ridge of one pseudo-row for each weight but the
    /// constant.
    ///
    /// - Parameter loss: a row's loss at a score, and the loss's slope there.
    func ridge(_ loss: (_ row: Int, _ score: Double) -> (value: Double, slope: Double)) -> [Double] {
        let scale = 1 / Double(max(1, rows))
        return LBFGS.minimize(from: [Double](repeating: 0, count: columns)) { weights, gradient in
            var total = 0.0
            for column in gradient.indices { gradient[column] = 0 }
            for row in 0..<rows {
                let (value, slope) = loss(row, dot(row, weights))
                total += value
                guard slope != 0 else { continue }
                let start = row * columns
                for column in 0..<columns { gradient[column] += slope * values[start + column] }
            }
            for column in 1..<columns {
                total += weights[column] * weights[column] / 2
                gradient[column] += weights[column]
            }
            for column in gradient.indices { gradient[column] *= scale }
            return total * scale
        }
    }
}
