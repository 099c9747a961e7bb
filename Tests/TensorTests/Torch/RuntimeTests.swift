import Foundation
import TestSupport
import Testing

@testable import Torch

extension UsingTorch {
    @Suite("Tensors and their handles")
    struct RuntimeTests {
        @Test("numbers come back as they went in")
        func roundTrip() throws {
            #expect(
                try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3]).values(Float.self) == [1, 2, 3, 4, 5, 6])
            #expect(try Tensor([Int64.max, .min]).values(Int64.self) == [.max, .min])
            #expect(try Tensor([] as [Float], shape: [0, 3]).shape == [0, 3])
        }

        @Test("an error is one line that names the operator and carries libtorch's message")
        func errors() throws {
            let error = #expect(throws: TorchError.self) {
                try Tensor([1, 2, 3] as [Float]).matmul(Tensor([1, 2] as [Float]))
            }
            let message = try #require(error).description
            #expect(message.hasPrefix("aten::matmul: "))
            #expect(message.contains("size"))
            #expect(!message.contains("\n"))
        }

        @Test("a shape that does not fit its numbers is refused")
        func wrongShape() {
            #expect(throws: TorchError.self) { try Tensor([1, 2, 3] as [Float], shape: [2, 2]) }
            #expect(throws: TorchError.self) { try Tensor([1, 2] as [Float]).values(Double.self) }
            #expect(throws: TorchError.self) { try Operator("no_such_operator")() }
        }

        @Test("the same seed gives the same numbers, and a saved state goes on where it was")
        func seeds() throws {
            try Runtime.seed(5)
            let first: [Float] = try Tensor.uniform([8], 0, 1).values()
            let state = try Runtime.randomState()
            let next: [Float] = try Tensor.uniform([8], 0, 1).values()
            try Runtime.seed(5)
            #expect(try Tensor.uniform([8], 0, 1).values(Float.self) == first)
            try Runtime.setRandomState(state)
            #expect(try Tensor.uniform([8], 0, 1).values(Float.self) == next)
        }

        @Test("a thousand training steps leave no handle behind")
        func noLeaks() throws {
            func steps(_ count: Int) throws {
                let layer = try Linear(8, 8)
                var optimizer = try Optimizer(.adam(), layer.parameters)
                let x = try Tensor.uniform([16, 8], -1, 1)
                for _ in 0..<count {
                    try optimizer.clearGradients()
                    try layer(x).silu().power(2).sum().backward()
                    _ = try optimizer.clipGradients(to: 1)
                    try optimizer.step(learningRate: 1e-3)
                }
            }
            try steps(500)
            let handles = try Runtime.liveHandles
            try steps(1_000)
            #expect(try Runtime.liveHandles == handles)
        }

        @Test("gradients are clipped to the norm asked for")
        func clipping() throws {
            let parameter = try Parameter(Tensor([3, 4] as [Float]))
            let optimizer = try Optimizer(.sgd(), [("p", parameter)])
            try (parameter.value * parameter.value).sum().backward()  // gradient (6, 8), norm 10
            #expect(abs(try optimizer.clipGradients(to: 1) - 10) < 1e-5)
            let clipped: [Float] = try #require(try parameter.value.gradient()).values()
            #expect(abs(clipped[0] - 0.6) < 1e-6 && abs(clipped[1] - 0.8) < 1e-6)
        }

        @Test("schedules rise, then fall as they say")
        func schedules() {
            #expect(Schedule.constant.factor(step: 70, of: 100) == 1)
            #expect(abs(Schedule.cosine.factor(step: 50, of: 100) - 0.5) < 1e-12)
            #expect(Schedule.linear.factor(step: 100, of: 100) == 0)
            #expect(Schedule.linear.factor(step: 0, of: 100, warmup: 10) == 0.1)
        }

        @Test("a packed layout holds every step once, longest sequence first", arguments: 0..<20)
        func packing(seed: Int) {
            var state = UInt64(seed + 1)
            let lengths = (0..<(seed % 7 + 1)).map { _ -> Int in
                state = state &* 6_364_136_223_846_793_005 &+ 1
                return Int(state >> 60) + 1
            }
            let layout = PackedLayout(lengths: lengths)
            let rows = lengths.indices.flatMap { sequence in
                (0..<lengths[sequence]).map { layout.row(sequence: sequence, step: $0) }
            }
            #expect(rows.sorted() == Array(0..<lengths.reduce(0, +)))
            #expect(zip(layout.batchSizes, layout.batchSizes.dropFirst()).allSatisfy(>=))
        }
    }
}
