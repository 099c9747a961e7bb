import Foundation
import Testing
import WaneCurves
import WaneEvents

@testable import WaneSimulation

@Suite("Logs with planted causes")
struct ScenarioTests {
    private static func options(effect: Double = 1, seed: UInt64 = 5, users: Int = 120) -> Scenario.Options {
        var options = Scenario.Options()
        (options.users, options.days, options.seed, options.effect) = (users, 90, seed, effect)
        return options
    }

    @Test("a twin has the same circumstances at the same times, and none of them moves anybody")
    func twins() {
        let (own, twin) = (Scenario(Self.options()), Scenario(Self.options(effect: 0)))
        var moved = ByCause(repeating: 0)
        for (a, b) in zip(own.people, twin.people) {
            #expect(a.circumstances.map(\.span) == b.circumstances.map(\.span))
            #expect(a.pushed.map(\.time) == b.pushed.map(\.time) && a.pushed.map(\.topic) == b.pushed.map(\.topic))
            #expect(a.turns.map(\.at) == b.turns.map(\.at) && a.interests.map(\.start) == b.interests.map(\.start))
            #expect(a.friends == b.friends && a.end == b.end && a.taste == b.taste)
            for cause in Cause.allCases {
                #expect(b.sensitivity[cause] == 0)
                if a.sensitivity[cause] != 0 { moved[cause] += 1 }
            }
        }
        for cause in Cause.allCases { #expect(moved[cause] > 5, "\(cause)") }
    }

    @Test("friendship goes both ways")
    func friends() {
        let people = Scenario(Self.options()).people
        for (number, person) in people.enumerated() {
            for friend in person.friends { #expect(people[friend].friends.contains(number) && friend != number) }
        }
    }

    @Test(
        "visits are in order, spans follow on one another, and their half-lives are the base times all multipliers",
        arguments: CausedLog.Mechanism.allCases)
    func spans(mechanism: CausedLog.Mechanism) {
        let result = CausedLog(Self.options(), mechanism: mechanism)
        #expect(result.log.count > 5_000)
        var ends: [String: Double] = [:]
        for span in result.spans {
            let product = span.multipliers.reduce(1.0) { $0 * $1.multiplier }
            #expect(abs(span.halfLife - span.baseHalfLife * product) < 1e-6 * span.halfLife)
            #expect(span.from <= span.to)
            let pair = "\(span.user) \(span.topic)"
            if let end = ends[pair] { #expect(abs(end - span.from) < 1e-6) }
            ends[pair] = span.to
            let planted = result.scenario.topics[span.topic].halfLife * result.scenario.people[span.user].taste
            #expect(abs(span.baseHalfLife / planted - 1) < 1e-9)
        }
        for user in 0..<result.log.users.count {
            let times = result.log.time.indices.filter { Int(result.log.user[$0]) == user }.map { result.log.time[$0] }
            #expect(zip(times, times.dropFirst()).allSatisfy(<=))
        }
    }

    @Test("who is moved comes back later than who meets the same unmoved", arguments: CausedLog.Mechanism.allCases)
    func effects(mechanism: CausedLog.Mechanism) {
        var options = Self.options(users: 600)
        options.days = 120
        let result = CausedLog(options, mechanism: mechanism)
        // Of waits in one circumstance alone that lasted a while (in a binge the next visit is there at once), how many outlast
        // the half-life that is ordinary.
        let causes: [Cause] = mechanism == .rate ? [.overload, .habit] : [.fatigue, .overload, .habit]
        for cause in causes {
            func late(_ isOf: (Double) -> Bool) -> Double {
                let spans = result.spans.filter { span in
                    span.to < result.scenario.end && span.multipliers.count == 1
                        && span.to - span.from > 0.3 * span.baseHalfLife
                        && span.multipliers.contains { $0.cause == cause && isOf($0.multiplier) }
                }
                return Double(spans.count { $0.to - $0.from > $0.baseHalfLife }) / Double(max(1, spans.count))
            }
            let (moved, unmoved) = (late { $0 < 0.6 }, late { $0 == 1 })
            #expect(moved > unmoved * 1.1, "\(cause): \(moved), \(unmoved)")
        }
    }

    @Test("no length of time and no number of topics is too small", arguments: [(3.0, 1), (8, 2), (12, 5), (20, 40)])
    func small(days: Double, topics: Int) {
        var options = Self.options(users: 300)
        (options.days, options.topics) = (days, topics)
        for mechanism in CausedLog.Mechanism.allCases {
            let result = CausedLog(options, mechanism: mechanism)
            #expect(!result.spans.isEmpty && result.log.count > 0)
            #expect(Set(result.scenario.topics.map(\.halfLife)).count == topics)
        }
    }
}
