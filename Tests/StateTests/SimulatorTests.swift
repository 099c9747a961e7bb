import Foundation
import Testing

@testable import WaneSimulation
@testable import WaneTasks

@Suite("The simulator")
struct SimulatorTests {
    @Test("the same seed makes the same log, another another")
    func seeds() {
        var options = Simulator.Options()
        options.users = 30
        let first = Simulator(options).run()
        #expect(Array(first.log.time) == Array(Simulator(options).run().log.time))
        options.seed = 2
        #expect(Array(first.log.time) != Array(Simulator(options).run().log.time))
    }

    @Test("the chance of a return agrees with its integral in closed form for a shape of two")
    func chance() {
        // ∫ dt / (1 + (t/τ)^2) = τ (atan(b/τ) - atan(a/τ))
        let (rate, tau, gap, horizon) = (2e-5, 50_000.0, 20_000.0, 100_000.0)
        let integral = tau * (atan((gap + horizon) / tau) - atan(gap / tau))
        let chance = Simulator.returnProbability(rate: rate, halfLife: tau, shape: 2, gap: gap, horizon: horizon)
        #expect(abs(chance - (1 - exp(-rate * integral))) < 1e-6)
    }

    @Test("the half-life of that chance is where it is half")
    func halfLife() {
        func chance(_ gap: Double) -> Double {
            Simulator.returnProbability(rate: 1e-5, halfLife: 9e4, shape: 1.4, gap: gap, horizon: 6e5)
        }
        let half = Simulator.returnHalfLife(rate: 1e-5, halfLife: 9e4, shape: 1.4, horizon: 6e5)
        #expect(abs(chance(half) / chance(0) - 0.5) < 1e-6)
    }

    @Test("simulated returns are as frequent as the formula says")
    func calibrated() {
        var options = Simulator.Options()
        options.users = 600
        options.topics = 3
        let result = Simulator(options).run()
        let histories = Histories(result.log, trainEnd: .max)
        let horizon = 5.0 * 86_400
        let end = Simulator.start + options.days * 86_400
        var (expected, variance, observed) = (0.0, 0.0, 0.0)
        for pair in 0..<histories.userTopicCount {
            for touch in histories.topicEvents(ofUserTopic: pair) {
                let at = Double(histories.time(ofTopicEvent: touch)) / 1e6
                guard at + horizon < end - 86_400 else { continue }
                let topic = result.topics[Int(histories.userTopicTopic[pair])]
                let chance = Simulator.returnProbability(
                    rate: topic.rate, halfLife: Double(result.halfLife[Int(histories.topicEvents[touch])]),
                    shape: topic.shape, gap: 0, horizon: horizon)
                expected += chance
                variance += chance * (1 - chance)
                if touch + 1 < histories.topicEventStarts[pair + 1],
                    Double(histories.time(ofTopicEvent: touch + 1)) / 1e6 - at <= horizon
                {
                    observed += 1
                }
            }
        }
        // Four standard deviations of a sum of independent draws.
        #expect(abs(observed - expected) < 4 * variance.squareRoot())
    }

    @Test("normal quantiles are those of tables", arguments: [(0.5, 0.0), (0.975, 1.959963985), (0.001, -3.090232306)])
    func quantiles(p: Double, x: Double) { #expect(abs(Simulator.normalQuantile(p) - x) < 1e-8) }
}
