import Foundation
import Testing
import Torch
import WaneEvents
import WaneState
import WaneTasks
import WaneSimulation

import WaneCurves

@testable import WaneModels

extension UsingTorch {
    @Suite("The decay head and its curve")
    struct CurveTests {
        private func curve(_ parameters: [Float], gap: Double = 1_000, personGap: Double = 500) -> InterestCurve {
            InterestCurve(
                parameters, elapsedSinceTopic: gap, elapsedSinceEvent: personGap, horizon: 604_800, visitPause: 1_800,
                topicSpread: 0.3)
        }

        private static func parameters(_ seed: UInt64) -> [Float] {
            var generator = SeededGenerator(seed: seed)
            return InterestCurve.Parameter.allCases.map { _ in Float(generator.normal() * 1.5) }
        }

        @Test("never rises, and stays in 0...1", arguments: 0..<200)
        func monotone(seed: UInt64) {
            let curve = curve(Self.parameters(seed))
            let times = stride(from: -3.0, through: 9, by: 0.1).map { pow(10, $0) }
            for values in [
                times.map(curve.returnProbability(after:)), times.map(curve.degree(after:)),
                times.map(curve.interest(after:)),
            ] {
                #expect(zip(values, values.dropFirst()).allSatisfy { $0 >= $1 - 1e-12 })
                #expect(values.allSatisfy { (0...1).contains($0) })
            }
        }

        @Test("at the half-life, counted from the last touch, the drawn interest has fallen to half", arguments: 0..<50)
        func halfLife(seed: UInt64) throws {
            let curve = curve(Self.parameters(seed), gap: 0)
            guard let halfLife = curve.halfLife else {
                #expect(curve.floor >= 0.5 || curve.interest(after: InterestCurve.longest) >= 0.5)
                return
            }
            #expect(abs(curve.interest(after: halfLife - InterestCurve.smallestTime * curve.horizon) - 0.5) < 1e-6)
            // It does not grow while one waits, and lies within its own interval.
            #expect(curve.seen(after: 1e6).halfLife == halfLife)
            let interval = try #require(curve.halfLifeInterval)
            let pairs = Double(exp(Self.parameters(seed)[InterestCurve.Parameter.spread.rawValue]))
            let spread = (pairs * pairs + 0.09).squareRoot()
            #expect(abs(log(interval.upperBound / interval.lowerBound) - 2 * 1.2816 * spread) < 1e-5 * spread)
            #expect(interval.contains(halfLife))
        }

        @Test("shape and floor bend the curve around its half-life, which stays; what does not halve stays as it is")
        func bent() throws {
            var generator = SeededGenerator(seed: 8)
            for _ in 0..<50 {
                let own = (0..<3).map { _ in Float(generator.normal() * 2) }
                let mean = Float(generator.normal())
                let by = (0..<2).map { _ in Float(generator.normal() * 3) }
                let bent = try DecayHead.bent(
                    Tensor(own, shape: [1, 3]), Tensor([mean]), by: Tensor(by, shape: [1, 2])
                ).values(Float.self)
                func curve(_ decay: [Float]) -> InterestCurve {
                    self.curve(decay + [Float](repeating: 0, count: InterestCurve.Parameter.allCases.count - 3))
                }
                let (before, after) = (curve([own[0] + mean, own[1], own[2]]), curve(bent))
                if let halfLife = before.halfLife {
                    let bent = try #require(after.halfLife)
                    #expect(abs(log(bent / halfLife)) < 2e-3)
                    #expect(after.shape != before.shape || before.floor > 0.499)
                } else {
                    #expect(after == before)
                }
            }
        }

        @Test("expected touches are the integral of the rate", arguments: 0..<50)
        func integral(seed: UInt64) {
            let curve = curve(Self.parameters(seed), gap: 300)
            // Simpson's rule on a grid that is fine where the rate bends: in the cube root of the time.
            let steps = 4_000
            var sum = 0.0
            for step in 0...steps {
                let u = Double(step) / Double(steps)
                let weight: Double = step == 0 || step == steps ? 1 : step % 2 == 1 ? 4 : 2
                sum += weight * 3 * u * u * curve.interest(after: curve.horizon * u * u * u)
            }
            let exact = curve.rate * sum / 3 / Double(steps)
            #expect(abs(curve.expectedTouches(after: 0) / exact - 1) < 2e-3)
        }

        @Test("a first touch's curve passes through the chances it was made of", arguments: [0.9, 0.4, 0.01, 0])
        func through(chance: Double) {
            for share in [1.0, 0.7, 0.2] {
                let curve = InterestCurve(
                    chance: chance, later: chance * share, after: 4 * 604_800, degree: chance / 3, horizon: 604_800)
                #expect(abs(curve.returnProbability(after: 0) - chance) < 1e-3)
                // A rate that falls as fast as it may does not fall faster.
                #expect(curve.returnProbability(after: 4 * 604_800) >= chance * share - 1e-3)
                #expect(abs(curve.degree(after: 0) - chance / 3) < 1e-3)
            }
        }

        @Test("a lapse is where the chance passes the level, or at once, or never")
        func lapse() throws {
            let curve = curve(Self.parameters(4))
            let now = curve.returnProbability(after: 0)
            let lapse = try #require(curve.lapse(below: now * 0.7))
            #expect(abs(curve.returnProbability(after: lapse) - now * 0.7) < 1e-6)
            #expect(curve.lapse(below: 1) == 0)
            #expect(curve.lapse(below: 0) == nil)
        }

        @Test("seen from a later moment, it is the rest of the same curve", arguments: 0..<20)
        func later(seed: UInt64) {
            let curve = curve(Self.parameters(seed))
            let seen = curve.seen(after: 70_000)
            for elapsed in [0.0, 3_600, 1e6] {
                #expect(
                    abs(seen.returnProbability(after: elapsed) - curve.returnProbability(after: 70_000 + elapsed))
                        < 1e-12)
            }
        }

        @Test("the tensors of training and the curve say the same", arguments: 0..<20)
        func agree(seed: UInt64) throws {
            let parameters = Self.parameters(seed)
            let (gap, personGap, horizon) = (Float(40_000), Float(9_000), Float(604_800))
            func logTime(_ x: Float) throws -> Tensor {
                try Tensor([Foundation.log(x / horizon + Float(InterestCurve.smallestTime))])
            }
            let curves = try DecayHead.Curves(
                Tensor(parameters, shape: [1, parameters.count]), logOwnSinceTopic: logTime(gap),
                logElapsedSinceEvent: logTime(personGap), visitPause: 1_800 / Double(horizon))
            let whole = try Tensor([Float(1)])
            let touches = try curves.expectedTouches(within: whole)
            let chance = try curves.returnProbability(touches, within: whole)
            let degree = try curves.degree(chance, touches)
            let curve = curve(parameters, gap: Double(gap), personGap: Double(personGap))
            // float32 against float64
            #expect(abs(try chance.item() - curve.returnProbability(after: 0)) < 1e-5)
            #expect(abs(try degree.item() - curve.degree(after: 0)) < 1e-5)
        }
    }
}
