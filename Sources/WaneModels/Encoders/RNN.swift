import Torch

extension ModelFamily {
    static let rnn = ModelFamily(
        name: "rnn", summary: "a simple recurrent network over the person's events, with time gaps",
        reference: "Elman 1990",
        options: [.hidden, .layers, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(history: try RecurrentEncoder(.rnn, sizes))
    }
}
