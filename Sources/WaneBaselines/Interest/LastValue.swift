import WaneEvents
import WaneState
import WaneTasks

/// The next horizon will be like the last: the degree of what engagement the last one left (it halves every half
/// horizon), and the return rate in the training part of those who did, and of those who did not, come in it.
struct LastValue: Baseline {
    let name = "last value"

    private static func degree(_ queries: QuerySet) -> [Double] {
        let width = FeatureSchema.queryTimeCount
        guard let column = FeatureSchema.queryTimeIndex("degree_now") else { return [] }
        return (0..<queries.count).map { Double(queries.queryTimeFeatures[$0 * width + column]) }
    }

    func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        var (came, cameReturned, away, awayReturned) = (1.0, 0.5, 1.0, 0.5)
        for (elapsed, didReturn) in zip(training.elapsedSinceTopic, training.didReturn) {
            if Double(elapsed) < horizon {
                came += 1
                cameReturned += Double(didReturn)
            } else {
                away += 1
                awayReturned += Double(didReturn)
            }
        }
        return Fitted(afterCame: cameReturned / came, afterAway: awayReturned / away, horizon: horizon)
    }

    private struct Fitted: FittedBaseline {
        let afterCame: Double
        let afterAway: Double
        let horizon: Double

        func predict(_ queries: QuerySet) -> (returnProbability: [Double], degree: [Double]) {
            (
                queries.elapsedSinceTopic.map { Double($0) < horizon ? afterCame : afterAway },
                LastValue.degree(queries)
            )
        }
    }
}
