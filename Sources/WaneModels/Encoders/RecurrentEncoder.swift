import Torch

/// What RNN, LSTM and GRU share: event vectors through a recurrent layer, then dropout.
struct RecurrentEncoder: HistoryEncoder {
    let cell: Recurrent
    let dropout: Dropout

    init(_ kind: RecurrentCell, _ sizes: FamilySizes) throws(TorchError) {
        let options = sizes.options
        cell = try Recurrent(
            kind, inputs: sizes.events, hidden: options.hidden, layers: options.layers,
            dropout: options.historyDropout)
        dropout = Dropout(options.historyDropout)
    }

    func callAsFunction(_ history: HistorySequence, training: Bool) throws(TorchError) -> EncodedHistory {
        EncodedHistory(try dropout(cell(history.events, training: training), training: training))
    }

    func step(_ memory: Tensor?, _ event: Tensor, gap: Double) throws(TorchError) -> Tensor? {
        try cell.step(memory, event)
    }

    func state(_ memory: Tensor) throws(TorchError) -> Tensor { try cell.state(memory) }
}
