import Foundation
import WaneTasks

/// The beta-geometric / negative binomial model: purchases at a gamma-distributed rate (`r`, `alpha`); after
/// each, a customer leaves with a beta-distributed chance (`a`, `b`).
///
/// Source: Fader, Hardie and Lee, "Counting Your Customers the Easy Way" (Marketing Science 24, 2005),
/// equations 6 and 10.
public struct BGNBD: Sendable, Equatable {
    public let r: Double
    public let alpha: Double
    public let a: Double
    public let b: Double

    public init(r: Double, alpha: Double, a: Double, b: Double) {
        self.r = r
        self.alpha = alpha
        self.a = a
        self.b = b
    }

    /// The model of greatest likelihood, and that log likelihood.
    ///
    /// - Parameter start: where to begin, such as a fit to some of the same customers.
    public static func fitted(
        _ customers: [CustomerSummary], from start: BGNBD? = nil
    ) -> (model: BGNBD, logLikelihood: Double) {
        let from =
            start.map { model -> [Double] in [log(model.r), log(model.alpha), log(model.a), log(model.b)] } ?? [
                0, 1, 0, 1,
            ]
        let x = maximize(customers, from: from, restarts: start == nil ? 8 : 1) { x in
            BGNBD(r: exp(x[0]), alpha: exp(x[1]), a: exp(x[2]), b: exp(x[3])).logLikelihood
        }
        let model = BGNBD(r: exp(x[0]), alpha: exp(x[1]), a: exp(x[2]), b: exp(x[3]))
        return (model, customers.reduce(0) { $0 + model.logLikelihood($1) })
    }

    public func logLikelihood(_ c: CustomerSummary) -> Double {
        let purchases = lgamma(r + c.x) - lgamma(r) + r * log(alpha)
        let staying = lgamma(a + b) + lgamma(b + c.x) - lgamma(b) - lgamma(a + b + c.x)
        let shared = purchases + staying
        let alive = -(r + c.x) * log(alpha + c.t)
        guard c.x > 0 else { return shared + alive }
        let gone = log(a) - log(b + c.x - 1) - (r + c.x) * log(alpha + c.tx)
        let high = max(alive, gone)
        return shared + high + log(exp(alive - high) + exp(gone - high))
    }

    /// The chance that a customer still is one.
    public func alive(_ c: CustomerSummary) -> Double {
        guard c.x > 0 else { return 1 }
        let odds = a / (b + c.x - 1) * pow((alpha + c.t) / (alpha + c.tx), r + c.x)
        return 1 / (1 + odds)
    }

    /// Purchases expected in the next `ahead` units of time.
    public func expectedPurchases(_ c: CustomerSummary, ahead: Double) -> Double {
        let z = ahead / (alpha + c.t + ahead)
        // The formula has a removable hole at a = 1, where the simplex likes to begin.
        let a = abs(self.a - 1) < 1e-6 ? 1 + 1e-6 : self.a
        let hyper = hypergeometric(r + c.x, b + c.x, a + b + c.x - 1, z)
        let power = (r + c.x) * log((alpha + c.t) / (alpha + c.t + ahead))
        let tail = 1 - hyper.sign * exp(power + hyper.logSize)
        return max(0, (a + b + c.x - 1) / (a - 1) * tail * alive(c))
    }

    /// The chance of at least one purchase in the next `ahead` units of time.
    public func returns(_ c: CustomerSummary, ahead: Double) -> Double {
        alive(c) * (1 - pow((alpha + c.t) / (alpha + c.t + ahead), r + c.x))
    }
}

/// Maximum likelihood by the simplex method, started anew from where it stopped until nothing is gained.
///
/// - Parameter restarts: rounds of the simplex at most.
func maximize(
    _ customers: [CustomerSummary], from start: [Double], restarts: Int = 8,
    _ likelihood: @escaping ([Double]) -> (CustomerSummary) -> Double
) -> [Double] {
    // Customers of equal history have equal likelihood: many are.
    var counts: [[Double]: Double] = [:]
    for c in customers { counts[[c.x, c.tx, c.t], default: 0] += 1 }
    // In an order, so that sums are the same to the last bit each time.
    let distinct = counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
        (CustomerSummary(x: $0.key[0], tx: $0.key[1], t: $0.key[2]), $0.value)
    }
    func loss(_ x: [Double]) -> Double {
        guard x.allSatisfy({ abs($0) < 8 }) else { return .infinity }
        let value = likelihood(x)
        return distinct.reduce(0) { $0 - $1.1 * value($1.0) }
    }
    var best = start
    var value = loss(best)
    for _ in 0..<restarts {
        let next = NelderMead.minimize(from: best, tolerance: 1e-12, iterations: 600, loss)
        let nextValue = loss(next)
        let gain = value - nextValue
        (best, value) = (next, nextValue)
        if gain < 1e-5 { break }
    }
    return best
}
