import Foundation
import Synchronization
import WaneBundle
import WaneEvents
import WanePrediction
import WaneStore

/// Events in, answers out: what the routes call, without a word of HTTP.
public final class InterestService: Sendable {
    public let store: any ServiceStore
    public let registry: ModelRegistry
    public let metrics: ServiceMetrics
    /// How far the newest event lay behind the clock when it came.
    let lag = LastValue()
    /// Messages that wait in Kafka.
    let kafkaLag = LastValue()
    private let newestEvent = NewestEvent()
    /// How often somebody was erased.
    private let erasures = Mutex(0)
    /// Seconds since 1970: when the store could last be written.
    private let checked = LastValue()
    let access: AccessControl
    let surveys: SurveyDesk
    let monitor: ModelMonitor
    /// Nothing where the service does not learn.
    var learner: Learner? { held.withLock { $0 } }
    private let held = Mutex<Learner?>(nil)
    private let itemsKnown = Mutex<(unavailable: Set<ExactName>?, revision: ItemsRevision, changes: Int)>(
        (nil, ItemsRevision(), 0))
    private let writer: EventWriter
    private let cache: PersonCache

    /// - Parameter peopleInMemory: how many people's folded events are held.
    public init(store: any ServiceStore, registry: ModelRegistry, peopleInMemory: Int = 2_000) {
        self.store = store
        self.registry = registry
        metrics = ServiceMetrics()
        access = AccessControl(store)
        let quiet = QuietThread()
        surveys = SurveyDesk(store, quiet)
        monitor = ModelMonitor(store, quiet)
        writer = EventWriter(store)
        cache = PersonCache(capacity: peopleInMemory)
    }

    /// Lets the service train challengers on what it stores.
    ///
    /// - Parameters:
    ///   - program: the command `wane`, which trains in a process of its own.
    ///   - folder: for what that needs on disk.
    ///   - settings: more that `wane update` is told.
    public func learn(with program: URL, in folder: String, settings: [String] = []) {
        held.withLock { $0 = Learner(self, program: program, folder: folder, settings: settings) }
    }

    /// Microseconds since 1970.
    public static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }

    /// Stores events; what is asked after this returns knows of them.
    ///
    /// - Parameters:
    ///   - isTrusted: whether they come from the operator: people who come in otherwise are believed to be people only after a while.
    ///   - places: how far a stream has been read with these, stored together with them.
    public func append(
        _ records: [EventRecord], isTrusted: Bool = true, places: [StreamPlace] = []
    ) async throws(StoreError) -> [Receipt] {
        let before = erasures.withLock { $0 }
        let receipts = try await writer.append(records, arrived: isTrusted ? 0 : Self.now, places: places)
        let new = zip(records, receipts).filter { $1 == .accepted }.map(\.0)
        if store.isShared || erasures.withLock({ $0 }) != before {
            // What others have stored meanwhile is not known here; nor whether these are of somebody who was erased since.
            cache.forget(Set(new.map { ExactName($0.user) }))
        } else {
            cache.add(new)
        }
        await newestEvent.note(new.map(\.time), now: Self.now)
        return receipts
    }

    /// The time of the newest event that is not in the future, in microseconds; nothing where there is none.
    func newest() async throws -> Int64? { try await newestEvent.value(store, now: Self.now) }

    public func erase(user: String) async throws(StoreError) -> Int {
        // Whatever is said of it, what was held may be gone.
        defer {
            erasures.withLock { $0 += 1 }
            cache.forget([ExactName(user)])
        }
        do throws(StoreError) {
            let count = try await store.erase(user: user)
            await surveys.forget()
            await newestEvent.forget()
            return count
        } catch {
            await surveys.forget()
            await newestEvent.forget()
            throw error
        }
    }

    /// A person as the model for a task reads them at a moment, and that model.
    ///
    /// - Parameter at: microseconds. Where there are later events, the person is folded without them, and not kept.
    func person(
        _ user: String, _ task: BundleTask, at moment: Int64
    ) async throws -> (view: PersonView, model: LoadedModel) {
        let model = try registry.model(task)
        let revision = try await store.revision(of: user)
        // A person of whom nothing was known when it was asked is not kept where others write: the number of nobody tells them not apart.
        let keeps = !store.isShared || revision != 0
        let view = try await cache.view(
            user, model.version, revision: revision, keeps: keeps,
            goOn: { view, later in try view.continued(by: later, for: model) },
            fold: { try PersonView(user, try await store.events(of: user), for: model) })
        guard view.lastTime > moment else { return (view, model) }
        let before = try await store.events(of: user).filter { $0.time <= moment }
        return (try PersonView(user, before, for: model), model)
    }

    /// Whether the store can be written; asked once a second, however often others ask.
    func checkStore() async throws(StoreError) {
        let now = Double(Self.now) / 1e6
        guard now - checked.value > 1 else { return }
        try await store.check()
        checked.store(now)
    }

    /// Takes over what another service on the same store has changed.
    public func follow() async throws {
        if store.isShared {
            let (now, known) = (try await store.itemsRevision(), itemsKnown.withLock { $0.revision })
            if now != known { await itemsChanged(now, topics: now.topics != known.topics) }
        }
        if try await registry.follow() { keepAnswering() }
    }

    // MARK: Items

    /// Keeps what is said of items; what is asked here after this returns knows of it.
    func put(_ changes: [ItemChange]) async throws(StoreError) {
        do throws(StoreError) {
            let areOthers = try await store.put(changes)
            // What others have changed meanwhile is found by ``follow()``.
            await itemsChanged(nil, topics: areOthers)
        } catch {
            // Whatever is said of it, it may have been stored.
            await itemsChanged(nil, topics: true)
            throw error
        }
    }

    /// - Parameters:
    ///   - revision: as it was found now; as before when absent.
    ///   - topics: whether events that say no topics may have others now.
    private func itemsChanged(_ revision: ItemsRevision?, topics: Bool) async {
        itemsKnown.withLock { $0 = (nil, revision ?? $0.revision, $0.changes + 1) }
        guard topics else { return }
        cache.forgetAll()
        await surveys.forget()
    }

    /// Items that are not to be recommended.
    func unavailableItems() async throws(StoreError) -> Set<ExactName> {
        let known = itemsKnown.withLock { $0 }
        if let names = known.unavailable { return names }
        let names = Set(try await store.unavailableItems().map { ExactName($0) })
        // What was changed while this was read is read again.
        itemsKnown.withLock { if $0.changes == known.changes { $0.unavailable = names } }
        return names
    }

    public func activate(_ version: String) async throws -> LoadedModel {
        defer { keepAnswering() }
        return try await registry.activate(version)
    }

    /// Lets a version answer where the champion is still the one that it was set beside.
    func promote(_ version: String, over known: String) async throws {
        defer { keepAnswering() }
        try await registry.promote(version, over: known)
    }

    public func rollBack(_ task: String) async throws -> LoadedModel {
        defer { keepAnswering() }
        return try await registry.rollBack(task)
    }

    /// People are held as the versions that answer read them.
    private func keepAnswering() { cache.keep(versions: Set(registry.models.map(\.version))) }

    /// Keys were made or taken away: the next request is let in by those that there are.
    func keysChanged() async { await access.forget() }

    var cacheCounts: (people: Int, hits: Int, misses: Int, continued: Int) { cache.counts }
    var queued: Int { get async { await writer.queued } }
}

/// A number that several requests set and read.
final class LastValue: Sendable {
    private let held = Mutex(0.0)
    var value: Double { held.withLock { $0 } }
    func store(_ value: Double) { held.withLock { $0 = value } }
}
