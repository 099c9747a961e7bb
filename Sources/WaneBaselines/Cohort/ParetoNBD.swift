import Foundation
import WaneTasks

/// The Pareto / negative binomial model: purchases at a gamma-distributed rate (`r`, `alpha`); customers
/// leave at a gamma-distributed rate (`s`, `beta`).
///
/// Sources: Schmittlein, Morrison and Colombo (Management Science 33, 1987); the likelihood in the form of
/// Fader and Hardie, "A Note on Deriving the Pareto/NBD Model" (2005), equations 17 to 22, before the integral is
/// written as a difference of hypergeometric functions.
public struct ParetoNBD: Sendable, Equatable {
    public let r: Double
    public let alpha: Double
    public let s: Double
    public let beta: Double

    public init(r: Double, alpha: Double, s: Double, beta: Double) {
        self.r = r
        self.alpha = alpha
        self.s = s
        self.beta = beta
    }

    /// The model of greatest likelihood, and that log likelihood.
    ///
    /// - Parameter start: where to begin, such as a fit to some of the same customers.
    public static func fitted(
        _ customers: [CustomerSummary], from start: ParetoNBD? = nil
    ) -> (model: ParetoNBD, logLikelihood: Double) {
        let from =
            start.map { model -> [Double] in [log(model.r), log(model.alpha), log(model.s), log(model.beta)] } ?? [
                -0.5, 2, -0.5, 2,
            ]
        let x = maximize(customers, from: from, restarts: start == nil ? 8 : 1) { x in
            ParetoNBD(r: exp(x[0]), alpha: exp(x[1]), s: exp(x[2]), beta: exp(x[3])).logLikelihood
        }
        let model = ParetoNBD(r: exp(x[0]), alpha: exp(x[1]), s: exp(x[2]), beta: exp(x[3]))
        return (model, customers.reduce(0) { $0 + model.logLikelihood($1) })
    }

    /// The logarithm of `(r + s + x)` times the integral over the moments at which the customer may have left,
    ///
    ///     integral from tx to t of (alpha + u)^-(r + x) (beta + u)^-(s + 1) du,
    ///
    /// which is `A0` of the source.
    private func logGone(_ c: CustomerSummary) -> Double {
        log(r + s + c.x) + LeavingIntegral(p: r + c.x, alpha: alpha, q: s + 1, beta: beta).log(from: c.tx, to: c.t)
    }

    public func logLikelihood(_ c: CustomerSummary) -> Double {
        let shared = lgamma(r + c.x) - lgamma(r) + r * log(alpha) + s * log(beta)
        let alive = -(r + c.x) * log(alpha + c.t) - s * log(beta + c.t)
        guard c.t > c.tx else { return shared + alive }
        let gone = log(s / (r + s + c.x)) + logGone(c)
        let high = max(alive, gone)
        return shared + high + log(exp(alive - high) + exp(gone - high))
    }

    public func alive(_ c: CustomerSummary) -> Double {
        guard c.t > c.tx else { return 1 }
        let odds = log(s / (r + s + c.x)) + logGone(c) + (r + c.x) * log(alpha + c.t) + s * log(beta + c.t)
        return 1 / (1 + exp(odds))
    }

    public func expectedPurchases(_ c: CustomerSummary, ahead: Double) -> Double {
        let lasting = (r + c.x) * (beta + c.t) / ((alpha + c.t) * (s - 1))
        return max(0, lasting * (1 - pow((beta + c.t) / (beta + c.t + ahead), s - 1)) * alive(c))
    }

    /// The chance of at least one purchase in the next `ahead` units of time.
    ///
    /// Somebody still a customer has rates with the posteriors `Gamma(r + x, alpha + t)` and `Gamma(s, beta + t)`;
    /// they buy nothing when they stay and do not buy, or leave before they do:
    ///
    ///     P(0 | alive) = A(ahead)^(r + x) B(ahead)^s + integral over u of s / (beta + t + u) B(u)^s A(u)^(r + x) du
    ///
    /// with `A(u) = (alpha + t) / (alpha + t + u)` and `B(u) = (beta + t) / (beta + t + u)`.
    public func returns(_ c: CustomerSummary, ahead: Double) -> Double {
        guard ahead > 0 else { return 0 }
        let (a, b) = (alpha + c.t, beta + c.t)
        let none = exp((r + c.x) * log(a / (a + ahead)) + s * log(b / (b + ahead)))
        let scale = log(s) + (r + c.x) * log(a) + s * log(b)
        let left = exp(scale + LeavingIntegral(p: r + c.x, alpha: a, q: s + 1, beta: b).log(from: 0, to: ahead))
        return alive(c) * min(1, max(0, 1 - none - left))
    }
}
