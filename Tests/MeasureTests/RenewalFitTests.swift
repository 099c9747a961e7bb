import Foundation
import TestSupport
import Testing
@testable import WaneBaselines
import WaneEvents
import WaneSimulation
import WaneState
import WaneTasks

@Suite("Decay of topics")
struct RenewalFitTests {
    private static let day = 86_400.0

    private static func simulated(users: Int = 500, _ change: (inout Simulator.Options) -> Void = { _ in })
        -> Simulator.Result
    {
        var options = Simulator.Options()
        options.users = users
        options.seed = 9
        options.days = 180
        (options.personSpread, options.depth, options.fatigue) = (0, 1, 1)
        change(&options)
        return Simulator(options).run()
    }

    private static func task(_ log: EventLog) throws -> InterestTask {
        let split = try Split(log)
        return InterestTask(Histories(log.sortedByUser(), trainEnd: split.trainEnd), split: split, seed: 7)
    }

    private static func fit(_ task: InterestTask, users: (@Sendable (UInt32) -> Bool)? = nil) throws -> RenewalFit {
        try RenewalFit(
            task.histories, split: task.split,
            topicRow: (0..<task.histories.log.topics.count).map { Int64($0) + 1 },
            topicRows: task.histories.log.topics.count,
            resolution: task.histories.log.resolution(until: task.split.trainEnd), users: users)
    }

    /// Days.
    private static func halfLife(_ fit: RenewalFit, _ row: Int, _ task: InterestTask) -> Double? {
        RenewalFit.logHalfLife(fit.rows[row]).map { exp($0) * Double(task.split.horizon) / 1e6 / day }
    }

    @Test("planted half-lives of a quarter of a day to sixteen are found, and are less certain from fewer people")
    func planted() throws {
        let simulated = Self.simulated()
        let task = try Self.task(simulated.log)
        let many = try Self.fit(task)
        let few = try Self.fit(task) { $0 % 8 == 0 }
        let names = task.histories.log.topics.names
        var wider = 0
        for topic in simulated.topics {
            let row = Int(try #require(names.find(topic.name))) + 1
            let factor = try #require(Self.halfLife(many, row, task)) / (topic.halfLife / Self.day)
            #expect(abs(log(factor)) < log(1.25), "\(topic.name): \(factor)")
            #expect(abs(log(factor)) < 3.5 * many.uncertainty[row] + 0.05, "\(topic.name): \(factor)")
            if few.uncertainty[row] > many.uncertainty[row] { wider += 1 }
        }
        #expect(wider == simulated.topics.count)
        #expect(many.spread < 0.15)
    }

    @Test("how far people differ is found, and eight of ten pairs lie within what is said of each")
    func spread() throws {
        let simulated = Self.simulated { $0.personSpread = 0.5 }
        let task = try Self.task(simulated.log)
        let fit = try Self.fit(task)
        #expect((0.4...0.6).contains(fit.spread), "\(fit.spread)")
        let histories = task.histories
        // The simulator's events stand by person and time, as the task's do.
        let planted = Dictionary(
            zip(simulated.log.user.indices, simulated.halfLife).map {
                (
                    "\(simulated.log.users[Int(simulated.log.user[$0])]) \(simulated.log.topics.names[Int(simulated.log.topics[simulated.log.item[$0]].first ?? 0)])",
                    Double($1)
                )
            }, uniquingKeysWith: { a, _ in a })
        var (held, all) = (0, 0)
        for (userTopic, pair) in fit.pairs {
            let topic = Int(histories.userTopicTopic[userTopic])
            let user = histories.log.users[Int(histories.userTopicUser[userTopic])]
            let truth = try #require(planted["\(user) \(histories.log.topics.names[topic])"])
            let common = try #require(Self.halfLife(fit, topic + 1, task))
            let off = log(truth / Self.day / common) - pair.mean
            let deviation = (pair.variance + fit.uncertainty[topic + 1] * fit.uncertainty[topic + 1]).squareRoot()
            if abs(off) < 1.2816 * deviation { held += 1 }
            all += 1
        }
        #expect((0.74...0.86).contains(Double(held) / Double(all)), "\(Double(held) / Double(all))")
    }

    @Test("of a log of dates the same half-lives are found, but for those within a day")
    func dates() throws {
        let log = Self.simulated { $0.users = 600 }.log
        let day = 86_400 * EventLog.second
        let dates = EventLog(
            users: log.users, items: log.items, user: log.user, item: log.item,
            time: Column(log.time.map { $0 / day * day }), duration: log.duration, topics: log.topics)
        let task = try Self.task(dates)
        let fit = try Self.fit(task)
        for topic in Self.simulated().topics where topic.halfLife > Self.day {
            let row = Int(try #require(task.histories.log.topics.names.find(topic.name))) + 1
            let factor = try #require(Self.halfLife(fit, row, task)) / (topic.halfLife / Self.day)
            #expect(abs(log2(factor)) < log2(1.35), "\(topic.name): \(factor)")
        }
    }

    @Test("what is said to be uncertain is how far ten other logs of the same kind lie apart")
    func uncertainty() throws {
        var found: [[Double]] = []
        var said: [[Double]] = []
        for seed in 0..<10 {
            let task = try Self.task(Self.simulated(users: 150) { $0.seed = 100 + UInt64(seed) }.log)
            let fit = try Self.fit(task)
            let names = task.histories.log.topics.names
            let rows = try (1...12).map { Int(try #require(names.find("topic-\($0)"))) + 1 }
            found.append(rows.map { RenewalFit.logHalfLife(fit.rows[$0]) ?? .nan })
            said.append(rows.map { fit.uncertainty[$0] })
        }
        var (apart, expected) = (0.0, 0.0)
        for topic in 0..<12 {
            let values = found.map { $0[topic] }.filter { !$0.isNaN }
            let mean = values.reduce(0, +) / Double(values.count)
            apart += values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
            expected += said.reduce(0) { $0 + $1[topic] * $1[topic] } / 10
        }
        let ratio = (expected / apart).squareRoot()
        #expect((0.75...1.5).contains(ratio), "\(ratio)")
    }

    @Test("what a deep visit multiplies the half-life by is found")
    func depth() throws {
        let simulated = Self.simulated { $0.depth = 4 }
        let fit = try Self.fit(Self.task(simulated.log))
        #expect(abs(fit.depth - log(4)) < 0.3, "\(fit.depth)")
        #expect(fit.depthOffset(0.9) > 0.3 && fit.depthOffset(0.1) < -0.3 && fit.depthOffset(0.5) == 0)
    }

    @Test("people who come at different steady rates do not fade, and people who leave are not taken for fading")
    func steady() throws {
        var generator = SeededGenerator(seed: 6)
        var text = "UserID,Time,PageID,Topic\n"
        for user in 0..<400 {
            let own = exp(generator.normal() * 0.7)
            let leaves = Self.day * 60 * -log(1 - generator.uniform())
            for topic in 0..<4 {
                var at = 20 * Self.day * generator.uniform()
                while at < min(leaves, 200 * Self.day) {
                    text += "u\(user),\(1_700_000_000 + Int(at)),p\(topic),t\(topic)\n"
                    at += Self.day * [2.0, 4, 8, 16][topic] / own * -log(1 - generator.uniform())
                }
            }
        }
        let folder = try TemporaryFolder()
        let log = try LogReader.read(folder.write("log.csv", text)).log
        let task = try Self.task(log)
        let fit = try Self.fit(task)
        for row in 1...4 {
            let span = Double(task.split.end - task.split.start) / 1e6 / Self.day
            #expect(
                Self.halfLife(fit, row, task).map { $0 > span } ?? true,
                "\(row): \(fit.rows[row]), left \(fit.left), spread \(fit.spread)")
        }
        // exp(-t / 60 d) after the 128 days of training, less those of whom nothing is known.
        #expect((0.75...0.97).contains(fit.left), "\(fit.left)")
    }

    @Test("the rate's integral is the closed one, and the likelihood's slopes are differences")
    func numerics() throws {
        var table = RateTable(places: 60, shortest: 1_800, levels: 1, nodes: 1)
        let tau = 3 * Self.day
        for shape in [1.0, 2] {
            table.fill(
                logTime: log(tau), shape: shape, floor: 0.2, spread: 0, deviations: [0], depth: 0)
            for place in [10, 30, 59] {
                let time = 1_800 * exp(Double(place) * TouchRecord.step)
                func fading(_ t: Double) -> Double { shape == 1 ? tau * log(1 + t / tau) : tau * atan(t / tau) }
                let exact = 0.2 * (time - 1_800) + 0.8 * (fading(time) - fading(1_800))
                #expect(abs(table.waited[place * RateTable.width] / exact - 1) < 5e-3, "\(shape), \(place)")
                let rate = 0.2 + 0.8 / (1 + pow(time / tau, shape))
                #expect(abs(table.logRate[place * RateTable.width] - log(rate)) < 1e-12)
            }
        }
        let task = try Self.task(Self.simulated(users: 30) { $0.depth = 3 }.log)
        let record = TouchRecord(
            task.histories, split: task.split, topicRow: (1...12).map(Int64.init), topicRows: 12, resolution: 1,
            followsHours: true, users: nil)
        let likelihood = RenewalLikelihood(
            record, deviations: RenewalFit.deviations,
            logWeights: RenewalFit.deviations.map { -$0 * $0 / 2 })
        var generator = SeededGenerator(seed: 3)
        var x = [Double](repeating: 0, count: likelihood.used.count * 5 + RenewalLikelihood.globals)
        for place in x.indices {
            x[place] = (place % 5 == 0 ? 11.5 : place % 5 == 3 ? -11.5 : 0.5) + generator.normal()
        }
        likelihood.setGlobals(&x, spread: 0.4, depth: 0.6)
        let around = record.people.indices.flatMap { _ in (0..<TouchRecord.silences).map { 1 - Double($0) / 10 } }
        var gradient = x
        _ = likelihood.value(x, around: around, &gradient)
        var unused = x
        for place in [0, 1, 2, 3, 4, 17, 18, 24, x.count - 2, x.count - 1] {
            var (up, down) = (x, x)
            up[place] += 1e-4
            down[place] -= 1e-4
            let difference =
                (likelihood.value(up, around: around, &unused) - likelihood.value(down, around: around, &unused)) / 2e-4
            #expect(abs(difference - gradient[place]) < 1e-3 * max(1, abs(difference)), "\(place)")
        }
        for row in likelihood.used.indices {
            let scores = likelihood.scores(row, x, around: around)
            for column in 0..<4 {
                let sum = scores.reduce(0) { $0 + $1.value[column] }
                let whole = gradient[row * 5 + column]
                #expect(abs(sum - whole) < 1e-6 * max(1, abs(whole)), "row \(row), column \(column)")
            }
        }
    }

    @Test(
        "questions are answered yes as often as the planted chances say, of those with few touches and of those with many"
    )
    func unbiased() throws {
        let simulated = Self.simulated(users: 400)
        let task = try Self.task(simulated.log)
        let histories = task.histories
        let topics = Dictionary(uniqueKeysWithValues: simulated.topics.map { ($0.name, $0) })
        let horizon = Double(task.split.horizon) / 1e6
        for part in Part.allCases {
            let queries = try task.queries(part, count: 20_000, seed: 1)
            var surprise: [Int: [UInt32: Double]] = [:]
            for row in 0..<queries.count {
                let topic = try #require(topics[histories.log.topics.names[Int(queries.topic[row])]])
                let chance = Simulator.returnProbability(
                    rate: topic.rate, halfLife: topic.halfLife, shape: topic.shape,
                    gap: Double(queries.elapsedSinceTopic[row]), horizon: horizon)
                let touches = histories.topicEvents(ofUserTopic: queries.userTopic[row]).prefix {
                    histories.time(ofTopicEvent: $0) <= queries.moment[row]
                }.count
                // Questions of one pair overlap: the pair is the independent part.
                surprise[touches == 1 ? 0 : touches < 6 ? 1 : 2, default: [:]][
                    UInt32(queries.userTopic[row]), default: 0] += Double(queries.didReturn[row]) - chance
            }
            for (group, found) in surprise {
                let sum = found.values.reduce(0, +)
                let deviation = found.values.reduce(0) { $0 + $1 * $1 }.squareRoot()
                #expect(abs(sum) < 3.5 * deviation, "\(part), group \(group): \(sum / deviation)")
            }
        }
    }
}
