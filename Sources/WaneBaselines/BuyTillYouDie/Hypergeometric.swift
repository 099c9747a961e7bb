import Foundation

/// `log ₂F₁(a, b; c; z)` for positive `a`, `b`, `c` and `0 ≤ z < 1`, by its series, whose terms are all
/// positive.
///
/// The series is cut after 4,000 terms: an argument so near 1 belongs to parameters far from any good fit.
///
/// Source: Abramowitz and Stegun (1964), 15.1.1.
func logHypergeometric(_ a: Double, _ b: Double, _ c: Double, _ z: Double) -> Double {
    var term = 1.0
    var sum = 1.0
    var scale = 0.0
    for i in 0..<4_000 {
        let n = Double(i)
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        sum += term
        if sum > 1e250 {
            sum *= 1e-250
            term *= 1e-250
            scale += 250 * log(10)
        }
        if term < sum * 1e-14 { break }
    }
    return log(sum) + scale
}
