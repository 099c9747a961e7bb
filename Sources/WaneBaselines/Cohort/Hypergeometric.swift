import Foundation

/// `₂F₁(a, b; c; z)` for positive `a`, `b`, any `c` that is neither 0 nor a negative whole number, and `0 ≤ z < 1`,
/// by its series: the logarithm of its size, and its sign.
///
/// With a positive `c` all terms are positive; with a negative one the first few change sign, so the series ends only
/// where a term is small beside the sum whatever its sign. It is cut after 4,000 terms: an argument so near 1 belongs
/// to parameters far from any good fit.
///
/// Source: Abramowitz and Stegun (1964), 15.1.1.
func hypergeometric(_ a: Double, _ b: Double, _ c: Double, _ z: Double) -> (logSize: Double, sign: Double) {
    var term = 1.0
    var sum = 1.0
    var scale = 0.0
    for i in 0..<4_000 {
        let n = Double(i)
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        sum += term
        if abs(sum) > 1e250 {
            sum *= 1e-250
            term *= 1e-250
            scale += 250 * log(10)
        }
        // Before c + n is above zero the terms have not found their sign.
        if c + n > 0, abs(term) < abs(sum) * 1e-14 { break }
    }
    return (log(abs(sum)) + scale, sum < 0 ? -1 : 1)
}

/// `log ₂F₁(a, b; c; z)` for positive `c`.
func logHypergeometric(_ a: Double, _ b: Double, _ c: Double, _ z: Double) -> Double {
    hypergeometric(a, b, c, z).logSize
}
