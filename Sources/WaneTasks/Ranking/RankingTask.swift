import WaneEvents
import WaneState

/// How the items to guess are held back.
public enum RankingProtocol: String, Sendable, Codable, CaseIterable {
    /// Each person's last event is for the test, the one before for validation. The counts of everyone else's
    /// later events leak into fitted parts, as in the papers that use it.
    case leaveOneOut = "leave-one-out"
    /// The last tenth of all events is for the test, the tenth before for validation, on one clock for all.
    case globalTime = "global-time"
}

/// Whether items of the person's own past stay among those that are ranked.
public enum SeenItems: String, Sendable, Codable, CaseIterable { case excluded, kept }

/// A question: what comes next for a person with this history, at this moment?
public struct RankingQuery: Sendable, Equatable {
    public let user: UInt32
    /// Places in the task's log that are known.
    public let history: Range<Int>
    /// Microseconds: when the next event is to happen.
    public let moment: Int64

    public init(user: UInt32, history: Range<Int>, moment: Int64) {
        self.user = user
        self.history = history
        self.moment = moment
    }
}

/// Ranking the next item against all items on one log.
public struct RankingTask: Sendable {
    /// Sorted by person, then time, then place in the file: equal times keep the file's order.
    public let log: EventLog
    /// Where each person's events begin; one longer than there are people.
    public let userStarts: [Int]
    public let rule: RankingProtocol
    public let seen: SeenItems
    /// The share of events whose item the person had met before.
    public let repeatShare: Double
    /// For each person the place after their last training event, and after their last validation event.
    private let trainEnds: [Int]
    private let validationEnds: [Int]
    /// Where what may be learned from begins for each person: at their first event but in a thinned task.
    private var knownStarts: [Int]
    /// Times of the cuts, where the protocol has them.
    public let cuts: (train: Int64, validation: Int64)?

    /// Repeats rarer than this are not worth ranking: items already seen are then left out.
    static let rareRepeats = 0.01

    /// - Parameter seen: chosen by the share of repeats when absent.
    /// - Throws: ``RankingError`` when nothing is left to guess.
    public init(
        _ log: EventLog, rule: RankingProtocol, seen: SeenItems? = nil
    ) throws(RankingError) {
        let log = log.sortedByUser()
        guard log.items.count > 1 else { throw .oneItem }
        self.log = log
        self.rule = rule
        let starts = log.userStarts()
        userStarts = starts
        repeatShare = Self.repeatShare(log, starts)
        self.seen = seen ?? (repeatShare < Self.rareRepeats ? .excluded : .kept)
        var trainEnds: [Int] = []
        var validationEnds: [Int] = []
        switch rule {
        case .leaveOneOut:
            cuts = nil
            for user in 0..<log.users.count {
                let (start, end) = (starts[user], starts[user + 1])
                // Two events are too few to hold two back.
                trainEnds.append(end - start >= 3 ? end - 2 : end)
                validationEnds.append(end - start >= 3 ? end - 1 : end)
            }
        case .globalTime:
            guard log.clock == .wall else { throw .noTimes }
            let times = RadixSort.sorted(log.time)
            let train = times[times.count * 8 / 10]
            let validation = times[times.count * 9 / 10]
            cuts = (train, validation)
            for user in 0..<log.users.count {
                let range = starts[user]..<starts[user + 1]
                trainEnds.append(range.partitioningIndex { log.time[$0] >= train })
                validationEnds.append(range.partitioningIndex { log.time[$0] >= validation })
            }
        }
        self.trainEnds = trainEnds
        self.validationEnds = validationEnds
        knownStarts = Array(starts.dropLast())
        guard !targets(.test).isEmpty, !targets(.validation).isEmpty else { throw .nothingToGuess(rule) }
    }

    public var itemCount: Int { log.items.count }
    public var userCount: Int { userStarts.count - 1 }

    /// The places of a person's events that may be learned from when questions of `part` are asked: all before
    /// that part.
    public func known(_ user: Int, before part: Part) -> Range<Int> {
        let end = part == .test ? validationEnds[user] : trainEnds[user]
        return min(knownStarts[user], end)..<end
    }

    /// The same questions with less to learn from: a share of the people, drawn from the seed, or the latest share
    /// of each person's events before validation.
    public func thinned(_ users: Bool, keeping share: Double, seed: UInt64) -> RankingTask {
        var task = self
        var generator = SeededGenerator(seed: seed, stream: 60)
        for user in 0..<userCount {
            let count = trainEnds[user] - userStarts[user]
            let kept = users ? (generator.uniform() < share ? count : 0) : max(2, Int(share * Double(count)))
            task.knownStarts[user] = trainEnds[user] - min(count, kept)
        }
        return task
    }

    /// Places of the events to guess in validation or test: those of people with a past, and, where seen items
    /// are left out, whose item is new to them.
    public func targets(_ part: Part) -> [Int] {
        var places: [Int] = []
        var met = Set<UInt32>()
        for user in 0..<userCount {
            let range =
                switch part {
                case .train: userStarts[user]..<trainEnds[user]
                case .validation: trainEnds[user]..<validationEnds[user]
                case .test: validationEnds[user]..<userStarts[user + 1]
                }
            guard !range.isEmpty else { continue }
            if seen == .excluded {
                met.removeAll(keepingCapacity: true)
                for index in userStarts[user]..<range.lowerBound { met.insert(log.item[index]) }
            }
            for index in range {
                let isNew = seen == .kept || met.insert(log.item[index]).inserted
                if index > userStarts[user], isNew { places.append(index) }
            }
        }
        return places
    }

    /// The question whose answer is the event at `place`.
    public func query(at index: Int) -> RankingQuery {
        let user = log.user[index]
        return RankingQuery(user: user, history: userStarts[Int(user)]..<index, moment: log.time[index])
    }

    private static func repeatShare(_ log: EventLog, _ starts: [Int]) -> Double {
        var repeats = 0
        var met = Set<UInt32>()
        for user in 0..<starts.count - 1 {
            met.removeAll(keepingCapacity: true)
            for index in starts[user]..<starts[user + 1] where !met.insert(log.item[index]).inserted { repeats += 1 }
        }
        return Double(repeats) / Double(max(1, log.count))
    }
}

/// Why a log cannot be ranked, or a question not answered.
public enum RankingError: Error, Sendable, Equatable, CustomStringConvertible {
    case oneItem
    case noTimes
    case nothingToGuess(RankingProtocol)
    case count(Int)
    case tooManyItems(model: String, items: Int, limit: Int)

    public var description: String {
        switch self {
        case .oneItem: "the log has one item, so there is nothing to rank"
        case .noTimes:
            "the log has order but no times; the global-time protocol needs times, use --protocol leave-one-out"
        case .nothingToGuess(let rule):
            "nobody has \(rule == .leaveOneOut ? "three events" : "a past and events in the last fifth of the log"), "
                + "so there is nothing to guess"
        case .count(let count): "--top \(count): ask for at least one item"
        case .tooManyItems(let model, let items, let limit):
            "\(model) keeps a dense matrix of items by items; \(items) items are more than \(limit)"
        }
    }
}
