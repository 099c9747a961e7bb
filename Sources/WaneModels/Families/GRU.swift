import Torch

extension ModelFamily {
    static let gru = ModelFamily(
        name: "gru", summary: "a gated recurrent unit over the person's events, with time gaps",
        reference: "Cho et al. 2014"
    ) { inputs, options throws(TorchError) in
        try RecurrentEncoder(.gru, inputs: inputs, options)
    }
}
