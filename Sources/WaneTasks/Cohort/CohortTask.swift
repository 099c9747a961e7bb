import WaneEvents
import WaneState

/// One question a person: from what is known up to a moment, do they come back within a span, and how often?
///
/// Models learn from the same question asked at earlier moments, about spans that end before the known part does.
/// Counts are days with an event, as in the literature on customer bases.
public struct CohortTask: Sendable {
    public let histories: Histories
    /// Microseconds: the end of what is known, and of what is asked about.
    public let knownUntil: Int64
    public let end: Int64
    /// Microseconds.
    public let ahead: Int64

    private static let day: Int64 = 86_400 * EventLog.second

    public struct Question: Sendable {
        public let user: Int
        /// Microseconds: when it is asked, and how far ahead.
        public let moment: Int64
        public let ahead: Int64
        /// As of the moment, in weeks.
        public let customer: CustomerSummary
        /// Weeks between the last two days with an event; 0 after the first.
        public let lastInterval: Double
        /// Days with an event in the span.
        public let count: Int
    }

    /// - Parameters:
    ///   - log: its first event's day is day 0 of what is known.
    ///   - known, ahead: microseconds.
    public init(_ log: EventLog, known: Int64, ahead: Int64) throws(SplitError) {
        let sorted = log.sortedByUser()
        guard let span = sorted.span, span.lowerBound < span.upperBound else {
            throw .noTimeSpan(events: log.count)
        }
        let (first, last) = (span.lowerBound, span.upperBound)
        let start = first / Self.day * Self.day
        // The last day that is known belongs to it.
        knownUntil = start + known - 1
        end = knownUntil + ahead
        self.ahead = ahead
        guard start + known < last else {
            throw .knownTooLong(known: TimeSpan.words(known, .wall), length: TimeSpan.words(last - first, .wall))
        }
        // Of days without an event nothing is known but that the log goes on after them: a day's grace, or a twentieth.
        let covered = last / Self.day * Self.day + Self.day - (start + known)
        guard ahead - covered <= max(Self.day, ahead / 20) else {
            throw .notObserved(ahead: TimeSpan.words(ahead, .wall), left: TimeSpan.words(covered, .wall))
        }
        histories = Histories(sorted.with(topics: .single(sorted.items.count)), trainEnd: knownUntil)
    }

    /// The question asked of people of a log at a moment of the caller's choice.
    public init(_ histories: Histories, knownUntil: Int64, ahead: Int64) {
        self.histories = histories
        self.knownUntil = knownUntil
        end = knownUntil + ahead
        self.ahead = ahead
    }

    /// The question asked of everybody who had an event by `moment`, about `ahead` after it.
    public func questions(at moment: Int64, ahead: Int64) -> [Question] {
        var questions: [Question] = []
        for user in 0..<histories.userCount {
            let range = histories.userStarts[user]..<histories.userStarts[user + 1]
            guard let first = range.first, histories.log.time[first] <= moment else { continue }
            var days: [Int64] = []
            var count = 0
            var previous: Int64 = -1
            for index in range {
                let time = histories.log.time[index]
                let today = time / Self.day
                if today == previous || time > moment + ahead { continue }
                previous = today
                if time <= moment { days.append(today) } else { count += 1 }
            }
            guard let begin = days.first, let last = days.last else { continue }
            let week = 7.0
            questions.append(
                Question(
                    user: user, moment: moment, ahead: ahead,
                    customer: CustomerSummary(
                        x: Double(days.count - 1), tx: Double(last - begin) / week,
                        t: Double(moment / Self.day - begin) / week),
                    lastInterval: days.count > 1 ? Double(last - days[days.count - 2]) / week : 0, count: count))
        }
        return questions
    }

    /// The questions of the test: asked at the end of what is known.
    public var test: [Question] { questions(at: knownUntil, ahead: ahead) }

    /// Moments within the known part, with the longest span each that ends in it: the later half of them.
    ///
    /// - Parameter count: how many moments.
    public func earlier(_ count: Int) -> [(moment: Int64, ahead: Int64)] {
        let start = histories.log.time.min() ?? 0
        let span = knownUntil - start
        return (0..<count).map { index in
            let share = 0.25 + 0.6 * Double(index) / Double(max(1, count - 1))
            let moment = start + Int64(share * Double(span))
            return (moment, knownUntil - moment)
        }
    }
}
