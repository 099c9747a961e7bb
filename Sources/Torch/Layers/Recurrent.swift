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

    var kernel: ct_cell {
        switch self {
        case .rnn: CT_CELL_RNN
        case .lstm: CT_CELL_LSTM
        case .gru: CT_CELL_GRU
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
        for index in 0..<layers {
            made.append(
                Layer(
                    inputWeight: try Parameter(
                        .uniform([rows, index == 0 ? inputs : hidden], -bound, bound)),
                    hiddenWeight: try Parameter(.uniform([rows, hidden], -bound, bound)),
                    inputBias: try Parameter(.uniform([rows], -bound, bound)),
                    hiddenBias: try Parameter(.uniform([rows], -bound, bound))))
        }
        self.layers = made
    }

    /// The state after each step, from a zero state: `[sum of lengths, hidden]`, in the input's order.
    public func callAsFunction(_ sequence: PackedSequence, training: Bool) throws(TorchError) -> Tensor {
        try run(sequence, training: training)
    }

    /// One more step of one sequence: `x`: `[1, D]`.
    ///
    /// - Parameter memory: what an earlier step returned; nothing at the beginning.
    /// - Returns: the memory, `[layers, parts, hidden]` (an LSTM's holds its cells too); see ``state(_:)``.
    public func step(_ memory: Tensor?, _ x: Tensor) throws(TorchError) -> Tensor {
        try withoutGradients { () throws(TorchError) in try answer(x, from: memory).memory }
    }

    /// The state that a memory holds: `[1, hidden]`.
    public func state(_ memory: Tensor) throws(TorchError) -> Tensor {
        try memory.select(0, layers.count - 1).slice(0, 0..<1)
    }

    /// The state after each step of one sequence, `[steps, D]`, without gradients.
    private func answer(_ x: Tensor, from memory: Tensor?) throws(TorchError) -> (states: Tensor, memory: Tensor) {
        var states = x
        var memories: [Tensor] = []
        for (index, layer) in layers.enumerated() {
            let gates = try Op.linear(
                .tensor(states), .tensor(layer.inputWeight.value), .tensor(layer.inputBias.value)
            ).unsqueezed(0)
            let own = try memory.map { memory throws(TorchError) in try memory.slice(0, index..<index + 1) }
            let answer = try Fused.recurrentStates(
                cell.kernel, gates, hiddenWeight: layer.hiddenWeight.value, hiddenBias: layer.hiddenBias.value,
                from: own)
            states = try answer.states.squeezed(0)
            memories.append(answer.memory)
        }
        return (states, try Tensor.concatenated(memories, 0))
    }

    private func run(_ sequence: PackedSequence, training: Bool) throws(TorchError) -> Tensor {
        // One sequence for an answer: libtorch's kernels spend more on each step's operators than on arithmetic.
        if !training, sequence.batchSizes.count == sequence.data.shape[0], try !Runtime.recordsGradients {
            return try answer(sequence.data, from: nil).states
        }
        let batch = Int(try sequence.batchSizes.slice(0, 0..<1).item())
        let zero = try Tensor.zeros([layers.count, batch, hidden], device: sequence.data.device)
        let start = [Tensor](repeating: zero, count: cell == .lstm ? 2 : 1)
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
        guard let states = results.first else {
            throw TorchError(operation: "recurrent layer", message: "returned no states")
        }
        return states
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
