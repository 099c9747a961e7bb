import Torch

/// Reads histories: one vector after each event.
public protocol HistoryEncoder: Module {
    /// `events`: packed event vectors, `[sum of lengths, D]`; returns states, `[sum of lengths, width]`, in
    /// the same order.
    func callAsFunction(_ events: PackedSequence, training: Bool) throws(TorchError) -> Tensor
}

/// A family of models: its name, what it is, and how its encoder is made.
public struct ModelFamily: Sendable {
    public let name: String
    public let summary: String
    public let reference: String
    /// Takes the width of event vectors and the options; nothing for families that read no history.
    let makeEncoder: @Sendable (Int, ModelOptions) throws(TorchError) -> (any HistoryEncoder)?
}

/// Every family that answers the interest task through the decay head. A new family is a file and a line
/// here.
public enum ModelFamilies {
    public static let all: [ModelFamily] = [.mlp, .rnn, .lstm, .gru]

    public static func named(_ name: String) -> ModelFamily? { all.first { $0.name == name } }
}
