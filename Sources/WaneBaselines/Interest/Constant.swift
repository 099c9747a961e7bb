import WaneEvents
import WaneState
import WaneTasks

/// The training part's mean, for everyone.
struct Constant: Baseline {
    static let name = "constant"
    var name: String { Self.name }

    func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline {
        Fitted(returned: training.didReturn.mean, degree: training.degree.mean)
    }

    private struct Fitted: FittedBaseline {
        let returned: Double
        let degree: Double

        func predict(_ queries: QuerySet) -> (returnProbability: [Double], degree: [Double]) {
            let count = queries.count
            return ([Double](repeating: returned, count: count), [Double](repeating: degree, count: count))
        }
    }
}
