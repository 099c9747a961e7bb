import Foundation
import TestSupport
import Testing

@testable import Torch

extension UsingTorch {
    /// Fixtures from `Tests/Reference/layers.py`.
    struct LayerFixture: Decodable {
        struct Numbers: Decodable {
            let shape: [Int]
            let values: [Float]

            func tensor() throws -> Tensor { try Tensor(values, shape: shape) }
        }

        struct Case: Decodable {
            let name: String
            let weights: [String: Numbers]
            let inputs: [String: Numbers]
            let output: Numbers
            let probe: Numbers
            let weightGradients: [String: Numbers]
            let inputGradients: [String: Numbers]
        }

        struct Optimizer: Decodable {
            let name: String
            let start: Numbers
            let end: Numbers
        }

        let cases: [Case]
        let optimizers: [Optimizer]
        let gradients: [Numbers]

        static func named(_ name: String) throws -> Case {
            let fixture: LayerFixture = try Fixture.json("layers.json")
            return try #require(fixture.cases.first { $0.name == name })
        }
    }

    @Suite("Layers give PyTorch's outputs and gradients")
    struct LayerFixtureTests {
        /// Two kernels may add in another order: float32 sums of tens of terms differ by some 1e-6.
        static let tolerance: Float = 2e-5

        private func expectEqual(_ tensor: Tensor, _ numbers: LayerFixture.Numbers, _ what: String) throws {
            #expect(tensor.shape == numbers.shape, "\(what)")
            for (a, b) in zip(try tensor.values(Float.self), numbers.values) {
                #expect(abs(a - b) <= Self.tolerance * max(1, abs(b)), "\(what): \(a) is not \(b)")
            }
        }

        private func check(
            _ name: String, _ module: some Module, _ forward: ([String: Tensor]) throws -> Tensor
        ) throws {
            let fixture = try LayerFixture.named(name)
            try module.load(fixture.weights.mapValues { try $0.tensor() })
            let inputs = try fixture.inputs.mapValues { try $0.tensor() }
            for (name, input) in inputs where fixture.inputGradients[name] != nil {
                try input.setRequiresGradient(true)
            }
            let output = try forward(inputs)
            try expectEqual(output, fixture.output, "\(name) output")
            try (output * fixture.probe.tensor()).sum().backward()
            for (weight, parameter) in module.parameters {
                let gradient = try #require(try parameter.value.gradient(), "\(weight) has a gradient")
                try expectEqual(
                    gradient, try #require(fixture.weightGradients[weight]), "\(name), gradient of \(weight)")
            }
            for (input, expected) in fixture.inputGradients {
                let gradient = try #require(try inputs[input]?.gradient())
                try expectEqual(gradient, expected, "\(name), gradient of input \(input)")
            }
        }

        private func one(_ inputs: [String: Tensor], _ name: String = "x") throws -> Tensor {
            try #require(inputs[name])
        }

        @Test("linear")
        func linear() throws {
            let layer = try Linear(3, 4)
            try check("linear", layer) { try layer(one($0)) }
        }

        @Test("embedding")
        func embedding() throws {
            let layer = try Embedding(6, 3)
            try check("embedding", layer) { try layer(one($0).converted(.int64)) }
        }

        @Test("layer norm")
        func layerNorm() throws {
            let layer = try LayerNorm(4)
            try check("layerNorm", layer) { try layer(one($0)) }
        }

        @Test("causal dilated convolution")
        func convolution() throws {
            let layer = try Convolution(3, 2, width: 3, dilation: 2, causal: true)
            try check("convolution", layer) { try layer(one($0)) }
        }

        @Test("causal multi-head attention")
        func attention() throws {
            let layer = try MultiHeadAttention(6, heads: 2)
            try check("attention", layer) { try layer(one($0), causal: true) }
        }

        @Test("recurrent layers over packed sequences", arguments: RecurrentCell.allCases)
        func recurrent(cell: RecurrentCell) throws {
            let layer = try Recurrent(cell, inputs: 3, hidden: 5, layers: 2)
            try check(cell.rawValue, layer) { inputs in
                let sequences = try ["a", "b", "c"].map { try one(inputs, $0) }
                let layout = PackedLayout(lengths: sequences.map { $0.shape[0] })
                var rows: [(Int, Tensor)] = []
                for (number, sequence) in sequences.enumerated() {
                    for step in 0..<sequence.shape[0] {
                        rows.append((layout.row(sequence: number, step: step), try sequence.slice(0, step..<step + 1)))
                    }
                }
                let data = try Tensor.concatenated(rows.sorted { $0.0 < $1.0 }.map(\.1))
                return try layer(
                    PackedSequence(data: data, batchSizes: Tensor(layout.batchSizes)), training: false)
            }
        }

        private func expectNear(_ a: Tensor, _ b: Tensor, _ what: String) throws {
            #expect(a.shape == b.shape, "\(what)")
            for (x, y) in zip(try a.values(Float.self), try b.values(Float.self)) {
                #expect(abs(x - y) <= 1e-6, "\(what): \(x) is not \(y)")
            }
        }

        @Test(
            "a recurrent layer answers one sequence, at once and step by step, as libtorch's kernel reads it",
            arguments: RecurrentCell.allCases, [5, 64])
        func answers(cell: RecurrentCell, hidden: Int) throws {
            try Runtime.seed(3)
            let layer = try Recurrent(cell, inputs: 3, hidden: hidden, layers: 2)
            let x = try Tensor.uniform([40, 3], -2, 2)
            let one = PackedSequence(data: x, batchSizes: try Tensor([Int64](repeating: 1, count: 40)))
            let kernel = try layer(one, training: false)
            let answer = try withoutGradients { try layer(one, training: false) }
            try expectNear(answer, kernel, "at once")
            var memory: Tensor?
            for step in 0..<40 {
                let next = try layer.step(memory, x.slice(0, step..<step + 1))
                memory = next
                try expectNear(layer.state(next), kernel.slice(0, step..<step + 1), "step \(step)")
            }
        }

        @Test("an AUGRU without gradients gives the states that it has with them", arguments: [5, 64])
        func attentionalAnswers(hidden: Int) throws {
            try Runtime.seed(4)
            let weight = try Tensor.uniform([3 * hidden, hidden], -0.5, 0.5)
            let bias = try Tensor.uniform([3 * hidden], -0.5, 0.5)
            let gates = try Tensor.uniform([4, 9, 3 * hidden], -2, 2)
            let attention = try Tensor.uniform([4, 9], 0, 1)
            func states() throws -> Tensor {
                try Fused.attentionalGRU(gates, attention: attention, hiddenWeight: weight, hiddenBias: bias)
            }
            try expectNear(withoutGradients { try states() }, states(), "AUGRU")
        }

        @Test(
            "a continuous-time LSTM leaves without gradients what it leaves with them, at once and event by event",
            arguments: [5, 64])
        func continuousAnswers(hidden: Int) throws {
            try Runtime.seed(5)
            let input = try Tensor.uniform([7 * hidden, 3], -0.5, 0.5)
            let weight = try Tensor.uniform([7 * hidden, hidden], -0.5, 0.5)
            let bias = try Tensor.uniform([7 * hidden], -0.5, 0.5)
            let x = try Tensor.uniform([30, 3], -2, 2)
            let gaps = try Tensor.uniform([30], 0, 3)
            let one = PackedSequence(data: x, batchSizes: try Tensor([Int64](repeating: 1, count: 30)))
            func left() throws -> Tensor {
                try Fused.continuousLSTM(
                    one, gaps: gaps, inputWeight: input, hiddenWeight: weight, bias: bias)
            }
            let kernel = try left()
            try expectNear(withoutGradients { try left() }, kernel, "at once")
            var memory: Tensor?
            for event in 0..<30 {
                let gap = event == 0 ? try Tensor([Float(0)]) : try gaps.slice(0, event - 1..<event)
                memory = try withoutGradients {
                    try Fused.continuousLSTM(
                        x.slice(0, event..<event + 1), gaps: gap, from: memory, inputWeight: input,
                        hiddenWeight: weight, bias: bias)
                }
                try expectNear(#require(memory), kernel.slice(0, event..<event + 1), "event \(event)")
            }
        }

        @Test("the fused first step of an LSTM")
        func firstStep() throws {
            let layer = try Recurrent(.lstm, inputs: 4, hidden: 6)
            let fixture = try LayerFixture.named("lstmFirstStep")
            try layer.load(fixture.weights.mapValues { try $0.tensor() })
            let x = try #require(fixture.inputs["x"]).tensor()
            try x.setRequiresGradient(true)
            let h = try layer.firstStep(x)
            try expectEqual(h, fixture.output, "state")
            try (h * fixture.probe.tensor()).sum().backward()
            try expectEqual(#require(try x.gradient()), #require(fixture.inputGradients["x"]), "input gradient")
            for (name, parameter) in layer.parameters {
                let expected = try #require(fixture.weightGradients[name])
                guard let gradient = try parameter.value.gradient() else {
                    // The recurrent weights meet a zero state: PyTorch gives them zeros, we give them nothing.
                    #expect(expected.values.allSatisfy { $0 == 0 }, "\(name)")
                    continue
                }
                try expectEqual(gradient, expected, "gradient of \(name)")
            }
        }

        @Test("optimizers take PyTorch's steps", arguments: ["adam", "adamW", "sgd"])
        func optimizers(name: String) throws {
            let fixture: LayerFixture = try Fixture.json("layers.json")
            let expected = try #require(fixture.optimizers.first { $0.name == name })
            let rule: OptimizerRule =
                switch name {
                case "adam": .adam(weightDecay: 0.01)
                case "adamW": .adamW(weightDecay: 0.01)
                default: .sgd(momentum: 0.9, weightDecay: 0.01)
                }
            let parameter = try Parameter(expected.start.tensor())
            var optimizer = try Optimizer(rule, [("p", parameter)])
            for gradient in fixture.gradients {
                try optimizer.clearGradients()
                try (parameter.value * gradient.tensor()).sum().backward()
                try optimizer.step(learningRate: 0.1)
            }
            try expectEqual(parameter.value, expected.end, name)
        }
    }
}
