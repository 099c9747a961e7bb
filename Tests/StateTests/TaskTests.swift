import Foundation
import TestSupport
import Testing

import WaneEvents
import WaneSimulation

@testable import WaneState
@testable import WaneTasks

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
        return InterestTask(Histories(log, trainEnd: split.trainEnd), split: split, seed: seed)
    }

    /// The same log with each event changed by `change`, given its place.
    static func changed(_ log: EventLog, _ change: (Int) -> (time: Int64, item: UInt32, duration: Float)?) -> EventLog {
        let (user, item) = (ColumnBuilder<UInt32>(), ColumnBuilder<UInt32>())
        let (time, duration) = (ColumnBuilder<Int64>(), ColumnBuilder<Float>())
        for index in 0..<log.count {
            let new = change(index) ?? (log.time[index], log.item[index], log.duration?[index] ?? 0)
            user.append(log.user[index])
            item.append(new.item)
            time.append(new.time)
            duration.append(new.duration)
        }
        return EventLog(
            users: log.users, items: log.items, user: user.finish(), item: item.finish(), time: time.finish(),
            duration: duration.finish(), topics: log.topics)
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
                let other = Self.changed(log) { index in
                    guard log.time[index] > moment else { return nil }
                    let time = moment + 1 + Int64.random(in: 0...(split.end - moment), using: &generator)
                    let item = UInt32.random(in: 0..<UInt32(log.items.count), using: &generator)
                    return (time, item, Float.random(in: 1...1_000, using: &generator))
                }
                // Training statistics end before these parts, so the learned scale is the same.
                let changed = InterestTask(
                    Histories(other, trainEnd: split.trainEnd), split: split, seed: 7,
                    typicalEngagement: task.typicalEngagement)
                let user = Int(queries.user[row])
                let pair = try #require(changed.histories.userTopic(user: user, topic: queries.topic[row]))
                let again = changed.queries(at: [(pair, moment)])
                let (a, t) = (FeatureSchema.lastEventCount, FeatureSchema.queryTimeCount)
                #expect(Array(again.lastEventFeatures) == Array(queries.lastEventFeatures[row * a..<(row + 1) * a]))
                #expect(Array(again.queryTimeFeatures) == Array(queries.queryTimeFeatures[row * t..<(row + 1) * t]))
                #expect(
                    again.elapsedSinceTopic[0] == queries.elapsedSinceTopic[row]
                        && again.elapsedSinceEvent[0] == queries.elapsedSinceEvent[row])
            }
        }
    }

    @Test("what people were shown changes no query, no label and no feature")
    func exposures() throws {
        let log = Self.log().sortedByUser()
        var (rows, acts) = ("UserID,Time,PageID,Duration,EventType\n", "UserID,Time,PageID,Duration,EventType\n")
        for index in 0..<log.count {
            let (user, time) = (log.users[Int(log.user[index])], log.time[index])
            let act = "\(user),\(time),\(log.items[Int(log.item[index])]),\(log.duration?[index] ?? 1),watch\n"
            rows += "\(user),\(time - 5_000_000),\(log.items[index % log.items.count]),,impression\n" + act
            acts += act
        }
        func queries(_ text: String) throws -> QuerySet {
            let (read, _) = try LogReader.read(bytes: Array(text.utf8))
            let sorted = read.sortedByUser()
            let topics = TopicChooser.topics(for: sorted, until: .max, seed: 1)
            return try Self.task(sorted.with(topics: topics)).queries(.test, count: 400, seed: 5)
        }
        let (with, without) = (try queries(rows), try queries(acts))
        #expect(without.count > 50)
        #expect(with.user == without.user && with.topic == without.topic && with.moment == without.moment)
        #expect(with.didReturn == without.didReturn && with.event == without.event)
        #expect(with.lastEventFeatures == without.lastEventFeatures)
        #expect(with.queryTimeFeatures == without.queryTimeFeatures)
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
            for index in 0..<log.count
            where log.user[index] == queries.user[row] && log.time[index] > queries.moment[row]
                && log.time[index] <= queries.moment[row] + task.split.horizon
                && log.topics[log.item[index]].contains(queries.topic[row])
            {
                engagement += Double(task.histories.engagement[index])
            }
            #expect(queries.didReturn[row] == (engagement > 0 ? 1 : 0))
            #expect(abs(Double(queries.degree[row]) - engagement / (engagement + task.typicalEngagement)) < 1e-5)
        }
    }

    @Test("gaps spread over their logarithm, none shorter than the shortest")
    func gaps() throws {
        let task = try Self.task(Self.log(users: 200))
        let queries = try task.queries(.test, count: 4_000, seed: 2)
        let horizon = Double(task.split.horizon) / 1e6
        let decades = Dictionary(grouping: queries.elapsedSinceTopic) {
            Int((log10(Double($0) / horizon)).rounded(.down))
        }
        #expect(queries.elapsedSinceTopic.allSatisfy { Double($0) >= horizon / 10_000 * 0.999 })
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
            #expect(queries.elapsedSinceEvent.allSatisfy { $0 == 0 })
            #expect(queries.elapsedSinceTopic.allSatisfy { $0 >= 1 && $0 == $0.rounded() })
        }
    }

    @Test("an event's engagement is the percentile of its duration in the training part")
    func engagement() {
        let durations: [Float] = [10, 20, 30, 40, 1_000]
        let log = EventLog(
            users: Vocabulary(["u"]), items: Vocabulary(["i"]), user: Column([0, 0, 0, 0, 0]),
            item: Column([0, 0, 0, 0, 0]), time: Column([1, 2, 3, 4, 5]), duration: Column(durations),
            topics: .single(1))
        // The fifth lies after the training part: it is placed among the four, not counted. Each value is at the upper
        // end of the steps that hold it, of 200.
        let scale = EngagementScale(log, until: 5)
        let expected: [Float] = [0.33, 0.665, 0.995, 1, 1]
        #expect(zip(scale.engagements(log), expected).allSatisfy { abs($0 - $1) < 1e-6 })
        // Between two of them, the straight line; below the least, half a step; without a value, a half.
        let between = scale.engagement(item: nil, duration: 15, weight: nil)
        #expect(abs(between - 66.5 / 200) < 1e-6)
        #expect(scale.engagement(item: nil, duration: 1, weight: nil) == 0.5 / 201)
        #expect(scale.engagement(item: 0, duration: nil, weight: nil) == 0.5)
    }

    @Test("the same seed draws the same queries; another draws others")
    func seeds() throws {
        let task = try Self.task(Self.log())
        #expect(try task.queries(.test, count: 200, seed: 1).moment == task.queries(.test, count: 200, seed: 1).moment)
        #expect(try task.queries(.test, count: 200, seed: 1).moment != task.queries(.test, count: 200, seed: 2).moment)
        #expect(
            try task.trainingQueries(epochs: 0..<1, count: 200, seed: 1)[0].moment
                != task.trainingQueries(epochs: 1..<2, count: 200, seed: 1)[0].moment)
        // An epoch's queries do not depend on which are drawn with it.
        let together = try task.trainingQueries(epochs: 0..<3, count: 200, seed: 1)[2]
        let alone = try task.trainingQueries(epochs: 2..<3, count: 200, seed: 1)[0]
        #expect(together.moment == alone.moment && together.lastEventFeatures == alone.lastEventFeatures)
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
        func whole(_ log: EventLog, _ what: String) throws {
            let task = try Self.task(log)
            for part in Part.allCases {
                let queries = try task.queries(part, count: 50, seed: 1)
                #expect(queries.count > 0, "\(what), \(part)")
                #expect(queries.lastEventFeatures.allSatisfy { $0.isFinite }, "\(what), \(part)")
                for row in 0..<queries.count {
                    let moment = queries.moment[row]
                    let own =
                        log.count - (0..<log.count).count { log.user[$0] != queries.user[row] || log.time[$0] > moment }
                    #expect(own > 0, "\(what): somebody is asked about before their first event")
                    let later = (0..<log.count).contains {
                        log.user[$0] == queries.user[row] && log.time[$0] > moment
                            && log.time[$0] <= moment + task.split.horizon
                    }
                    #expect((queries.didReturn[row] == 1) == later, "\(what), \(part), row \(row)")
                }
            }
        }
        try whole(log((0..<100).map { (0, UInt32($0 % 3), Double($0)) }), "one person")
        try whole(log((0..<300).map { (UInt32($0 % 6), 0, Double($0) / 3) }), "one item")
        // Nobody is known in a part that lies before everybody's only event; the error names the part.
        let nobody = log([(0, 0, 99), (1, 1, 99.5), (2, 2, 100), (3, 3, 0)])
        #expect(throws: (any Error).self) {
            let task = try Self.task(nobody)
            for part in Part.allCases { _ = try task.queries(part, count: 50, seed: 1) }
        }
        let oneEach = log((0..<6).map { (UInt32($0), 0, Double($0 * 20)) })
        #expect(try Self.task(oneEach).queries(.train, count: 50, seed: 1).didReturn.allSatisfy { $0 == 0 })
    }

    @Test("topics learned from co-visits group what is visited together, and see no later event")
    func coVisitation() {
        // Two worlds of forty items; people stay in one of them.
        let (user, item, time) = (ColumnBuilder<UInt32>(), ColumnBuilder<UInt32>(), ColumnBuilder<Int64>())
        var generator = SeededGenerator(seed: 4)
        for person in 0..<200 {
            for step in 0..<20 {
                user.append(UInt32(person))
                item.append(UInt32(person % 2 * 40) + UInt32.random(in: 0..<40, using: &generator))
                time.append(Int64(step) * 1_000_000)
            }
        }
        let log = EventLog(
            users: Vocabulary((0..<200).map(String.init)), items: Vocabulary((0..<80).map(String.init)),
            user: user.finish(), item: item.finish(), time: time.finish(),
            topics: ItemTopics(names: Vocabulary(), byItem: [], source: .coVisitation))
        let topics = TopicChooser.topics(for: log, until: .max, seed: 1)
        let first = Set((0..<40).flatMap { topics[UInt32($0)] })
        let second = Set((40..<80).flatMap { topics[UInt32($0)] })
        #expect(first.isDisjoint(with: second))
        // Before anything happened nothing has a topic, rather than all the same one.
        let none = TopicChooser.topics(for: log, until: 0, seed: 1)
        #expect((0..<80).allSatisfy { none[UInt32($0)].map { none.names[Int($0)] } == [ItemTopics.unknownName] })
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
