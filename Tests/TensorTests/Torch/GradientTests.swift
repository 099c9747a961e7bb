import Testing

@testable import Torch

extension UsingTorch {
    @Suite("Gradients agree with finite differences")
    struct GradientTests {
        /// Central differences in float64 are exact to about h^2; h = 1e-6 leaves 1e-7 after rounding.
        private func check(_ values: [Double], _ f: (Tensor) throws -> Tensor) throws {
            let x = try Tensor(values)
            try x.setRequiresGradient(true)
            try f(x).backward()
            let gradient = try #require(try x.gradient()).values(Double.self)
            let h = 1e-6
            for i in values.indices {
                func at(_ delta: Double) throws -> Double {
                    var moved = values
                    moved[i] += delta
                    return try withoutGradients { try f(Tensor(moved)).item() }
                }
                let numeric = try (at(h) - at(-h)) / (2 * h)
                #expect(abs(numeric - gradient[i]) < 1e-6 * max(1, abs(numeric)), "element \(i)")
            }
        }

        @Test("of each operator that models use")
        func operators() throws {
            let x = [0.3, -1.2, 2.0, 0.7]
            let positive = [0.3, 1.2, 2.0, 0.7]
            let w = try Tensor([0.5, -0.25, 1.5, 2.0])
            try check(x) { try (($0 + w) * $0 - $0 * 0.5).sum() }
            try check(positive) { try (w / $0).sum() }
            try check(x) { try $0.sigmoid().sum() }
            try check(x) { try ($0.tanh() * w).sum() }
            try check(x) { try $0.silu().sum() }
            try check(x) { try $0.gelu().sum() }
            try check(x) { try $0.softplus().mean() }
            try check(x) { try $0.logSigmoid().sum() }
            try check(x) { try ($0.softmax(0) * w).sum() }
            try check(x) { try ($0.logSoftmax(0) * w).sum() }
            try check(positive) { try ($0.log() + $0.logOnePlus() + $0.squareRoot() + $0.reciprocal()).sum() }
            try check(positive) { try $0.power(1.7).sum() }
            try check(positive) { try w.power(2).power($0).sum() }
            try check(x) { try $0.exp().clamped(0.1, 3).sum() }
            try check(x) {
                try $0.reshaped([2, 2]).matmul(Tensor([1.0, 2, 3, 4], shape: [2, 2])).sum(0).power(2).sum()
            }
            try check(x) { try Tensor.concatenated([$0, $0 * 2]).slice(0, 1..<6).power(2).sum() }
            try check(x) { try Tensor.stacked([$0, w]).transposed().select(1, 0).power(2).sum() }
            try check(x) { try $0.rows(Tensor([Int64(2), 2, 0])).power(2).sum() }
            try check(x) { try Loss.meanSquaredError($0, w) }
            try check([0.3, 0.8, 0.5, 0.1]) { try Loss.binaryCrossEntropy($0, Tensor([1.0, 0, 0.5, 0])) }
            try check(x) { try Loss.binaryCrossEntropy(logits: $0, Tensor([1.0, 0, 0.5, 0])) }
        }

        @Test("are not recorded where they are not wanted")
        func withoutRecording() throws {
            let x = try Tensor([1.0, 2])
            try x.setRequiresGradient(true)
            #expect(try withoutGradients { try x * 2 }.requiresGradient == false)
            #expect(try (x * 2).requiresGradient)
        }
    }
}
