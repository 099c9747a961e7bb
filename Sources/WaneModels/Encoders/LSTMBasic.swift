import Torch

/// The textbook recipe, kept to show what it is worth: `Day, Month, Year, Duration` as a sequence of one
/// step through LSTM(50), dropout 0.2, LSTM(50), dropout 0.2 and a linear output.
///
/// `x`: `[B, 4]`, scaled; returns `[B]`.
public struct LSTMBasic: Module {
    public static let name = "lstm-basic"

    let first: Recurrent
    let second: Recurrent
    let dropout: Dropout
    let output: Linear

    public init(inputs: Int = 4, hidden: Int = 50, dropout: Double = 0.2) throws(TorchError) {
        first = try Recurrent(.lstm, inputs: inputs, hidden: hidden)
        second = try Recurrent(.lstm, inputs: hidden, hidden: hidden)
        self.dropout = Dropout(dropout)
        output = try Linear(hidden, 1)
    }

    public func callAsFunction(_ x: Tensor, training: Bool) throws(TorchError) -> Tensor {
        let h1 = try dropout(first.firstStep(x), training: training)
        let h2 = try dropout(second.firstStep(h1), training: training)
        return try output(h2).squeezed(1)
    }
}
