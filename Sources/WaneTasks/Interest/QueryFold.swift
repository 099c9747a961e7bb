import Dispatch
import WaneEvents
import WaneState

/// Reads features at queries' places by folding each user's events once, in order of time, through a state.
///
/// - Complexity: O(events of the users asked about, up to their last query), on all cores; memory for the answers
///   and one state a core.
struct QueryFold {
    let histories: Histories
    let schema: StateSchema
    let popularity: PopularitySnapshots
    /// Whether the features of the query's own moment are measured too: models with a curve do not read them.
    var queryTime = true

    /// Fills the feature columns of `queries`, whose other columns are there.
    func fill(_ queries: inout QuerySet) {
        let (last, now) = (FeatureSchema.lastEventCount, FeatureSchema.queryTimeCount)
        queries.lastEventFeatures = [Float](repeating: 0, count: queries.count * last)
        queries.queryTimeFeatures = [Float](repeating: 0, count: queryTime ? queries.count * now : 0)
        queries.causes = [Float](repeating: 0, count: schema.causes == nil ? 0 : queries.count * CauseEffects.width)
        queries.rates = [Float](repeating: 0, count: schema.rates == nil ? 0 : queries.count)
        queries.hours = [Float](repeating: 1 / 24, count: schema.hours == nil ? 0 : queries.count * 24)
        guard queries.count > 0 else { return }
        let asked = queries
        let order = (0..<asked.count).sorted { (asked.event[$0], $0) < (asked.event[$1], $1) }
        // Events are sorted by user, so runs of the order are users; chunks end between users.
        let cores = ThreadCount.available
        let chunk = max(1, order.count / (cores * 4))
        var starts = [0]
        for index in 1..<order.count
        where index - (starts.last ?? 0) >= chunk && asked.user[order[index]] != asked.user[order[index - 1]] {
            starts.append(index)
        }
        let ranges = zip(starts, starts.dropFirst() + [order.count]).map { $0..<$1 }
        queries.lastEventFeatures.withUnsafeMutableBufferPointer { lastEvent in
            queries.queryTimeFeatures.withUnsafeMutableBufferPointer { queryTime in
                queries.causes.withUnsafeMutableBufferPointer { causes in
                    queries.hours.withUnsafeMutableBufferPointer { hours in
                        queries.rates.withUnsafeMutableBufferPointer { rates in
                            guard let a = lastEvent.baseAddress else { return }
                            let output = Output(
                                lastEvent: a, queryTime: queryTime.baseAddress, causes: causes.baseAddress,
                                hours: hours.baseAddress, rates: rates.baseAddress)
                            DispatchQueue.concurrentPerform(iterations: ranges.count) { number in
                                fold(asked, order[ranges[number]], output)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Where features go: each row is written by one thread, so rows may be written at once.
    private struct Output: @unchecked Sendable {
        let lastEvent: UnsafeMutablePointer<Float>
        let queryTime: UnsafeMutablePointer<Float>?
        let causes: UnsafeMutablePointer<Float>?
        let hours: UnsafeMutablePointer<Float>?
        let rates: UnsafeMutablePointer<Float>?
    }

    private func fold(_ queries: QuerySet, _ rows: ArraySlice<Int>, _ output: Output) {
        var state = PersonState(schema)
        let friends = schema.causes == nil ? nil : FriendActivity(histories)
        var user: UInt32 = .max
        var next = 0
        // Of one state, for all that is asked of it.
        var sensitivity: CauseState.Sensitivity?
        for row in rows {
            if queries.user[row] != user {
                user = queries.user[row]
                sensitivity = nil
                state.reset()
                next = histories.userStarts[Int(user)]
            }
            while next <= queries.event[row] {
                histories.log.fold(next, histories.event(next), friends: friends, into: &state)
                next += 1
                sensitivity = nil
            }
            // A query's topic was met at or before its event: drawn so.
            guard let topic = state.topic(queries.topic[row]) else { continue }
            state.writeFeatures(
                of: topic, popularity: popularity[queries.snapshot[row]],
                to: output.lastEvent + row * FeatureSchema.lastEventCount)
            if schema.causes != nil, let base = output.causes, let causes = state.causes {
                let known = sensitivity ?? causes.sensitivity
                sensitivity = known
                state.effects(of: topic.topic, known)?.write(to: base + row * CauseEffects.width)
            }
            if let base = output.rates, let rate = state.rate(of: topic.topic) { base[row] = Float(rate) }
            if let base = output.hours, let rhythm = state.rhythm {
                for (hour, share) in rhythm.shares.enumerated() { base[row * 24 + hour] = share }
            }
            if queryTime, let base = output.queryTime {
                state.writeFeatures(of: topic, at: queries.moment[row], to: base + row * FeatureSchema.queryTimeCount)
            }
        }
    }
}

extension QuerySet {
    /// Measures the causes, the pairs' rates and the people's hours of queries that were drawn without.
    public mutating func measure(_ histories: Histories, _ schema: StateSchema) {
        var other = self
        // Causes read nothing of what concerns everybody.
        let nothing = Popularity(until: .max, touches: [], latelyTouches: [], events: 0, latelyEvents: 0, topicCount: 0)
        QueryFold(
            histories: histories, schema: schema, popularity: PopularitySnapshots(frozen: nothing), queryTime: false
        ).fill(&other)
        // What is there stays: it may have been set.
        if causes.isEmpty { causes = other.causes }
        if hours.isEmpty { hours = other.hours }
        if rates.isEmpty { rates = other.rates }
    }
}
