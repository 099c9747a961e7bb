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

    private static func summaries(_ queries: QuerySet, _ horizon: Double) -> [CustomerSummary] {
        let width = FeatureSchema.lastEventCount
        guard let touches = FeatureSchema.lastEventNames.firstIndex(of: "log_touches"),
            let age = FeatureSchema.lastEventNames.firstIndex(of: "log_topic_age")
        else { return [] }
        return (0..<queries.count).map { row in
            // The features are logarithms of counts plus one, and of horizons at the person's last event.
            let count = (exp(Double(queries.lastEventFeatures[row * width + touches])) - 1).rounded()
            let t =
                exp(Double(queries.lastEventFeatures[row * width + age])) + Double(queries.elapsedSinceEvent[row])
                / horizon
            let x = max(0, count - 1)
            let tx = x > 0 ? max(0, t - Double(queries.elapsedSinceTopic[row]) / horizon) : 0
            return CustomerSummary(x: x, tx: min(tx, t), t: t)
        }
    }

    func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        let customers = Self.summaries(training, horizon)
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
            let returned = BGNBDBaseline.summaries(queries, horizon).map { customer in
                min(1, max(0, model.returns(customer, ahead: 1)))
            }
            return (returned, returned.map { min(1, $0 * scale) })
        }
    }
}
