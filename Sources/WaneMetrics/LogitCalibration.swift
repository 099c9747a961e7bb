#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A straight line in the logit, fitted to what happened: `p' = σ(a + b logit p)`.
///
/// What the biases of a deep model are for it, this is for a baseline: both are fitted to the same validation rows, so
/// that neither is measured on a level that has drifted since training. A weak prior holds it near `p' = p`.
///
/// Source: Platt, "Probabilistic Outputs for Support Vector Machines" (1999).
public struct LogitCalibration: Sendable, Equatable {
    public let shift: Double
    public let slope: Double

    /// Deviations of the prior around shift 0 and slope 1.
    static let priorDeviation = 1.0

    public init(shift: Double = 0, slope: Double = 1) {
        self.shift = shift
        self.slope = slope
    }

    /// - Parameters:
    ///   - predicted: in 0...1.
    ///   - labels: in 0...1; shares of a success count as such.
    public init(_ predicted: [Double], _ labels: [Double]) {
        let x = predicted.map(Self.logit)
        let precision = 1 / (Self.priorDeviation * Self.priorDeviation)
        func loss(_ a: Double, _ b: Double) -> Double {
            zip(x, labels).reduce((a * a + (b - 1) * (b - 1)) * precision / 2) { sum, row in
                let z = a + b * row.0
                // log(1 + e^z) - y z, without overflow.
                return sum + max(z, 0) + log1p(exp(-abs(z))) - row.1 * z
            }
        }
        var (a, b) = (0.0, 1.0)
        var best = loss(a, b)
        // Newton's steps on a convex loss in two numbers, halved until they help: far from the optimum, where chances
        // are all but 0 or 1, a full step can lead away.
        for _ in 0..<50 {
            var (ga, gb) = (a * precision, (b - 1) * precision)
            var (haa, hab, hbb) = (precision, 0.0, precision)
            for (x, y) in zip(x, labels) {
                let p = 1 / (1 + exp(-(a + b * x)))
                let w = p * (1 - p)
                ga += p - y
                gb += (p - y) * x
                haa += w
                hab += w * x
                hbb += w * x * x
            }
            let determinant = haa * hbb - hab * hab
            guard determinant > 0, determinant.isFinite else { break }
            let (da, db) = ((hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant)
            var step = 1.0
            while step > 1e-6, loss(a - step * da, b - step * db) > best { step /= 2 }
            guard step > 1e-6 else { break }
            a -= step * da
            b -= step * db
            let now = loss(a, b)
            let gain = best - now
            best = now
            if gain < 1e-9 * abs(best) { break }
        }
        // A line that falls would turn the order round: then the level alone is moved.
        self.init(shift: a.isFinite ? a : 0, slope: b.isFinite && b > 0 ? b : 1)
    }

    private static func logit(_ p: Double) -> Double {
        let safe = min(1 - 1e-6, max(1e-6, p))
        return log(safe / (1 - safe))
    }

    public func callAsFunction(_ predicted: [Double]) -> [Double] {
        predicted.map { 1 / (1 + exp(-(shift + slope * Self.logit($0)))) }
    }
}
