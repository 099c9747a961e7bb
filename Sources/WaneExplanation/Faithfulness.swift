import Foundation
import WaneBundle
import WaneEvents
import WaneMetrics
import WaneModels
import WanePrediction
import WaneState
import WaneTasks

/// Whether what is said of a model's answers is true of the model: each test against what it must beat.
///
/// Sources: completeness, Sundararajan et al. 2017; deletion, Samek et al. 2017; randomized weights and labels, Adebayo et al. 2018;
/// remove and retrain, Hooker et al. 2019. No limits are agreed on; ours are in `docs/maths.md`.
public struct FaithfulnessTest: Sendable {
    public let name: String
    /// What was measured, and its 95 % interval over people where it has one.
    public let value: Double
    public let interval: Evaluation.Interval?
    /// What it has to be.
    public let limit: String
    /// Nothing where it could not be made.
    public let passes: Bool?
}

extension QueryPredictor {
    /// How many questions are looked at.
    static let faithfulnessQuestions = 256
    /// How many features, and how many events, are taken away.
    static let deletedFeatures = 5
    static let deletedEvents = 3

    /// The tests that need nothing but the model.
    ///
    /// - Parameters:
    ///   - queries: of the test part.
    ///   - randomized: the same model with its weights in another order.
    public func faithfulness(
        _ queries: QuerySet, randomized: QueryPredictor, seed: UInt64, progress: (String) throws -> Void
    ) throws -> [FaithfulnessTest] {
        let queries = measured(sample(queries, seed: seed))
        try progress("completeness")
        let own = try attributions(queries)
        var errors = own.map(\.completenessError).sorted()
        if errors.isEmpty { errors = [.nan] }
        let worst = errors[Int(0.95 * Double(errors.count - 1))]
        var tests = [
            FaithfulnessTest(
                name: "completeness at 50 steps, median", value: errors[errors.count / 2], interval: nil,
                limit: "at most 0.01", passes: errors[errors.count / 2] <= 0.01),
            FaithfulnessTest(
                name: "completeness at 50 steps, 95 of 100", value: worst, interval: nil, limit: "at most 0.05",
                passes: worst <= 0.05),
        ]
        try progress("deletion of features")
        tests.append(try featureDeletion(queries, own, seed: seed))
        try progress("randomized weights")
        let other = try randomized.attributions(queries)
        let alike = Self.correlation(own, other)
        tests.append(
            FaithfulnessTest(
                name: "rank correlation with a randomized model's", value: alike, interval: nil, limit: "below 0.2",
                passes: alike < 0.2))
        return tests
    }

    /// Some of the queries, each of another person as far as there are people.
    private func sample(_ queries: QuerySet, seed: UInt64) -> QuerySet {
        var generator = SeededGenerator(seed: seed, stream: 21)
        let order = (0..<queries.count).shuffled(using: &generator)
        var people: Set<UInt32> = []
        let first = order.filter { people.insert(queries.user[$0]).inserted }
        let chosen = Set(first.prefix(Self.faithfulnessQuestions))
        let rest = order.filter { !chosen.contains($0) }.prefix(Self.faithfulnessQuestions - chosen.count)
        return queries.selecting((Array(chosen) + rest).sorted())
    }

    /// How much further an answer moves where the features with the largest credits are made ordinary ones than where others are.
    private func featureDeletion(
        _ queries: QuerySet, _ own: [InterestAttribution], seed: UInt64
    ) throws -> FaithfulnessTest {
        let width = FeatureSchema.lastEventCount
        let mean = bundle.description.scaling.mean
        var generator = SeededGenerator(seed: seed, stream: 22)
        func without(_ places: (InterestAttribution) -> [Int]) throws -> [Double] {
            var changed = queries
            for (row, attribution) in own.enumerated() {
                changed.set(places(attribution), ofRow: row, to: mean)
            }
            return try logits(changed)
        }
        let actual = try logits(queries)
        let largest = try without { attribution in
            let sorted = (0..<width).sorted { abs(attribution.features[$0]) > abs(attribution.features[$1]) }
            return Array(sorted.prefix(Self.deletedFeatures))
        }
        let random = try without { _ in
            Array((0..<width).shuffled(using: &generator).prefix(Self.deletedFeatures))
        }
        let gains = actual.indices.map { abs(largest[$0] - actual[$0]) - abs(random[$0] - actual[$0]) }
        let interval = UserBootstrap(users: queries.user, seed: seed).interval(of: gains)
        return FaithfulnessTest(
            name: "deleting the \(Self.deletedFeatures) features credited most, beyond random ones",
            value: gains.reduce(0, +) / Double(max(1, gains.count)), interval: interval, limit: "above 0",
            passes: interval.map { $0.low > 0 })
    }

    private func logits(_ queries: QuerySet) throws -> [Double] {
        try predict(queries).returnProbability.map { chance in
            let chance = min(1 - 1e-6, max(1e-6, chance))
            return log(chance) - log1p(-chance)
        }
    }

    /// How alike two models' credits are: the mean over questions of their rank correlation, signs and all. Sizes alone are alike for any
    /// two models, since they grow with what is read.
    static func correlation(_ a: [InterestAttribution], _ b: [InterestAttribution]) -> Double {
        let found = zip(a, b).compactMap { one, other in
            RankCorrelation.spearman(credits(one), credits(other))
        }
        return found.isEmpty ? .nan : found.reduce(0, +) / Double(found.count)
    }

    private static func credits(_ attribution: InterestAttribution) -> [Double] {
        attribution.features + [attribution.sinceTopic, attribution.sinceEvent]
    }

    /// The tests for which models are trained anew, each with fewer questions than the model itself.
    ///
    /// - Parameter retrained: two from other seeds; one from shuffled outcomes; one without the features credited most; one
    ///   without as many random ones.
    public func faithfulness(_ queries: QuerySet, retrained: RetrainedModels, seed: UInt64) throws -> [FaithfulnessTest]
    {
        let sample = measured(sample(queries, seed: seed))
        let stable = Self.correlation(
            try retrained.seeds.0.attributions(sample), try retrained.seeds.1.attributions(sample))
        let labels = queries.didReturn
        // That chances fall with time is the curve's form, which no outcomes teach: answers are no chance then, credits are.
        let untaught = Self.correlation(
            try retrained.seeds.0.attributions(sample), try retrained.shuffled.attributions(sample))
        func losses(_ predictor: QueryPredictor, _ masked: [Int]) throws -> [Double] {
            let masked = queries.setting(.features(masked), to: 0)
            return zip(try predictor.predict(masked).returnProbability, labels).map { chance, returned in
                let chance = min(1 - 1e-6, max(1e-6, chance))
                return returned > 0.5 ? -log(chance) : -log1p(-chance)
            }
        }
        let without = try losses(retrained.withoutLargest.predictor, retrained.withoutLargest.features)
        let random = try losses(retrained.withoutRandom.predictor, retrained.withoutRandom.features)
        let gains = zip(without, random).map { $0 - $1 }
        let interval = UserBootstrap(users: queries.user, seed: seed).interval(of: gains)
        return [
            FaithfulnessTest(
                name: "rank correlation between models of two seeds", value: stable, interval: nil,
                limit: "above 0.6", passes: stable > 0.6),
            FaithfulnessTest(
                name: "rank correlation with a model's of shuffled outcomes", value: untaught, interval: nil,
                limit: "below 0.2", passes: untaught < 0.2),
            FaithfulnessTest(
                name: "log loss without the features credited most, beyond random ones, both retrained",
                value: gains.reduce(0, +) / Double(max(1, gains.count)), interval: interval, limit: "above 0",
                passes: interval.map { $0.low > 0 }),
        ]
    }

    /// The features that answers are credited to most, from the largest down.
    public func featuresByCredit(_ queries: QuerySet, seed: UInt64) throws -> [Int] {
        let own = try attributions(measured(sample(queries, seed: seed)))
        let sizes = FeatureSchema.lastEventNames.indices.map { place in
            own.reduce(0.0) { $0 + abs($1.features[place]) }
        }
        return sizes.indices.sorted { (sizes[$0], $1) > (sizes[$1], $0) }
    }
}

/// Models trained anew to hold explanations against: see ``QueryPredictor/faithfulness(_:retrained:seed:)``.
public struct RetrainedModels {
    public let seeds: (QueryPredictor, QueryPredictor)
    public let shuffled: QueryPredictor
    public let withoutLargest: (predictor: QueryPredictor, features: [Int])
    public let withoutRandom: (predictor: QueryPredictor, features: [Int])

    public init(
        seeds: (QueryPredictor, QueryPredictor), shuffled: QueryPredictor,
        withoutLargest: (predictor: QueryPredictor, features: [Int]),
        withoutRandom: (predictor: QueryPredictor, features: [Int])
    ) {
        (self.seeds, self.shuffled) = (seeds, shuffled)
        (self.withoutLargest, self.withoutRandom) = (withoutLargest, withoutRandom)
    }
}

extension Predictor {
    /// How much further answers move without the events that each answer owes most to than without random ones, and than without the
    /// latest: among the last twenty of each person, which are left out one at a time to see what it owes to them.
    public func eventDeletion(
        _ questions: [(user: Int, topic: UInt32, moment: Int64)], in log: AskedLog, seed: UInt64,
        progress: (Int) throws -> Void
    ) throws -> [FaithfulnessTest] {
        let count = QueryPredictor.deletedEvents
        var generator = SeededGenerator(seed: seed, stream: 23)
        var (random, latest): ([Double], [Double]) = ([], [])
        var users: [UInt32] = []
        for (number, question) in questions.enumerated() {
            try progress(number)
            let events = log.events(ofUser: question.user).prefix { log.log.time[$0] <= question.moment }.suffix(20)
            guard events.count > 2 * count else { continue }
            let ones = try logits(
                question.user, question.topic, at: question.moment, in: log,
                without: [[]] + events.map { [$0] })
            let sorted = events.indices.sorted {
                let (a, b) = (ones[1 + $0 - events.startIndex], ones[1 + $1 - events.startIndex])
                return abs(a - ones[0]) > abs(b - ones[0])
            }
            let deleted: [Set<Int>] = [
                Set(sorted.prefix(count).map { events[$0] }),
                Set(events.shuffled(using: &generator).prefix(count)), Set(events.suffix(count)),
            ]
            let after = try logits(
                question.user, question.topic, at: question.moment, in: log, without: deleted
            ).map { abs($0 - ones[0]) }
            random.append(after[0] - after[1])
            latest.append(after[0] - after[2])
            users.append(UInt32(question.user))
        }
        let bootstrap = UserBootstrap(users: users, seed: seed)
        return [("random ones", random), ("the latest", latest)].map { name, gains in
            let interval = bootstrap.interval(of: gains)
            return FaithfulnessTest(
                name: "deleting the \(count) events that matter most, beyond \(name)",
                value: gains.isEmpty ? .nan : gains.reduce(0, +) / Double(gains.count), interval: interval,
                limit: "above 0", passes: interval.map { $0.low > 0 })
        }
    }
}
