import Foundation
import TestSupport
import Testing
import WaneEvents
import WaneSimulation

@testable import WaneState
@testable import WaneTasks

@Suite("A person's state")
struct PersonStateTests {
    static let horizon: Int64 = 604_800_000_000

    private func schema(window: Int = 0) -> StateSchema {
        StateSchema(horizon: Self.horizon, clock: .wall, typicalEngagement: 1.5, windowLength: window)
    }

    private func features(_ state: PersonState, _ topic: UInt32, popularity: Popularity) -> [Float] {
        guard let own = state.topic(topic) else { return [] }
        var values = [Float](repeating: .nan, count: FeatureSchema.lastEventCount)
        values.withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { state.writeFeatures(of: own, popularity: popularity, to: base) }
        }
        return values
    }

    private let nothing = Popularity(
        until: 0, touches: [], latelyTouches: [], events: 0, latelyEvents: 0, topicCount: 1)

    @Test(
        "how often a person comes back to a topic is what Bayes's rule makes of returns and of waits under a decaying rate"
    )
    func ownRate() throws {
        let (time, shape, floor, rate, k, depth) = (log(20_000.0), 1.3, 0.1, log(1e-4), 1.7, 0.6)
        let rates = RateSchema(
            topics: [[0, 1, 1, 0, 1], [time, shape, floor, rate, k], [log(1e5), 1, 1, rate, k]], depth: depth)
        var state = PersonState(schema().rating(rates))
        let events = events(400, seed: 4)
        for (event, topics) in events { state.apply(event, topics: topics[...]) }
        for topic: UInt32 in [1, 2] {
            let own = events.filter { $0.topics.contains(topic) }.map(\.event)
            var (returns, waited) = (0.0, 0.0)
            for (before, touch) in zip(own, own.dropFirst()) {
                let gap = Double(touch.time - before.time) / 1e6
                guard gap > 1_800 else { continue }
                let third = Double(min(2, Int(before.engagement * 3)) - 1) / 3
                let (scale, p, f) = topic == 1 ? (exp(time + depth * third), shape, floor) : (1, 1, 1)
                let step = gap / 20_000
                returns += 1
                for part in 0..<20_000 {
                    let d: Double = (Double(part) + 0.5) * step
                    let left: Double = 1 / (1 + pow(d / scale, p))
                    waited += step * (f + (1 - f) * left)
                }
            }
            #expect(returns > 10)
            let found = try #require(state.rate(of: topic))
            #expect(abs(found - log((k + returns) / (k + exp(rate) * waited))) < 2e-3)
        }
        // Whose numbers are not there, who was not met, and where nothing is followed.
        #expect(state.rate(of: 4) == nil && state.rate(of: 77) == nil)
        state.reset()
        state.apply(events[0].event, topics: [1])
        #expect(try #require(state.rate(of: 1)) == 0)
        var without = PersonState(schema())
        for (event, topics) in events { without.apply(event, topics: topics[...]) }
        #expect(without.rate(of: 1) == nil)
        #expect(rates.renumbered([2, -1]).topics == [rates.topics[2], rates.topics[0]])
    }

    @Test("rates that no training finds are not taken for some")
    func soundRates() {
        let good = [[0.0, 1, 0.2, -3, 1.5], [9, 2, 1, -20, 0.1]]
        func isSound(_ topics: [[Double]], depth: Double = 0.1) -> Bool {
            RateSchema(topics: topics, depth: depth).isSound(topics: 2)
        }
        #expect(isSound(good) && RateSchema(topics: good, depth: 0).alike.isSound(topics: 2))
        #expect(!isSound([]) && !isSound([good[0]]) && !isSound(good + good))
        #expect(!isSound([good[0], [9, 2, 1, -20]]) && !isSound(good, depth: 1e308) && !isSound(good, depth: .nan))
        for (place, value) in [
            (0, 1e300), (1, -1), (1, 0), (2, 1.5), (2, -0.1), (3, 1e300), (4, -3), (4, 0), (4, .nan),
        ] {
            var bad = good
            bad[1][place] = value
            #expect(!isSound(bad), "\(place) \(value)")
        }
    }

    /// Events drawn at random: some on several topics, some at one moment, some far apart.
    private func events(_ count: Int, seed: UInt64) -> [(event: StateEvent, topics: [UInt32])] {
        var generator = SeededGenerator(seed: seed)
        var time: Int64 = 1_700_000_000_000_000
        return (0..<count).map { _ in
            if generator.uniform() > 0.1 { time += Int64(exp(generator.uniform() * 16) * 1e6) }
            let topics = (0..<1 + Int(generator.uniform() * 3)).map { _ in UInt32(generator.uniform() * 5) }
            let event = StateEvent(
                time: time, item: UInt32(generator.uniform() * 50), engagement: Float(0.01 + 0.99 * generator.uniform())
            )
            return (event, Array(Set(topics)).sorted())
        }
    }

    /// The same features from all events at once, written plainly from their definitions.
    private func reference(_ events: [(event: StateEvent, topics: [UInt32])], _ topic: UInt32) -> [String: Double] {
        let last = events[events.count - 1].event.time
        let own = events.indices.filter { events[$0].topics.contains(topic) }
        let seconds = { (span: Int64) in Double(span) / 1e6 }
        let horizon = seconds(Self.horizon)
        let logTime = { (x: Double) in log(x / horizon + 1e-5) }
        let times = own.map { events[$0].event.time }
        let intervals = Array(zip(times, times.dropFirst()).map { seconds($1 - $0) }.suffix(10))
        let mean = intervals.reduce(0, +) / Double(max(1, intervals.count))
        let spread = (intervals.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, intervals.count)))
            .squareRoot()
        func count(_ indices: [Int], _ halfLife: Double) -> Double {
            log1p(indices.reduce(0) { $0 + exp2(-seconds(last - events[$1].event.time) / (halfLife * horizon)) })
        }
        func visits(_ times: [Int64]) -> Double {
            log1p(Double(1 + zip(times, times.dropFirst()).count { $1 - $0 > 1_800_000_000 }))
        }
        func engagement(_ indices: ArraySlice<Int>) -> Double {
            indices.reduce(0) { $0 + Double(events[$1].event.engagement) } / Double(indices.count)
        }
        let recent = own.reduce(0) {
            $0 + Double(events[$1].event.engagement) * exp2(-seconds(last - events[$1].event.time) / (horizon / 2))
        }
        var run = 0
        while run < min(20, events.count), events[events.count - 1 - run].topics.contains(topic) { run += 1 }
        var result: [String: Double] = [
            "log_staleness": logTime(seconds(last - times[times.count - 1])), "log_touches": log1p(Double(own.count)),
            "log_events": log1p(Double(events.count)), "topic_share": Double(own.count) / Double(events.count),
            "log_person_age": logTime(seconds(last - events[0].event.time)),
            "log_topic_age": logTime(seconds(last - times[0])), "log_person_visits": visits(events.map(\.event.time)),
            "log_topic_visits": visits(times), "mean_engagement": engagement(own.suffix(10)),
            "last_engagement": Double(events[own[own.count - 1]].event.engagement),
            "person_engagement": engagement(Array(events.indices).suffix(10)),
            "log_topics_met": log1p(Double(Set(events.flatMap(\.topics)).count)),
            "recent_degree": recent / (recent + 1.5), "same_topic_run": log1p(Double(run)),
            "intervals_known": Double(intervals.count) / 10,
        ]
        if !intervals.isEmpty {
            let sorted = intervals.sorted()
            let middle = sorted.count / 2
            result["log_mean_interval"] = logTime(mean)
            result["log_spread_interval"] = logTime(spread)
            result["log_median_interval"] = logTime(
                sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle] + sorted[middle - 1]) / 2)
        }
        for (name, halfLife) in zip(["16th", "4th", "1", "4", "16"], FeatureSchema.halfLives) {
            result["topic_count_half_life_\(name)_horizon"] = count(own, halfLife)
            result["person_count_half_life_\(name)_horizon"] = count(Array(events.indices), halfLife)
        }
        return result
    }

    @Test("moved on event by event gives what the definitions give of all events at once", arguments: 0..<12)
    func definitions(seed: UInt64) throws {
        let all = events(10 + 12 * Int(seed), seed: seed)
        var state = PersonState(schema())
        for (event, topics) in all { state.apply(event, topics: topics[...]) }
        for topic in Set(all.flatMap(\.topics)) {
            let values = features(state, topic, popularity: nothing)
            for (name, expected) in reference(all, topic) {
                let value = Double(values[try #require(FeatureSchema.lastEventIndex(name))])
                // Sums of halvings in another order, intervals in float32.
                #expect(abs(value - expected) < 2e-4 * max(1, abs(expected)), "\(name): \(value) is not \(expected)")
            }
        }
    }

    @Test("after the last event every feature stands still, and query-time ones at it agree with them")
    func still() throws {
        let all = events(60, seed: 4)
        var state = PersonState(schema())
        for (event, topics) in all { state.apply(event, topics: topics[...]) }
        let topic = try #require(state.topics.first)
        var now = [Float](repeating: 0, count: FeatureSchema.queryTimeCount)
        now.withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { state.writeFeatures(of: topic, at: state.lastTime, to: base) }
        }
        let then = features(state, topic.topic, popularity: nothing)
        for (a, b) in [
            ("log_elapsed_since_topic", "log_staleness"), ("degree_now", "recent_degree"),
            ("topic_count_now_half_life_4_horizon", "topic_count_half_life_4_horizon"), ("now_hour_sin", "hour_sin"),
            ("person_count_now_half_life_16th_horizon", "person_count_half_life_16th_horizon"),
        ] {
            let value = now[try #require(FeatureSchema.queryTimeIndex(a))]
            #expect(value == then[try #require(FeatureSchema.lastEventIndex(b))], "\(a)")
        }
    }

    @Test("does not grow with a person's events: at most 8 KB and 300 bytes a topic")
    func bounded() {
        var state = PersonState(schema(window: 256))
        var generator = SeededGenerator(seed: 2)
        var sizes: [Int] = []
        for event in 1...40_000 {
            let topic = UInt32(generator.uniform() * 20)
            state.apply(
                StateEvent(time: Int64(event) * 60_000_000, item: topic, engagement: 0.5), topics: [topic][...])
            if event == 2_000 || event == 40_000 { sizes.append(state.byteCount) }
        }
        #expect(sizes[0] == sizes[1])
        #expect(sizes[1] <= 8_192 + 300 * 20, "\(sizes[1]) bytes")
        // Under a person of many topics: what a topic costs.
        var many = PersonState(schema())
        for topic in 0..<1_000 as Range<UInt32> {
            many.apply(StateEvent(time: Int64(topic), item: 0, engagement: 1), topics: [topic][...])
        }
        #expect(many.byteCount <= 8_192 + 300 * 1_000)
        #expect(MemoryLayout<TopicState>.stride <= 276)
    }

    @Test("its window holds the last events in order, and one more", arguments: [1, 2, 7, 64])
    func window(length: Int) {
        var state = PersonState(schema(window: length))
        for event in 0..<150 {
            state.apply(StateEvent(time: Int64(event), item: UInt32(event), engagement: 1), topics: [])
            let expected = max(0, event - length)...event
            #expect((0..<state.windowCount).map { Int(state.windowEvent($0).item) } == Array(expected))
        }
        state.reset()
        #expect(state.windowCount == 0 && state.eventCount == 0 && state.topics.isEmpty)
    }

    @Test("an event before the last one counts as at the last one's moment, without a trap")
    func outOfOrder() {
        var state = PersonState(schema(window: 4))
        state.apply(StateEvent(time: 1_000_000, item: 0, engagement: 1), topics: [1][...])
        state.apply(StateEvent(time: -5_000_000_000, item: 0, engagement: 1), topics: [1][...])
        #expect(state.lastTime == 1_000_000 && state.eventCount == 2)
        #expect(features(state, 1, popularity: nothing).allSatisfy { $0.isFinite })
    }

    @Test("a batch is a fold: queries of a task have the features of states moved on event by event")
    func batch() throws {
        let task = try TaskTests.task(TaskTests.log(users: 60))
        let histories = task.histories
        for part in Part.allCases {
            let queries = try task.queries(part, count: 400, seed: 3)
            for row in stride(from: 0, to: queries.count, by: 7) {
                var state = PersonState(task.schema)
                let user = Int(queries.user[row])
                for index in histories.userStarts[user]...queries.event[row] {
                    state.apply(histories.event(index), topics: histories.log.topics[histories.log.item[index]])
                }
                let own = features(state, queries.topic[row], popularity: task.popularity[queries.snapshot[row]])
                let width = FeatureSchema.lastEventCount
                #expect(own == Array(queries.lastEventFeatures[row * width..<(row + 1) * width]), "to the last bit")
            }
        }
    }

    @Test("a person with very many events costs a fold what as many events of many people cost")
    func linear() throws {
        // Work is counted, not timed: each event is applied once, whoever's it is.
        func places(_ users: Int, _ each: Int) throws -> (events: Int, queries: Int) {
            let histories = (0..<users).map { _ in [Int](repeating: 0, count: each) }
            let log = TinyLog.log(histories).with(topics: .single(1))
            let split = try Split(log, horizon: 3_600_000_000)
            let task = InterestTask(Histories(log, trainEnd: split.trainEnd), split: split, seed: 1)
            let queries = try task.queries(.test, count: 300, seed: 1)
            let last = Dictionary(grouping: 0..<queries.count) { queries.user[$0] }.mapValues { rows in
                rows.map { queries.event[$0] }.max() ?? 0
            }
            return (last.reduce(0) { $0 + $1.value - task.histories.userStarts[Int($1.key)] + 1 }, queries.count)
        }
        let (one, many) = (try places(1, 8_000), try places(80, 100))
        #expect(one.events <= 8_000 && many.events <= 8_000)
        #expect(one.queries > 200 && many.queries > 200)
    }

    @Test("popularity of a snapshot counts what lies at or before it, as counted plainly")
    func popularity() throws {
        let log = TaskTests.log(users: 50).sortedByUser()
        let split = try Split(log)
        let snapshots = PopularitySnapshots(log, at: split.snapshots, horizon: split.horizon)
        #expect(snapshots.all.count == 8)
        for snapshot in snapshots.all {
            let known = (0..<log.count).filter { log.time[$0] <= snapshot.until }
            let lately = known.filter { log.time[$0] > snapshot.until - split.horizon }
            #expect(snapshot.events == known.count && snapshot.latelyEvents == lately.count)
            for topic in 0..<UInt32(log.topics.count) {
                let counts = [known, lately].map { indices in
                    indices.count { log.topics[log.item[$0]].contains(topic) }
                }
                #expect(
                    Int(snapshot.touches[Int(topic)]) == counts[0]
                        && Int(snapshot.latelyTouches[Int(topic)]) == counts[1])
            }
        }
        #expect(snapshots.index(at: split.snapshots[0] - 1) == -1 && snapshots.index(at: .max) == 7)
        #expect(snapshots[-1].events == 0)
    }
}
