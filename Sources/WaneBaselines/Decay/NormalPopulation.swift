#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

import WaneState

/// What people have in common: a normal distribution of their numbers, of which each person's events say a normal distribution.
struct NormalPopulation {
    struct Summary {
        let found: Double
        let precision: Double
    }

    private(set) var mean = 0.0
    private(set) var variance = 0.0
    /// Nats by which it explains what was found better than no number at all does.
    private(set) var gain = 0.0

    /// So many people are held to differ as much as is usual.
    private static let few = 10.0
    /// A mean that halves or doubles half-lives would be a large one: where people say little of it, it is near 0.
    private static let pull = 4.0

    /// - Parameter variance: where people are alike.
    init(_ people: [Summary], variance: Double) {
        guard !people.isEmpty else { return }
        self.variance = variance
        let precisions = people.reduce(0) { $0 + $1.precision }
        mean = people.reduce(0) { $0 + $1.precision * $1.found } / (precisions + Self.pull)
        gain = gain(people)
    }

    /// Maximum likelihood, by expectation and maximization.
    ///
    /// - Parameter given: the mean, where it is known.
    init(_ people: [Summary], mean given: Double? = nil) {
        guard !people.isEmpty else { return }
        mean = given ?? 0
        variance = 0.1
        for _ in 0..<200 {
            if given == nil {
                var (sum, weights) = (0.0, 0.0)
                for person in people {
                    let weight = 1 / (variance + 1 / person.precision)
                    sum += weight * person.found
                    weights += weight
                }
                mean = sum / (weights + Self.pull)
            }
            var square = 0.0
            for person in people {
                let posterior = 1 / (person.precision + 1 / variance)
                let off = posterior * person.precision * (person.found - mean)
                square += posterior + off * off
            }
            // Few people say little of how far they differ.
            let few = Self.few
            let next = min(1, max(CauseSchema.none, (square + few * CauseSchema.start) / (Double(people.count) + few)))
            let isDone = abs(next - variance) < 1e-6
            variance = next
            if isDone { break }
        }
        gain = gain(people)
        // Towards no variance the steps get ever smaller: none is tried as well, and no effect at all.
        var alike = self
        if given == nil {
            alike = NormalPopulation(people, variance: CauseSchema.none)
        } else {
            alike.variance = CauseSchema.none
            alike.gain = alike.gain(people)
        }
        if alike.gain > gain { self = alike }
        if given == nil, gain < 0 { (mean, variance, gain) = (0, CauseSchema.none, 0) }
    }

    private func gain(_ people: [Summary]) -> Double {
        people.reduce(0) { sum, person in
            let (own, all) = (1 / person.precision, 1 / person.precision + variance)
            let off = person.found - mean
            return sum + (person.found * person.found / own - off * off / all + log(own / all)) / 2
        }
    }
}
