import Foundation
import TestSupport
import Testing

@testable import WaneData

@Suite("The interest task")
struct TaskTests {
    static func log(users: Int = 40, seed: UInt64 = 3) -> EventLog {
        var options = Simulator.Options()
        options.users = users
        options.seed = seed
        return Simulator(options).run().log
    }

    static func task(_ log: EventLog, seed: UInt64 = 7) throws -> InterestTask {
        let split = try Split(log)
        return try InterestTask(Histories(log, trainEnd: split.trainEnd), split: split, seed: seed)
    }

    /// The same log with each event changed by `change`, given its place.
    static func changed(_ log: EventLog, _ change: (Int) -> (time: Int64, item: UInt32, duration: Float)?) -> EventLog {
        let user = Column<UInt32>(), item = Column<UInt32>(), time = Column<Int64>(), duration = Column<Float>()
        for place in 0..<log.count {
            let new = change(place) ?? (log.time[place], log.item[place], log.duration?[place] ?? 0)
            user.append(log.user[place])
            item.append(new.item)
            time.append(new.time)
            duration.append(new.duration)
        }
        return EventLog(
            users: log.users, items: log.items, user: user, item: item, time: time, duration: duration,
            topics: log.topics)
    }

    @Test("changing every event after a moment changes no feature of a query at that moment")
    func noLeak() throws {
        let log = Self.log().sortedByUser()
        let split = try Split(log)
        let task = try Self.task(log)
        var generator = SeededGenerator(seed: 99)
        for part in [Part.validation, .test] {
            let queries = try task.queries(part, count: 60, seed: 5)
            for row in stride(from: 0, to: queries.count, by: 6) {
                let moment = queries.moment[row]
                // Later events move, change their item and duration; none may fall at or before the moment.
                let other = Self.changed(log) { place in
                    guard log.time[place] > moment else { return nil }
                    let time = moment + 1 + Int64.random(in: 0...(split.end - moment), using: &generator)
                    let item = UInt32.random(in: 0..<UInt32(log.items.count), using: &generator)
                    return (time, item, Float.random(in: 1...1_000, using: &generator))
                }
                // Training statistics end before these parts, so the learned scale is the same.
                let changed = try InterestTask(
                    Histories(other, trainEnd: split.trainEnd), split: split, seed: 7, median: task.median)
                let user = Int(queries.user[row])
                let pair = try #require(changed.histories.pair(user: user, topic: queries.topic[row]))
                let again = changed.queries(at: [(pair, moment)])
                let (a, t) = (FeatureBuilder.anchoredCount, FeatureBuilder.timedCount)
                #expect(Array(again.anchored) == Array(queries.anchored[row * a..<(row + 1) * a]))
                #expect(Array(again.timed) == Array(queries.timed[row * t..<(row + 1) * t]))
                #expect(again.gap[0] == queries.gap[row] && again.personGap[0] == queries.personGap[row])
            }
        }
    }

    @Test("a query and its horizon lie inside its own part")
    func parts() throws {
        let task = try Self.task(Self.log())
        let split = task.split
        let bounds: [(Part, Int64, Int64)] = [
            (.train, split.start, split.trainEnd), (.validation, split.trainEnd, split.validationEnd),
            (.test, split.validationEnd, split.end),
        ]
        for (part, low, high) in bounds {
            let queries = try task.queries(part, count: 500, seed: 1)
            #expect(queries.moment.allSatisfy { $0 >= low && $0 + split.horizon <= high })
        }
    }

    @Test("labels are those of the definition, counted by hand")
    func labels() throws {
        let log = Self.log().sortedByUser()
        let task = try Self.task(log)
        let queries = try task.queries(.test, count: 300, seed: 2)
        for row in 0..<queries.count {
            var engagement = 0.0
            for place in 0..<log.count
            where log.user[place] == queries.user[row] && log.time[place] > queries.moment[row]
                && log.time[place] <= queries.moment[row] + task.split.horizon
                && log.topics[log.item[place]].contains(queries.topic[row])
            {
                engagement += Double(task.histories.engagement.values[place])
            }
            #expect(queries.returned[row] == (engagement > 0 ? 1 : 0))
            #expect(abs(Double(queries.degree[row]) - engagement / (engagement + task.median)) < 1e-5)
        }
    }

    @Test("gaps spread over their logarithm, none shorter than the shortest")
    func gaps() throws {
        let task = try Self.task(Self.log(users: 200))
        let queries = try task.queries(.test, count: 4_000, seed: 2)
        let horizon = Double(task.split.horizon) / 1e6
        let decades = Dictionary(grouping: queries.gap) { Int((log10(Double($0) / horizon)).rounded(.down)) }
        #expect(queries.gap.allSatisfy { Double($0) >= horizon / 10_000 * 0.999 })
        // Four whole decades below the horizon, none rare.
        for decade in -4 ... -1 { #expect((decades[decade]?.count ?? 0) > queries.count / 12, "decade \(decade)") }
    }

    @Test("in a log of positions every query stands at an event of the person")
    func positions() throws {
        var text = "UserID,PageID\n"
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<6_000 {
            text += "\(Int.random(in: 0..<30, using: &generator)),\(Int.random(in: 0..<9, using: &generator))\n"
        }
        let (read, _) = try LogReader.read(bytes: Array(text.utf8), file: "log.csv")
        let log = read.sortedByUser()
        let task = try Self.task(log.with(topics: TopicChooser.topics(for: log, until: .max, seed: 1)))
        for part in Part.allCases {
            let queries = try task.queries(part, count: 500, seed: 1)
            #expect(queries.personGap.allSatisfy { $0 == 0 })
            #expect(queries.gap.allSatisfy { $0 >= 1 && $0 == $0.rounded() })
        }
    }

    @Test("an event's engagement is the percentile of its duration in the training part")
    func engagement() {
        let durations: [Float] = [10, 20, 30, 40, 1_000]
        let log = EventLog(
            users: Vocabulary(["u"]), items: Vocabulary(["i"]), user: Column([0, 0, 0, 0, 0]),
            item: Column([0, 0, 0, 0, 0]), time: Column([1, 2, 3, 4, 5]), duration: Column(durations),
            topics: .single(1))
        // The fifth lies after the training part: it is placed among the four, not counted.
        #expect(Engagement(log, until: 5).values == [0.25, 0.5, 0.75, 1, 1])
    }

    @Test("the same seed draws the same queries; another draws others")
    func seeds() throws {
        let task = try Self.task(Self.log())
        #expect(try task.queries(.test, count: 200, seed: 1).moment == task.queries(.test, count: 200, seed: 1).moment)
        #expect(try task.queries(.test, count: 200, seed: 1).moment != task.queries(.test, count: 200, seed: 2).moment)
        #expect(
            try task.trainingQueries(epoch: 0, count: 200, seed: 1).moment
                != task.trainingQueries(epoch: 1, count: 200, seed: 1).moment)
    }

    @Test("a horizon longer than the log and a log of one moment are refused in words")
    func impossible() {
        let log = Self.log()
        let error = #expect(throws: SplitError.self) { try Split(log, horizon: 400 * 86_400 * EventLog.second) }
        #expect(error?.description.contains("--horizon") == true)
        let still = Self.changed(log) { _ in (5, 0, 1) }
        #expect(throws: SplitError.noTimeSpan(events: log.count)) { try Split(still) }
    }

    @Test("one person, one item, people with one event: each draws queries or says why not")
    func small() throws {
        func log(_ rows: [(user: UInt32, item: UInt32, day: Double)]) -> EventLog {
            EventLog(
                users: Vocabulary((0...5).map { "u\($0)" }), items: Vocabulary((0...5).map { "i\($0)" }),
                user: Column(rows.map(\.user)), item: Column(rows.map(\.item)),
                time: Column(rows.map { Int64($0.day * 86_400e6) }),
                topics: ItemTopics(
                    names: Vocabulary(["t"]), byItem: [[UInt32]](repeating: [0], count: 6), source: .column))
        }
        let oneUser = log((0..<100).map { (0, UInt32($0 % 3), Double($0)) })
        #expect(try Self.task(oneUser).queries(.test, count: 50, seed: 1).count > 0)
        let oneEach = log((0..<6).map { (UInt32($0), 0, Double($0 * 20)) })
        #expect(try Self.task(oneEach).queries(.train, count: 50, seed: 1).returned.allSatisfy { $0 == 0 })
    }

    @Test("topics learned from co-visits group what is visited together, and see no later event")
    func coVisitation() {
        // Two worlds of forty items; people stay in one of them.
        let user = Column<UInt32>(), item = Column<UInt32>(), time = Column<Int64>()
        var generator = SeededGenerator(seed: 4)
        for person in 0..<200 {
            for step in 0..<20 {
                user.append(UInt32(person))
                item.append(UInt32(person % 2 * 40) + UInt32.random(in: 0..<40, using: &generator))
                time.append(Int64(step) * 1_000_000)
            }
        }
        let log = EventLog(
            users: Vocabulary((0..<200).map(String.init)), items: Vocabulary((0..<80).map(String.init)), user: user,
            item: item, time: time, topics: ItemTopics(names: Vocabulary(), byItem: [], source: .coVisitation))
        let topics = TopicChooser.topics(for: log, until: .max, seed: 1)
        let first = Set((0..<40).flatMap { topics[UInt32($0)] })
        let second = Set((40..<80).flatMap { topics[UInt32($0)] })
        #expect(first.isDisjoint(with: second))
        #expect(TopicChooser.topics(for: log, until: 0, seed: 1).count <= 2)
    }

    @Test("where a log has labels, they are the degree")
    func ownLabels() throws {
        let rows = 300
        let log = EventLog(
            users: Vocabulary(["u"]), items: Vocabulary(["i"]), user: Column((0..<rows).map { _ in 0 }),
            item: Column((0..<rows).map { _ in 0 }), time: Column((0..<rows).map { Int64($0) * 3_600_000_000 }),
            label: Column((0..<rows).map { _ in Float(0.75) }), topics: .single(1))
        let queries = try Self.task(log).queries(.test, count: 40, seed: 1)
        #expect(queries.degree.allSatisfy { abs($0 - 0.75) < 1e-6 })
    }
}
