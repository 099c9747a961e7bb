import Foundation
import TestSupport
import Testing
import Torch
import WaneEvents
import WaneState
import WaneTasks
import WaneSimulation

@testable import WaneModels

extension UsingTorch {
    /// Fixtures from `Tests/Reference/families.py`, which writes every family plainly, one place at a time.
    @Suite("Families give the reference's states and gradients")
    struct FamilyFixtureTests {
        struct Family: Decodable {
            let name: String
            let weights: [String: LayerFixture.Numbers]
            let inputs: [String: LayerFixture.Numbers]
            let output: LayerFixture.Numbers
            let probe: LayerFixture.Numbers
            let weightGradients: [String: LayerFixture.Numbers]
            let inputGradients: [String: LayerFixture.Numbers]
            let penalty: Double?
        }

        struct File: Decodable {
            let times: [[Float]]
            let moments: [[Float]]
            let cases: [Family]
        }

        /// Sums of some hundred float32 terms, in another order.
        static let tolerance: Float = 1e-4

        private let file: File
        private let sizes: FamilySizes

        init() throws {
            file = try Fixture.json("families.json")
            var options = ModelOptions()
            options.hidden = 8
            options.heads = 2
            options.layers = 2
            options.historyLength = 6
            options.historyDropout = 0
            options.sparsityWeight = 0.25
            sizes = FamilySizes(events: 6, candidates: 5, items: 6, options: options)
        }

        private func sizes(_ change: (inout ModelOptions) -> Void) -> FamilySizes {
            var options = sizes.options
            change(&options)
            return FamilySizes(events: 6, candidates: 5, items: 6, options: options)
        }

        private func expectEqual(_ tensor: Tensor, _ numbers: LayerFixture.Numbers, _ what: String) throws {
            #expect(tensor.shape == numbers.shape, "\(what)")
            let scale = numbers.values.map(abs).max().map { max(1, $0) } ?? 1
            for (a, b) in zip(try tensor.values(Float.self), numbers.values) {
                #expect(abs(a - b) <= Self.tolerance * scale, "\(what): \(a) is not \(b)")
            }
        }

        private func check(
            _ name: String, _ module: any Module, inputs keys: [String],
            _ forward: ([String: Tensor]) throws -> (Tensor, Tensor?)
        ) throws {
            let family = try #require(file.cases.first { $0.name == name })
            try module.load(family.weights.mapValues { try $0.tensor() })
            let inputs = try family.inputs.mapValues { try $0.tensor() }
            #expect(Set(inputs.keys) == Set(keys))
            for input in inputs.values { try input.setRequiresGradient(true) }
            let (output, penalty) = try forward(inputs)
            try expectEqual(output, family.output, "\(name) output")
            if let expected = family.penalty {
                #expect(abs(try #require(penalty).item() - expected) < 1e-5 * max(1, abs(expected)))
            }
            let total = try (output * family.probe.tensor()).sum()
            try (penalty.map { try total + $0 } ?? total).backward()
            for (weight, parameter) in module.parameters {
                let expected = try #require(family.weightGradients[weight])
                let gradient = try #require(try parameter.value.gradient(), "\(weight) has a gradient")
                try expectEqual(gradient, expected, "\(name), gradient of \(weight)")
            }
            for (input, expected) in family.inputGradients {
                try expectEqual(#require(try inputs[input]?.gradient()), expected, "\(name), gradient of \(input)")
            }
        }

        /// The histories whose vectors `inputs` holds under `keys`, packed.
        private func sequence(_ inputs: [String: Tensor], _ keys: [(name: String, number: Int)]) throws
            -> HistorySequence
        {
            let layout = HistoryLayout(lengths: keys.map { file.times[$0.number].count })
            var rows = [(Tensor, Float, Float)?](repeating: nil, count: layout.rowCount)
            for (sequence, key) in keys.enumerated() {
                let x = try #require(inputs[key.name])
                for step in 0..<layout.lengths[sequence] {
                    rows[layout.packed.row(sequence: sequence, step: step)] = (
                        try x.slice(0, step..<step + 1), file.times[key.number][step], file.moments[key.number][step]
                    )
                }
            }
            let all = rows.compactMap(\.self)
            return try HistorySequence(
                Tensor.concatenated(all.map(\.0)), layout: layout, times: all.map(\.1), moments: all.map(\.2),
                timeUnit: 1_000)
        }

        private func checkHistory(_ name: String, _ encoder: any HistoryEncoder) throws {
            try check(name, encoder, inputs: ["a", "b", "c"]) { inputs in
                let history = try sequence(inputs, [("a", 0), ("b", 1), ("c", 2)])
                // Dropout is 0: training only asks for the penalty.
                let encoded = try encoder(history, training: true)
                return (encoded.states, encoded.penalty)
            }
        }

        @Test("attention") func attention() throws {
            try checkHistory("attention", AttentionEncoder(sizes))
        }

        @Test("HSTU") func hstu() throws {
            try checkHistory("hstu", HSTUEncoder(sizes { $0.layers = 1 }))
        }

        @Test("dilated convolutions") func cnn() throws {
            try checkHistory("cnn", DilatedEncoder(sizes { $0.layers = 1 }))
        }

        @Test("Caser") func caser() throws { try checkHistory("caser", CaserEncoder(sizes)) }

        @Test("decayed pooling") func pooling() throws { try checkHistory("pooling", PoolingEncoder(sizes)) }

        @Test("the sparse autoencoder, with its penalty", arguments: Sparsity.allCases)
        func autoencoder(sparsity: Sparsity) throws {
            try checkHistory(
                "sparse-autoencoder \(sparsity.rawValue)", SparseAutoencoder(sizes { $0.sparsity = sparsity }))
        }

        @Test("the continuous-time LSTM") func hawkes() throws { try checkHistory("hawkes", ContinuousLSTM(sizes)) }

        private func checkCandidate(_ name: String, _ encoder: any CandidateEncoder) throws {
            try check(name, encoder, inputs: ["a", "c", "candidate"]) { inputs in
                let history = try sequence(inputs, [("a", 0), ("c", 2)])
                let windows = try HistoryWindows(history, questions: [(0, 3), (1, 2)], length: 4)
                return (try encoder(windows, candidates: #require(inputs["candidate"]), training: true), nil)
            }
        }

        @Test("DIN") func din() throws { try checkCandidate("din", DeepInterest(sizes)) }

        @Test("DIEN") func dien() throws { try checkCandidate("dien", InterestEvolution(sizes)) }

        /// The graph of the reference: items 1 to 4 and people 0 to 2, the first and the last of them friends.
        private func graph() throws -> InteractionGraph {
            let histories = [[1, 2, 3, 4], [1, 3, 1, 3], [2, 3, 4]]
            // 3 follows 1 twice, as 2 is by 3 and 3 by 4: these are joined.
            let log = TinyLog.log(histories)
            let ends = histories.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.count) }
            return try InteractionGraph(
                log, known: histories.indices.map { ends[$0]..<ends[$0 + 1] },
                itemRow: log.items.names.map { Int64($0) ?? 0 }, itemRows: 5, friends: [[2], [], [0]])
        }

        private func checkGraph(_ name: String, _ encoder: any GraphEncoder) throws {
            try check(name, encoder, inputs: ["items"]) { inputs in
                (try encoder(items: #require(inputs["items"]), graph: graph()), nil)
            }
        }

        @Test("graph convolutions") func gcn() throws { try checkGraph("gcn", GraphConvolution(6)) }

        @Test("graph attention") func gat() throws { try checkGraph("gat", GraphAttention(6, heads: 2)) }

        @Test("LightGCN") func lightgcn() throws { try checkGraph("lightgcn", LightGraphConvolution()) }

        @Test("the hybrid's smoothing") func hybrid() throws { try checkGraph("hybrid", GatedGraphConvolution(6)) }

        @Test("cross-entropy over a linear layer") func crossEntropy() throws {
            struct Output: Module {
                let weight: Parameter
                let bias: Parameter
            }
            let output = Output(weight: try Parameter(.zeros([11, 6])), bias: try Parameter(.zeros([11])))
            try check("cross-entropy", output, inputs: ["hidden"]) { inputs in
                let loss = try Fused.linearCrossEntropy(
                    #require(inputs["hidden"]), weight: output.weight.value, bias: output.bias.value,
                    targets: Tensor([Int64(0), 10, 3, 3, 7]))
                return (try loss.reshaped([1]), nil)
            }
        }
    }
}
