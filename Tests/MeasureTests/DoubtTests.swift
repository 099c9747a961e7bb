import Foundation
import Testing
import WaneEvents
import WaneTasks

@testable import WaneBaselines
@testable import WaneMetrics

@Suite("What is said before the figures")
struct DoubtTests {
    private func gain(_ low: Double, _ high: Double) -> Difference {
        Difference(
            measure: "log loss", model: "mlp", baseline: "constant", value: (low + high) / 2,
            interval: Evaluation.Interval(low: low, high: high), lessIsBetter: true)
    }

    @Test("few people, answers of one kind and a gain within its interval are doubts; a clear gain is none")
    func kinds() {
        func kinds(_ people: Int, _ share: Double?, _ gain: Difference?) -> [Doubt.Kind] {
            Doubt.all(people: people, questions: 2_000, share: share, gain: gain).map(\.kind)
        }
        #expect(kinds(500, 0.3, gain(-0.2, -0.1)).isEmpty)
        #expect(kinds(9, 0.3, gain(-0.2, -0.1)) == [.fewPeople])
        #expect(kinds(500, 0.004, gain(-0.2, -0.1)) == [.oneAnswer])
        #expect(kinds(500, 0.996, gain(-0.2, -0.1)) == [.oneAnswer])
        #expect(kinds(500, 0.3, gain(-0.2, 0.1)) == [.noGain])
        #expect(kinds(500, 0.3, gain(0.1, 0.2)) == [.noGain])
        #expect(kinds(500, nil, nil).isEmpty)
        let rare = Doubt.all(people: 500, questions: 2_000, share: 0.004, gain: nil)
        #expect(rare[0].words.contains("8 of the test part's 2000 questions have a return"))
    }

    @Test("errors of return times are cut at the horizon, and a silence that long counts as known")
    func restricted() {
        // Half a horizon too late; half too early of one that came after the horizon; a silence of two horizons, foreseen; and one
        // of seven tenths, of which nothing is known.
        let report = ReturnReport(
            logLikelihood: nil, median: [1.5, 0.5, 90, 0.2], survival: nil, grid: [], durations: [0.5, 3, 2, 0.7],
            observed: [true, true, false, false], users: [1, 2, 3, 4], seed: 1)
        #expect(abs(report.mae - (0.5 + 0.5 + 0) / 3) < 1e-12)
        #expect(abs(report.rmse - (0.5 / 3).squareRoot()) < 1e-12)
        #expect(abs(report.octaves - (1 + 1 + 0) / 3.0) < 1e-12)
        #expect(report.observed == 0.5)
    }

    @Test("rates without decay: the chance under a gamma posterior is that of its own integral")
    func gammaPoisson() {
        for (returns, age, a, b) in [(0.0, 0.5, 0.7, 1.3), (4, 2, 1.2, 0.4), (40, 11, 0.3, 2)] {
            // E exp(-rate) over rate ~ Gamma(a + x, b + T), by the trapezoidal rule in the logarithm of the rate.
            let (shape, inverse) = (a + returns, b + age)
            var (mass, none) = (0.0, 0.0)
            for step in 0..<40_000 {
                let rate = exp(-18 + 26 * Double(step) / 40_000)
                let density = exp(shape * log(rate) - inverse * rate)
                mass += density
                none += density * exp(-rate)
            }
            let chance = GammaPoisson.chance(CustomerSummary(x: returns, tx: 0, t: age), a, b)
            #expect(abs(chance - (1 - none / mass)) < 1e-5)
        }
    }
}
