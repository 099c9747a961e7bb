import Foundation
import WaneBundle
import WaneCurves
import WaneEvents
import WaneMetrics
import WanePrediction
import WaneSimulation
import WaneTasks
import WaneTraining

/// How well a model found the half-lives that a simulator planted.
///
/// Compared is the half-life of the rate of visits: the planted one is that in force after the very visit.
public struct Recovery: Sendable, Codable {
    public struct Topic: Sendable, Codable {
        public let topic: String
        /// Geometric means over visits, in seconds.
        public let planted: Double
        public let recovered: Double
    }

    public let topics: [Topic]
    /// The median of |log(recovered / planted)| over visits, and over topics.
    public let medianLogError: Double
    public let topicLogError: Double
    /// Spearman's rank correlation over visits.
    public let rankCorrelation: Double
    /// The share of planted half-lives that lie in their 80 % intervals, and the median width of those: high over low.
    public let coverage: Double
    public let width: Double

    public var words: String {
        String(
            format: "Half-lives are recovered within a factor of %.2f for the median visit and %.2f for the "
                + "median topic; rank correlation over visits %.2f. %.0f %% lie in their 80 %% intervals, whose median "
                + "width is a factor of %.1f. (Each visit counts, with what causes did to its half-life: harder than people's "
                + "own, see docs/results.md.)", exp(medianLogError), exp(topicLogError), rankCorrelation,
            100 * coverage, width)
    }

    /// - Parameters:
    ///   - task: on the log as it was read back.
    ///   - isHeldOut: people whose events no training saw; all others are left out here.
    ///   - simulated: what was planted; its people and their events are found by name and order.
    public init(
        _ model: ModelBundle, _ task: InterestTask, isHeldOut: (UInt32) -> Bool, simulated: Simulator.Result,
        visits: Int = 2_000, seed: UInt64
    ) throws {
        let histories = task.histories
        let planted = Self.planted(simulated)
        let topicOf = Dictionary(
            simulated.topics.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { a, _ in a })
        let eligible = (0..<histories.userTopicCount).filter { isHeldOut(histories.userTopicUser[$0]) }
        var generator = SeededGenerator(seed: seed, stream: 11)
        var places: [(userTopic: Int, moment: Int64)] = []
        var truth: [Double] = []
        while places.count < visits, let userTopic = eligible.randomElement(using: &generator) {
            let topicEvent = Int.random(in: histories.topicEvents(ofUserTopic: userTopic), using: &generator)
            let event = Int(histories.topicEvents[topicEvent])
            let user = Int(histories.userTopicUser[userTopic])
            let name = histories.log.topics.names[Int(histories.userTopicTopic[userTopic])]
            guard let own = planted[histories.log.users[user]], topicOf[name] != nil else { break }
            places.append((userTopic, histories.time(ofTopicEvent: topicEvent)))
            truth.append(
                Double(own[event - histories.userStarts[user]]))
        }
        let queries = task.queries(at: places)
        let curves = try QueryPredictor(model, of: histories).curves(queries)
        let recovered = curves.map { $0.halfLife ?? InterestCurve.longest }
        try self.init(
            queries, histories, recovered: recovered, intervals: curves.map(\.halfLifeInterval), planted: truth)
    }

    /// The half-life in force after each event of each person, in order of time.
    private static func planted(_ simulated: Simulator.Result) -> [String: [Float]] {
        let log = simulated.log
        var result: [String: [Float]] = [:]
        // The simulator writes each person's events in order.
        for index in 0..<log.count {
            result[log.users[Int(log.user[index])], default: []].append(simulated.halfLife[index])
        }
        return result
    }

    private init(
        _ queries: QuerySet, _ histories: Histories, recovered: [Double], intervals: [ClosedRange<Double>?],
        planted: [Double]
    ) throws {
        let errors = zip(recovered, planted).map { abs(log($0 / $1)) }
        medianLogError = Self.median(errors)
        let held = zip(intervals, planted).filter { interval, planted in interval?.contains(planted) ?? false }
        coverage = Double(held.count) / Double(max(1, planted.count))
        width = Self.median(intervals.map { $0.map { $0.upperBound / $0.lowerBound } ?? .infinity })
        rankCorrelation = RankCorrelation.spearman(recovered, planted) ?? .nan
        var byTopic: [Int: [Int]] = [:]
        for row in 0..<queries.count { byTopic[Int(queries.topic[row]), default: []].append(row) }
        topics = byTopic.keys.sorted().map { topic in
            let rows = byTopic[topic] ?? []
            func mean(_ values: [Double]) -> Double {
                exp(rows.reduce(0) { $0 + log(values[$1]) } / Double(rows.count))
            }
            return Topic(topic: histories.log.topics.names[topic], planted: mean(planted), recovered: mean(recovered))
        }
        topicLogError = Self.median(topics.map { abs(log($0.recovered / $0.planted)) })
    }

    private static func median(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.sorted()[values.count / 2]
    }
}
