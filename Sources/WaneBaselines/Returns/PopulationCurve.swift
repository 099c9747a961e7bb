import WaneEvents
import WaneState
import WaneTasks
import WaneMetrics

/// One curve for everybody: Kaplan and Meier's estimate on the training part. It has steps, so no density.
struct PopulationCurve: ReturnBaseline {
    let name = "Kaplan-Meier"

    func fitted(_ training: ReturnQueries) -> any FittedReturn {
        Fitted(curve: KaplanMeier(durations: training.duration, observed: training.observed))
    }

    private struct Fitted: FittedReturn {
        let curve: KaplanMeier

        func predict(_ questions: ReturnQueries, grid: [Double]) -> ReturnPredictions {
            let row = grid.map { curve($0) }
            let median = curve.median ?? ReturnPredictions.longest
            return ReturnPredictions(
                logLikelihood: nil, median: [Double](repeating: median, count: questions.count),
                survival: (0..<questions.count).flatMap { _ in row })
        }
    }
}
