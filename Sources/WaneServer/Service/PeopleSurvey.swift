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

/// Looks over all people, a hundred at a time, beside the requests; who asks for the same meanwhile waits for the same.
actor SurveyDesk {
    private struct Key: Hashable {
        let version: String
        let moment: Int64
    }

    private let store: any EventStore
    private let thread: QuietThread
    private var running: [Key: Task<PeopleSurvey, any Error>] = [:]
    /// The last few, the newest last.
    private var kept: [PeopleSurvey] = []
    private static let mostKept = 4
    private static let peopleAtOnce = 100
    /// How old, in seconds, what is said of "now" may be.
    static let oldest = 60.0

    init(_ store: any EventStore, _ thread: QuietThread) { (self.store, self.thread) = (store, thread) }

    /// What is known of all people.
    ///
    /// - Parameter moment: now when absent: at most a minute ago, or ten times as long as a look over all takes.
    func survey(at moment: Int64?, of model: LoadedModel) async throws -> PeopleSurvey {
        if let moment {
            if let known = kept.last(where: { $0.version == model.version && $0.moment == moment }) { return known }
            return try await make(Key(version: model.version, moment: moment), of: model)
        }
        let now = InterestService.now
        if let known = kept.last(where: { $0.version == model.version && $0.moment <= now }),
            Double(now - known.moment) / 1e6 < max(Self.oldest, 10 * known.seconds)
        {
            return known
        }
        // One of "now" that is on its way is as good.
        if let begun = running.filter({ $0.key.version == model.version && abs(now - $0.key.moment) < 600_000_000 })
            .first
        {
            return try await begun.value.value
        }
        return try await make(Key(version: model.version, moment: now), of: model)
    }

    /// One that was answered from before, for who reads on; nothing where it is kept no more.
    func kept(version: String, moment: Int64) -> PeopleSurvey? {
        kept.last { $0.version == version && $0.moment == moment }
    }

    private func make(_ key: Key, of model: LoadedModel) async throws -> PeopleSurvey {
        if let task = running[key] { return try await task.value }
        let task = Task { try await run(key.moment, of: model) }
        running[key] = task
        defer { running[key] = nil }
        let survey = try await task.value
        kept.append(survey)
        if kept.count > Self.mostKept { kept.removeFirst() }
        return survey
    }

    private struct Part: Sendable {
        var survey: TopicSurvey
        var pairs: [InterestedPair] = []
    }

    private nonisolated func run(_ moment: Int64, of model: LoadedModel) async throws -> PeopleSurvey {
        let start = ContinuousClock.now
        var part = Part(survey: try TopicSurvey(model.predictor, at: moment))
        var last: String?
        while true {
            let records = try await store.events(ofPeopleAfter: last, limit: Self.peopleAtOnce)
            guard let name = records.last?.user else { break }
            last = name
            let before = part
            part = try await thread.run {
                var part = before
                guard let log = try model.log(records.filter { $0.time <= moment }) else { return part }
                try part.survey.add(log) { pair in if pair.lapse != nil { part.pairs.append(pair) } }
                return part
            }
        }
        return PeopleSurvey(
            moment: moment, version: model.version, people: part.survey.people, topics: part.survey.summaries(),
            lapsing: part.pairs.sorted {
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
