import Torch

extension ModelFamily {
    /// The flagship. What is its own are the causes that multiply half-lives (`CauseFit`, `CauseState`), which its head adds to
    /// `log τ`. Questions bring features of the whole history, to which an encoder of it added nothing on four logs of five and took
    /// .003 of log loss on the fifth (decision 33); the next item is guessed by what `attention` reads, and by what goes
    /// with it over everybody (`ItemCompanions`, decision 39).
    static let wane = ModelFamily(
        name: "wane",
        summary:
            "the flagship: half-lives that fatigue, overload, habit and friends multiply; ranks by attention and what goes with what",
        reference: "docs/maths.md, Causes", readsCompanions: true, measuresCauses: true, options: []
    ) { sizes throws(TorchError) in
        FamilyParts(history: sizes.isRanking ? try AttentionEncoder(sizes) : nil)
    }
}
