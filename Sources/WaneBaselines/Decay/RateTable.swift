#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import WaneCurves

/// A topic's rate and its integral on the grid of lengths of time, for each level of depth and each node of the spread between
/// pairs, with what they move by.
///
/// With `u` the logarithm of a length of time and `z = p (log τ + β x + a - u)`,
///
///     R = sigmoid(z),   rate = f + (1 - f) R,   waited = ∫ rate du e^u        (trapezoids, from the end of a visit on)
///
/// all without the factor `λ0`.
struct RateTable {
    /// Numbers of a place: a value and its slopes in `log τ` (and `β`, `a` by the chain), `p` and `f`.
    static let width = 4
    /// `[node, level, place, 4]`: of the logarithm of the rate, and of what has been waited.
    private(set) var logRate: [Double]
    private(set) var waited: [Double]
    /// As much as the log-likelihood moves by each value: `[node, level, place]`.
    var logRateSlope: [Double]
    var waitedSlope: [Double]

    private let logTimes: [Double]
    private let times: [Double]
    private let levels: Int
    private let nodes: Int

    init(places: Int, shortest: Double, levels: Int, nodes: Int) {
        logTimes = (0..<places).map { log(shortest) + Double($0) * TouchRecord.step }
        times = logTimes.map(exp)
        self.levels = levels
        self.nodes = nodes
        let count = nodes * levels * places
        logRate = Array(repeating: 0, count: count * Self.width)
        waited = logRate
        logRateSlope = Array(repeating: 0, count: count)
        waitedSlope = logRateSlope
    }

    var placesOfNode: Int { levels * logTimes.count }

    /// - Parameters:
    ///   - logTime, shape, floor: `log τ` in seconds, `p`, `f`.
    ///   - spread: of pairs; node `n` stands `spread · deviations[n]` off.
    ///   - depth: `β`; level `l` stands `β · TouchRecord.depth[l]` off, where there is more than one.
    mutating func fill(
        logTime: Double, shape p: Double, floor f: Double, spread: Double, deviations: [Double], depth: Double
    ) {
        let places = logTimes.count
        let step = TouchRecord.step
        logRate.withUnsafeMutableBufferPointer { logRate in
            waited.withUnsafeMutableBufferPointer { waited in
                for node in 0..<nodes {
                    for level in 0..<levels {
                        let off = spread * deviations[node] + (levels > 1 ? depth * TouchRecord.depth[level] : 0)
                        var (sum, byTime, byShape, byFloor) = (0.0, 0.0, 0.0, 0.0)
                        var before = (0.0, 0.0, 0.0, 0.0)
                        var at = (node * levels + level) * places * Self.width
                        for place in 0..<places {
                            let distance = logTime + off - logTimes[place]
                            let retention = 1 / (1 + exp(-p * distance))
                            let rate = max(1e-12, f + (1 - f) * retention)
                            let bend = (1 - f) * retention * (1 - retention)
                            logRate[at] = log(rate)
                            logRate[at + 1] = bend * p / rate
                            logRate[at + 2] = bend * distance / rate
                            logRate[at + 3] = (1 - retention) / rate
                            let time = times[place]
                            let now = (
                                rate * time, bend * p * time, bend * distance * time, (1 - retention) * time
                            )
                            if place > 0 {
                                sum += step / 2 * (before.0 + now.0)
                                byTime += step / 2 * (before.1 + now.1)
                                byShape += step / 2 * (before.2 + now.2)
                                byFloor += step / 2 * (before.3 + now.3)
                            }
                            before = now
                            waited[at] = sum
                            waited[at + 1] = byTime
                            waited[at + 2] = byShape
                            waited[at + 3] = byFloor
                            at += Self.width
                        }
                    }
                }
            }
        }
    }

    /// What was waited up to a time between two places, or a slope of it.
    ///
    /// - Parameters:
    ///   - first: of the node and the level, in places.
    ///   - column: 0 for the value.
    @inline(__always)
    func waited(at place: Float, first: Int, column: Int = 0) -> Double {
        Self.between(waited, place, first, column)
    }

    /// The logarithm of the rate at a time between two places.
    func logRate(at place: Float, first: Int) -> Double { Self.between(logRate, place, first, 0) }

    @inline(__always)
    private static func between(_ values: [Double], _ place: Float, _ first: Int, _ column: Int) -> Double {
        let low = Int(place)
        let share = Double(place - Float(low))
        let at = (first + low) * width + column
        return values[at] * (1 - share) + values[at + width] * share
    }

    mutating func clearSlopes() {
        for place in logRateSlope.indices {
            logRateSlope[place] = 0
            waitedSlope[place] = 0
        }
    }

    /// How the log-likelihood moves with `log τ`, `p`, `f`, the logarithm of the spread, and `β`.
    func slopes(spread: Double, deviations: [Double])
        -> (time: Double, shape: Double, floor: Double, spread: Double, depth: Double)
    {
        var result = (time: 0.0, shape: 0.0, floor: 0.0, spread: 0.0, depth: 0.0)
        let places = logTimes.count
        for node in 0..<nodes {
            for level in 0..<levels {
                var byTime = 0.0
                for place in 0..<places {
                    let at = (node * levels + level) * places + place
                    let (a, b) = (logRateSlope[at], waitedSlope[at])
                    if a == 0, b == 0 { continue }
                    byTime += a * logRate[at * Self.width + 1] + b * waited[at * Self.width + 1]
                    result.shape += a * logRate[at * Self.width + 2] + b * waited[at * Self.width + 2]
                    result.floor += a * logRate[at * Self.width + 3] + b * waited[at * Self.width + 3]
                }
                result.time += byTime
                result.spread += byTime * spread * deviations[node]
                if levels > 1 { result.depth += byTime * TouchRecord.depth[level] }
            }
        }
        return result
    }
}
