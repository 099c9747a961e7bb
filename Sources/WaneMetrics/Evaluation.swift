/// Both sides of the interest task measured on the same rows, with intervals over people.
public struct Evaluation: Sendable, Codable {
    public var regression: RegressionReport
    public var classification: ClassificationReport
    public var rows: Int
    public var people: Int
    /// 95 % intervals by name of measure.
    public var intervals: [String: Interval]

    public struct Interval: Sendable, Codable, Equatable {
        public let low: Double
        public let high: Double

        public init(low: Double, high: Double) {
            self.low = low
            self.high = high
        }
    }

    /// The measures by the names used in tables and files.
    public var measures: [(name: String, value: Double)] {
        Self.measures(regression, classification)
    }

    static func measures(_ r: RegressionReport, _ c: ClassificationReport) -> [(name: String, value: Double)] {
        [
            ("mae", r.mae), ("mse", r.mse), ("rmse", r.rmse), ("r2", r.r2), ("accuracy", c.accuracy),
            ("precision", c.precision), ("recall", c.recall), ("f1", c.f1), ("roc_auc", c.rocAUC),
            ("pr_auc", c.prAUC), ("log_loss", c.logLoss), ("ece", c.ece), ("brier", c.brier),
        ]
    }
}

/// Resamples of people with replacement: rows of one person stand or fall together.
///
/// Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), percentile intervals.
public struct UserBootstrap: Sendable {
    private let people: [Int32]
    private let peopleCount: Int
    private let resamples: Int
    private let seed: UInt64

    /// - Parameter users: the person of each row.
    public init(users: [UInt32], resamples: Int = 200, seed: UInt64) {
        var numbers: [UInt32: Int32] = [:]
        people = users.map { user in
            if let number = numbers[user] { return number }
            let number = Int32(numbers.count)
            numbers[user] = number
            return number
        }
        peopleCount = numbers.count
        self.resamples = resamples
        self.seed = seed
    }

    /// How often each row counts in each resample: the same for the same seed, so models are paired.
    private func weights(_ resample: Int) -> [Double] {
        var state = seed &+ UInt64(resample) &* 0x9E37_79B9_7F4A_7C15
        var counts = [Double](repeating: 0, count: peopleCount)
        for _ in 0..<peopleCount {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var mixed = (state ^ (state >> 33)) &* 0xFF51_AFD7_ED55_8CCD
            mixed ^= mixed >> 33
            counts[Int(mixed % UInt64(peopleCount))] += 1
        }
        return people.map { counts[Int($0)] }
    }

    public func evaluate(
        degree: [Double], degreeLabels: [Double], returned: [Double], returnedLabels: [Double], threshold: Double
    ) -> Evaluation {
        let ranked = Ranked(returned)
        let regression = Regression.report(degree, degreeLabels)
        let classification = Classification.report(returned, returnedLabels, ranked, threshold, nil)
        var samples: [String: [Double]] = [:]
        for resample in 0..<(peopleCount > 1 ? resamples : 0) {
            let weights = weights(resample)
            let r = Regression.report(degree, degreeLabels, weights: weights)
            let c = Classification.report(returned, returnedLabels, ranked, threshold, weights)
            for (name, value) in Evaluation.measures(r, c) { samples[name, default: []].append(value) }
        }
        return Evaluation(
            regression: regression, classification: classification, rows: degree.count, people: peopleCount,
            intervals: samples.compactMapValues(Self.interval))
    }

    /// The 95 % interval of `a - b` in log loss and in absolute error, on the same resamples.
    public func difference(
        returned a: [Double], _ b: [Double], labels: [Double], degree c: [Double], _ d: [Double],
        degreeLabels: [Double]
    ) -> (logLoss: Evaluation.Interval?, mae: Evaluation.Interval?) {
        func loss(_ p: Double, _ y: Double) -> Double {
            let safe = min(1 - Classification.clip, max(Classification.clip, p))
            return y > 0.5 ? -log(safe) : -log(1 - safe)
        }
        let losses = a.indices.map { loss(a[$0], labels[$0]) - loss(b[$0], labels[$0]) }
        let errors = c.indices.map { abs(c[$0] - degreeLabels[$0]) - abs(d[$0] - degreeLabels[$0]) }
        return (interval(of: losses), interval(of: errors))
    }

    /// The 95 % interval of the mean of one value a row.
    public func interval(of values: [Double]) -> Evaluation.Interval? {
        var samples: [Double] = []
        for resample in 0..<(peopleCount > 1 ? resamples : 0) {
            let weights = weights(resample)
            let total = weights.reduce(0, +)
            samples.append(zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } / total)
        }
        return Self.interval(samples)
    }

    private static func interval(_ samples: [Double]) -> Evaluation.Interval? {
        let sorted = samples.filter { !$0.isNaN }.sorted()
        guard sorted.count >= 20 else { return nil }
        func quantile(_ share: Double) -> Double {
            let index = share * Double(sorted.count - 1)
            let low = Int(index)
            let high = min(low + 1, sorted.count - 1)
            return sorted[low] + (index - Double(low)) * (sorted[high] - sorted[low])
        }
        return Evaluation.Interval(low: quantile(0.025), high: quantile(0.975))
    }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
