import Torch

extension ModelFamily {
    static let gru = ModelFamily(
        name: "gru", summary: "a gated recurrent unit over the person's events, with time gaps",
        reference: "Cho et al. 2014",
        options: [.hidden, .layers, .historyDropout, .historyLength]
    ) { sizes throws(TorchError) in
        FamilyParts(history: try RecurrentEncoder(.gru, sizes))
    }
}
