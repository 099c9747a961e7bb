import CTorch

/// The cells that a recurrent layer can have.
public enum RecurrentCell: String, Sendable, Codable, CaseIterable {
    case rnn, lstm, gru

    var gates: Int {
        switch self {
        case .rnn: 1
        case .lstm: 4
        case .gru: 3
        }
    }
}

/// An RNN (tanh), LSTM or GRU of one or more layers over packed sequences, with torch's equations and
/// order of gates, on libtorch's fused kernels.
///
/// Sources: Elman 1990; Hochreiter and Schmidhuber 1997; Cho et al. 2014.
public struct Recurrent: Module {
    let cell: RecurrentCell
    let hidden: Int
    let layers: [Layer]
    let dropout: Double

    struct Layer: Module {
        let inputWeight: Parameter
        let hiddenWeight: Parameter
        let inputBias: Parameter
        let hiddenBias: Parameter

        var tensors: [Tensor] { [inputWeight.value, hiddenWeight.value, inputBias.value, hiddenBias.value] }
    }

    public init(
        _ cell: RecurrentCell, inputs: Int, hidden: Int, layers: Int = 1, dropout: Double = 0
    ) throws(TorchError) {
        self.cell = cell
        self.hidden = hidden
        self.dropout = dropout
        let bound = 1 / Double(max(1, hidden)).squareRoot()
        let rows = cell.gates * hidden
        var made: [Layer] = []
        for place in 0..<layers {
            made.append(
                Layer(
                    inputWeight: try Parameter(
                        .uniform([rows, place == 0 ? inputs : hidden], -bound, bound)),
                    hiddenWeight: try Parameter(.uniform([rows, hidden], -bound, bound)),
                    inputBias: try Parameter(.uniform([rows], -bound, bound)),
                    hiddenBias: try Parameter(.uniform([rows], -bound, bound))))
        }
        self.layers = made
    }

    /// The state after each step, from a zero state: `[sum of lengths, hidden]`, in the input's order.
    public func callAsFunction(_ sequence: PackedSequence, training: Bool) throws(TorchError) -> Tensor {
        try run(sequence, from: nil, training: training).states
    }

    /// One more step of one sequence: `x`: `[1, D]`.
    ///
    /// - Parameter memory: what an earlier step returned; nothing at the beginning.
    /// - Returns: the state, `[1, hidden]`, and the memory, `[1 or 2, layers, 1, hidden]` (an LSTM's holds its cells too).
    public func step(_ memory: Tensor?, _ x: Tensor) throws(TorchError) -> (state: Tensor, memory: Tensor) {
        let one = PackedSequence(data: x, batchSizes: try Tensor([Int64(1)]))
        let (states, last) = try run(one, from: memory, training: false)
        return (states, try Tensor.stacked(last))
    }

    private func run(
        _ sequence: PackedSequence, from memory: Tensor?, training: Bool
    ) throws(TorchError) -> (states: Tensor, last: [Tensor]) {
        let batch = Int(try sequence.batchSizes.slice(0, 0..<1).item())
        let parts = cell == .lstm ? 2 : 1
        let start: [Tensor]
        if let memory {
            start = try memory.unbound(0)
        } else {
            let zero = try Tensor.zeros([layers.count, batch, hidden], device: sequence.data.device)
            start = [Tensor](repeating: zero, count: parts)
        }
        let weights = layers.flatMap(\.tensors)
        let rest: [Operator.Argument] = [
            .tensors(weights), .bool(true), .int(layers.count), .double(dropout), .bool(training), .bool(false),
        ]
        let results =
            switch cell {
            case .lstm: try call(Op.lstmPacked, sequence, .tensors(start), rest)
            case .gru: try call(Op.gruPacked, sequence, .tensor(start[0]), rest)
            case .rnn: try call(Op.rnnPacked, sequence, .tensor(start[0]), rest)
            }
        guard let states = results.first, results.count > parts else {
            throw TorchError(operation: "recurrent layer", message: "returned no states")
        }
        return (states, Array(results[1...parts]))
    }

    private func call(
        _ kernel: Operator, _ sequence: PackedSequence, _ state: Operator.Argument, _ rest: [Operator.Argument]
    ) throws(TorchError) -> [Tensor] {
        try kernel.results(
            .tensor(sequence.data), .tensor(sequence.batchSizes), state, rest[0], rest[1], rest[2], rest[3],
            rest[4], rest[5])
    }

    /// The first layer's state after a single step from a zero state, for an LSTM of one layer:
    /// `x`: `[B, D]`; returns `[B, hidden]`. One fused node in place of a general kernel.
    public func firstStep(_ x: Tensor) throws(TorchError) -> Tensor {
        guard cell == .lstm, layers.count == 1, let layer = layers.first else {
            throw TorchError(operation: "LSTM first step", message: "is for one layer of an LSTM")
        }
        let api = try Runtime.api
        var out: ct_tensor?
        let code = api.lstm_first_step(
            x.raw, layer.inputWeight.value.raw, layer.inputBias.value.raw, layer.hiddenBias.value.raw, &out)
        try Runtime.check(code, "LSTM first step", api)
        return try Tensor(owning: out, api)
    }
}
