import WaneCurves

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

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
        touches /= divisor
        expected /= divisor
    }

    /// Steps of the integral, of about so much on the logarithm of time.
    private static let step = 0.37
    /// Seconds, from which the rate is followed.
    private static let shortest = 1_800.0
    /// Days in which half of an inflow has ebbed.
    private static let inflowHalfLife = 1.5

    /// - Parameters:
    ///   - logTime, p, f, logRate: the topic's, with the deviations of the pair and the causes in the first and the last.
    ///   - length: seconds; `burst` of them say nothing.
    ///   - isClosed: whether a touch came at the end.
    ///   - inflow: touches a second beside the topic's own, at the beginning.
    ///   - start: of the gap, seconds since 1970; lengths count by when the person is about (`rhythm`).
    init(
        logTime: Double, shape p: Double, floor f: Double, logRate: Double, length: Double, burst: Double,
        isClosed: Bool,
        inflow: Double, start: Double, rhythm: borrowing DailyRhythm
    ) {
        let begin = max(Self.shortest, burst)
        guard length > begin else { return }
        let rate = exp(logRate)
        let (low, high) = (log(begin), log(max(length, begin * 1.05)))
        let nodes = max(6, Int((high - low) / Self.step) + 2)
        let step = (high - low) / Double(nodes - 1)
        var before = burst > Self.shortest ? burst : 0
        var beforePassed = rhythm.passed(start + before)
        for node in 0..<nodes {
            let at = node == nodes - 1 ? length : min(length, exp(low + step * Double(node)))
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
