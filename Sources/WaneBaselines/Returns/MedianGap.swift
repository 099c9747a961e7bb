import WaneEvents
import WaneState
import WaneTasks

/// The median of the pair's own past gaps, or of everybody's where it has none: a point, not a distribution. It
/// beats many a deep model in mean absolute error, so every table has it.
struct MedianGap: ReturnBaseline {
    let name = "median gap"

    func fitted(_ training: ReturnQueries) -> any FittedReturn {
        let seen = (0..<training.count).filter { training.observed[$0] }.map { training.duration[$0] }.sorted()
        return Fitted(common: seen.isEmpty ? 1 : seen[seen.count / 2])
    }

    private struct Fitted: FittedReturn {
        let common: Double

        func predict(_ questions: ReturnQueries, grid: [Double]) -> ReturnPredictions {
            let medians = questions.ages.map { ages in
                // Gaps within a visit are no returns.
                let gaps = zip(ages, ages.dropFirst()).map { $0 - $1 }.filter { $0 > ReturnTask.shortestGap }.sorted()
                return gaps.isEmpty ? common : gaps[gaps.count / 2]
            }
            return ReturnPredictions(logLikelihood: nil, median: medians, survival: nil)
        }
    }
}
