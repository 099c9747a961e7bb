import WaneEvents
import WaneState
import WaneTasks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a model says of times of return, in horizons.
public struct ReturnPredictions: Sendable {
    /// Of each question's own duration: log density where the return was seen, log survival where it was not;
    /// nothing for models without a density.
    public var logLikelihood: [Double]?
    /// The time by which half come back, at most ``longest``.
    public var median: [Double]
    /// The chance of no return by each time of a grid, `[questions, grid]`; nothing for point predictions.
    public var survival: [Double]?

    /// Horizons; what is farther is as good as never.
    public static let longest = 100.0

    public init(logLikelihood: [Double]?, median: [Double], survival: [Double]?) {
        self.logLikelihood = logLikelihood
        self.median = median
        self.survival = survival
    }

    /// From a survival function and a log density for each question.
    public init(
        _ questions: ReturnQueries, grid: [Double], survival: (Int, Double) -> Double,
        logDensity: (Int, Double) -> Double
    ) {
        var (likelihood, medians, rows) = ([Double](), [Double](), [Double]())
        for row in 0..<questions.count {
            let time = questions.duration[row]
            let value = questions.observed[row] ? logDensity(row, time) : log(max(1e-300, survival(row, time)))
            likelihood.append(value)
            rows.append(contentsOf: grid.map { survival(row, $0) })
            // By bisection in the logarithm: a survival function only falls.
            var (low, high) = (1e-6, Self.longest)
            if survival(row, high) > 0.5 {
                low = high
            } else {
                for _ in 0..<40 {
                    let middle = (low * high).squareRoot()
                    if survival(row, middle) > 0.5 { low = middle } else { high = middle }
                }
            }
            medians.append(low)
        }
        self.init(logLikelihood: likelihood, median: medians, survival: rows)
    }
}

/// A classical model of times of return.
public protocol ReturnBaseline: Sendable {
    var name: String { get }
    func fitted(_ training: ReturnQueries) -> any FittedReturn
}

public protocol FittedReturn: Sendable {
    func predict(_ questions: ReturnQueries, grid: [Double]) -> ReturnPredictions
}

/// Every classical model of return times, in the order of tables: a new one is a file and a line here.
public enum ReturnBaselines {
    public static let all: [any ReturnBaseline] = [
        MedianGap(), PopulationCurve(), LogLogisticRegression(same: same), GammaExponential(),
        LogLogisticRegression(), ExponentialHawkes(),
    ]

    /// The row that is the same curve for everybody.
    public static let same = "log-logistic, one for all"
}

/// Sums of log likelihood over at most some thousand questions.
enum ReturnSample {
    static func rows(_ questions: ReturnQueries, limit: Int = 8_000) -> [Int] {
        Array(stride(from: 0, to: questions.count, by: max(1, questions.count / limit)))
    }
}
