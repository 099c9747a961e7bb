import WaneEvents
#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Makes logs whose half-lives are known, so that recovery can be measured.
///
/// A person who has met a topic visits it again at the rate
///
///     λ(d) = rate · retention(d),   retention(d) = 1 / (1 + (d / τ)^p)
///
/// where `d` is the time since the last visit, and the half-life is a product of causes:
///
///     τ = τ_topic · person · depth^w · fatigue^x
///
/// `w` is the depth of the last visit (its duration's percentile, centred), `x` the exposure to the topic
/// over the last day. When the integral of the rate over all time is finite, interest dies for good.
public struct Simulator: Sendable {
    public struct Options: Sendable, Codable {
        public var users = 800
        public var topics = 12
        public var itemsPerTopic = 20
        public var days = 120.0
        /// Half-lives of the topics are spread evenly in the logarithm between these, in days.
        public var halfLives: ClosedRange<Double> = 0.25...16
        /// Standard deviation of the persons' factor, in natural logarithms.
        public var personSpread = 0.4
        /// What a visit of the greatest depth multiplies the half-life by, against one of the least.
        public var depth = 4.0
        /// What each exposure within a day multiplies the half-life by.
        public var fatigue = 0.75
        /// Expected returns within one half-life when nothing lowers interest.
        public var appetite = 1.6
        public var seed: UInt64 = 1
        /// From this day on all half-lives are multiplied by a factor; never where there is none.
        public var shift: (day: Double, factor: Double)?

        private enum CodingKeys: CodingKey {
            case users, topics, itemsPerTopic, days, halfLives, personSpread, depth, fatigue, appetite, seed
        }

        public init() {}
    }

    /// What was planted in a topic.
    public struct Topic: Sendable, Codable {
        public let name: String
        /// Seconds.
        public let halfLife: Double
        public let shape: Double
        /// Visits a second while interest is full.
        public let rate: Double
    }

    /// One visit, with what governs the time after it.
    private struct Visit {
        let time: Double
        let topic: Int
        let duration: Double
    }

    public struct Result: Sendable {
        public let log: EventLog
        public let topics: [Topic]
        /// The half-life (seconds) in force after each event, by place in `log`.
        public let halfLife: [Float]
    }

    public let options: Options
    /// 2024-01-01, in seconds.
    static let start: Double = 1_704_067_200

    public init(_ options: Options = Options()) { self.options = options }

    public func run() -> Result {
        var generator = SeededGenerator(seed: options.seed, stream: 3)
        let day = 86_400.0
        let topics = (0..<max(1, options.topics)).map { index in
            let share = options.topics > 1 ? Double(index) / Double(options.topics - 1) : 0.5
            let low = log(options.halfLives.lowerBound), high = log(options.halfLives.upperBound)
            let halfLife = exp(low + share * (high - low)) * day
            // Shapes alternate, so that they do not follow the half-lives.
            return Topic(
                name: "topic-\(index + 1)", halfLife: halfLife, shape: [1.2, 2.0, 3.0][index % 3],
                rate: options.appetite / halfLife)
        }
        let items = Vocabulary(
            (0..<topics.count).flatMap { topic in
                (0..<options.itemsPerTopic).map { "page-\(topic + 1)-\($0 + 1)" }
            })
        let users = Vocabulary((0..<options.users).map { "user-\($0 + 1)" })
        let (user, item) = (ColumnBuilder<UInt32>(), ColumnBuilder<UInt32>())
        let (time, duration) = (ColumnBuilder<Int64>(), ColumnBuilder<Float>())
        var halfLives: [Float] = []
        let end = options.days * day
        for person in 0..<options.users {
            let factor = exp(generator.normal() * options.personSpread)
            var visits: [(visit: Visit, halfLife: Double)] = []
            // New topics come over the person's whole time.
            for (index, topic) in topics.enumerated() where generator.uniform() < 0.6 {
                var at = generator.uniform() * end * 0.9
                var exposure = 0.0
                var last = at
                while at < end {
                    exposure = exposure * exp2(-(at - last) / day) + 1
                    last = at
                    let depth = generator.uniform()
                    let causes = factor * pow(options.depth, depth - 0.5) * pow(options.fatigue, exposure - 1)
                    let shift = options.shift.map { at >= $0.day * day ? $0.factor : 1 } ?? 1
                    let halfLife = topic.halfLife * causes * shift
                    // Durations are lognormal: the percentile is what the reader will see.
                    let seconds = exp(log(60) + 1.0 * Self.normalQuantile(depth))
                    visits.append((Visit(time: at, topic: index, duration: seconds), halfLife))
                    guard let next = Self.nextVisit(topic, halfLife: halfLife, within: end - at, &generator) else {
                        break
                    }
                    at += next
                }
            }
            visits.sort { $0.visit.time < $1.visit.time }
            for (visit, halfLife) in visits {
                user.append(UInt32(person))
                // Popular pages first, by Zipf's law.
                let rank = Int(pow(Double(options.itemsPerTopic), generator.uniform())) - 1
                item.append(UInt32(visit.topic * options.itemsPerTopic + rank))
                time.append(Int64((Self.start + visit.time)) * EventLog.second)
                duration.append(Float((visit.duration * 10).rounded() / 10))
                halfLives.append(Float(halfLife))
            }
        }
        let byItem = (0..<items.count).map { [UInt32($0 / max(1, options.itemsPerTopic))] }
        let events = EventLog(
            users: users, items: items, user: user.finish(), item: item.finish(), time: time.finish(),
            duration: duration.finish(),
            topics: ItemTopics(names: Vocabulary(topics.map(\.name)), byItem: byItem, source: .column))
        return Result(log: events, topics: topics, halfLife: halfLives)
    }

    /// The time to the next visit, by thinning (Lewis and Shedler 1979): the rate never exceeds `topic.rate`.
    private static func nextVisit(
        _ topic: Topic, halfLife: Double, within: Double, _ generator: inout SeededGenerator
    ) -> Double? {
        var elapsed = 0.0
        while elapsed < within {
            // Far out the rate is small: bound it by its value at the present, which it only falls from.
            let bound = topic.rate / (1 + pow(elapsed / halfLife, topic.shape))
            elapsed += -log(1 - generator.uniform()) / max(bound, 1e-12)
            let rate = topic.rate / (1 + pow(elapsed / halfLife, topic.shape))
            if generator.uniform() < rate / bound { return elapsed < within ? elapsed : nil }
        }
        return nil
    }

    /// The chance of a visit in `(gap, gap + horizon]` when the last was `gap` ago: what a perfect model
    /// would say. All in seconds.
    public static func returnProbability(
        rate: Double, halfLife: Double, shape: Double, gap: Double, horizon: Double
    ) -> Double {
        // Simpson's rule on a grid that is fine where the curve bends.
        let steps = 64
        let width = horizon / Double(steps)
        var sum = 0.0
        for i in 0...steps {
            let weight: Double = i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2
            sum += weight / (1 + pow((gap + Double(i) * width) / halfLife, shape))
        }
        return 1 - exp(-rate * sum * width / 3)
    }

    /// The gap at which the chance of a return is half of what it is right after a visit, in seconds.
    public static func returnHalfLife(rate: Double, halfLife: Double, shape: Double, horizon: Double) -> Double {
        func chance(_ gap: Double) -> Double {
            returnProbability(rate: rate, halfLife: halfLife, shape: shape, gap: gap, horizon: horizon)
        }
        let target = chance(0) / 2
        var low = 0.0
        var high = halfLife
        while chance(high) > target { high *= 2 }
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if chance(middle) > target { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The standard normal's quantile, to 1e-9.
    ///
    /// Source: Acklam's rational approximation (2003), refined by one step of Halley's method.
    static func normalQuantile(_ p: Double) -> Double {
        let p = min(1 - 1e-12, max(1e-12, p))
        func ratio(_ x: Double, _ above: [Double], _ below: [Double]) -> Double {
            above.reduce(0) { $0 * x + $1 } / below.reduce(0) { $0 * x + $1 }
        }
        let a = [
            -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.3577518672690, -30.66479806614716,
            2.506628277459239,
        ]
        let b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1]
        let c = [
            -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
            2.938163982698783,
        ]
        let d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1]
        var x: Double
        if p < 0.02425 {
            x = ratio((-2 * log(p)).squareRoot(), c, d)
        } else if p > 1 - 0.02425 {
            x = -ratio((-2 * log(1 - p)).squareRoot(), c, d)
        } else {
            let q = p - 0.5
            x = q * ratio(q * q, a, b)
        }
        let error = 0.5 * erfc(-x / 2.0.squareRoot()) - p
        let step = error * (2 * .pi).squareRoot() * exp(x * x / 2)
        x -= step / (1 + x * step / 2)
        return x
    }
}
