import Torch

extension ModelFamily {
    static let lstm = ModelFamily(
        name: "lstm", summary: "a long short-term memory over the person's events, with time gaps",
        reference: "Hochreiter and Schmidhuber 1997"
    ) { inputs, options throws(TorchError) in
        try RecurrentEncoder(.lstm, inputs: inputs, options)
    }
}
