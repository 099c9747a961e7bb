import Foundation
import WaneBundle
import WaneEvents
import WanePrediction
import WaneStore
import WaneTasks

/// What a model said of people drawn by chance, beside what then happened.
struct QualityReport: Codable, Sendable {
    struct Bin: Codable, Sendable {
        let predicted: Double
        let observed: Double
        let count: Int
    }
    struct Drift: Codable, Sendable {
        let feature: String
        let stabilityIndex: Double
    }

    let time: String
    let version: String
    let family: String
    /// The window: questions stand a horizon before its end at the latest.
    let from: String
    let to: String
    let horizonSeconds: Double
    let people: Int
    let questions: Int
    let returnRate: Double
    let meanProbability: Double
    let logLoss: Double
    let calibrationError: Double
    let bins: [Bin]
    /// How far the chances lie from those of the model's validation, and the inputs that lie furthest, the furthest first: population
    /// stability indices. Nothing for models that do not say how theirs were spread.
    let scoreDrift: Double?
    let drift: [Drift]?
}

/// Looks at the champion's answers of a while ago, again and again: each is made without what came later, and what came later is known by now.
actor ModelMonitor {
    private let store: any ServiceStore
    private let thread: QuietThread
    private let people: Int
    private static let fewestQuestions = 200
    /// Features that are reported, of those that lie furthest.
    private static let mostFeatures = 8
    private(set) var last: QualityReport?

    init(_ store: any ServiceStore, _ thread: QuietThread, people: Int = 1_000) {
        (self.store, self.thread, self.people) = (store, thread, people)
    }

    /// Checks a model on the newest window of what is stored, and keeps what was found.
    ///
    /// - Returns: nothing where there is too little to ask about.
    func check(_ model: LoadedModel) async throws -> QualityReport? {
        guard model.bundle.hasCurves else { return nil }
        let records = try await store.events(ofSomePeople: people)
        let now = InterestService.now
        let found = try await thread.run { try Self.report(model, records, now: now) }
        guard let found else { return nil }
        last = found
        let body = String(decoding: try Reply.encoder.encode(found), as: UTF8.self)
        try await store.add(StoredReport(.check, time: now, body: body))
        return found
    }

    private static func report(_ model: LoadedModel, _ records: [EventRecord], now: Int64) throws -> QualityReport? {
        // Events may lie a day ahead; what has not happened is no answer.
        guard let log = try model.log(records.filter { $0.time <= now }) else { return nil }
        let (bundle, horizon) = (model.bundle, model.bundle.description.split.horizon)
        let newest = ModelCheck.newest(LogSpan(log.log).end, horizon: horizon)
        // Not on what the model was levelled on.
        let from = max(newest.lowerBound, bundle.description.split.validationEnd)
        guard newest.upperBound - from > horizon else { return nil }
        let window = from...newest.upperBound
        let check: ModelCheck
        do {
            check = try ModelCheck(bundle, log, window: window, questions: 10_000, seed: UInt64(bitPattern: now))
        } catch is SplitError {
            return nil
        }
        guard check.questions >= fewestQuestions else { return nil }
        let drift = check.drift.map { all in
            all.filter { $0.key != "chance" }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(mostFeatures)
                .map { QualityReport.Drift(feature: $0.key, stabilityIndex: short($0.value) ?? 0) }
        }
        return QualityReport(
            time: TimeFormat.rfc3339(now), version: model.version, family: bundle.description.family,
            from: TimeFormat.rfc3339(window.lowerBound), to: TimeFormat.rfc3339(window.upperBound),
            horizonSeconds: Double(horizon) / 1e6, people: check.people, questions: check.questions,
            returnRate: short(check.returnRate) ?? 0, meanProbability: short(check.meanChance) ?? 0,
            logLoss: short(check.logLoss) ?? 0, calibrationError: short(check.calibrationError) ?? 0,
            bins: check.reliability.map {
                QualityReport.Bin(
                    predicted: short($0.predicted) ?? 0, observed: short($0.observed) ?? 0, count: $0.count)
            }, scoreDrift: short(check.drift?["chance"]), drift: drift)
    }
}
