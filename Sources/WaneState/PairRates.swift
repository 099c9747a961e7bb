import WaneCurves

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How often each topic is touched again and how pairs of person and topic differ in that, as `RenewalFit` finds it: with it a
/// state says how often a person has come back to a topic against what the topic's own rate would have brought.
public struct RateSchema: Sendable, Equatable, Codable {
    /// By topic number: `log τ` in seconds, shape, floor, `log λ0` in touches a second, and `k` of the gamma distribution of pairs'
    /// rates around it, whose variance is `1 / k`.
    public let topics: [[Double]]
    /// `β`: what a third of the engagement of the last touch, above or below the middle one, adds to `log τ` is a third of it; 0 where engagement
    /// is not known.
    public let depth: Double

    public static let width = 5

    public init(topics: [[Double]], depth: Double) {
        (self.topics, self.depth) = (topics, depth)
    }

    /// The same with the topics of another numbering.
    ///
    /// - Parameter rows: the number here of each of the other's topics; what is unknown is in row 0.
    public func renumbered(_ rows: [Int64]) -> RateSchema {
        RateSchema(
            topics: rows.map { topics.indices.contains(Int($0)) ? topics[Int($0)] : topics.first ?? [] }, depth: depth)
    }

    /// The same with other rates right after a touch, in touches a second, by topic number.
    public func replacing(rates: [Double]) -> RateSchema {
        RateSchema(
            topics: zip(topics, rates).map { numbers, rate in
                numbers.count == Self.width ? numbers[..<3] + [log(rate), numbers[4]] : numbers
            }, depth: depth)
    }

    /// Whether its numbers are such as training finds, for so many topics.
    public func isSound(topics count: Int) -> Bool {
        topics.count == count && depth.isFinite && abs(depth) < 20
            && topics.allSatisfy { numbers in
                numbers.count == Self.width && numbers.allSatisfy(\.isFinite) && abs(numbers[0]) < 80
                    && numbers[1] > 0 && numbers[1] < 1e3 && (0...1).contains(numbers[2]) && abs(numbers[3]) < 80
                    && numbers[4] > 0 && numbers[4] <= Self.sure
            }
    }

    /// The same where all pairs of a topic have one rate.
    public var alike: RateSchema {
        RateSchema(topics: topics.map { $0.count == Self.width ? $0.dropLast() + [Self.sure] : $0 }, depth: depth)
    }

    private static let sure = 1e6

    fileprivate func numbers(_ topic: UInt32) -> [Double]? {
        guard Int(topic) < topics.count, topics[Int(topic)].count == Self.width else { return nil }
        return topics[Int(topic)]
    }

    /// The integral, over so many seconds after a touch, of the topic's rate without `λ0`.
    fileprivate func waited(_ seconds: Double, _ numbers: [Double], engagement: Float) -> Double {
        // Thirds of engagement, around the middle one.
        let third = min(2, max(0, Int(engagement * 3)))
        let scale = exp(numbers[0] + depth * Double(third - 1) / 3)
        let (shape, floor) = (numbers[1], numbers[2])
        let left = InterestCurve.rule.reduce(0.0) {
            $0 + $1.weight / (1 + pow($1.node * seconds / scale, shape))
        }
        return seconds * (floor + (1 - floor) * left)
    }
}

/// The returns and waits of one person's topics, in the order in which they were met; a part of ``PersonState``.
struct PairRates: Sendable {
    private struct Pair: Sendable {
        var returns: UInt32 = 0
        var waited = 0.0
    }

    private var pairs: [Pair] = []

    var byteCount: Int { pairs.count * MemoryLayout<Pair>.stride }

    mutating func removeAll() { pairs.removeAll(keepingCapacity: true) }

    /// A topic that the person meets.
    mutating func meet() { pairs.append(Pair()) }

    /// A topic that is touched again in another visit.
    ///
    /// - Parameters:
    ///   - seconds: of the person's own hours, since the last touch.
    ///   - engagement: of that touch.
    mutating func come(_ place: Int, _ topic: UInt32, after seconds: Double, engagement: Float, _ schema: RateSchema) {
        guard let numbers = schema.numbers(topic) else { return }
        pairs[place].returns &+= 1
        pairs[place].waited += schema.waited(seconds, numbers, engagement: engagement)
    }

    func counts(_ place: Int) -> (returns: Int, waited: Double) {
        (Int(pairs[place].returns), pairs[place].waited)
    }

    /// The logarithm of what the pair's touches, as of the last of them, make of its rate against the topic's.
    ///
    /// Of a rate `λ0 b` with `b ~ Gamma(k, k)`, `x` returns in a wait of `W` (the integral of the decaying rate over all silences
    /// between touches) leave `b ~ Gamma(k + x, k + λ0 W)`; its mean.
    func rate(_ place: Int, _ topic: UInt32, _ schema: RateSchema) -> Double? {
        schema.numbers(topic).map { numbers in
            let frailty = numbers[4]
            return log(
                (frailty + Double(pairs[place].returns)) / (frailty + exp(numbers[3]) * pairs[place].waited))
        }
    }
}
