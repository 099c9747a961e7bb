import Foundation
import Testing
import Torch
import WaneData

@testable import WaneModels

extension UsingTorch {
    @Suite("The decay head and its curve")
    struct CurveTests {
        private func curve(_ constants: [Float], gap: Double = 1_000, personGap: Double = 500) -> InterestCurve {
            InterestCurve(constants[...], gap: gap, personGap: personGap, horizon: 604_800)
        }

        private static func constants(_ seed: UInt64) -> [Float] {
            var generator = SeededGenerator(seed: seed)
            return DecayHead.Column.allCases.map { _ in Float(generator.normal() * 1.5) }
        }

        @Test("never rises, and stays in 0...1", arguments: 0..<200)
        func monotone(seed: UInt64) {
            let curve = curve(Self.constants(seed))
            let times = stride(from: -3.0, through: 9, by: 0.1).map { pow(10, $0) }
            for values in [times.map(curve.returnChance(after:)), times.map(curve.degree(after:))] {
                #expect(zip(values, values.dropFirst()).allSatisfy(>=))
                #expect(values.allSatisfy { (0...1).contains($0) })
            }
            #expect(curve.halfLife > 0)
        }

        @Test("at the half-life the part that decays has lost half", arguments: 0..<50)
        func halfLife(seed: UInt64) {
            let curve = curve(Self.constants(seed))
            let floor = curve.returnAmplitude * curve.returnFloor
            let share = (curve.returnChance(after: curve.halfLife) - floor) / (curve.returnChance(after: 0) - floor)
            if curve.halfLife < 3e10 { #expect(abs(share - 0.5) < 1e-6) }
        }

        @Test("a lapse is where the chance passes the level, or at once, or never")
        func lapse() throws {
            let curve = curve(Self.constants(4))
            let now = curve.returnChance(after: 0)
            let lapse = try #require(curve.lapse(below: now * 0.7))
            #expect(abs(curve.returnChance(after: lapse) - now * 0.7) < 1e-6)
            #expect(curve.lapse(below: 1) == 0)
            #expect(curve.lapse(below: 0) == nil)
        }

        @Test("the tensors of training and the curve say the same", arguments: 0..<20)
        func agree(seed: UInt64) throws {
            let constants = Self.constants(seed)
            let (gap, personGap, horizon) = (Float(40_000), Float(9_000), Float(604_800))
            func logTime(_ x: Float) throws -> Tensor {
                try Tensor([Foundation.log(x / horizon + Float(DecayHead.smallestTime))])
            }
            let (returned, degree) = try DecayHead.values(
                Tensor(constants, shape: [1, constants.count]), logGap: logTime(gap), logPersonGap: logTime(personGap))
            let curve = curve(constants, gap: Double(gap), personGap: Double(personGap))
            // float32 against float64
            #expect(abs(try returned.item() - curve.returnChance(after: 0)) < 1e-5)
            #expect(abs(try degree.item() - curve.degree(after: 0)) < 1e-5)
        }
    }
}
