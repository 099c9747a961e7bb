import Foundation
import WaneBundle
import WaneEvents
import WaneMetrics
import WaneState
import WaneTasks

/// What a model said of a window of a log beside what then happened: nothing after a question's moment is read for its answer.
public struct ModelCheck: Sendable {
    /// Of the questions' moments, and a horizon more: microseconds.
    public let window: ClosedRange<Int64>
    public let people: Int
    /// What came of each question, and what the model had said.
    public let didReturn: [Bool]
    public let chances: [Double]
    public let users: [UInt32]
    /// `user`, `topic` and moment of each question, to tell whether two checks asked the same.
    private let places: [(userTopic: Int, moment: Int64)]
    /// How far inputs and chances lie from those of the model's validation; nothing for models of before that was kept.
    public let drift: [String: Double]?
    /// Ten bins of equal count, from the lowest chances to the highest.
    public let reliability: [Classification.ReliabilityBin]
    public let logLoss: Double
    public let calibrationError: Double

    public var questions: Int { chances.count }
    public var returnRate: Double { Double(didReturn.count { $0 }) / Double(max(1, questions)) }
    public var meanChance: Double { chances.reduce(0, +) / Double(max(1, questions)) }

    /// - Parameters:
    ///   - window: its first and last moment; a question stands a horizon before its end at the latest.
    ///   - isKnown: whose questions are asked; all when absent.
    /// - Throws: ``SplitError`` where nobody can be asked in the window.
    public init(
        _ bundle: ModelBundle, _ log: AskedLog, window: ClosedRange<Int64>, questions: Int, seed: UInt64,
        isAsked: (@Sendable (UInt32) -> Bool)? = nil
    ) throws {
        self.window = window
        let start = log.log.span?.lowerBound ?? window.lowerBound
        let split = Split(
            start: min(start, window.lowerBound), trainEnd: window.lowerBound, validationEnd: window.lowerBound,
            end: window.upperBound, horizon: bundle.description.split.horizon)
        let histories = Histories(sorted: log.log, scale: bundle.scale, engagement: log.engagement)
        let task = InterestTask(
            histories, split: split, seed: seed, typicalEngagement: bundle.description.typicalEngagement,
            popularity: log.popularity)
        let queries = try task.queries(.test, count: questions, seed: seed, users: isAsked)
        chances = try QueryPredictor(bundle, log, histories).predict(queries).returnProbability
        didReturn = queries.didReturn.map { $0 > 0 }
        users = queries.user
        people = Set(queries.user).count
        places = zip(queries.userTopic, queries.moment).map { ($0, $1) }
        drift = bundle.description.inputs?.drift(queries, chances: chances)
        let labels = queries.didReturn.map(Double.init)
        reliability = Classification.reliability(chances, labels)
        let report = Classification.report(chances, labels, threshold: bundle.description.threshold)
        (logLoss, calibrationError) = (report.logLoss, report.ece)
    }

    /// The newest window of a log that a model can be checked on: questions over one horizon, whose answers the next has given.
    public static func newest(_ end: Int64, horizon: Int64) -> ClosedRange<Int64> { end - 2 * horizon...end }

    /// By how much this one's log loss is above another's on the same questions, with its 99 % interval; nothing where they were not asked the
    /// same.
    ///
    /// Questions of one person go together: the deviation is that of people's sums (Liang and Zeger 1986). Such a difference is looked at
    /// again and again as a log grows, which is why the interval is a wide one.
    public func lossAbove(_ other: ModelCheck) -> (value: Double, interval: Evaluation.Interval)? {
        guard places.count == other.places.count, !places.isEmpty,
            zip(places, other.places).allSatisfy({ $0 == $1 }), didReturn == other.didReturn
        else { return nil }
        let differences = chances.indices.map {
            Classification.logLoss(chances[$0], didReturn[$0])
                - Classification.logLoss(other.chances[$0], didReturn[$0])
        }
        let mean = differences.reduce(0, +) / Double(differences.count)
        var sums: [UInt32: Double] = [:]
        for (user, difference) in zip(users, differences) { sums[user, default: 0] += difference - mean }
        guard sums.count > 1 else { return nil }
        let people = Double(sums.count)
        let squares = sums.values.reduce(0) { $0 + $1 * $1 } * people / (people - 1)
        let deviation = squares.squareRoot() / Double(differences.count)
        return (mean, Evaluation.Interval(low: mean - 2.576 * deviation, high: mean + 2.576 * deviation))
    }
}
