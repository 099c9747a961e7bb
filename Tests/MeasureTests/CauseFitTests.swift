import Foundation
import Testing
import WaneCurves
import WaneEvents
import WaneSimulation
import WaneState
import WaneTasks

@testable import WaneBaselines

@Suite("What causes do to everybody")
struct CauseFitTests {
    private static func fit(effect: Double) throws -> CauseFit {
        var options = Scenario.Options()
        (options.users, options.days, options.seed, options.effect) = (400, 150, 3, effect)
        let log = CausedLog(options, mechanism: .rate).log
        let split = try Split(log)
        let histories = Histories(log.sortedByUser(), trainEnd: split.trainEnd)
        let rows = (0..<log.topics.count).map { Int64($0) + 1 }
        let decay = try RenewalFit(
            histories, split: split, topicRow: rows, topicRows: log.topics.count,
            resolution: log.resolution(until: split.trainEnd))
        return try #require(try CauseFit(histories, split: split, decay, topicRow: rows))
    }

    @Test(
        "fatigue, overload and habit shorten half-lives where they were planted, and hardly on the twin, which shows nothing"
    )
    func planted() throws {
        let (own, twin) = (try Self.fit(effect: 2), try Self.fit(effect: 0))
        for cause in [Cause.fatigue, .overload, .habit] {
            let (a, b) = (own.evidence[cause], twin.evidence[cause])
            #expect(a.mean < b.mean - 0.1 && a.mean < -0.08 && abs(b.mean) < 0.12, "\(cause): \(a), \(b)")
            #expect(abs(a.placeboMean) < 0.15 && abs(b.placeboMean) < 0.15, "\(cause): \(a), \(b)")
            #expect(a.gain > b.gain && a.people > 100, "\(cause): \(a), \(b)")
        }
        #expect(own.evidence[.fatigue].isShown, "\(own.evidence[.fatigue])")
        for cause in Cause.allCases {
            #expect(own.evidence[cause].gain >= 0 && twin.evidence[cause].gain >= 0)
            #expect(!twin.evidence[cause].isShown, "\(cause): \(twin.evidence[cause])")
        }
        // Nobody's friends are known.
        #expect(own.evidence[.social].people == 0 && own.schema.variance[.social] == CauseSchema.none)
        #expect(own.schema.mean[.social] == 0)
    }

    @Test("a population's mean and spread are found from what is said of its people, and no effect gains nothing")
    func population() {
        var generator = SeededGenerator(seed: 8)
        func people(_ mean: Double, _ spread: Double) -> [NormalPopulation.Summary] {
            (0..<4_000).map { _ in
                let precision = exp(generator.normal()) * 4
                let own = mean + spread * generator.normal()
                return NormalPopulation.Summary(
                    found: own + generator.normal() / precision.squareRoot(), precision: precision)
            }
        }
        let found = NormalPopulation(people(-0.4, 0.5))
        #expect(abs(found.mean + 0.4) < 0.05 && abs(found.variance.squareRoot() - 0.5) < 0.05 && found.gain > 100)
        let none = NormalPopulation(people(0, 0))
        #expect(abs(none.mean) < 0.03 && none.variance < 0.01 && none.gain >= 0 && none.gain < 5)
        #expect(NormalPopulation([]).gain == 0)
    }

    @Test("logs of positions, of dates and of days have no causes, and it is said why")
    func obstacles() throws {
        var options = Scenario.Options()
        (options.users, options.days) = (40, 20)
        let short = CausedLog(options, mechanism: .rate).log
        let split = try Split(short)
        #expect(CauseFit.obstacle(short, split: split, resolution: 1_000_000)?.contains("too short") == true)
        options.days = 120
        let long = CausedLog(options, mechanism: .rate).log
        let parts = try Split(long)
        #expect(CauseFit.obstacle(long, split: parts, resolution: 1_000_000) == nil)
        #expect(CauseFit.obstacle(long, split: parts, resolution: 86_400_000_000)?.contains("dates") == true)
    }
}
