import Foundation
import TestSupport
import Testing
import WaneBaselines
import WaneEvents
import WaneSimulation
import WaneState
import WaneTasks

@Suite("Rates of topics")
struct TopicRatesTests {
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

    private static func rates(_ task: InterestTask, _ queries: QuerySet) -> TopicRates {
        let horizon = task.split.horizon
        return TopicRates(
            queries, topicRow: (0..<task.histories.log.topics.count).map { Int64($0) + 1 },
            topicRows: task.histories.log.topics.count, horizon: horizon,
            windows: ReturnWindows.draw(
                queries, resolution: task.histories.log.resolution(until: task.split.trainEnd), horizon: horizon))
    }

    @Test(
        "planted half-lives of a quarter of a day to sixteen are found, and said to be uncertain where few questions are"
    )
    func planted() throws {
        let simulated = Self.simulated()
        let task = try Self.task(simulated.log)
        let many = Self.rates(task, try task.queries(.train, count: 20_000, seed: 1))
        let few = Self.rates(task, try task.queries(.train, count: 1_500, seed: 1))
        let names = task.histories.log.topics.names
        var wider = 0
        var errors: [Double] = []
        for topic in simulated.topics {
            let row = Int(try #require(names.find(topic.name))) + 1
            let found = try #require(TopicRates.logHalfLife(many.rows[row])) + log(Double(task.split.horizon) / 1e6)
            errors.append(abs(found - log(topic.halfLife)))
            #expect(abs(found - log(topic.halfLife)) < log(2), "\(topic.name): \(exp(found) / topic.halfLife)")
            if few.uncertainty[row] > many.uncertainty[row] { wider += 1 }
        }
        #expect(errors.sorted()[errors.count / 2] < log(1.25))
        #expect(wider >= 9)
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
