import Foundation
import WaneState
import WaneTasks

extension QuerySet {
    /// Each query's pair of person and topic as counting models read it: `x` returns so far, the last of them at `tx`, in `t` horizons
    /// since the first touch.
    func summaries(_ horizon: Double) -> [CustomerSummary] {
        let width = FeatureSchema.lastEventCount
        guard let touches = FeatureSchema.lastEventNames.firstIndex(of: "log_touches"),
            let age = FeatureSchema.lastEventNames.firstIndex(of: "log_topic_age")
        else { return [] }
        return (0..<count).map { row in
            // The features are logarithms of counts plus one, and of horizons at the person's last event.
            let count = (exp(Double(lastEventFeatures[row * width + touches])) - 1).rounded()
            let t = exp(Double(lastEventFeatures[row * width + age])) + Double(elapsedSinceEvent[row]) / horizon
            let x = max(0, count - 1)
            let tx = x > 0 ? max(0, t - Double(elapsedSinceTopic[row]) / horizon) : 0
            return CustomerSummary(x: x, tx: min(tx, t), t: t)
        }
    }
}
