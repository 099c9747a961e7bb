import WaneEvents
import WaneState
import WaneTasks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The classical self-exciting process on each pair's touches:
///
///     lambda(t) = mu + sum over touches of alpha exp(-beta (t - t_i)),   mu = m (k + 1) / (T + s)
///
/// with a base rate from the pair's own count `k` in its age `T`. Between touches the sum is `alpha R exp(-beta t)`,
/// so that the integral is closed: `mu t + alpha R (1 - exp(-beta t)) / beta`. Source: Hawkes, Biometrika 58 (1971).
struct ExponentialHawkes: ReturnBaseline {
    let name = "exponential Hawkes"

    struct Constants: Sendable {
        let alpha: Double
        let beta: Double
        let base: Double
        let softening: Double

        init(_ x: [Double]) {
            (alpha, beta, base, softening) = (exp(x[0]), exp(x[1]), exp(x[2]), exp(x[3]))
        }

        /// What the touches at `ages` before now excite, and the base rate.
        func state(_ ages: [Double]) -> (excited: Double, rate: Double) {
            let excited = ages.reduce(0) { $0 + exp(-beta * $1) } * alpha
            return (excited, base * Double(ages.count) / ((ages.first ?? 0) + softening))
        }

        static func integral(_ s: (excited: Double, rate: Double), _ beta: Double, _ t: Double) -> Double {
            s.rate * t + s.excited * (1 - exp(-beta * t)) / beta
        }

        static func logIntensity(_ s: (excited: Double, rate: Double), _ beta: Double, _ t: Double) -> Double {
            log(max(1e-300, s.rate + s.excited * exp(-beta * t)))
        }
    }

    func fitted(_ training: ReturnQueries) -> any FittedReturn {
        let rows = ReturnSample.rows(training, limit: 4_000)
        func loss(_ x: [Double]) -> Double {
            guard x.allSatisfy({ abs($0) < 14 }) else { return .infinity }
            let constants = Constants(x)
            var loss = 1e-3 * x.reduce(0) { $0 + $1 * $1 }
            for row in rows {
                let state = constants.state(training.ages[row])
                let t = training.duration[row]
                loss += Constants.integral(state, constants.beta, t)
                if training.observed[row] { loss -= Constants.logIntensity(state, constants.beta, t) }
            }
            return loss
        }
        var x = [0.0, 1, -1, 0]
        for _ in 0..<3 { x = NelderMead.minimize(from: x, tolerance: 1e-8, iterations: 400, loss) }
        return Fitted(constants: Constants(x))
    }

    private struct Fitted: FittedReturn {
        let constants: Constants

        func predict(_ questions: ReturnQueries, grid: [Double]) -> ReturnPredictions {
            let states = questions.ages.map { constants.state($0) }
            return ReturnPredictions(questions, grid: grid) { row, t in
                exp(-Constants.integral(states[row], constants.beta, t))
            } logDensity: { row, t in
                Constants.logIntensity(states[row], constants.beta, t)
                    - Constants.integral(states[row], constants.beta, t)
            }
        }
    }
}
