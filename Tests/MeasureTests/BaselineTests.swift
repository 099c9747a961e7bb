import Foundation
import TestSupport
import Testing
import WaneEvents
import WaneMetrics
import WaneState
import WaneTasks
import WaneSimulation

@testable import WaneBaselines

@Suite("Classical models")
struct BaselineTests {
    static let task: InterestTask? = {
        var options = Simulator.Options()
        options.users = 150
        let log = Simulator(options).run().log
        guard let split = try? Split(log) else { return nil }
        return InterestTask(Histories(log, trainEnd: split.trainEnd), split: split, seed: 7)
    }()

    private func logLoss(_ predicted: [Double], _ labels: [Float]) -> Double {
        zip(predicted, labels).reduce(0) { $0 + Losses.logLoss($1.0, Double($1.1)) } / Double(labels.count)
    }

    @Test("give probabilities, on queries they have not seen, for every one", arguments: Baselines.all.map(\.name))
    func probabilities(name: String) throws {
        let task = try #require(Self.task)
        let baseline = try #require(Baselines.all.first { $0.name == name })
        let fitted = baseline.fitted(
            try task.queries(.train, count: 3_000, seed: 1), horizon: Double(task.split.horizon) / 1e6)
        let test = try task.queries(.test, count: 1_000, seed: 1)
        let (chance, degree) = fitted.predict(test)
        #expect(chance.count == test.count && degree.count == test.count)
        #expect((chance + degree).allSatisfy { (0...1).contains($0) })
    }

    @Test("decay with fitted rates beats the constant, and rates per topic beat common ones")
    func order() throws {
        let task = try #require(Self.task)
        let train = try task.queries(.train, count: 6_000, seed: 1)
        let test = try task.queries(.test, count: 4_000, seed: 1)
        func loss(_ baseline: any Baseline) -> Double {
            logLoss(
                baseline.fitted(train, horizon: Double(task.split.horizon) / 1e6).predict(test).returnProbability,
                test.didReturn)
        }
        let common = loss(DecayBaseline(shape: .power, level: .global))
        #expect(common < loss(Constant()))
        #expect(loss(DecayBaseline(shape: .power, level: .topic)) < common)
    }

    @Test("decaying rates that differ between pairs give the chances that sums over rates and half-lives give")
    func decayingRates() throws {
        let task = try #require(Self.task)
        let histories = task.histories
        let topics = histories.log.topics.count
        let row = (0..<topics).map { Int64($0) + 1 }
        let fit = try RenewalFit(
            histories, split: task.split, topicRow: row, topicRows: topics,
            resolution: histories.log.resolution(until: task.split.trainEnd), followsHours: false)
        let horizon = Double(task.split.horizon) / 1e6
        let test = try task.queries(.test, count: 40, seed: 3)
        let baseline = try DecayingGammaPoisson(histories, fit, topicRow: row, split: task.split, fades: true)
        let chances = baseline.fitted(test, horizon: horizon).predict(test).returnProbability
        let pause = Double(task.schema.visitPause) / 1e6
        for query in 0..<test.count {
            let number = Int(row[Int(test.topic[query])])
            let own = fit.rows[number]
            let (p, f) = (log1p(exp(own[1] + 1)) + 0.3, 1 / (1 + exp(3 - own[2])))
            let touches = histories.topicEvents(ofUserTopic: test.userTopic[query]).map {
                (
                    time: Double(histories.time(ofTopicEvent: $0)) / 1e6,
                    engagement: histories.engagement[Int(histories.topicEvents[$0])]
                )
            }.filter { $0.time <= Double(test.moment[query]) / 1e6 }
            let last = try #require(touches.last)
            let silence = Double(test.moment[query]) / 1e6 - last.time
            var (all, back) = (0.0, 0.0)
            for a in stride(from: -2.4, through: 2.4, by: 0.6) {
                func rate(_ d: Double, _ engagement: Float) -> Double {
                    let depth = fit.depthOffset(engagement)
                    let time = exp(own[0] + depth + fit.spread * a) * horizon
                    return exp(baseline.rates[number].rate) * (f + (1 - f) / (1 + pow(d / time, p)))
                }
                /// The integral from the end of a visit on.
                func wait(_ from: Double, _ to: Double, _ engagement: Float) -> Double {
                    let (from, to) = (log(max(pause, from)), log(max(pause, to)))
                    let step = (to - from) / 400
                    return (0..<400).reduce(0) {
                        let d = exp(from + (Double($1) + 0.5) * step)
                        return $0 + rate(d, engagement) * d * step
                    }
                }
                var (waited, logs, returns) = (0.0, 0.0, 0.0)
                for (before, touch) in zip(touches, touches.dropFirst()) where touch.time - before.time > pause {
                    waited += wait(0, touch.time - before.time, before.engagement)
                    logs += log(rate(touch.time - before.time, before.engagement))
                    returns += 1
                }
                waited += wait(0, silence, last.engagement)
                let coming = wait(silence, silence + horizon, last.engagement)
                let k = exp(baseline.rates[number].frailty)
                for step in -4_000..<1_000 {
                    let b = exp(Double(step) / 200)
                    // A gamma density times the likelihood, and the width of a step.
                    let weight = exp(k * log(b) - k * b + logs + returns * log(b) - b * waited - a * a / 2)
                    all += weight
                    back -= weight * expm1(-b * coming)
                }
            }
            #expect(abs(chances[query] - back / all) < 2e-3, "\(chances[query]), \(back / all)")
        }
    }

    @Test("the simplex method finds Rosenbrock's minimum, and L-BFGS too")
    func optimizers() {
        func f(_ x: [Double]) -> Double { 100 * pow(x[1] - x[0] * x[0], 2) + pow(1 - x[0], 2) }
        let simplex = NelderMead.minimize(from: [-1.2, 1], tolerance: 1e-14, iterations: 2_000, f)
        let newton = LBFGS.minimize(from: [-1.2, 1], iterations: 500, tolerance: 1e-14) { x, gradient in
            gradient[0] = -400 * x[0] * (x[1] - x[0] * x[0]) - 2 * (1 - x[0])
            gradient[1] = 200 * (x[1] - x[0] * x[0])
            return f(x)
        }
        for x in [simplex, newton] { #expect(abs(x[0] - 1) < 1e-4 && abs(x[1] - 1) < 1e-4) }
    }

    struct BTYD: Decodable {
        struct Case: Decodable {
            let x, tx, t: Double
            let parameters: [Double]
            let logLikelihood: Double
        }
        struct Value: Decodable {
            let values: [Double]
            let log: Double
        }
        let bgnbd: [Case]
        let pareto: [Case]
        let leaving: [Value]
        let hypergeometric: [Value]
    }

    @Test("integrals and series of customers with none to thousands of purchases equal thirty-digit ones")
    func heavyCustomers() throws {
        let fixture: BTYD = try Fixture.json("btyd.json")
        #expect(fixture.leaving.count == 60 && fixture.hypergeometric.count > 40)
        for c in fixture.leaving {
            let v = c.values
            let value = LeavingIntegral(p: v[0], alpha: v[1], q: v[2], beta: v[3]).log(from: v[4], to: v[5])
            #expect(abs(value - c.log) < 1e-9 * max(1, abs(c.log)), "\(v): \(value) is not \(c.log)")
        }
        for c in fixture.hypergeometric {
            let v = c.values
            let value = hypergeometric(v[0], v[1], v[2], v[3]).logSize
            #expect(abs(value - c.log) < 1e-9 * max(1, abs(c.log)), "\(v): \(value) is not \(c.log)")
        }
    }

    @Test("likelihoods of buying till death equal the integrals that define them")
    func likelihoods() throws {
        let fixture: BTYD = try Fixture.json("btyd.json")
        // The quadrature's own tolerance is 1e-8.
        for c in fixture.bgnbd {
            let p = c.parameters
            let value = BGNBD(r: p[0], alpha: p[1], a: p[2], b: p[3]).logLikelihood(.init(x: c.x, tx: c.tx, t: c.t))
            #expect(abs(value - c.logLikelihood) < 1e-6)
        }
        for c in fixture.pareto {
            let p = c.parameters
            let value = ParetoNBD(r: p[0], alpha: p[1], s: p[2], beta: p[3]).logLikelihood(
                .init(x: c.x, tx: c.tx, t: c.t))
            #expect(abs(value - c.logLikelihood) < 1e-6)
        }
    }

    @Test("BG/NBD expects what its definition sums to, where a + b + x lies below one too")
    func expectation() {
        func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 5e-4 * max(1, abs(b)) }
        /// E = sum over purchases of the chance that they happen while the customer is one: with a rate l of a gamma and a
        /// chance p of a beta distribution, `(1 - exp(-l p t)) / p`; the gamma integral is closed, the other one numeric.
        func reference(_ r: Double, _ alpha: Double, _ a: Double, _ b: Double, t0: Double, ahead: Double) -> Double {
            // Tanh-sinh points, which crowd at both ends, where the beta density has its poles.
            func integral(_ f: (Double, Double) -> Double) -> Double {
                let step = 0.02
                return stride(from: -4.2, through: 4.2, by: step).reduce(0) { sum, x in
                    let y = .pi / 2 * sinh(x)
                    // p and 1 - p, each exact near its end.
                    let (p, q) = (1 / (1 + exp(-2 * y)), 1 / (1 + exp(2 * y)))
                    return sum + f(p, q) * step * .pi * cosh(x) * p * q
                }
            }
            let beta = exp(lgamma(a) + lgamma(b) - lgamma(a + b))
            return integral { p, q in
                let weight = pow(p, a - 1) * pow(q, b - 1) / beta
                return weight * -expm1(-r * log1p(p * ahead / (alpha + t0))) / p
            }
        }
        let hard = BGNBD(r: 0.5, alpha: 10, a: 0.1, b: 0.3)
        let never = CustomerSummary(x: 0, tx: 0, t: 20)
        #expect(abs(hard.expectedPurchases(never, ahead: 39) - 0.561) < 1e-3)
        for (r, alpha, a, b) in [(0.5, 10.0, 0.1, 0.3), (0.24, 4.4, 0.79, 2.43), (2, 3, 0.4, 0.5), (1, 8, 1.5, 0.2)] {
            let model = BGNBD(r: r, alpha: alpha, a: a, b: b)
            let (value, expected) = (
                model.expectedPurchases(never, ahead: 39), reference(r, alpha, a, b, t0: 20, ahead: 39)
            )
            #expect(close(value, expected), "r \(r), alpha \(alpha), a \(a), b \(b): \(value) beside \(expected)")
        }
    }

    @Test("a line through the logit brings a drifted level back and leaves a right one alone")
    func levelled() {
        var generator = SeededGenerator(seed: 3)
        let truth = (0..<20_000).map { _ in 0.02 + 0.96 * generator.uniform() * generator.uniform() }
        let labels = truth.map { generator.uniform() < $0 ? 1.0 : 0 }
        let right = LogitCalibration(truth, labels)
        #expect(abs(right.shift) < 0.06 && abs(right.slope - 1) < 0.06)
        // Too sure of itself, and too high.
        let wrong = truth.map { 1 / (1 + exp(-(0.8 + 1.7 * log($0 / (1 - $0))))) }
        let line = LogitCalibration(wrong, labels)
        #expect(abs(line.slope - 1 / 1.7) < 0.05 && abs(line.shift + 0.8 / 1.7) < 0.06)
        #expect(zip(line(wrong), truth).allSatisfy { abs($0 - $1) < 0.03 })
        // Certainties that were wrong, and nothing at all, end in numbers.
        #expect(LogitCalibration([0, 1, 0, 1], [1, 0, 1, 0])([0, 1]).allSatisfy { $0.isFinite })
        #expect(LogitCalibration([], []) == LogitCalibration())
    }

    @Test(
        "CDNOW's published maxima are reached: -9582.43 and -9594.97",
        .enabled(if: RealLog.isHere("cdnow/CDNOW_master.txt"), "shared/data/cdnow is not on this machine"))
    func cdnow() throws {
        let path = try #require(RealLog.path("cdnow/CDNOW_master.txt"))
        let (log, _) = try LogReader.read(path)
        let sample = Set(try Fixture.text("cdnow_sample_ids.txt").split(separator: "\n").compactMap { Int($0) })
        let until = try #require(TimeFormat.moment("1997-09-30"))
        let customers = CustomerSummary.summaries(log.sortedByUser(), until: until)
            .filter { sample.contains(Int(log.users[Int($0.user)]) ?? 0) }.map(\.customer)
        #expect(customers.count == 2_357)
        let (bg, bgValue) = BGNBD.fitted(customers)
        // Fader, Hardie and Lee 2005, table 2.
        #expect(abs(bgValue - -9_582.43) < 0.005)
        #expect(abs(bg.r - 0.2426) < 1e-3 && abs(bg.alpha - 4.4135) < 5e-3)
        let (pareto, paretoValue) = ParetoNBD.fitted(customers)
        #expect(abs(paretoValue - -9_594.97) < 0.01)
        #expect(abs(pareto.r - 0.5533) < 3e-3 && abs(pareto.alpha - 10.5776) < 5e-2)
        let total = customers.reduce(0) { $0 + bg.expectedPurchases($1, ahead: 39) }
        // Holdout purchases of the sample: 1,788 (the same paper); the model expects somewhat fewer.
        #expect(total > 1_400 && total < 2_000)
    }
}
