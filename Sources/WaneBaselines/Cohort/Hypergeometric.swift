import Foundation

/// `₂F₁(a, b; c; z)` for positive `a`, `b`, any `c` that is neither 0 nor a negative whole number, and `0 ≤ z < 1`:
/// the logarithm of its size, and its sign.
///
/// Where it can be, by Euler's transformation, whose series does not swell with `a` and `b`: with hundreds of purchases
/// the plain one needs thousands of terms. Sources: Abramowitz and Stegun (1964), 15.1.1 and 15.3.3.
func hypergeometric(_ a: Double, _ b: Double, _ c: Double, _ z: Double) -> (logSize: Double, sign: Double) {
    // With both above -1 at most the first term changes sign.
    guard c > 0, c - a > -1, c - b > -1 else { return hypergeometricSeries(a, b, c, z) }
    let series = hypergeometricSeries(c - a, c - b, c, z)
    return ((c - a - b) * log1p(-z) + series.logSize, series.sign)
}

/// By its series. With a positive `c` all terms from the second on have one sign; with a negative one the first few
/// change it, so the series ends only where a term is small beside the sum whatever its sign. It is cut after a
/// million terms: an argument so near 1 belongs to parameters far from any good fit.
func hypergeometricSeries(_ a: Double, _ b: Double, _ c: Double, _ z: Double) -> (logSize: Double, sign: Double) {
    var term = 1.0
    var sum = 1.0
    var scale = 0.0
    for i in 0..<1_000_000 {
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
