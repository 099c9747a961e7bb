import Torch

/// A weighted mean of a history's event vectors, whose weights fall with place and with elapsed time along a
/// learned kernel: attention without a question.
struct DecayedPooling: Module {
    let place: Parameter
    let time: Parameter

    /// Buckets of the logarithm to base 2 of seconds: up to some 17,000 years.
    static let timeBuckets = 40

    init(length: Int) throws(TorchError) {
        // Half for each four places, to begin with.
        place = try Parameter(Tensor((0..<length).map { Float($0) * -0.17 }, shape: [1, length]))
        time = try Parameter(.zeros([1, Self.timeBuckets]))
    }

    /// Returns `[rows, D]`: the mean up to each event.
    func callAsFunction(_ history: HistorySequence) throws(TorchError) -> Tensor {
        let x = try history.padded(history.events.data)
        let (b, l) = (x.shape[0], x.shape[1])
        let weights = try history.causalWeights(
            .zeros([b, 1, l, l]), place: place.value, time: time.value)
        return try history.packed(weights.reshaped([b, l, l]).matmul(x))
    }
}
