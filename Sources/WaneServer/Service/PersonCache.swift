import Synchronization
import WaneEvents

/// People's folded events, so many at most: the ones asked about longest ago make room.
///
/// A person of whom an event was stored is folded anew. One who is being folded just then is not kept.
final class PersonCache: Sendable {
    private struct Contents {
        /// By person, then by the version that reads them.
        var views: [ExactName: [String: (view: PersonView, revision: Int64, used: UInt64)]] = [:]
        var count = 0
        var clock: UInt64 = 0
        /// Versions that are asked; all where nothing was said.
        var versions: Set<String>?
        /// People who are being folded, how often, and whether an event of theirs was stored meanwhile.
        var folding: [ExactName: (count: Int, isStale: Bool)] = [:]
        var (hits, misses) = (0, 0)
    }

    private let contents = Mutex(Contents())
    private let capacity: Int

    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// The view of a person, folded where it is not there.
    ///
    /// - Parameter revision: the store's number, read before this is called: a view of another one is folded anew.
    func view(
        _ user: String, _ version: String, revision: Int64, keeps: Bool, fold: () async throws -> PersonView
    ) async throws -> PersonView {
        let user = ExactName(user)
        let known = contents.withLock { contents -> PersonView? in
            contents.clock += 1
            if let own = contents.views[user]?[version], own.revision == revision {
                contents.views[user]?[version]?.used = contents.clock
                contents.hits += 1
                return own.view
            }
            contents.misses += 1
            // Another fold of the same person may have begun before their last event.
            let count = contents.folding[user]?.count ?? 0
            contents.folding[user] = (count + 1, contents.folding[user]?.isStale ?? false)
            return nil
        }
        if let known { return known }
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

    private func end(_ user: ExactName, keeping entry: (version: String, view: PersonView, revision: Int64)?) {
        contents.withLock { contents in
            guard let folding = contents.folding[user] else { return }
            if folding.count == 1 {
                contents.folding[user] = nil
            } else {
                contents.folding[user] = (folding.count - 1, folding.isStale)
            }
            guard let entry, !folding.isStale, contents.versions?.contains(entry.version) != false else { return }
            if contents.views[user]?[entry.version] == nil { contents.count += 1 }
            contents.views[user, default: [:]][entry.version] = (entry.view, entry.revision, contents.clock)
            guard contents.count > capacity else { return }
            // A tenth at once, so that this is not done for each.
            let all = contents.views.flatMap { user, views in views.map { (user, $0.key, $0.value.used) } }
            for (user, version, _) in all.sorted(by: { $0.2 < $1.2 }).prefix(max(1, capacity / 10)) {
                contents.views[user]?[version] = nil
                if contents.views[user]?.isEmpty == true { contents.views[user] = nil }
                contents.count -= 1
            }
        }
    }

    /// Events of these people were stored, or taken away.
    func forget(_ users: Set<ExactName>) {
        guard !users.isEmpty else { return }
        contents.withLock { contents in
            for user in users {
                contents.count -= contents.views.removeValue(forKey: user)?.count ?? 0
                contents.folding[user]?.isStale = true
            }
        }
    }

    /// Only these versions are asked from now on.
    func keep(versions: Set<String>) {
        contents.withLock { contents in
            contents.versions = versions
            contents.views = contents.views.mapValues { $0.filter { versions.contains($0.key) } }.filter {
                !$0.value.isEmpty
            }
            contents.count = contents.views.values.reduce(0) { $0 + $1.count }
        }
    }

    var counts: (people: Int, hits: Int, misses: Int) {
        contents.withLock { ($0.count, $0.hits, $0.misses) }
    }
}
