import Torch

extension ModelFamily {
    static let lstm = ModelFamily(
        name: "lstm", summary: "a long short-term memory over the person's events, with time gaps",
        reference: "Hochreiter and Schmidhuber 1997",
        options: [.hidden, .layers, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(history: try RecurrentEncoder(.lstm, sizes))
    }
}
