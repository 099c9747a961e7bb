#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What is known of a query at its moment, as numbers.
///
/// Two blocks. **Anchored** features are measured at the person's last event, so they stay as they are while
/// nothing happens; a decay curve is a function of them and of the two elapsed times alone, which is why a
/// curve drawn today and a prediction asked for next week agree. **Timed** features are the same quantities
/// at the moment of the query; models without a curve (logistic regression, trees) need them.
///
/// Nothing after the moment is read: every value comes from a search for the last event at or before it.
public struct FeatureBuilder: Sendable {
    private let histories: Histories
    /// Seconds.
    private let horizon: Double
    private let median: Double
    /// Half-lives of the decayed counts, in seconds.
    private let halfLives: [Double]
    /// Decayed counts right after each event of the person, and right after each touch of the pair.
    private let userCounts: [Float]
    private let pairCounts: [Float]
    /// Visits (runs of events less than half an hour apart) up to each event and each touch.
    private let userVisits: [UInt32]
    private let pairVisits: [UInt32]
    /// Topics the person had met up to each event.
    private let topicsMet: [UInt16]

    static let halfLifeShares = [1.0 / 16, 0.25, 1, 4, 16]

    public static let anchoredNames =
        [
            "log_staleness", "log_touches", "log_events", "topic_share", "log_person_age", "log_pair_age",
            "log_mean_interval", "log_spread_interval", "log_median_interval", "intervals_known",
            "log_person_visits", "log_pair_visits",
        ] + halfLifeShares.map { "pair_count_hl_\($0)h" } + halfLifeShares.map { "person_count_hl_\($0)h" } + [
            "log_popularity", "log_popularity_lately", "hour_sin", "hour_cos", "weekday_sin", "weekday_cos",
            "mean_engagement", "last_engagement", "person_engagement", "log_topics_met", "recent_degree",
            "same_topic_run",
        ]

    public static let timedNames =
        ["log_gap", "log_person_gap", "gap_over_interval"] + halfLifeShares.map { "pair_count_now_hl_\($0)h" }
        + halfLifeShares.map { "person_count_now_hl_\($0)h" } + [
            "now_hour_sin", "now_hour_cos", "now_weekday_sin", "now_weekday_cos", "degree_now", "gap_relative",
        ]

    public static var anchoredCount: Int { anchoredNames.count }
    public static var timedCount: Int { timedNames.count }

    /// - Parameters:
    ///   - horizon: microseconds.
    ///   - median: `m` of the interest degree.
    /// - Complexity: O(n)
    public init(_ histories: Histories, horizon: Int64, median: Double) {
        self.histories = histories
        self.horizon = Double(horizon) / 1e6
        self.median = median
        let halfLives = Self.halfLifeShares.map { $0 * Double(horizon) / 1e6 }
        self.halfLives = halfLives
        let events = histories.log
        let width = halfLives.count
        let pause: Int64 = events.clock == .wall ? 1_800 * EventLog.second : EventLog.second

        /// Decayed counts and visits along runs of events in time.
        func walk(_ starts: [Int], _ time: (Int) -> Int64) -> (counts: [Float], visits: [UInt32]) {
            let total = starts.last ?? 0
            var counts = [Float](repeating: 0, count: total * width)
            var visits = [UInt32](repeating: 0, count: total)
            for run in 0..<max(0, starts.count - 1) {
                var state = [Double](repeating: 0, count: width)
                for place in starts[run]..<starts[run + 1] {
                    let first = place == starts[run]
                    let gap = first ? 0 : time(place) - time(place - 1)
                    for i in 0..<width {
                        state[i] = state[i] * exp2(-Double(gap) / 1e6 / halfLives[i]) + 1
                        counts[place * width + i] = Float(state[i])
                    }
                    visits[place] = first ? 1 : visits[place - 1] + (gap > pause ? 1 : 0)
                }
            }
            return (counts, visits)
        }
        (userCounts, userVisits) = walk(histories.userStarts) { events.time[$0] }
        (pairCounts, pairVisits) = walk(histories.pairStarts) { histories.time(ofTouch: $0) }

        var met = [UInt16](repeating: 0, count: events.count)
        for user in 0..<histories.userCount {
            for pair in histories.userPairs[user]..<histories.userPairs[user + 1] {
                let first = Int(histories.touches[histories.pairStarts[pair]])
                met[first] = met[first] &+ 1
            }
            let range = histories.userStarts[user]..<histories.userStarts[user + 1]
            for place in range.dropFirst() {
                met[place] = UInt16(min(Int(UInt16.max), Int(met[place]) + Int(met[place - 1])))
            }
        }
        topicsMet = met
    }

    /// The logarithm of a length of time as a share of the horizon, with a floor near zero.
    @inline(__always)
    private func logTime(_ seconds: Double) -> Float { Float(log(max(0, seconds) / horizon + 1e-5)) }

    /// - Parameters:
    ///   - touch: the pair's last touch at or before the moment.
    ///   - event: the person's last event at or before the moment.
    @inline(__always)
    func fill(
        pair: Int, touch: Int, event: Int, moment: Int64, anchored: UnsafeMutablePointer<Float>,
        timed: UnsafeMutablePointer<Float>
    ) {
        let events = histories.log
        let wall = events.clock == .wall
        let user = Int(histories.pairUser[pair])
        let firstEvent = histories.userStarts[user]
        let firstTouch = histories.pairStarts[pair]
        let anchor = events.time[event]
        let touched = histories.time(ofTouch: touch)
        let gap = Double(moment - touched) / 1e6
        let personGap = Double(moment - anchor) / 1e6
        let staleness = Double(anchor - touched) / 1e6
        let touchCount = touch - firstTouch + 1
        let eventCount = event - firstEvent + 1
        var next = 0
        func put(_ value: Float) {
            anchored[next] = value
            next += 1
        }

        put(logTime(staleness))
        put(log1p(Float(touchCount)))
        put(log1p(Float(eventCount)))
        put(Float(touchCount) / Float(eventCount))
        put(logTime(Double(anchor - events.time[firstEvent]) / 1e6))
        put(logTime(Double(anchor - histories.time(ofTouch: firstTouch)) / 1e6))

        // The last ten intervals between touches.
        let known = min(10, touchCount - 1)
        var meanInterval = 0.0
        if known > 0 {
            withUnsafeTemporaryAllocation(of: Double.self, capacity: known) { buffer in
                var intervals = buffer
                var sum = 0.0
                for i in 0..<known {
                    let interval =
                        Double(histories.time(ofTouch: touch - i) - histories.time(ofTouch: touch - i - 1)) / 1e6
                    intervals[i] = interval
                    sum += interval
                }
                meanInterval = sum / Double(known)
                var square = 0.0
                for i in 0..<known { square += (intervals[i] - meanInterval) * (intervals[i] - meanInterval) }
                intervals.sort()
                put(logTime(meanInterval))
                put(logTime((square / Double(known)).squareRoot()))
                put(
                    logTime(
                        known % 2 == 1 ? intervals[known / 2] : (intervals[known / 2] + intervals[known / 2 - 1]) / 2))
            }
        } else {
            for _ in 0..<3 { put(0) }
        }
        put(Float(known) / 10)
        put(log1p(Float(userVisits[event])))
        put(log1p(Float(pairVisits[touch])))
        let width = halfLives.count
        for i in 0..<width { put(log1p(pairCounts[touch * width + i] * Float(exp2(-staleness / halfLives[i])))) }
        for i in 0..<width { put(log1p(userCounts[event * width + i])) }
        if wall {
            let topic = Int(histories.pairTopic[pair])
            let (now, all) = histories.popularity(of: topic, at: anchor)
            let (before, allBefore) = histories.popularity(of: topic, at: anchor - Int64(horizon * 1e6))
            put(logf(Float(now + 1) / Float(all + 1)))
            put(logf(Float(now - before + 1) / Float(all - allBefore + 1)))
        } else {
            put(0)
            put(0)
        }
        calendar(anchor, wall) { put($0) }
        let weights = histories.engagement.values
        let recent = min(10, touchCount)
        var sum: Float = 0
        for i in 0..<recent { sum += weights[Int(histories.touches[touch - i])] }
        put(sum / Float(recent))
        put(weights[Int(histories.touches[touch])])
        let recentEvents = min(10, eventCount)
        sum = 0
        for i in 0..<recentEvents { sum += weights[event - i] }
        put(sum / Float(recentEvents))
        put(log1p(Float(topicsMet[event])))
        put(degree(pair: pair, touch: touch, at: anchor))
        // How many of the person's latest events were on this topic without a break.
        var run = 0
        while run < 20, touch - run >= firstTouch, Int(histories.touches[touch - run]) == event - run { run += 1 }
        put(log1p(Float(run)))

        next = 0
        func putTimed(_ value: Float) {
            timed[next] = value
            next += 1
        }
        putTimed(logTime(gap))
        putTimed(logTime(personGap))
        putTimed(known > 0 ? Float(log((gap + 1) / (meanInterval + 1))) : 0)
        for i in 0..<width { putTimed(log1p(pairCounts[touch * width + i] * Float(exp2(-gap / halfLives[i])))) }
        for i in 0..<width { putTimed(log1p(userCounts[event * width + i] * Float(exp2(-personGap / halfLives[i])))) }
        calendar(moment, wall) { putTimed($0) }
        putTimed(degree(pair: pair, touch: touch, at: moment))
        putTimed(Float(min(50, gap / horizon)))
    }

    @inline(__always)
    private func calendar(_ time: Int64, _ wall: Bool, _ put: (Float) -> Void) {
        guard wall else {
            for _ in 0..<4 { put(0) }
            return
        }
        let hour = Float(Double(time) / 1e6 / 86_400).truncatingRemainder(dividingBy: 1) * 2 * .pi
        let day = Float((Double(time) / 1e6 / 86_400).truncatingRemainder(dividingBy: 7)) / 7 * 2 * .pi
        put(sin(hour))
        put(cos(hour))
        put(sin(day))
        put(cos(day))
    }

    /// The interest degree over the horizon that ends at a moment: what the last period was like.
    @inline(__always)
    private func degree(pair: Int, touch: Int, at moment: Int64) -> Float {
        let range = histories.pairStarts[pair]..<(touch + 1)
        let first = range.partitioningIndex { histories.time(ofTouch: $0) > moment - Int64(horizon * 1e6) }
        let engagement = histories.engagementBefore[touch + 1] - histories.engagementBefore[first]
        return Float(engagement / (engagement + median))
    }
}
