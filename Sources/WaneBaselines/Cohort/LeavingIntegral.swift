import Foundation
import WaneCurves

/// `integral of (alpha + u)^-p (beta + u)^-q du` for positive numbers.
///
/// In `w = log(c + u)`, with `c` the smaller of `alpha` and `beta`, the logarithm of the integrand is concave: its peak
/// and the places where it has fallen by 40 are found by bisection, and Gauss and Legendre's rule on six panels between
/// them gives ten digits whatever the parameters. Hypergeometric series, of which the integral is a difference, need
/// thousands of terms for customers with hundreds of purchases.
struct LeavingIntegral {
    let p: Double
    let alpha: Double
    let q: Double
    let beta: Double
    private let least: Double

    init(p: Double, alpha: Double, q: Double, beta: Double) {
        (self.p, self.alpha, self.q, self.beta) = (p, alpha, q, beta)
        least = min(alpha, beta)
    }

    /// The integrand's logarithm, the step from `u` to `w` included, and its slope.
    private func integrand(_ w: Double) -> Double {
        let own = exp(w)
        return w - p * Foundation.log(own + (alpha - least)) - q * Foundation.log(own + (beta - least))
    }

    private func slope(_ w: Double) -> Double {
        let own = exp(w)
        return 1 - p * own / (own + (alpha - least)) - q * own / (own + (beta - least))
    }

    /// Where a falling function passes zero.
    private func root(_ low: Double, _ high: Double, steps: Int, _ f: (Double) -> Double) -> Double {
        var (low, high) = (low, high)
        for _ in 0..<steps {
            let middle = (low + high) / 2
            if f(middle) > 0 { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The logarithm of the integral; `to` lies above `from`.
    func log(from: Double, to: Double) -> Double {
        let (low, high) = (Foundation.log(least + from), Foundation.log(least + to))
        let peak = slope(low) <= 0 ? low : slope(high) >= 0 ? high : root(low, high, steps: 30, slope)
        let top = integrand(peak)
        let floor = top - 40
        let left = integrand(low) >= floor ? low : root(low, peak, steps: 16) { floor - integrand($0) }
        let right = integrand(high) >= floor ? high : root(peak, high, steps: 16) { integrand($0) - floor }
        var sum = 0.0
        for (a, b) in [
            (left, left + 0.6 * (peak - left)), (left + 0.6 * (peak - left), left + 0.85 * (peak - left)),
            (left + 0.85 * (peak - left), peak), (peak, peak + 0.15 * (right - peak)),
            (peak + 0.15 * (right - peak), peak + 0.4 * (right - peak)), (peak + 0.4 * (right - peak), right),
        ] where b > a {
            let half = (b - a) / 2
            for (node, weight) in zip(Self.rule.nodes, Self.rule.weights) {
                sum += half * weight * exp(integrand((a + b) / 2 + half * node) - top)
            }
        }
        return top + Foundation.log(sum)
    }

    private static let rule = GaussLegendre(places: 12)
}
