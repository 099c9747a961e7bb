#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Gauss and Legendre's rule on [-1, 1]: exact for polynomials of degree `2 places - 1`.
///
/// Nodes are the roots of the Legendre polynomial, found by Newton's method from Chebyshev's. Source: Abramowitz and
/// Stegun (1964), 25.4.29.
public struct GaussLegendre: Sendable {
    public let nodes: [Double]
    public let weights: [Double]

    public init(places n: Int) {
        var nodes: [Double] = []
        var weights: [Double] = []
        for i in 0..<n {
            var x = -cos(.pi * (Double(i) + 0.75) / (Double(n) + 0.5))
            var slope = 1.0
            for _ in 0..<50 {
                var (previous, value) = (1.0, x)
                for k in stride(from: 2, through: n, by: 1) {
                    let d = Double(k)
                    (previous, value) = (value, ((2 * d - 1) * x * value - (d - 1) * previous) / d)
                }
                slope = Double(n) * (x * value - previous) / (x * x - 1)
                let step = value / slope
                x -= step
                if abs(step) < 1e-15 { break }
            }
            nodes.append(x)
            weights.append(2 / ((1 - x * x) * slope * slope))
        }
        self.nodes = nodes
        self.weights = weights
    }
}
