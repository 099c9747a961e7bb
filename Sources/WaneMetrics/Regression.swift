/// What is asked about a degree.
public struct RegressionReport: Sendable, Codable, Equatable {
    public var mae: Double
    public var mse: Double
    public var rmse: Double
    /// Against the mean of the same labels; NaN where they are all the same.
    public var r2: Double
}

public enum Regression {
    public static func report(
        _ predicted: [Double], _ labels: [Double], weights: [Double]? = nil
    ) -> RegressionReport {
        var (absolute, square, total, sum) = (0.0, 0.0, 0.0, 0.0)
        for place in predicted.indices {
            let weight = weights?[place] ?? 1
            let error = predicted[place] - labels[place]
            absolute += weight * abs(error)
            square += weight * error * error
            sum += weight * labels[place]
            total += weight
        }
        let mean = sum / total
        var spread = 0.0
        for place in labels.indices {
            spread += (weights?[place] ?? 1) * (labels[place] - mean) * (labels[place] - mean)
        }
        return RegressionReport(
            mae: absolute / total, mse: square / total, rmse: (square / total).squareRoot(),
            r2: spread > 0 ? 1 - square / spread : .nan)
    }
}
