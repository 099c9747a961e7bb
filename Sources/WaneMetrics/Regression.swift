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
        for index in predicted.indices {
            let weight = weights?[index] ?? 1
            let error = predicted[index] - labels[index]
            absolute += weight * abs(error)
            square += weight * error * error
            sum += weight * labels[index]
            total += weight
        }
        let mean = sum / total
        var spread = 0.0
        for index in labels.indices {
            spread += (weights?[index] ?? 1) * (labels[index] - mean) * (labels[index] - mean)
        }
        return RegressionReport(
            mae: absolute / total, mse: square / total, rmse: (square / total).squareRoot(),
            r2: spread > 0 ? 1 - square / spread : .nan)
    }
}
