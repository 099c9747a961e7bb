import WaneData

/// The next horizon will be like the last: the degree over the horizon just past, and the return rate in
/// the training part of those who did, and of those who did not, come in the last one.
struct LastValue: Baseline {
    let name = "last value"

    private static func last(_ queries: QuerySet) -> [Double] {
        let width = FeatureBuilder.timedCount
        guard let column = FeatureBuilder.timedNames.firstIndex(of: "degree_now") else { return [] }
        return (0..<queries.count).map { Double(queries.timed[$0 * width + column]) }
    }

    func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        var (came, cameReturned, away, awayReturned) = (1.0, 0.5, 1.0, 0.5)
        for (last, returned) in zip(Self.last(training), training.returned) {
            if last > 0 {
                came += 1
                cameReturned += Double(returned)
            } else {
                away += 1
                awayReturned += Double(returned)
            }
        }
        return Fitted(afterCame: cameReturned / came, afterAway: awayReturned / away)
    }

    private struct Fitted: FittedBaseline {
        let afterCame: Double
        let afterAway: Double

        func predict(_ queries: QuerySet) -> (returned: [Double], degree: [Double]) {
            let last = LastValue.last(queries)
            return (last.map { $0 > 0 ? afterCame : afterAway }, last)
        }
    }
}
