import WaneEvents
import WaneState
import WaneTasks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Accelerated failure times with a log-logistic curve and a share that never comes back:
///
///     S(t) = c + (1 - c) / (1 + (t / tau)^p),   log tau = w . x
///
/// on the logarithms of the pair's mean interval, of its touches and of the person's events. Source: Bennett,
/// Applied Statistics 32 (1983); the cured share as in Farewell, Biometrics 38 (1982).
struct LogLogisticRegression: ReturnBaseline {
    let name: String
    let features: [String]

    init() {
        name = "log-logistic regression"
        features = ["log_mean_interval", "log_touches", "log_events", "log_topic_age"]
    }

    /// Without features: one curve for everybody, with a density where Kaplan and Meier's has steps.
    init(same name: String) {
        self.name = name
        features = []
    }

    private func inputs(_ questions: ReturnQueries) -> [[Double]] {
        let width = FeatureSchema.lastEventCount
        let places = features.compactMap { FeatureSchema.lastEventNames.firstIndex(of: $0) }
        return (0..<questions.count).map { row in
            [1] + places.map { Double(questions.queries.lastEventFeatures[row * width + $0]) }
        }
    }

    private struct Constants {
        let tau: [Double]
        let shape: Double
        let never: Double

        init(_ x: [Double]) {
            tau = Array(x.dropLast(2))
            shape = exp(x[x.count - 2])
            never = 1 / (1 + exp(-x[x.count - 1]))
        }

        func logTau(_ input: [Double]) -> Double { zip(tau, input).reduce(0) { $0 + $1.0 * $1.1 } }

        func survival(_ input: [Double], _ t: Double) -> Double {
            never + (1 - never) / (1 + exp(shape * (log(t) - logTau(input))))
        }

        func logDensity(_ input: [Double], _ t: Double) -> Double {
            let z = shape * (log(t) - logTau(input))
            let softplus = z > 30 ? z : log1p(exp(z))
            return log(1 - never) + log(shape) - log(t) + z - 2 * softplus
        }
    }

    func fitted(_ training: ReturnQueries) -> any FittedReturn {
        let inputs = inputs(training)
        let rows = ReturnSample.rows(training, limit: 4_000)
        func loss(_ x: [Double]) -> Double {
            let constants = Constants(x)
            var loss = 1e-2 * x.reduce(0) { $0 + $1 * $1 }
            for row in rows {
                let t = training.duration[row]
                loss -=
                    training.observed[row]
                    ? constants.logDensity(inputs[row], t) : log(max(1e-300, constants.survival(inputs[row], t)))
            }
            return loss
        }
        var x = [Double](repeating: 0, count: features.count + 1) + [0, -3]
        // The simplex stalls in seven dimensions: begun anew from where it stopped.
        for _ in 0..<4 { x = NelderMead.minimize(from: x, tolerance: 1e-8, iterations: 600, loss) }
        return Fitted(model: self, constants: Constants(x))
    }

    private struct Fitted: FittedReturn {
        let model: LogLogisticRegression
        let constants: Constants

        func predict(_ questions: ReturnQueries, grid: [Double]) -> ReturnPredictions {
            let inputs = model.inputs(questions)
            return ReturnPredictions(questions, grid: grid) { row, t in
                constants.survival(inputs[row], t)
            } logDensity: { row, t in
                constants.logDensity(inputs[row], t)
            }
        }
    }
}
