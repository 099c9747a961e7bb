/// Mean and variance of each column of a matrix.
public struct ColumnMoments: Sendable {
    public let mean: [Double]
    public let variance: [Double]

    /// - Parameter values: `[rows, width]`, row by row.
    public init(_ values: [Float], width: Int) {
        let rows = values.count / max(1, width)
        var sum = [Double](repeating: 0, count: width)
        var square = sum
        for row in 0..<rows {
            for column in 0..<width {
                let value = Double(values[row * width + column])
                sum[column] += value
                square[column] += value * value
            }
        }
        let count = Double(max(1, rows))
        mean = sum.map { $0 / count }
        variance = zip(mean, square).map { mean, square in max(0, square / count - mean * mean) }
    }
}
