import Foundation
import WaneEvents
import WaneState
import WaneTasks

/// A constant rate for each person and topic, shrunk towards the common one:
///
///     rate = (touches + a) / (age + b),   P(return) = 1 - exp(-rate H)
///
/// the posterior mean under a gamma prior; `a` and `b` have the least log loss on the training part.
struct Frequency: Baseline {
    let name = "frequency"

    private static func inputs(_ queries: QuerySet, _ horizon: Double) -> [(touches: Double, age: Double)] {
        let width = FeatureSchema.lastEventCount
        guard let touches = FeatureSchema.lastEventNames.firstIndex(of: "log_touches"),
            let age = FeatureSchema.lastEventNames.firstIndex(of: "log_topic_age")
        else { return [] }
        return (0..<queries.count).map { row in
            let count = exp(Double(queries.lastEventFeatures[row * width + touches])) - 1
            let horizons =
                exp(Double(queries.lastEventFeatures[row * width + age])) + Double(queries.elapsedSinceEvent[row])
                / horizon
            return (count, horizons)
        }
    }

    func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        let inputs = Self.inputs(training, horizon)
        func chance(_ a: Double, _ b: Double, _ input: (touches: Double, age: Double)) -> Double {
            1 - exp(-(input.touches + a) / (input.age + b))
        }
        let best = NelderMead.minimize(from: [0, 0]) { x in
            let (a, b) = (exp(x[0]), exp(x[1]))
            var loss = 0.0
            for (input, label) in zip(inputs, training.didReturn) {
                loss += Losses.logLoss(chance(a, b, input), Double(label))
            }
            return loss + 1e-3 * (x[0] * x[0] + x[1] * x[1])
        }
        let (a, b) = (exp(best[0]), exp(best[1]))
        let mean = inputs.reduce(0) { $0 + chance(a, b, $1) } / Double(max(1, inputs.count))
        return Fitted(a: a, b: b, scale: mean > 0 ? training.degree.mean / mean : 0, horizon: horizon)
    }

    private struct Fitted: FittedBaseline {
        let a: Double
        let b: Double
        /// The mean degree for each unit of chance.
        let scale: Double
        let horizon: Double

        func predict(_ queries: QuerySet) -> (returnProbability: [Double], degree: [Double]) {
            let returned = Frequency.inputs(queries, horizon).map { 1 - exp(-($0.touches + a) / ($0.age + b)) }
            return (returned, returned.map { min(1, $0 * scale) })
        }
    }
}
