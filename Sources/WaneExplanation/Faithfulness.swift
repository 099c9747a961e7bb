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

extension FaithfulnessTest {
    /// What is to be above 0 in the mean over questions, with its interval clear of it.
    fileprivate init(_ name: String, gains: [Double], users: [UInt32], seed: UInt64) {
        let interval = UserBootstrap(users: users, seed: seed).interval(of: gains)
        self.init(
            name: name, value: gains.isEmpty ? .nan : gains.reduce(0, +) / Double(gains.count), interval: interval,
            limit: "above 0", passes: interval.map { $0.low > 0 })
    }
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
        var errors = own.compactMap(\.completenessError).sorted()
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
        return FaithfulnessTest(
            "deleting the \(Self.deletedFeatures) features credited most, beyond random ones", gains: gains,
            users: queries.user, seed: seed)
    }

    private func logits(_ queries: QuerySet) throws -> [Double] {
        try predict(queries).returnProbability.map(Classification.logit)
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
        attribution.features + [
            attribution.sinceTopic, attribution.sinceEvent, attribution.season, attribution.rate,
        ]
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
            return zip(try predictor.predict(masked).returnProbability, labels).map {
                Classification.logLoss($0, $1 > 0.5)
            }
        }
        let without = try losses(retrained.withoutLargest.predictor, retrained.withoutLargest.features)
        let random = try losses(retrained.withoutRandom.predictor, retrained.withoutRandom.features)
        let gains = zip(without, random).map { $0 - $1 }
        return [
            FaithfulnessTest(
                name: "rank correlation between two of the family, retrained", value: stable, interval: nil,
                limit: "above 0.6", passes: stable > 0.6),
            FaithfulnessTest(
                name: "rank correlation with one of shuffled outcomes, retrained", value: untaught, interval: nil,
                limit: "below 0.2", passes: untaught < 0.2),
            FaithfulnessTest(
                "log loss without the features credited most, beyond random ones, both retrained", gains: gains,
                users: queries.user, seed: seed),
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
    /// How much further answers move without the events that an explanation says matter most than without random ones, and than
    /// without the latest: among the last twenty of each person, by leaving out one at a time, by gradients, and by attention.
    public func eventDeletion(
        _ questions: [(user: Int, topic: UInt32, moment: Int64)], in log: AskedLog, seed: UInt64,
        progress: (Int) throws -> Void
    ) throws -> [FaithfulnessTest] {
        let count = QueryPredictor.deletedEvents
        var generator = SeededGenerator(seed: seed, stream: 23)
        let ways: [(name: String, size: (EventCredit) -> Double?)] = [
            ("left out one at a time", { abs($0.leftOut) }), ("by gradients", { $0.gradient.map(abs) }),
            ("by attention", { $0.attention.map(abs) }),
        ]
        // Of each way and question: beyond random ones, beyond the latest.
        var gains = ways.map { _ in (random: [Double](), latest: [Double](), users: [UInt32]()) }
        for (number, question) in questions.enumerated() {
            try progress(number)
            let credits = try eventCredits(question.user, question.topic, at: question.moment, in: log)
            guard credits.count > 2 * count else { continue }
            let random = Set(credits.shuffled(using: &generator).prefix(count).map(\.event))
            var deleted: [Set<Int>] = [[], random, Set(credits.prefix(count).map(\.event))]
            var asked: [Int] = []
            for (way, (_, size)) in ways.enumerated() {
                let sizes = credits.compactMap { credit in size(credit).map { (credit.event, $0) } }
                guard sizes.count > 2 * count else { continue }
                asked.append(way)
                deleted.append(Set(sizes.sorted { ($0.1, $0.0) > ($1.1, $1.0) }.prefix(count).map(\.0)))
            }
            let found = try logits(
                question.user, question.topic, at: question.moment, in: log, without: deleted)
            let moved = found.map { abs($0 - found[0]) }
            for (place, way) in asked.enumerated() {
                gains[way].random.append(moved[3 + place] - moved[1])
                gains[way].latest.append(moved[3 + place] - moved[2])
                gains[way].users.append(UInt32(question.user))
            }
        }
        return zip(ways, gains).flatMap { way, found in
            [("random ones", found.random), ("the latest", found.latest)].map { name, gains in
                FaithfulnessTest(
                    "deleting the \(count) events that matter most \(way.name), beyond \(name)", gains: gains,
                    users: found.users, seed: seed)
            }
        }
    }
}
