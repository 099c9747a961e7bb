import Foundation
import WaneEvents
import WaneState
import WaneTasks

/// Interest that fades with the time since the last touch alone, with fitted rates:
///
///     exponential   f(d) = a 2^(-d / τ)
///     power         f(d) = a (1 + d / τ)^(-p)
///
/// with one set of constants for all, or one for each topic or person, shrunk towards the common ones by a
/// normal prior on their logits and logarithms (maximum a posteriori).
struct DecayBaseline: Baseline {
    enum Shape: String, Sendable { case exponential, power }
    enum Level: String, Sendable { case global, topic, user }

    let shape: Shape
    let level: Level

    var name: String {
        let form = shape == .exponential ? "exponential decay" : "power-law decay"
        return level == .global ? form : "\(form), per \(level.rawValue)"
    }

    /// `logit a`, `log τ`, and for the power law `log p`; times in horizons.
    private func start() -> [Double] { shape == .exponential ? [0, 0] : [0, 0, 0] }

    @inline(__always)
    fileprivate func value(_ x: [Double], _ gap: Double) -> Double {
        let amplitude = Losses.sigmoid(x[0])
        switch shape {
        case .exponential: return amplitude * exp2(-gap * exp(-x[1]))
        case .power: return amplitude * pow(1 + gap * exp(-x[1]), -exp(x[2]))
        }
    }

    private func fit(_ gaps: [Double], _ labels: [Float], from start: [Double], prior: Double) -> [Double] {
        NelderMead.minimize(from: start, tolerance: 1e-7, iterations: 200) { x in
            var loss = 0.0
            for (gap, label) in zip(gaps, labels) { loss += Losses.logLoss(value(x, gap), Double(label)) }
            // The prior keeps the constants finite where the data say nothing.
            for (a, b) in zip(x, start) { loss += prior * (a - b) * (a - b) / 2 }
            return loss
        }
    }

    private func fitAll(_ queries: QuerySet, _ gaps: [Double], _ labels: [Float]) -> (
        common: [Double], groups: [UInt32: [Double]]
    ) {
        let common = fit(gaps, labels, from: start(), prior: 1e-3)
        guard level != .global else { return (common, [:]) }
        var places: [UInt32: [Int]] = [:]
        for (index, group) in groups(queries).enumerated() { places[group, default: []].append(index) }
        // A deviation of one half in the logits and logarithms of groups.
        let groups = places.mapValues { places in
            fit(places.map { gaps[$0] }, places.map { labels[$0] }, from: common, prior: 4)
        }
        return (common, groups)
    }

    fileprivate func groups(_ queries: QuerySet) -> [UInt32] { level == .topic ? queries.topic : queries.user }

    func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        let gaps = training.elapsedSinceTopic.map { Double($0) / horizon }
        return Fitted(
            model: self, horizon: horizon, returned: fitAll(training, gaps, training.didReturn),
            degree: fitAll(training, gaps, training.degree))
    }

    private struct Fitted: FittedBaseline {
        let model: DecayBaseline
        let horizon: Double
        let returned: (common: [Double], groups: [UInt32: [Double]])
        let degree: (common: [Double], groups: [UInt32: [Double]])

        func predict(_ queries: QuerySet) -> (returnProbability: [Double], degree: [Double]) {
            let groups = model.groups(queries)
            func values(_ fit: (common: [Double], groups: [UInt32: [Double]])) -> [Double] {
                zip(groups, queries.elapsedSinceTopic).map { group, gap in
                    model.value(fit.groups[group] ?? fit.common, Double(gap) / horizon)
                }
            }
            return (values(returned), values(degree))
        }
    }
}
