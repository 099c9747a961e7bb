import Foundation
import WaneBundle
import WaneEvents
import WanePrediction
import WaneStore

/// All people at one moment: topics, and who is interested in what.
struct PeopleSurvey: Sendable {
    /// Microseconds.
    let moment: Int64
    let version: String
    let people: Int
    let topics: [TopicSummary]
    /// Those whose interest lapses, the soonest first.
    let lapsing: [InterestedPair]
    /// How long it took.
    let seconds: Double
}

/// Looks over all people, a hundred at a time, beside the requests; who asks for the same meanwhile waits for the same, who asks for
/// something else waits until it is done.
actor SurveyDesk {
    private struct Key: Hashable {
        let version: String
        /// Nothing for now.
        let moment: Int64?
    }

    private let store: any EventStore
    private let thread: QuietThread
    private var running: [Key: Task<PeopleSurvey, any Error>] = [:]
    private let gate = ChangeGate()
    /// The last few, the newest last.
    private var kept: [(key: Key, survey: PeopleSurvey, made: ContinuousClock.Instant)] = []
    /// How often what was found is no more: somebody was erased.
    private var changes = 0
    private static let mostKept = 4
    private static let mostWaiting = 8
    private static let peopleAtOnce = 100
    /// Whom to win back is a question of weeks; and so many at most.
    static let farthest = 3_650.0 * 86_400
    private static let mostPairs = 1_000_000
    /// How old, in seconds, what is answered may be.
    static let oldest = 60.0
    /// How long pages of it can be read.
    private static let longestRead = 600.0

    init(_ store: any EventStore, _ thread: QuietThread) { (self.store, self.thread) = (store, thread) }

    /// What is known of all people.
    ///
    /// - Parameter moment: now when absent. It is at most a minute old, or ten times as old as a look over all takes.
    /// - Throws: ``StoreError/busy`` where too many other moments are asked for.
    func survey(at moment: Int64?, of model: LoadedModel) async throws -> PeopleSurvey {
        let key = Key(version: model.version, moment: moment)
        if let known = kept.last(where: { $0.key == key }),
            known.made.duration(to: .now).inSeconds < max(Self.oldest, 10 * known.survey.seconds)
        {
            return known.survey
        }
        if let task = running[key] { return try await task.value }
        guard running.count < Self.mostWaiting else { throw StoreError.busy }
        let changes = changes
        let task = Task { try await gate.run { try await self.run(moment ?? InterestService.now, of: model) } }
        running[key] = task
        defer { running[key] = nil }
        let survey = try await task.value
        if changes == self.changes {
            kept.append((key, survey, .now))
            if kept.count > Self.mostKept { kept.removeFirst() }
        }
        return survey
    }

    /// One that was answered from before, for who reads on; nothing where it is kept no more.
    func kept(version: String, moment: Int64) -> PeopleSurvey? {
        kept.last {
            $0.survey.version == version && $0.survey.moment == moment
                && $0.made.duration(to: .now).inSeconds < Self.longestRead
        }?.survey
    }

    /// Somebody is erased: nothing that was found before is answered any more.
    func forget() {
        kept = []
        changes += 1
    }

    /// What is added up, by the quiet thread alone.
    private final class Sum: @unchecked Sendable {
        var survey: TopicSurvey
        var pairs: [InterestedPair] = []

        init(_ survey: TopicSurvey) { self.survey = survey }
    }

    private nonisolated func run(_ moment: Int64, of model: LoadedModel) async throws -> PeopleSurvey {
        let start = ContinuousClock.now
        let sum = Sum(try TopicSurvey(model.predictor, at: moment))
        var last: String?
        while true {
            let part = try await store.people(after: last, limit: Self.peopleAtOnce)
            guard let name = part.last else { break }
            last = name
            let records = part.records.filter { $0.time <= moment }
            try await thread.run {
                guard let log = try model.log(records) else { return }
                try sum.survey.add(log) { pair in
                    if let lapse = pair.lapse, lapse <= Self.farthest, sum.pairs.count < Self.mostPairs {
                        sum.pairs.append(pair)
                    }
                }
            }
        }
        return PeopleSurvey(
            moment: moment, version: model.version, people: sum.survey.people, topics: sum.survey.summaries(),
            lapsing: sum.pairs.sorted {
                ($0.lapse ?? 0, $1.returnProbability, $0.user, $0.topic)
                    < ($1.lapse ?? 0, $0.returnProbability, $1.user, $1.topic)
            },
            seconds: start.duration(to: .now).inSeconds)
    }
}

extension LoadedModel {
    /// Stored events as this model reads them; nothing where there are none, or of things that were only shown.
    func log(_ records: [EventRecord]) throws -> AskedLog? {
        guard !records.isEmpty else { return nil }
        let log: EventLog
        do throws(LogError) {
            log = try EventLog(records, reading: bundle.reading)
        } catch {
            guard case .onlyExposures = error else { throw error }
            return nil
        }
        return try AskedLog(log, for: bundle, isPart: true)
    }
}
