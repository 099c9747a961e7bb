import WaneCurves

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What is known of how a person is moved: one number for each cause and two for ordinary times, beside the deviations of each of
/// their pairs' `log τ` and `log λ`, as a normal distribution that every gap between touches moves on.
///
/// After a touch with measures `x` the next comes at the rate of the topic with `log τ + a + θ·x` and `log λ0 + l`. The
/// log-likelihood of the gap is taken to the second order in `θ`, `a` and `l` at what was known before (an extended Kalman
/// filter in information form): the matrix of information is the integral of the squared slopes of the log rate, which needs
/// no outcome and is never negative. `a` and `l` of a pair are eliminated at once, so that a new gap costs the same however many
/// there are; ``GapHistory`` takes all of them in anew now and then.
struct SensitivityFilter: Sendable {
    /// The four causes; the person's level, which all their gaps have; that of gaps whose circumstances are known. The last two places
    /// stay 0.
    typealias Vector = SIMD8<Double>
    typealias Matrix = InlineArray<6, Vector>
    static let unknowns = 6

    /// Information on `θ`, without that of the pairs: rows of a symmetric matrix, and the vector.
    private var matrix = Matrix(repeating: .zero)
    private var vector: Vector
    private let prior: (mean: Vector, precision: Vector)
    private(set) var mean: Vector

    /// One pair's own block: `a` and `l` with what ties them to `θ`, and what their elimination takes from the person's.
    struct Pair: Sendable {
        var aa: Double, al = 0.0, ll: Double
        var a = 0.0, l = 0.0
        var tieA = Vector.zero, tieL = Vector.zero
        /// As they are known now.
        var offset = 0.0, rate = 0.0
        var takenMatrix = Matrix(repeating: .zero)
        var takenVector = Vector.zero
        private let offsetPrecision: Double
        /// Touches, and those that the topic's own rate would have brought: a rate's posterior is a gamma distribution, exactly.
        private let frailty: Double
        fileprivate var touches = 0.0
        fileprivate var expected = 0.0

        init(offsetPrecision: Double, ratePrecision: Double) {
            (self.offsetPrecision, aa) = (offsetPrecision, offsetPrecision)
            ll = ratePrecision
            frailty = ratePrecision
        }

        /// The same place with nothing taken in: gaps are taken in anew, with slopes taken there.
        fileprivate func emptied() -> Pair {
            var other = Pair(offsetPrecision: offsetPrecision, ratePrecision: frailty)
            (other.offset, other.rate) = (offset, rate)
            // The gamma distribution of rates, k l - k exp(l), to the second order at where the rate stands.
            other.ll = frailty * exp(rate)
            other.l = other.ll * rate + frailty - other.ll
            return other
        }

        /// Moves to where all that was taken in leaves it: a step of Newton's method may run far off, and what is found at last is the
        /// same.
        ///
        /// - Parameter isWhole: whether all gaps were taken in at this place. Of a single new one the rate goes to where its gamma
        ///   distribution is: to the second order from few touches it would run far off.
        fileprivate mutating func settle(_ mean: Vector, isWhole: Bool) {
            let (byA, byL) = (a - (tieA * mean).sum(), l - (tieL * mean).sum())
            let determinant = aa * ll - al * al
            let (foundOffset, foundRate) = ((ll * byA - al * byL) / determinant, (aa * byL - al * byA) / determinant)
            offset = min(3, max(-3, offset + min(1, max(-1, foundOffset - offset))))
            rate =
                isWhole
                ? rate + min(1, max(-1, foundRate - rate)) : log((touches + frailty) / (expected + frailty))
        }
    }

    init(_ schema: CauseSchema) {
        let (center, spread) = schema.prior
        let precision = 1 / spread
        prior = (center, precision)
        for row in 0..<Self.unknowns { matrix[row][row] = precision[row] }
        vector = precision * center
        mean = center
    }

    /// Takes in a gap, at where the person and the pair stand now.
    mutating func add(_ gap: GapScore, measures x: Vector, to pair: inout Pair) {
        take(gap, measures: x, at: mean, to: &pair)
        eliminate(&pair)
        solve()
        pair.settle(mean, isWhole: false)
    }

    /// Where the person and all pairs stand once all gaps are taken in anew, with slopes taken at where they stood: a step of
    /// Newton's method.
    ///
    /// - Parameter gaps: calls what it is given with each gap's score at that place, its measures, and its pair.
    func stepped(
        _ schema: CauseSchema, pairs: inout [Pair],
        gaps: ([Pair], Vector, (GapScore, Vector, Int) -> Void) -> Void
    ) -> SensitivityFilter {
        var next = SensitivityFilter(schema)
        let from = pairs
        var anew = pairs.map { $0.emptied() }
        gaps(from, mean) { score, x, place in next.take(score, measures: x, at: mean, to: &anew[place]) }
        for place in anew.indices { next.eliminate(&anew[place]) }
        next.solve()
        next.mean =
            mean + (next.mean - mean).clamped(lowerBound: Vector(repeating: -1), upperBound: Vector(repeating: 1))
        for place in anew.indices { anew[place].settle(next.mean, isWhole: true) }
        pairs = anew
        return next
    }

    /// - Parameter from: where its slopes were taken, beside the pair's own place.
    private mutating func take(_ gap: GapScore, measures x: Vector, at from: Vector, to pair: inout Pair) {
        // Linear predictors where the slopes were taken.
        let time = pair.offset + (from * x).sum()
        let byTime = gap.time + gap.timeTime * time + gap.timeRate * pair.rate
        let byRate = gap.rate + gap.timeRate * time + gap.rateRate * pair.rate
        pair.aa += gap.timeTime
        pair.al += gap.timeRate
        pair.ll += gap.rateRate
        pair.a += byTime
        pair.l += byRate
        pair.tieA += gap.timeTime * x
        pair.tieL += gap.timeRate * x
        pair.touches += gap.touches
        pair.expected += gap.expected * exp(-pair.rate)
        addOuter(x, x * gap.timeTime)
        vector += byTime * x
    }

    private mutating func addOuter(_ a: Vector, _ b: Vector) {
        for row in 0..<Self.unknowns { matrix[row] += a[row] * b }
    }

    /// What `a` and `l` leave of the information on `θ`: `B' A⁻¹ B` is taken off, and `B' A⁻¹ g`.
    private mutating func eliminate(_ pair: inout Pair) {
        let determinant = pair.aa * pair.ll - pair.al * pair.al
        let (a, b, c) = (pair.ll / determinant, -pair.al / determinant, pair.aa / determinant)
        let (u, v) = (a * pair.tieA + b * pair.tieL, b * pair.tieA + c * pair.tieL)
        let takenVector = pair.a * u + pair.l * v
        for row in 0..<Self.unknowns {
            let taken = pair.tieA[row] * u + pair.tieL[row] * v
            matrix[row] += pair.takenMatrix[row] - taken
            pair.takenMatrix[row] = taken
        }
        vector += pair.takenVector - takenVector
        pair.takenVector = takenVector
    }

    private mutating func solve() {
        let decomposition = Cholesky(matrix)
        let found = decomposition.solved(vector)
        mean =
            decomposition.isPositive && Self.isFinite(found)
            ? found.clamped(lowerBound: Vector(repeating: -3), upperBound: Vector(repeating: 3)) : prior.mean
    }

    private static func isFinite(_ x: Vector) -> Bool { (0..<unknowns).allSatisfy { x[$0].isFinite } }

    /// Variances and covariances of the unknowns; those of the prior where rounding has left no matrix that could be one.
    var covariance: Matrix {
        let decomposition = Cholesky(matrix)
        var result = Matrix(repeating: .zero)
        for place in 0..<Self.unknowns { result[place][place] = 1 / prior.precision[place] }
        guard decomposition.isPositive else { return result }
        var found = result
        for place in 0..<Self.unknowns {
            var unit = Vector.zero
            unit[place] = 1
            found[place] = decomposition.solved(unit)
            // Gaps make nothing less certain.
            let own = found[place][place]
            guard Self.isFinite(found[place]), own > 0, own <= result[place][place] * 1.001 else { return result }
        }
        return found
    }
}

extension CauseSchema {
    /// Mean and variance over people of each unknown.
    fileprivate var prior: (mean: SensitivityFilter.Vector, variance: SensitivityFilter.Vector) {
        var (mean, variance) = (SensitivityFilter.Vector.zero, SensitivityFilter.Vector(repeating: 1))
        for cause in Cause.allCases {
            (mean[cause.index], variance[cause.index]) = (self.mean[cause], max(Self.none, self.variance[cause]))
        }
        (mean[4], variance[4]) = (level.mean, max(Self.none, level.variance))
        // What is known is the same for everybody.
        (mean[5], variance[5]) = (known, Self.alike)
        return (mean, variance)
    }

    private static let largeMean = 0.5

    /// Moves the means of all unknowns to where what is found of people puts them: a step of Newton's method on the likelihood of
    /// everybody's gaps, all means at once, as they go together.
    ///
    /// - Parameter people: as found with this schema.
    public mutating func moveMeans(_ people: [GapHistory.Posterior]) {
        let (center, variance) = prior
        let precision = 1 / variance
        var slope = SensitivityFilter.Vector.zero
        var information = SensitivityFilter.Matrix(repeating: .zero)
        for person in people {
            slope += precision * (person.mean - center)
            for row in 0..<SensitivityFilter.unknowns {
                information[row] -= precision[row] * person.covariance[row] * precision
                information[row][row] += precision[row]
            }
        }
        // A mean that halves or doubles half-lives would be a large one: where people say little of it, it is near 0.
        let pull = 1 / (Self.largeMean * Self.largeMean)
        for row in 0..<SensitivityFilter.unknowns { information[row][row] += pull }
        slope -= pull * center
        let decomposition = Cholesky(information)
        let found = decomposition.solved(slope)
        guard decomposition.isPositive, (0..<SensitivityFilter.unknowns).allSatisfy({ found[$0].isFinite }) else {
            return
        }
        let step = found.clamped(lowerBound: .init(repeating: -0.5), upperBound: .init(repeating: 0.5))
        let moved = (center + step).clamped(lowerBound: .init(repeating: -2), upperBound: .init(repeating: 2))
        for cause in Cause.allCases { mean[cause] = moved[cause.index] }
        (level.mean, known) = (moved[4], moved[5])
    }
}

/// A symmetric matrix as the product of a triangular one and itself turned over.
private struct Cholesky {
    private var lower = SensitivityFilter.Matrix(repeating: .zero)
    /// Whether there is such a product, clear of rounding.
    private(set) var isPositive = true

    init(_ matrix: SensitivityFilter.Matrix) {
        for row in 0..<SensitivityFilter.unknowns {
            for column in 0...row {
                var sum = matrix[row][column]
                for k in 0..<column { sum -= lower[row][k] * lower[column][k] }
                if row == column {
                    isPositive = isPositive && sum > 1e-9 * abs(matrix[row][row])
                    lower[row][row] = max(1e-300, sum).squareRoot()
                } else {
                    lower[row][column] = sum / lower[column][column]
                }
            }
        }
    }

    func solved(_ b: SensitivityFilter.Vector) -> SensitivityFilter.Vector {
        var x = b
        for row in 0..<SensitivityFilter.unknowns {
            for k in 0..<row { x[row] -= lower[row][k] * x[k] }
            x[row] /= lower[row][row]
        }
        for row in (0..<SensitivityFilter.unknowns).reversed() {
            for k in (row + 1)..<SensitivityFilter.unknowns { x[row] -= lower[k][row] * x[k] }
            x[row] /= lower[row][row]
        }
        return x
    }
}
