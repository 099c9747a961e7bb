import Foundation
import Testing
import WaneCurves
import WaneEvents

@testable import WaneState

@Suite("Causes of a person")
struct CauseStateTests {
    private static let day = 86_400.0

    private static let schema = CauseSchema(
        topics: [CauseSchema.Topic(logTime: log(3 * day), shape: 1.6, floor: 0.05, logRate: log(1 / day), frailty: 2)],
        pairSpread: 0.4, variance: ByCause(repeating: 0.25))

    /// Log-likelihood of a gap by Simpson's rule, with uniform hours and no inflow.
    private func logLikelihood(_ logTime: Double, _ logRate: Double, _ length: Double, burst: Double) -> Double {
        func rate(_ d: Double) -> Double { exp(logRate) * (0.05 + 0.95 / (1 + pow(d / exp(logTime), 1.6))) }
        let steps = 4_000
        let width = (length - burst) / Double(steps)
        let sum = (0...steps).reduce(0.0) {
            $0 + ($1 == 0 || $1 == steps ? 1 : $1 % 2 == 1 ? 4 : 2) * rate(burst + Double($1) * width)
        }
        return log(rate(length)) - sum * width / 3
    }

    @Test("slopes of a gap's log-likelihood are those of finite differences", arguments: [0.0, 0.4])
    func slopes(burst: Double) {
        let rhythm = DailyRhythm([Float](repeating: 0, count: 24), general: [Double](repeating: 1 / 24, count: 24))
        for length in [0.6, 2.0, 9, 40] {
            let (time, rate) = (log(3 * Self.day), log(1 / Self.day))
            let score = GapScore(
                logTime: time, shape: 1.6, floor: 0.05, logRate: rate, length: length * Self.day,
                burst: burst * Self.day, isClosed: true, inflow: 0, start: 1e9, rhythm: rhythm)
            func value(_ a: Double, _ b: Double) -> Double {
                logLikelihood(time + a, rate + b, length * Self.day, burst: burst * Self.day)
            }
            #expect(abs(score.logLikelihood - value(0, 0)) < 0.02 * abs(value(0, 0)))
            #expect(abs(score.time - (value(1e-3, 0) - value(-1e-3, 0)) / 2e-3) < 0.01 * (1 + score.expected))
            #expect(abs(score.rate - (value(0, 1e-3) - value(0, -1e-3)) / 2e-3) < 0.01 * (1 + score.expected))
        }
    }

    @Test("gaps shorter than what a burst explains say nothing")
    func bursts() {
        let rhythm = DailyRhythm([Float](repeating: 0, count: 24), general: [Double](repeating: 1 / 24, count: 24))
        let score = GapScore(
            logTime: 12, shape: 1.6, floor: 0.05, logRate: -11, length: 40_000, burst: 50_000, isClosed: true,
            inflow: 0,
            start: 0, rhythm: rhythm)
        #expect(score.time == 0 && score.rate == 0 && score.timeTime == 0 && score.logLikelihood == 0)
    }

    @Test("a day's rhythm adds up to whole days, and passes fastest when the person is about")
    func rhythm() {
        var counts = [Float](repeating: 0, count: 24)
        counts[20] = 100
        let rhythm = DailyRhythm(counts, general: [Double](repeating: 1 / 24, count: 24))
        #expect(abs(rhythm.passed(5 * Self.day) - 5 * Self.day) < 1e-6)
        let evening = rhythm.passed(21 * 3_600) - rhythm.passed(20 * 3_600)
        let night = rhythm.passed(4 * 3_600) - rhythm.passed(3 * 3_600)
        #expect(evening > 10 * night && night > 0)
        #expect(abs(rhythm.passed(-Self.day) + Self.day) < 1e-6)
    }

    /// The filter, written anew with all of `θ`, `a` and `l` of two pairs in one dense system.
    @Test("the filter gives the mean and the covariance of the dense system of all unknowns")
    func dense() {
        var generator = SeededGenerator(seed: 4)
        var schema = Self.schema
        (schema.level, schema.known) = ((0.1, 0.2), -0.05)
        var filter = SensitivityFilter(schema)
        var pairs = (0..<2).map { _ in SensitivityFilter.Pair(offsetPrecision: 1 / 0.16, ratePrecision: 2) }
        let size = 10
        var matrix = [[Double]](repeating: [Double](repeating: 0, count: size), count: size)
        var vector = [Double](repeating: 0, count: size)
        for cause in 0..<4 { matrix[cause][cause] = 4 }
        (matrix[4][4], vector[4], matrix[5][5], vector[5]) = (5, 0.5, 100, -5)
        for place in 0..<2 {
            (matrix[6 + 2 * place][6 + 2 * place], matrix[7 + 2 * place][7 + 2 * place]) = (1 / 0.16, 2)
        }
        for step in 0..<12 {
            let place = step % 2
            var x = SensitivityFilter.Vector.zero
            for cause in 0..<4 { x[cause] = generator.uniform() < 0.5 ? 0 : generator.uniform() }
            (x[4], x[5]) = (1, step > 5 ? 1 : 0)
            var gap = GapScore(
                logTime: 12, shape: 1.6, floor: 0.05, logRate: -11, length: exp(9 + 5 * generator.uniform()), burst: 0,
                isClosed: true, inflow: 0, start: 0,
                rhythm: DailyRhythm([Float](repeating: 0, count: 24), general: [Double](repeating: 1 / 24, count: 24)))
            gap.temper(by: 1.3)
            let (offset, rate, mean) = (pairs[place].offset, pairs[place].rate, filter.mean)
            var time = [Double](repeating: 0, count: size), rates = time
            for unknown in 0..<6 { time[unknown] = x[unknown] }
            time[6 + 2 * place] = 1
            rates[7 + 2 * place] = 1
            let own = offset + (mean * x).sum()
            let (byTime, byRate) = (
                gap.time + gap.timeTime * own + gap.timeRate * rate, gap.rate + gap.timeRate * own + gap.rateRate * rate
            )
            for i in 0..<size {
                vector[i] += byTime * time[i] + byRate * rates[i]
                for j in 0..<size {
                    matrix[i][j] +=
                        gap.timeTime * time[i] * time[j] + gap.rateRate * rates[i] * rates[j]
                        + gap.timeRate * (time[i] * rates[j] + rates[i] * time[j])
                }
            }
            filter.add(gap, measures: x, to: &pairs[place])
            let expected = Self.solve(matrix, vector)
            for unknown in 0..<6 { #expect(abs(filter.mean[unknown] - expected[unknown]) < 1e-6) }
            #expect(abs(pairs[place].offset - expected[6 + 2 * place]) < 1e-6)
            for unknown in 0..<6 {
                var unit = [Double](repeating: 0, count: size)
                unit[unknown] = 1
                let column = Self.solve(matrix, unit)
                for other in 0..<6 { #expect(abs(filter.covariance[unknown][other] - column[other]) < 1e-6) }
            }
        }
    }

    /// Events of a person with one topic, met at most days, in a pattern of binges and floods.
    private func life(_ days: Int, moving: ByCause<Bool> = ByCause(repeating: true)) -> PersonState {
        var causes = CauseSchema(topics: [Self.schema.topics[0], nil], pairSpread: 0.4)
        causes.moving = moving
        var state = PersonState(StateSchema(horizon: 1, clock: .wall, typicalEngagement: 1, causes: causes))
        var generator = SeededGenerator(seed: 9)
        for day in 0..<days {
            let many = day % 40 > 36 ? 8 : generator.uniform() < 0.5 ? 1 : 0
            for _ in 0..<many {
                let time = Int64((Double(day) + generator.uniform() * 0.02) * Self.day * 1e6) + Int64(day) * 7
                state.apply(StateEvent(time: time, item: 0, engagement: 1), topics: [0])
            }
            let time = Int64((Double(day) + 0.5) * Self.day * 1e6)
            for _ in 0..<(day % 30 > 25 ? 20 : 1) {
                state.apply(StateEvent(time: time, item: 1, engagement: 1), topics: [1])
            }
        }
        return state
    }

    @Test(
        "what is shown of a topic wears like touches of it, of others like a flood; what is always shown is ordinary; waits stay"
    )
    func exposures() {
        func measures(shown: (topic: UInt32, from: Int)?) -> CauseMeasures {
            var state = CircumstanceState()
            for day in 0..<60 {
                for hour in 0..<20 {
                    guard let shown, day >= shown.from else { break }
                    state.show(at: Double(day) * Self.day + Double(hour) * 3_600, topics: [shown.topic])
                }
                state.apply(at: (Double(day) + 0.9) * Self.day, places: [0])
            }
            return state.measures(0, topic: 7)
        }
        let none = measures(shown: nil)
        let (own, others, always) = (measures(shown: (7, 58)), measures(shown: (3, 58)), measures(shown: (7, 0)))
        #expect(none.values[.fatigue] == 0 && none.values[.overload] == 0 && !none.countsExposures)
        #expect(own.values[.fatigue] > 0.8 && own.values[.overload] == 0 && own.countsExposures)
        #expect(others.values[.overload] > 0.8 && others.values[.fatigue] == 0)
        #expect(always.values[.fatigue] == 0 && always.values[.overload] == 0)
        for other in [own, others, always] {
            #expect(other.burst == none.burst && other.inflow == none.inflow)
        }
        #expect(own.recent.topic > none.recent.topic + 10 && own.recent.others == none.recent.others)
    }

    @Test("a cause that moves nothing multiplies by one and is read by no model, whatever is measured")
    func moving() throws {
        func row(_ state: PersonState) throws -> [Float] {
            var numbers = [Float](repeating: -1, count: CauseEffects.width)
            let effects = try #require(state.effects(of: 0))
            try numbers.withUnsafeMutableBufferPointer { effects.write(to: try #require($0.baseAddress)) }
            return numbers
        }
        let (all, none) = (life(159), life(159, moving: ByCause { $0 != .fatigue }))
        #expect(try #require(none.measures(of: 0)) == all.measures(of: 0))
        #expect(try #require(none.measures(of: 0)).values[.fatigue] > 0.3)
        #expect(try #require(none.effects(of: 0)).offset[.fatigue] == 0)
        #expect(try #require(all.effects(of: 0)).offset[.fatigue] != 0)
        let (shown, hidden) = (try row(all), try row(none))
        for place in hidden.indices {
            #expect(hidden[place] == (place % 4 == Cause.fatigue.index ? 0 : shown[place]))
        }
    }

    @Test("where taking all gaps in anew settles is where the posterior is highest, and a state is not far from there")
    func settles() throws {
        let causes = try #require(life(160).causes)
        let (history, rhythm) = causes.gaps()
        let schema = CauseSchema(topics: [Self.schema.topics[0], nil], pairSpread: 0.4)
        var stepped = history
        for _ in 0..<40 { stepped.step(schema, rhythm) }
        let mode = stepped.posterior
        // Minus the logarithm of the posterior, written anew: normal priors of θ and of the pair's offset, a gamma distribution of its rate.
        let topic = try #require(Self.schema.topics[0])
        // Only one of the topics is known.
        let block = stepped.blocks[Int(try #require(stepped.gaps.first).place)]
        func loss(_ theta: SIMD8<Double>, _ offset: Double, _ rate: Double) -> Double {
            var loss = 0.0
            for gap in stepped.gaps {
                let x = gap.measures
                let level = theta[4] + (gap.isKnown ? theta[5] : 0)
                let sum = (0..<4).reduce(0.0) { $0 + theta[$1] * Double(x[$1]) }
                loss -=
                    GapScore(
                        logTime: topic.logTime + offset + sum + level, shape: topic.shape, floor: topic.floor,
                        logRate: topic.logRate + rate, length: Double(gap.length), burst: Double(gap.burst),
                        isClosed: gap.isClosed, inflow: schema.inflow * Double(gap.inflow) / 86_400, start: gap.start,
                        rhythm: rhythm
                    ).logLikelihood
            }
            let variance: [Double] = [0.1, 0.1, 0.1, 0.1, 0.05, 0.01]
            for place in 0..<6 { loss += theta[place] * theta[place] / variance[place] / 2 }
            return loss + offset * offset / 0.16 / 2 - topic.frailty * (rate - exp(rate))
        }
        let best = loss(mode.mean, block.offset, block.rate)
        let step = 1e-3
        for place in 0..<6 {
            var (up, down) = (mode.mean, mode.mean)
            up[place] += step
            down[place] -= step
            let (above, below) = (loss(up, block.offset, block.rate), loss(down, block.offset, block.rate))
            let slope = (above - below) / (2 * step)
            let bend = (above + below - 2 * best) / (step * step)
            // So far from the highest place, in deviations of what is known.
            #expect(abs(slope) / max(1, bend).squareRoot() < 0.05, "\(place): \(slope), \(bend)")
        }
        let alongOffset =
            (loss(mode.mean, block.offset + step, block.rate) - loss(mode.mean, block.offset - step, block.rate))
        let alongRate =
            (loss(mode.mean, block.offset, block.rate + step) - loss(mode.mean, block.offset, block.rate - step))
        #expect(abs(alongOffset / (2 * step)) < 0.3 && abs(alongRate / (2 * step)) < 0.3)
        for cause in Cause.allCases {
            #expect(mode.sensitivity.variance[cause] <= schema.variance[cause] * 1.000_1)
            let off = abs(history.posterior.sensitivity.mean[cause] - mode.sensitivity.mean[cause])
            #expect(off < 0.2 * schema.variance[cause].squareRoot(), "\(cause): \(off)")
        }
        // From nothing it comes to the same place.
        var anew = history.restarted(schema)
        for _ in 0..<40 { anew.step(schema, rhythm) }
        for cause in Cause.allCases {
            #expect(abs(anew.posterior.sensitivity.mean[cause] - mode.sensitivity.mean[cause]) < 5e-3)
        }
    }

    @Test("of gaps the latest hundreds are kept: a state does not grow without end")
    func bounded() throws {
        let (short, long) = (life(3_000).byteCount, life(6_000).byteCount)
        #expect(long < short * 2 && long < 80_000, "\(short), \(long)")
    }

    private static func solve(_ a: [[Double]], _ b: [Double]) -> [Double] {
        var (a, b) = (a, b)
        for column in b.indices {
            for row in b.indices where row != column {
                let factor = a[row][column] / a[column][column]
                for place in b.indices { a[row][place] -= factor * a[column][place] }
                b[row] -= factor * b[column]
            }
        }
        return b.indices.map { b[$0] / a[$0][$0] }
    }

    @Test(
        "an ordinary life has no cause; a week of one topic is fatigue, of all else overload, other hours a change of habit"
    )
    func measures() {
        func state(_ change: (inout [(day: Double, place: Int)]) -> Void) -> CircumstanceState {
            var events: [(day: Double, place: Int)] = []
            for day in 0..<60 { events.append((Double(day) + 0.8, day % 3)) }
            change(&events)
            var state = CircumstanceState()
            for event in events.sorted(by: { $0.day < $1.day }) {
                state.apply(at: event.day * Self.day, places: [event.place])
            }
            return state
        }
        for last in 0..<3 {
            let ordinary = state { events in events.removeLast(2 - last) }.measures(last)
            #expect(ordinary.values[.fatigue] == 0 && ordinary.values[.overload] == 0 && ordinary.values[.habit] == 0)
            #expect(ordinary.burst == 0)
        }
        let binge = state { events in for hour in 0..<24 { events.append((58 + Double(hour) / 12, 0)) } }
        #expect(binge.measures(0).values[.fatigue] > 0.8 && binge.measures(0).burst > 0)
        let flood = state { events in
            for hour in 0..<96 { events.append((56 + Double(hour) / 24, 3 + hour % 4)) }
            events.append((59.99, 0))
        }
        #expect(flood.measures(0).values[.overload] > 0.8 && flood.measures(0).values[.fatigue] == 0)
        let moved = state { events in events = events.map { $0.day > 55 ? ($0.day - 0.45, $0.place) : $0 } }
        #expect(moved.measures(2).values[.habit] > 0.5)
    }
}
