import WaneCurves

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What is known of how a person is moved: one number for each cause, beside the deviations of each of their pairs' `log τ` and
/// `log λ`, as a normal distribution that every gap between touches moves on.
///
/// After a touch with measures `x` the next comes at the rate of the topic with `log τ + a + θ·x` and `log λ0 + l`. The
/// log-likelihood of the gap is taken to the second order in `θ`, `a` and `l` at what was known before (an extended Kalman
/// filter in information form): the matrix of information is the integral of the squared slopes of the log rate, which needs
/// no outcome and is never negative. `a` and `l` of a pair are eliminated at once, so that a gap costs the same however many
/// there are.
struct SensitivityFilter: Sendable {
    typealias Four = SIMD4<Double>

    /// Information on `θ`, without that of the pairs: rows of a symmetric matrix, and the vector.
    private var matrix: (Four, Four, Four, Four)
    private var vector: Four
    private let prior: (mean: Four, precision: Four)
    private(set) var mean: Four
    private(set) var variance: Four

    /// One pair's own block: `a` and `l` with what ties them to `θ`, and what their elimination takes from the person's.
    struct Pair: Sendable {
        var aa: Double, al = 0.0, ll: Double
        var a = 0.0, l = 0.0
        var tieA = Four.zero, tieL = Four.zero
        /// As they are known now.
        var offset = 0.0, rate = 0.0
        var takenMatrix = (Four.zero, Four.zero, Four.zero, Four.zero)
        var takenVector = Four.zero
        /// Touches, and those that the topic's own rate would have brought: a rate's posterior is a gamma distribution, exactly.
        private let frailty: Double
        private var touches = 0.0
        private var expected = 0.0

        init(offsetPrecision: Double, ratePrecision: Double) {
            aa = offsetPrecision
            ll = ratePrecision
            frailty = ratePrecision
        }

        /// A rate taken to the second order from few touches runs far off: where slopes are taken is what the gamma says.
        mutating func count(_ gap: GapScore) {
            touches += gap.touches
            expected += gap.expected * exp(-rate)
            rate = log((touches + frailty) / (expected + frailty))
        }
    }

    init(_ schema: CauseSchema) {
        func four(_ values: ByCause<Double>) -> Four { Four(Cause.allCases.map { values[$0] }) }
        let variance = four(schema.variance)
        let precision = 1 / variance
        prior = (four(schema.mean), precision)
        matrix = (
            Four(precision.x, 0, 0, 0), Four(0, precision.y, 0, 0), Four(0, 0, precision.z, 0),
            Four(0, 0, 0, precision.w)
        )
        vector = precision * prior.mean
        mean = prior.mean
        self.variance = variance
    }

    /// Takes in a gap.
    mutating func add(_ gap: GapScore, measures x: Four, to pair: inout Pair) {
        // Linear predictors where the slopes were taken.
        let time = pair.offset + (mean * x).sum()
        let byTime = gap.time + gap.timeTime * time + gap.timeRate * pair.rate
        let byRate = gap.rate + gap.timeRate * time + gap.rateRate * pair.rate
        pair.aa += gap.timeTime
        pair.al += gap.timeRate
        pair.ll += gap.rateRate
        pair.a += byTime
        pair.l += byRate
        pair.tieA += gap.timeTime * x
        pair.tieL += gap.timeRate * x
        addOuter(x, x * gap.timeTime)
        vector += byTime * x
        eliminate(&pair)
        solve()
        let (a, l) = (pair.a - (pair.tieA * mean).sum(), pair.l - (pair.tieL * mean).sum())
        let determinant = pair.aa * pair.ll - pair.al * pair.al
        pair.offset = min(3, max(-3, (pair.ll * a - pair.al * l) / determinant))
        pair.count(gap)
    }

    private mutating func addOuter(_ a: Four, _ b: Four) {
        matrix.0 += a.x * b
        matrix.1 += a.y * b
        matrix.2 += a.z * b
        matrix.3 += a.w * b
    }

    /// What `a` and `l` leave of the information on `θ`: `B' A⁻¹ B` is taken off, and `B' A⁻¹ g`.
    private mutating func eliminate(_ pair: inout Pair) {
        let determinant = pair.aa * pair.ll - pair.al * pair.al
        let (a, b, c) = (pair.ll / determinant, -pair.al / determinant, pair.aa / determinant)
        let (u, v) = (a * pair.tieA + b * pair.tieL, b * pair.tieA + c * pair.tieL)
        let taken = (
            pair.tieA.x * u + pair.tieL.x * v, pair.tieA.y * u + pair.tieL.y * v, pair.tieA.z * u + pair.tieL.z * v,
            pair.tieA.w * u + pair.tieL.w * v
        )
        let takenVector = pair.a * u + pair.l * v
        matrix.0 += pair.takenMatrix.0 - taken.0
        matrix.1 += pair.takenMatrix.1 - taken.1
        matrix.2 += pair.takenMatrix.2 - taken.2
        matrix.3 += pair.takenMatrix.3 - taken.3
        vector += pair.takenVector - takenVector
        pair.takenMatrix = taken
        pair.takenVector = takenVector
    }

    /// Mean and variances of `θ`, by Cholesky's decomposition.
    private mutating func solve() {
        let m = [matrix.0, matrix.1, matrix.2, matrix.3]
        var lower = (Four.zero, Four.zero, Four.zero, Four.zero)
        withUnsafeMutableBytes(of: &lower) { bytes in
            let l = bytes.bindMemory(to: Double.self)
            for row in 0..<4 {
                for column in 0...row {
                    var sum = m[row][column]
                    for k in 0..<column { sum -= l[row * 4 + k] * l[column * 4 + k] }
                    l[row * 4 + column] = row == column ? max(1e-9, sum).squareRoot() : sum / l[column * 4 + column]
                }
            }
            func solved(_ b: Four) -> Four {
                var x = b
                for row in 0..<4 {
                    for k in 0..<row { x[row] -= l[row * 4 + k] * x[k] }
                    x[row] /= l[row * 4 + row]
                }
                for row in (0..<4).reversed() {
                    for k in (row + 1)..<4 { x[row] -= l[k * 4 + row] * x[k] }
                    x[row] /= l[row * 4 + row]
                }
                return x
            }
            let found = solved(vector)
            guard (0..<4).allSatisfy({ found[$0].isFinite }) else {
                (mean, variance) = (prior.mean, 1 / prior.precision)
                return
            }
            mean = found.clamped(lowerBound: Four(repeating: -3), upperBound: Four(repeating: 3))
            for cause in 0..<4 {
                var unit = Four.zero
                unit[cause] = 1
                variance[cause] = min(1 / prior.precision[cause], solved(unit)[cause])
            }
        }
    }
}

/// How the log-likelihood of a gap moves with `log τ` and `log λ0`: first slopes, and the information on both.
struct GapScore: Sendable {
    var time = 0.0, rate = 0.0
    var timeTime = 0.0, timeRate = 0.0, rateRate = 0.0
    /// Touches that the inflow is expected to have brought, and its share of the touch at the end.
    var inflow = 0.0, inflowShare = 0.0
    var logLikelihood = 0.0
    /// The touch at the end as far as it is the topic's own, and how many of those were expected.
    var touches = 0.0, expected = 0.0

    /// Divides what the gap says.
    mutating func temper(by divisor: Double) {
        time /= divisor
        rate /= divisor
        timeTime /= divisor
        timeRate /= divisor
        rateRate /= divisor
    }

    private static let nodes = 24
    /// Seconds, from which the rate is followed.
    private static let shortest = 1_800.0
    /// Days in which half of an inflow has ebbed.
    private static let inflowHalfLife = 1.5

    /// - Parameters:
    ///   - topic: with the deviations of the pair and the causes in `logTime` and `logRate`.
    ///   - length: seconds; `burst` of them say nothing.
    ///   - isClosed: whether a touch came at the end.
    ///   - inflow: touches a second beside the topic's own, at the beginning.
    ///   - passed: seconds that count, by when the person is about, from a day's beginning on; of the touch's own moment.
    init(
        logTime: Double, shape p: Double, floor f: Double, logRate: Double, length: Double, burst: Double,
        isClosed: Bool,
        inflow: Double, start: Double, rhythm: borrowing DailyRhythm
    ) {
        let begin = max(Self.shortest, burst)
        guard length > begin else { return }
        let rate = exp(logRate)
        let (low, high) = (log(begin), log(max(length, begin * 1.05)))
        let step = (high - low) / Double(Self.nodes - 1)
        var before = burst > Self.shortest ? burst : 0
        var beforePassed = rhythm.passed(start + before)
        for node in 0..<Self.nodes {
            let at = node == Self.nodes - 1 ? length : min(length, exp(low + step * Double(node)))
            guard at > before else { continue }
            let passed = rhythm.passed(start + at)
            let width = passed - beforePassed
            let middle = (before + at) / 2
            let retention = 1 / (1 + exp(-p * (logTime - log(middle))))
            let own = rate * (f + (1 - f) * retention)
            let bend = rate * (1 - f) * retention * (1 - retention) * p
            let added = inflow * exp2(-middle / 86_400 / Self.inflowHalfLife)
            let all = own + added
            timeTime += bend * bend / all * width
            timeRate += bend * own / all * width
            rateRate += own * own / all * width
            time -= bend * width
            self.rate -= own * width
            self.inflow += added * width
            (before, beforePassed) = (at, passed)
        }
        logLikelihood = self.rate - self.inflow
        expected = -self.rate
        guard isClosed else { return }
        let retention = 1 / (1 + exp(-p * (logTime - log(length))))
        let own = rate * (f + (1 - f) * retention)
        let added = inflow * exp2(-length / 86_400 / Self.inflowHalfLife)
        time += rate * (1 - f) * retention * (1 - retention) * p / (own + added)
        self.rate += own / (own + added)
        touches = own / (own + added)
        inflowShare = added / (own + added)
        logLikelihood += log(own + added)
    }
}
