import Foundation
import WaneBundle
import WaneCurves
import WaneModels
import WaneState

/// What a model says of a topic over all people of a log: what an analyst looks at first.
public struct TopicSummary: Sendable, Equatable {
    public let topic: String
    /// People who have met the topic by the moment.
    public let people: Int
    /// Seconds: the median half-life over them, and between which eight of ten of their half-lives lie, as far as the model
    /// knows; nothing for what does not halve.
    public let halfLife: Double?
    public let halfLifeLow: Double?
    public let halfLifeHigh: Double?
    /// People whose chance of coming back is at or above the model's threshold.
    public let interestedNow: Int
    /// The change of that number over the last horizon, as a share of what it was; nothing where it was none.
    public let trendPerPeriod: Double?
    /// People who are interested now and pass below the threshold within a horizon, if nothing happens.
    public let lapsing: Int
    /// What moves half-lives here most, of the causes that the model's log shows: by a twentieth in the mean at least. Nothing for
    /// models that tell no causes apart.
    public let mainCause: Cause?
}

/// A person and a topic that they are interested in at a moment, and how that ends if nothing happens.
public struct InterestedPair: Sendable, Equatable {
    public let user: String
    public let topic: String
    public let returnProbability: Double
    public let degree: Double
    /// Seconds.
    public let halfLife: Double?
    /// Seconds until the chance passes below the model's threshold; nothing where it never does.
    public let lapse: Double?
    /// What moves this half-life most, by a twentieth at least, of the causes that the model's log shows.
    public let mainCause: Cause?
}

/// Topics over many people, who may come in parts: what is told of each part is added up by the topics' names.
public struct TopicSurvey: Sendable {
    /// People folded and asked about at once.
    public static let peopleAtOnce = 2_000

    private struct Counts {
        /// Logarithms, infinite for what does not halve, each with what its pair deviates by.
        var halfLives: [(log: Double, spread: Double)] = []
        var now = 0
        var before = 0
        var lapsing = 0
        var offsets = ByCause(repeating: 0.0)
    }

    private let predictor: Predictor
    /// Microseconds.
    public let moment: Int64
    private let shown: [Cause]
    private var counts: [String: Counts] = [:]
    public private(set) var people = 0

    /// - Throws: ``PredictionError/noCurves(family:)`` for a model without curves.
    public init(_ predictor: Predictor, at moment: Int64) throws(PredictionError) {
        guard predictor.bundle.hasCurves else {
            throw .noCurves(family: predictor.bundle.description.family)
        }
        self.predictor = predictor
        self.moment = moment
        let record = predictor.bundle.description.causes
        shown = Cause.allCases.filter { record?.evidence[$0].isShown == true }
    }

    /// Adds people's events, all of each person's.
    ///
    /// - Parameters:
    ///   - each: told of every pair that is interested at the moment.
    ///   - progress: told how many people of the log are done; may throw to end the work.
    public mutating func add(
        _ log: AskedLog, each: (InterestedPair) -> Void = { _ in }, progress: (Int) throws -> Void = { _ in }
    ) throws {
        let bundle = predictor.bundle
        let horizon = bundle.description.split.horizon
        let threshold = bundle.description.threshold
        let names = log.log.topics.names
        for start in stride(from: 0, to: log.userCount, by: Self.peopleAtOnce) {
            let people = start..<min(log.userCount, start + Self.peopleAtOnce)
            for (at, isNow) in [(moment, true), (moment - horizon, false)] {
                var states: [(state: PersonState, user: Int64)] = []
                var questions: [StateQuestion] = []
                for user in people {
                    let state = predictor.state(of: user, in: log, until: at)
                    for topic in state.topics where topic.topic != log.withoutTopic {
                        questions.append(
                            StateQuestion(person: states.count, topic: topic.topic, moment: state.lastTime))
                    }
                    states.append((state, log.userOf[user]))
                }
                guard !questions.isEmpty else { continue }
                for (question, answer) in zip(questions, try predictor.curves(questions, of: states, in: log)) {
                    let topic = names[Int(question.topic)]
                    let silence = Double(at - states[question.person].state.lastTime) / 1e6
                    let curve = answer.curve.seen(after: max(0, silence))
                    // At the best hours of a day: who sleeps is no less interested.
                    let isInterested = curve.bestHours.returnProbability(after: 0) >= threshold
                    guard isNow else {
                        if isInterested { counts[topic, default: Counts()].before += 1 }
                        continue
                    }
                    let effects = shown.isEmpty ? nil : states[question.person].state.effects(of: question.topic)
                    counts[topic, default: Counts()].halfLives.append(
                        (answer.curve.halfLife.map { Foundation.log($0) } ?? .infinity, answer.curve.logSpread))
                    if let effects {
                        for cause in shown { counts[topic]?.offsets[cause] += effects.offset[cause] }
                    }
                    guard isInterested else { continue }
                    counts[topic]?.now += 1
                    let lapse = curve.lapse(below: threshold)
                    if let lapse, lapse <= Double(horizon) / 1e6 { counts[topic]?.lapsing += 1 }
                    let cause = effects.flatMap { own in
                        shown.filter { abs(own.offset[$0]) >= 0.05 }.max { abs(own.offset[$0]) < abs(own.offset[$1]) }
                    }
                    each(
                        InterestedPair(
                            user: log.log.users[people.lowerBound + question.person], topic: topic,
                            returnProbability: curve.returnProbability(after: 0), degree: curve.degree(after: 0),
                            halfLife: answer.curve.halfLife, lapse: lapse, mainCause: cause))
                }
            }
            try progress(people.upperBound)
        }
        people += log.userCount
    }

    /// Topics from the one with most interested people down.
    public func summaries() -> [TopicSummary] {
        counts.filter { !$0.value.halfLives.isEmpty }.map { topic, own in
            // Each pair's half-life is a normal one in the logarithm, for which nine places of it stand.
            let places = [-1.59, -0.97, -0.59, -0.28, 0, 0.28, 0.59, 0.97, 1.59]
            let sorted = own.halfLives.flatMap { half in places.map { half.log + $0 * half.spread } }.sorted()
            func quantile(_ share: Double) -> Double? {
                let value = sorted[Int(share * Double(sorted.count - 1))]
                return value.isFinite ? exp(value) : nil
            }
            return TopicSummary(
                topic: topic, people: own.halfLives.count, halfLife: quantile(0.5),
                halfLifeLow: quantile(0.1), halfLifeHigh: quantile(0.9), interestedNow: own.now,
                trendPerPeriod: own.before > 0 ? Double(own.now - own.before) / Double(own.before) : nil,
                lapsing: own.lapsing,
                mainCause: shown.filter { abs(own.offsets[$0]) >= 0.05 * Double(own.halfLives.count) }.max {
                    abs(own.offsets[$0]) < abs(own.offsets[$1])
                })
        }.sorted { ($0.interestedNow, $0.people, $1.topic) > ($1.interestedNow, $1.people, $0.topic) }
    }
}

extension Predictor {
    /// Topics from the one with most interested people down.
    ///
    /// - Parameters:
    ///   - moment: microseconds.
    ///   - progress: told how many people are done; may throw to end the work.
    /// - Throws: ``PredictionError/noCurves(family:)`` for a model without curves.
    public func topicSummaries(
        _ log: AskedLog, at moment: Int64, progress: (Int) throws -> Void = { _ in }
    ) throws -> [TopicSummary] {
        var survey = try TopicSurvey(self, at: moment)
        try survey.add(log, progress: progress)
        return survey.summaries()
    }
}
