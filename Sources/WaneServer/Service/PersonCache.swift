import Synchronization
import WaneEvents

/// People's folded events, so many at most: the ones asked about longest ago make room.
///
/// What is stored of a person who is held waits here until somebody asks, and is then folded behind what was folded before. Where that cannot
/// be (an event that is not later than all before), and where several processes store, the person is folded anew. One who is being
/// folded just then is not kept.
final class PersonCache: Sendable {
    private struct Entry {
        var view: PersonView
        let revision: Int64
        var used: UInt64
        /// Events that were stored since, in the order in which they came, each later than all that the view has.
        var waiting: [EventRecord] = []
        /// Another number whenever the view is another one.
        var number: UInt64
    }

    private struct Contents {
        /// By person, then by the version that reads them.
        var entries: [ExactName: [String: Entry]] = [:]
        var count = 0
        var clock: UInt64 = 0
        /// Versions that are asked; all where nothing was said.
        var versions: Set<String>?
        /// People who are being folded, how often, and whether an event of theirs was stored meanwhile.
        var folding: [ExactName: (count: Int, isStale: Bool)] = [:]
        var (hits, misses, continued) = (0, 0, 0)

        mutating func tick() -> UInt64 {
            clock += 1
            return clock
        }

        mutating func remove(_ user: ExactName, _ version: String) {
            if entries[user]?.removeValue(forKey: version) != nil { count -= 1 }
            if entries[user]?.isEmpty == true { entries[user] = nil }
        }
    }

    private let contents = Mutex(Contents())
    private let capacity: Int
    /// A person of whom more has come than this is read anew when somebody asks: that takes a millisecond or two, and what waits for nobody
    /// takes memory.
    private static let mostWaiting = 64

    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// The view of a person, folded where it is not there.
    ///
    /// - Parameters:
    ///   - revision: the store's number, read before this is called: a view of another one is folded anew.
    ///   - goOn: a view with later events behind it; nothing where all have to be read.
    func view(
        _ user: String, _ version: String, revision: Int64, keeps: Bool,
        goOn: (PersonView, [EventRecord]) throws -> PersonView?, fold: () async throws -> PersonView
    ) async throws -> PersonView {
        let user = ExactName(user)
        let held = contents.withLock { contents -> Entry? in
            let now = contents.tick()
            guard let own = contents.entries[user]?[version], own.revision == revision else { return nil }
            contents.entries[user]?[version]?.used = now
            if own.waiting.isEmpty { contents.hits += 1 }
            return own
        }
        if let held {
            if held.waiting.isEmpty { return held.view }
            if let view = try goOn(held.view, held.waiting) {
                replace(user, version, held, by: view)
                return view
            }
        }
        contents.withLock { contents in
            contents.misses += 1
            if held != nil { contents.remove(user, version) }
            // Another fold of the same person may have begun before their last event.
            let count = contents.folding[user]?.count ?? 0
            contents.folding[user] = (count + 1, contents.folding[user]?.isStale ?? false)
        }
        do {
            let view = try await fold()
            // Nobody is kept of whom nothing is known: names that never were would drive people out.
            end(user, keeping: view.lastTime == .min || !keeps ? nil : (version, view, revision))
            return view
        } catch {
            end(user, keeping: nil)
            throw error
        }
    }

    /// What was held goes on as `view`, which has what was waiting then; somebody else may have done so, or the person be gone.
    private func replace(_ user: ExactName, _ version: String, _ held: Entry, by view: PersonView) {
        contents.withLock { contents in
            contents.continued += 1
            guard var own = contents.entries[user]?[version], own.number == held.number else { return }
            own.view = view
            own.waiting.removeFirst(held.waiting.count)
            own.number = contents.tick()
            contents.entries[user]?[version] = own
        }
    }

    private func end(_ user: ExactName, keeping entry: (version: String, view: PersonView, revision: Int64)?) {
        contents.withLock { contents in
            guard let folding = contents.folding[user] else { return }
            if folding.count == 1 {
                contents.folding[user] = nil
            } else {
                contents.folding[user] = (folding.count - 1, folding.isStale)
            }
            guard let entry, !folding.isStale, contents.versions?.contains(entry.version) != false else { return }
            if contents.entries[user]?[entry.version] == nil { contents.count += 1 }
            let now = contents.tick()
            contents.entries[user, default: [:]][entry.version] = Entry(
                view: entry.view, revision: entry.revision, used: now, number: now)
            guard contents.count > capacity else { return }
            // A tenth at once, so that this is not done for each.
            let all = contents.entries.flatMap { user, entries in entries.map { (user, $0.key, $0.value.used) } }
            for (user, version, _) in all.sorted(by: { $0.2 < $1.2 }).prefix(max(1, capacity / 10)) {
                contents.remove(user, version)
            }
        }
    }

    /// These events were stored.
    func add(_ records: [EventRecord]) {
        guard !records.isEmpty else { return }
        let ofPeople = Dictionary(grouping: records) { ExactName($0.user) }
        contents.withLock { contents in
            for (user, records) in ofPeople {
                contents.folding[user]?.isStale = true
                guard let versions = contents.entries[user].map({ Array($0.keys) }) else { continue }
                for version in versions {
                    guard let last = contents.entries[user]?[version]?.view.lastStored,
                        let count = contents.entries[user]?[version]?.waiting.count
                    else { continue }
                    if count + records.count <= Self.mostWaiting, records.allSatisfy({ $0.time > last }) {
                        contents.entries[user]?[version]?.waiting += records
                    } else {
                        contents.remove(user, version)
                    }
                }
            }
        }
    }

    /// All of these people is read anew when somebody asks.
    func forget(_ users: Set<ExactName>) {
        guard !users.isEmpty else { return }
        contents.withLock { contents in
            for user in users {
                contents.count -= contents.entries.removeValue(forKey: user)?.count ?? 0
                contents.folding[user]?.isStale = true
            }
        }
    }

    /// Everybody is read anew when somebody asks.
    func forgetAll() {
        contents.withLock { contents in
            contents.entries = [:]
            contents.count = 0
            for user in contents.folding.keys { contents.folding[user]?.isStale = true }
        }
    }

    /// Only these versions are asked from now on.
    func keep(versions: Set<String>) {
        contents.withLock { contents in
            contents.versions = versions
            contents.entries = contents.entries.mapValues { $0.filter { versions.contains($0.key) } }.filter {
                !$0.value.isEmpty
            }
            contents.count = contents.entries.values.reduce(0) { $0 + $1.count }
        }
    }

    var counts: (people: Int, hits: Int, misses: Int, continued: Int) {
        contents.withLock { ($0.count, $0.hits, $0.misses, $0.continued) }
    }
}
