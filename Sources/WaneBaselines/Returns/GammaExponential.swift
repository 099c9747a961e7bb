import WaneEvents
import WaneState
import WaneTasks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A constant rate for each pair under a common gamma prior: after `k` returns in an age of `T`,
///
///     S(t) = ((b + T) / (b + T + t))^(a + k)
///
/// the chance of no return under the posterior (Lomax); `a` and `b` by maximum likelihood.
struct GammaExponential: ReturnBaseline {
    let name = "exponential, gamma prior"

    private static func inputs(_ questions: ReturnQueries, _ row: Int) -> (k: Double, age: Double) {
        let ages = questions.ages[row]
        return (Double(ages.count - 1), ages.first ?? 0)
    }

    private static func logSurvival(_ a: Double, _ b: Double, _ k: Double, _ age: Double, _ t: Double) -> Double {
        (a + k) * (log(b + age) - log(b + age + t))
    }

    func fitted(_ training: ReturnQueries) -> any FittedReturn {
        let rows = ReturnSample.rows(training)
        let best = NelderMead.minimize(from: [0, 0]) { x in
            let (a, b) = (exp(x[0]), exp(x[1]))
            var loss = 1e-3 * (x[0] * x[0] + x[1] * x[1])
            for row in rows {
                let (k, age) = Self.inputs(training, row)
                let t = training.duration[row]
                loss -= Self.logSurvival(a, b, k, age, t)
                if training.observed[row] { loss -= log(a + k) - log(b + age + t) }
            }
            return loss
        }
        return Fitted(a: exp(best[0]), b: exp(best[1]))
    }

    private struct Fitted: FittedReturn {
        let a: Double
        let b: Double

        func predict(_ questions: ReturnQueries, grid: [Double]) -> ReturnPredictions {
            let inputs = (0..<questions.count).map { GammaExponential.inputs(questions, $0) }
            return ReturnPredictions(questions, grid: grid) { row, t in
                exp(GammaExponential.logSurvival(a, b, inputs[row].k, inputs[row].age, t))
            } logDensity: { row, t in
                let (k, age) = inputs[row]
                return GammaExponential.logSurvival(a, b, k, age, t) + log(a + k) - log(b + age + t)
            }
        }
    }
}
