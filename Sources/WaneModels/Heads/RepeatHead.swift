import Torch

/// Mass that items of a person's own history have beside what their vectors give them: people come back to things.
///
///     e^logit(i) = e^z_i + [i is the person's own] e^u_i,   u_i = c z_i + s(how lately and how often i was met) + gate . state
///
/// `z_i` is the item's logit by its vector, `s` a line and a small network. With `c` of 1 it is a factor on the vector's own
/// mass, with 0 a rule of recency and frequency alone; training chooses.
struct RepeatHead: Module {
    let line: Linear
    /// Begun low: what vectors and order say is learned first.
    let level: Parameter
    let hidden: Linear
    let output: Linear
    let context: Parameter
    /// Absent for families that have no state without a candidate.
    let gate: Linear?

    private static let hiddenWidth = 24

    /// - Parameter features: numbers that are known of each item.
    init(features: Int = OwnItems.featureCount, stateWidth: Int?) throws(TorchError) {
        line = try Linear(features, 1, bias: false)
        level = try Parameter(.full([1], -1))
        hidden = try Linear(features, Self.hiddenWidth)
        output = try Linear(Self.hiddenWidth, 1, bias: false)
        context = try Parameter(.full([1], 1))
        gate = try stateWidth.map { width throws(TorchError) in try Linear(width, 1, bias: false) }
    }

    /// - Parameters:
    ///   - byVector: the own items' `z`, `[rows, width]`.
    ///   - states: `[rows, D]`, where the family has them.
    func callAsFunction(_ own: OwnItems, byVector: Tensor, states: Tensor?) throws(TorchError) -> OwnLogits {
        let features = try Tensor(own.features, shape: [own.rows * own.width, hidden.weight.value.shape[1]])
        let byHistory = try line(features) + output(hidden(features).silu()) + level.value
        var logits = try byHistory.reshaped([own.rows, own.width]) + context.value * byVector
        if let states, let gate { logits = try logits + gate(states) }
        return try OwnLogits(own, values: logits, byVector: byVector)
    }
}

/// Logits of items of people's own histories, or of items that go with them, beside those by vectors.
struct OwnLogits {
    /// `u`, -1e9 where there are no more items; and `z`: `[rows, width]` each.
    let values: Tensor
    let byVector: Tensor
    /// Whose they are: int64 `[rows, width]`, 0 where there are no more.
    let items: Tensor
    private let none: Tensor

    init(_ own: OwnItems, values: Tensor, byVector: Tensor) throws(TorchError) {
        items = try own.places
        none = try items.equals(.zeros([1], .int64))
        self.values = try values.filled(where: none, with: -1e9)
        self.byVector = byVector
    }

    /// Several lists of the same questions as one; no item stands in two of them.
    static func joined(_ lists: [OwnLogits]) throws(TorchError) -> OwnLogits? {
        guard lists.count > 1 else { return lists.first }
        func joined(_ part: (OwnLogits) -> Tensor) throws(TorchError) -> Tensor {
            try Tensor.concatenated(lists.map(part), 1)
        }
        return OwnLogits(
            values: try joined(\.values), byVector: try joined(\.byVector), items: try joined(\.items),
            none: try joined(\.none))
    }

    private init(values: Tensor, byVector: Tensor, items: Tensor, none: Tensor) {
        (self.values, self.byVector, self.items, self.none) = (values, byVector, items, none)
    }

    /// Where the answers stand among the own items: `[rows, width]`.
    func isAnswer(_ answers: Tensor) throws(TorchError) -> Tensor { try items.equals(answers.unsqueezed(1)) }

    /// The logarithms of all own mass and of the answers': `[rows]` each.
    func beside(_ answers: Tensor) throws(TorchError) -> (all: Tensor, target: Tensor) {
        let others = try isAnswer(answers).equals(.zeros([1], .bool))
        return (try values.logSumExp(1), try values.filled(where: others, with: -1e9).logSumExp(1))
    }

    /// `logits`, `[rows, items + 1]`, with the own mass added.
    func added(to logits: Tensor) throws(TorchError) -> Tensor {
        // log(e^z + e^u) - z
        try adding((values - byVector).softplus(), to: logits)
    }

    /// `logits` with something added to each item listed; nothing for the places that are none.
    func adding(_ more: Tensor, to logits: Tensor) throws(TorchError) -> Tensor {
        let more = try more.filled(where: none, with: 0)
        let (rows, count) = (logits.shape[0], logits.shape[1])
        let starts = try Tensor((0..<rows).map { Int64($0 * count) }).unsqueezed(1)
        let places = try (items + starts).reshaped([items.count])
        return try logits.reshaped([rows * count]).addingRows(places, more.reshaped([more.count]))
            .reshaped([rows, count])
    }
}
