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
                parameters, elapsedSinceTopic: gap, elapsedSinceEvent: personGap, horizon: 604_800)
        }

        private static func parameters(_ seed: UInt64) -> [Float] {
            var generator = SeededGenerator(seed: seed)
            return InterestCurve.Parameter.allCases.map { _ in Float(generator.normal() * 1.5) }
        }

        @Test("never rises, and stays in 0...1", arguments: 0..<200)
        func monotone(seed: UInt64) {
            let curve = curve(Self.parameters(seed))
            let times = stride(from: -3.0, through: 9, by: 0.1).map { pow(10, $0) }
            for values in [times.map(curve.returnProbability(after:)), times.map(curve.degree(after:))] {
                #expect(zip(values, values.dropFirst()).allSatisfy(>=))
                #expect(values.allSatisfy { (0...1).contains($0) })
            }
            #expect(curve.halfLife > 0)
        }

        @Test("at the half-life the part that decays has lost half", arguments: 0..<50)
        func halfLife(seed: UInt64) {
            let curve = curve(Self.parameters(seed))
            let floor = curve.returnAmplitude * curve.returnFloor
            let share =
                (curve.returnProbability(after: curve.halfLife) - floor) / (curve.returnProbability(after: 0) - floor)
            if curve.halfLife < 3e10 { #expect(abs(share - 0.5) < 1e-6) }
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
            let (chance, degree) = try DecayHead.values(
                Tensor(parameters, shape: [1, parameters.count]), logElapsedSinceTopic: logTime(gap),
                logElapsedSinceEvent: logTime(personGap))
            let curve = curve(parameters, gap: Double(gap), personGap: Double(personGap))
            // float32 against float64
            #expect(abs(try chance.item() - curve.returnProbability(after: 0)) < 1e-5)
            #expect(abs(try degree.item() - curve.degree(after: 0)) < 1e-5)
        }
    }
}
