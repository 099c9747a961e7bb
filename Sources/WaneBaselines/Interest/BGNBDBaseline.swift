import Foundation
import WaneEvents
import WaneState
import WaneTasks

/// BG/NBD on pairs of person and topic: `x` returns so far, the last of them at `tx`, in `t` horizons since the
/// first touch. Fitted by maximum likelihood to a sample of training queries, each a pair as of its moment.
struct BGNBDBaseline: Baseline {
    let name = "BG/NBD"

    /// The likelihood needs some thousand histories, not more.
    private static let sample = 4_000

    func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        let customers = training.summaries(horizon)
        let every = max(1, customers.count / Self.sample)
        let sample = stride(from: 0, to: customers.count, by: every).map { customers[$0] }
        let model = BGNBD.fitted(sample).model
        let mean = sample.reduce(0) { $0 + model.returns($1, ahead: 1) } / Double(max(1, sample.count))
        return Fitted(model: model, scale: mean > 0 ? training.degree.mean / mean : 0, horizon: horizon)
    }

    private struct Fitted: FittedBaseline {
        let model: BGNBD
        /// The mean degree for each unit of chance.
        let scale: Double
        let horizon: Double

        func predict(_ queries: QuerySet) -> (returnProbability: [Double], degree: [Double]) {
            let returned = queries.summaries(horizon).map { customer in
                min(1, max(0, model.returns(customer, ahead: 1)))
            }
            return (returned, returned.map { min(1, $0 * scale) })
        }
    }
}
