import WaneStore

/// The time of the newest event that is not in the future: found in the store once, and followed from then on.
actor NewestEvent {
    /// Microseconds; nothing before the store was asked.
    private var found: Int64?
    /// Of events that came since the process began, or since somebody was erased; those of tomorrow apart.
    private var came = Int64.min
    private var ahead: [Int64] = []
    private var search: Task<Int64, any Error>?
    private var searched = ContinuousClock.now
    private var changes = 0

    func note(_ times: [Int64], now: Int64) {
        for time in times {
            if time <= now {
                came = max(came, time)
            } else if ahead.count < 10_000 {
                ahead.append(time)
            }
        }
    }

    /// Somebody is erased: the store is asked anew.
    func forget() {
        (found, came, ahead, search) = (nil, .min, [], nil)
        changes += 1
    }

    /// - Complexity: the store is read through once, and where several services write once in five minutes.
    func value(_ store: any ServiceStore, now: Int64) async throws -> Int64? {
        note(ahead.filter { $0 <= now }, now: now)
        ahead.removeAll { $0 <= now }
        if found == nil || store.isShared && searched.duration(to: .now) > .seconds(300) {
            let task = search ?? Task { try await store.newest(upTo: now) ?? .min }
            let before = changes
            search = task
            do {
                let newest = try await task.value
                if before == changes { (found, search, searched) = (newest, nil, .now) }
            } catch {
                if before == changes { search = nil }
                throw error
            }
        }
        let newest = max(found ?? .min, came)
        return newest == .min ? nil : newest
    }
}
