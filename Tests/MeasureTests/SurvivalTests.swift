import TestSupport
import Testing
import WaneBaselines
import WaneCurves
import WaneEvents
import WaneState
import WaneTasks
import WaneSimulation

@testable import WaneMetrics

@Suite("Censored times")
struct SurvivalTests {
    struct File: Decodable {
        struct Case: Decodable {
            let name: String
            let durations: [Double]
            let observed: [Bool]
            let predicted: [Double]
            let concordance: Double
            let kaplanMeier: [[Double]]
            let grid: [Double]
            let survival: [Double]
            let integratedBrier: Double
        }
        struct Return: Decodable {
            let x, tx, t, ahead: Double
            let parameters: [Double]
            let returns: Double
        }
        let cases: [Case]
        let paretoReturns: [Return]
    }

    @Test("measures agree with lifelines and scikit-survival, ties and censoring included")
    func fixtures() throws {
        let file: File = try Fixture.json("survival.json")
        for c in file.cases {
            let curve = KaplanMeier(durations: c.durations, observed: c.observed)
            for point in c.kaplanMeier { #expect(abs(curve(point[0]) - point[1]) < 1e-9, "\(c.name)") }
            let concordance = Survival.concordance(
                predicted: c.predicted, durations: c.durations, observed: c.observed)
            #expect(abs(concordance - c.concordance) < 1e-9, "\(c.name)")
            let censoring = KaplanMeier.censoring(durations: c.durations, observed: c.observed)
            let brier = Survival.brier(
                survival: c.survival, grid: c.grid, durations: c.durations, observed: c.observed,
                censoring: censoring)
            #expect(abs(brier.integrated - c.integratedBrier) < 1e-6, "\(c.name)")
        }
    }

    @Test("Pareto/NBD's chance of a return equals the double integral over its posteriors")
    func paretoReturns() throws {
        let file: File = try Fixture.json("survival.json")
        for c in file.paretoReturns {
            let p = c.parameters
            let model = ParetoNBD(r: p[0], alpha: p[1], s: p[2], beta: p[3])
            let value = model.returns(.init(x: c.x, tx: c.tx, t: c.t), ahead: c.ahead)
            // The reference integrates over a plane of logarithms, cut off where the priors are small.
            #expect(abs(value - c.returns) < 1e-4 + 1e-3 * c.returns, "\(value) is not \(c.returns)")
        }
    }

    @Test("Gauss and Legendre's rule is exact for polynomials of its degree", arguments: [2, 5, 16, 24])
    func quadrature(places: Int) {
        let rule = GaussLegendre(places: places)
        for degree in 0..<2 * places {
            let sum = zip(rule.nodes, rule.weights).reduce(0.0) { $0 + $1.1 * power($1.0, degree) }
            let exact = degree % 2 == 0 ? 2 / Double(degree + 1) : 0
            #expect(abs(sum - exact) < 1e-12)
        }
    }

    private func power(_ x: Double, _ n: Int) -> Double { (0..<n).reduce(1.0) { value, _ in value * x } }

    @Test("a perfect order has a C-index of 1, the reverse 0, no order one half")
    func order() {
        let durations = [1.0, 2, 3, 4]
        let all = [Bool](repeating: true, count: 4)
        #expect(Survival.concordance(predicted: durations, durations: durations, observed: all) == 1)
        #expect(Survival.concordance(predicted: durations.map { -$0 }, durations: durations, observed: all) == 0)
        #expect(Survival.concordance(predicted: [1, 1, 1, 1], durations: durations, observed: all) == 0.5)
        #expect(
            Survival.concordance(predicted: durations, durations: durations, observed: all.map { !$0 }).isNaN)
    }

    // MARK: The task

    private func task() throws -> ReturnTask {
        var options = Simulator.Options()
        options.users = 80
        options.topics = 5
        options.seed = 4
        let log = Simulator(options).run().log
        let split = try Split(log)
        return ReturnTask(InterestTask(Histories(log, trainEnd: split.trainEnd), split: split, seed: 7))
    }

    @Test("durations end at the next touch or are censored at the part's end, never beyond", arguments: Part.allCases)
    func censoring(part: Part) throws {
        let task = try task()
        let questions = try task.questions(part, count: 2_000, seed: 1)
        let split = task.interest.split
        let ends: [Part: Int64] = [.train: split.trainEnd, .validation: split.validationEnd, .test: split.end]
        let end = ends[part] ?? 0
        let histories = task.interest.histories
        #expect(questions.observed.contains(true) && questions.observed.contains(false))
        for row in 0..<questions.count {
            let moment = questions.queries.moment[row]
            let then = moment + Int64(questions.duration[row] * Double(split.horizon) + 0.5)
            #expect(then <= end + 1)
            let pair = questions.queries.userTopic[row]
            let range = histories.topicEvents(ofUserTopic: pair)
            let touches: [Int64] = range.map { histories.time(ofTopicEvent: $0) }
            let next: Int64? = touches.first { $0 > moment }
            if questions.observed[row] {
                let seen: Int64 = try #require(next)
                #expect(abs(Double(seen - then)) < 2_000)
            } else {
                #expect(next.map { $0 > end } ?? true)
            }
            #expect(questions.ages[row].last == 0)
        }
    }

    @Test("every classical model with a density has one that is the slope of its survival")
    func densities() throws {
        let task = try task()
        let train = try task.questions(.train, count: 2_000, seed: 1)
        for baseline in ReturnBaselines.all {
            let fitted = baseline.fitted(train)
            let times = (0..<40).map { 0.01 * Double($0 + 1) }
            let predictions = fitted.predict(train, grid: times)
            if let survival = predictions.survival {
                for row in 0..<20 {
                    let curve = survival[row * 40..<(row + 1) * 40].map { $0 }
                    #expect(zip(curve, curve.dropFirst()).allSatisfy(>=), "\(baseline.name) only falls")
                    #expect(curve.allSatisfy { (0...1).contains($0) })
                }
            }
            guard let likelihood = predictions.logLikelihood else { continue }
            // Returns that were seen, longer than the shortest piece of the curve, asked right after a touch.
            let rows = train.duration.indices.filter {
                train.observed[$0] && train.duration[$0] > 0.01 && train.entry[$0] == 0
            }.prefix(12)
            #expect(rows.count == 12)
            for row in rows {
                let t = train.duration[row]
                let h = t * 1e-4
                let survival = try #require(fitted.predict(train, grid: [t - h, t + h]).survival, "\(baseline.name)")
                let slope = (survival[row * 2] - survival[row * 2 + 1]) / (2 * h)
                #expect(abs(exp(likelihood[row]) - slope) < 1e-3 * max(1, slope), "\(baseline.name), row \(row)")
            }
        }
    }

    @Test("the median gap is the median of a pair's own past gaps")
    func medianGap() throws {
        let task = try task()
        let train = try task.questions(.train, count: 2_000, seed: 1)
        let baseline = try #require(ReturnBaselines.all.first { $0.name == "median gap" })
        let predictions = baseline.fitted(train).predict(train, grid: [1])
        let row: Int = try #require(train.ages.indices.first { train.ages[$0].count > 4 })
        let gaps = zip(train.ages[row], train.ages[row].dropFirst()).map { $0 - $1 }
            .filter { $0 > ReturnTask.shortestGap }.sorted()
        #expect(predictions.median[row] == gaps[gaps.count / 2])
    }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
