import Torch

/// What RNN, LSTM and GRU share: event vectors through a recurrent layer, then dropout.
struct RecurrentEncoder: HistoryEncoder {
    let cell: Recurrent
    let dropout: Dropout

    init(_ kind: RecurrentCell, inputs: Int, _ options: ModelOptions) throws(TorchError) {
        cell = try Recurrent(
            kind, inputs: inputs, hidden: options.hidden, layers: options.layers, dropout: options.historyDropout)
        dropout = Dropout(options.historyDropout)
    }

    func callAsFunction(_ events: PackedSequence, training: Bool) throws(TorchError) -> Tensor {
        try dropout(cell(events, training: training), training: training)
    }
}
