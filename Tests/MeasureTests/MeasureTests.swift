import Foundation
import TestSupport
import Testing

@testable import WaneMetrics

@Suite("Measures agree with scikit-learn")
struct MeasureTests {
    struct Fixture_: Decodable {
        struct Case: Decodable {
            let name: String
            let labels: [Double]
            let scores: [Double]
            let threshold: Double
            let weights: [Double]?
            let accuracy, precision, recall, f1: Double
            let rocAUC, prAUC: Double?
            let logLoss, brier, mae, mse: Double
            let r2: Double?
        }
        let cases: [Case]
    }

    @Test("on ties, weights, extremes and one class")
    func fixtures() throws {
        let fixture: Fixture_ = try Fixture.json("measures.json")
        for c in fixture.cases {
            let report = Classification.report(c.scores, c.labels, threshold: c.threshold, weights: c.weights)
            let regression = Regression.report(c.scores, c.labels, weights: c.weights)
            // Float64 sums in another order.
            func close(_ a: Double, _ b: Double?, _ what: String) {
                if let b {
                    #expect(abs(a - b) < 1e-9, "\(c.name): \(what)")
                } else {
                    #expect(a.isNaN, "\(c.name): \(what)")
                }
            }
            close(report.accuracy, c.accuracy, "accuracy")
            close(report.precision, c.precision, "precision")
            close(report.recall, c.recall, "recall")
            close(report.f1, c.f1, "F1")
            close(report.rocAUC, c.rocAUC, "ROC-AUC")
            close(report.prAUC, c.prAUC, "PR-AUC")
            close(report.logLoss, c.logLoss, "log loss")
            close(report.brier, c.brier, "Brier")
            close(regression.mae, c.mae, "MAE")
            close(regression.mse, c.mse, "MSE")
            close(regression.r2, c.r2, "R2")
        }
    }

    @Test("ECE by hand: two bins, each off by a tenth")
    func ece() {
        // Bin 0.2: predicted .2, observed 1/10; bin 0.8: predicted .8, observed 9/10.
        let predicted = [Double](repeating: 0.2, count: 10) + [Double](repeating: 0.8, count: 10)
        let labels = [1.0] + [Double](repeating: 0, count: 9) + [0.0] + [Double](repeating: 1, count: 9)
        #expect(abs(Classification.report(predicted, labels, threshold: 0.5).ece - 0.1) < 1e-12)
    }

    @Test("the best threshold is the one with the highest F1 of all")
    func threshold() {
        let predicted = [0.9, 0.8, 0.8, 0.4, 0.3, 0.1]
        let labels = [1.0, 0, 1, 1, 0, 0]
        let best = Classification.bestThreshold(predicted, labels)
        func f1(_ threshold: Double) -> Double { Classification.report(predicted, labels, threshold: threshold).f1 }
        #expect(f1(best) == predicted.map(f1).max())
        #expect(Classification.bestThreshold(predicted, [0, 0, 0, 0, 0, 0]) == 0.5)
        // Where nearly everybody comes back nobody counts as gone at a chance of 0.96.
        #expect(Classification.bestThreshold([0.99, 0.98, 0.97, 0.96], [1, 1, 1, 0]) == 0.5)
    }

    @Test("intervals over people cover the truth about as often as they say")
    func coverage() {
        // Each person answers ten times alike: rows are not independent, people are.
        var covered = 0
        let trials = 60
        for trial in 0..<trials {
            var state = UInt64(trial) &* 7_919 &+ 17
            func uniform() -> Double {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Double(state >> 11) * 0x1p-53
            }
            var (users, values) = ([UInt32](), [Double]())
            for user in 0..<60 {
                let value = uniform()
                for _ in 0..<10 {
                    users.append(UInt32(user))
                    values.append(value)
                }
            }
            let zeros = [Double](repeating: 0, count: values.count)
            let evaluation = UserBootstrap(users: users, seed: UInt64(trial)).evaluate(
                degree: values, degreeLabels: zeros, returned: values, returnedLabels: zeros, threshold: 0.5)
            // The mean absolute value of a uniform number is one half.
            if let interval = evaluation.intervals["mae"], interval.low <= 0.5, 0.5 <= interval.high { covered += 1 }
        }
        // Of 60 intervals of 95 %, fewer than 50 cover by chance once in ten thousand times.
        #expect(covered >= 50)
    }

    @Test("one person gives no interval")
    func onePerson() {
        let evaluation = UserBootstrap(users: [4, 4], seed: 1).evaluate(
            degree: [0.1, 0.2], degreeLabels: [0, 1], returned: [0.1, 0.2], returnedLabels: [0, 1], threshold: 0.5)
        #expect(evaluation.intervals.isEmpty && evaluation.people == 1)
    }
}
