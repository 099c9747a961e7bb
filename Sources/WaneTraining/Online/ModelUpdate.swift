import Foundation
import WaneBundle
import WaneEvents
import WaneMetrics
import WanePrediction
import WaneState
import WaneTasks

/// Goes on from a model with what a log has beyond it, and says whether the outcome should take its place.
///
/// The log's end has two parts, of two horizons each or of a fifth of what is new where that is longer: the first for the levels and the choice
/// of the challenger, the second for the verdict. Two challengers are trained from the champion's weights, one on all that comes
/// before (what was learned is replayed), one on what is new alone, and the one that is better on the first half is set beside the champion on
/// the second, which neither has seen.
public struct ModelUpdate {
    /// Which questions a challenger learned from.
    public enum Lesson: String, Codable, Sendable, CaseIterable { case all, recent }

    public struct Scores: Codable, Sendable {
        public var logLoss: Double
        public var calibrationError: Double

        init(_ check: ModelCheck) { (logLoss, calibrationError) = (check.logLoss, check.calibrationError) }

        private enum CodingKeys: String, CodingKey {
            case logLoss = "log_loss"
            case calibrationError = "calibration_error"
        }
    }

    /// A difference in log loss, below 0 where the challenger is better, and its 99 % interval.
    public struct Difference: Codable, Sendable {
        public var value: Double
        public var low: Double
        public var high: Double

        init(_ own: (value: Double, interval: Evaluation.Interval)) {
            (value, low, high) = (own.value, own.interval.low, own.interval.high)
        }
    }

    public struct Verdict: Codable, Sendable {
        /// Whether the challenger should answer from now on.
        public var promote: Bool
        /// Why, or why not, in words.
        public var reason: String
        public var lesson: Lesson
        public var champion: Scores
        public var challenger: Scores
        /// Over all people, and over those whom the champion's log had: newcomers alone promote nobody.
        public var difference: Difference?
        public var knownPeopleDifference: Difference?
        public var questions: Int
        public var people: Int
        /// RFC 3339.
        public var from: String
        public var to: String

        private enum CodingKeys: String, CodingKey {
            case promote, reason, lesson, champion, challenger, difference, questions, people, from, to
            case knownPeopleDifference = "known_people_difference"
        }
    }

    /// - Throws: ``UpdateError`` where the log has too little that is new.
    public static func split(_ champion: BundleDescription, start: Int64, end: Int64) throws(UpdateError) -> Split {
        let horizon = champion.split.horizon
        let new = min(end - champion.split.validationEnd, end - start)
        let part = max(2 * horizon, new / 5)
        let (test, validation) = (end - part, end - 2 * part)
        guard test >= champion.split.validationEnd else {
            throw .nothingNew(
                knownUntil: champion.split.validationEnd, needed: champion.split.validationEnd + 2 * horizon, end: end)
        }
        guard validation - start > 2 * horizon else {
            throw .tooShort(
                days: Double(end - start) / 86_400e6, needed: Double(2 * part + 2 * horizon) / 86_400e6)
        }
        return Split(start: start, trainEnd: validation, validationEnd: test, end: end, horizon: horizon)
    }

    public let champion: ModelBundle
    public let log: AskedLog
    public let split: Split
    /// The fewest people that an interval is taken over.
    static let fewestKnown = 30
    /// How much more miscalibrated a challenger may be.
    static let calibrationSlack = 0.02

    /// People who are known to be some; all whom the champion's log had when absent.
    private let known: Set<ExactName>?

    /// - Parameter known: names of people who are known to be some: the times of a log are what its senders say they are, so that whose log
    ///   anybody may write to should know its people by something else.
    public init(_ champion: ModelBundle, _ log: AskedLog, split: Split, known: Set<ExactName>? = nil) {
        (self.champion, self.log, self.split, self.known) = (champion, log, split, known)
    }

    /// Trains the challengers and judges the better one.
    ///
    /// - Parameters:
    ///   - training: its learning rate is that of training from nothing: a challenger takes a third.
    ///   - prepare: sets up a challenger's trainer, by its lesson.
    public func run(
        _ training: TrainingOptions, prepare: (Lesson, inout Trainer) -> Void
    ) throws -> (challenger: ModelBundle, task: InterestTask, verdict: Verdict) {
        var best: (bundle: ModelBundle, task: InterestTask, lesson: Lesson, loss: Double)?
        let known = champion.description.split
        let recent = max(split.start, min(known.validationEnd, split.trainEnd - 6 * split.horizon))
        for lesson in Lesson.allCases where lesson == .all || recent > split.start {
            var own = split
            if lesson == .recent {
                own = Split(
                    start: recent, trainEnd: split.trainEnd, validationEnd: split.validationEnd, end: split.end,
                    horizon: split.horizon)
            }
            var training = training
            training.learningRate /= 3
            let task = InterestTask(
                Histories(log.log, trainEnd: own.trainEnd), split: own, seed: training.seed,
                typicalEngagement: champion.description.typicalEngagement)
            var run = try InterestTraining(task, model: champion.description.options, training: training)
            run.base = champion
            run.reading = champion.reading
            prepare(lesson, &run.trainer)
            let bundle: ModelBundle
            do {
                bundle = try run.run()
            } catch SplitError.noQueries where lesson == .recent {
                // Too little is new to learn from alone.
                continue
            }
            let loss = try check(
                bundle, AskedLog(log.log, for: bundle), split.trainEnd...split.validationEnd, seed: training.seed
            ).logLoss
            if loss < best?.loss ?? .infinity { best = (bundle, run.task, lesson, loss) }
        }
        guard let best else { throw UpdateError.noNumbers }
        return (best.bundle, best.task, try judge(best.bundle, best.lesson, seed: training.seed))
    }

    private func check(
        _ bundle: ModelBundle, _ log: AskedLog, _ window: ClosedRange<Int64>, seed: UInt64,
        isAsked: (@Sendable (UInt32) -> Bool)? = nil
    ) throws -> ModelCheck {
        try ModelCheck(bundle, log, window: window, questions: 20_000, seed: seed, isAsked: isAsked)
    }

    /// Sets a challenger beside the champion on the newest window.
    public func judge(_ challenger: ModelBundle, _ lesson: Lesson, seed: UInt64) throws -> Verdict {
        let window = split.validationEnd...split.end
        // Each reads the log in its own way, once for both comparisons.
        let (oldLog, newLog) = (try AskedLog(log.log, for: champion), try AskedLog(log.log, for: challenger))
        func compare(
            _ isAsked: (@Sendable (UInt32) -> Bool)?
        ) throws -> (old: ModelCheck, new: ModelCheck, difference: Difference?) {
            let old = try check(champion, oldLog, window, seed: seed, isAsked: isAsked)
            let new = try check(challenger, newLog, window, seed: seed, isAsked: isAsked)
            return (old, new, new.lossAbove(old).map(Difference.init))
        }
        let all = try compare(nil)
        // Whom the champion's own log had.
        let knownUntil = champion.description.split.validationEnd
        let names = known
        let isKnown = (0..<log.userCount).map { user in
            log.log.time[log.events(ofUser: user).lowerBound] < knownUntil
                && names?.contains(ExactName(log.log.users[user])) ?? true
        }
        var known: (old: ModelCheck, new: ModelCheck, difference: Difference?)?
        do {
            known = try compare { isKnown[Int($0)] }
        } catch is SplitError {}
        var verdict = Verdict(
            promote: false, reason: "", lesson: lesson, champion: Scores(all.old), challenger: Scores(all.new),
            difference: all.difference, knownPeopleDifference: known?.difference, questions: all.new.questions,
            people: all.new.people, from: TimeFormat.rfc3339(window.lowerBound),
            to: TimeFormat.rfc3339(window.upperBound))
        let isFinite = all.new.chances.allSatisfy { $0.isFinite && (0...1).contains($0) }
        if !isFinite {
            verdict.reason = "its answers are no chances"
        } else if all.new.people < Self.fewestKnown {
            verdict.reason = "only \(all.new.people) people can be asked in the newest window"
        } else if all.difference.map({ $0.high < 0 }) != true {
            verdict.reason = "it is not better on the newest window beyond the interval"
        } else if let known, known.new.people >= Self.fewestKnown, known.difference.map({ $0.high < 0 }) != true {
            verdict.reason = "of the people whom the champion knew it is not better beyond the interval"
        } else if known == nil || known.map({ $0.new.people < Self.fewestKnown }) == true {
            verdict.reason = "too few of the people whom the champion knew are still asked about"
        } else if all.new.calibrationError > all.old.calibrationError + Self.calibrationSlack {
            verdict.reason = "its chances are further from what happens"
        } else {
            verdict.promote = true
            verdict.reason = "it is better on the newest window, beyond the interval"
        }
        return verdict
    }
}

public enum UpdateError: Error, Sendable, Equatable, CustomStringConvertible {
    case nothingNew(knownUntil: Int64, needed: Int64, end: Int64)
    case tooShort(days: Double, needed: Double)
    case noNumbers

    public var description: String {
        switch self {
        case .nothingNew(let until, let needed, let end):
            "the model knows what was before \(TimeFormat.rfc3339(until)), and two horizons of what came after are needed to judge by: up to "
                + "\(TimeFormat.rfc3339(needed)); the log ends at \(TimeFormat.rfc3339(end))"
        case .tooShort(let days, let needed):
            "the log is too short: it spans \(Int(days)) days, and more than \(Int(needed.rounded(.up))) are needed"
        case .noNumbers: "no challenger has an answer that is a number"
        }
    }
}
