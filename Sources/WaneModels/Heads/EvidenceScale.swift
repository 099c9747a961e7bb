import Torch

/// How far a model's vectors and what it counted are to be believed on people's next steps, as questions that training has not
/// seen say: training itself fits vectors to its own people, beside whom counts look weaker than they are.
///
///     logit(i) = e^a z_i + softplus(e^b (u_i - z_i) + c)   for items of the lists, e^a z_i for all others
///
/// With `a`, `b`, `c` of 0 it is ``OwnLogits/added(to:)``.
struct EvidenceScale: Module {
    /// `a`, `b`, `c`.
    let scales: Parameter

    private static let steps = 80
    /// Questions that say enough.
    private static let fewest = 50

    init() throws(TorchError) { scales = try Parameter(.zeros([3])) }

    /// - Parameter logits: `z` of all items, `[questions, items + 1]`.
    func callAsFunction(_ logits: Tensor, _ own: OwnLogits) throws(TorchError) -> Tensor {
        let parts = try scales.value.unbound(0)
        let more = try ((own.values - own.byVector) * parts[1].exp() + parts[2]).softplus()
        return try own.adding(more, to: logits * parts[0].exp())
    }

    /// The scales with the least log loss, under a normal prior of deviation 1 about 0 that counts as one question; left as they are by
    /// fewer than fifty.
    ///
    /// - Parameter check: called before each step; may throw.
    func fit(
        _ parts: [(logits: Tensor, own: OwnLogits, answers: Tensor)], check: () throws -> Void = {}
    ) throws {
        let count = parts.reduce(0) { $0 + $1.answers.count }
        guard count >= Self.fewest else { return }
        var optimizer = try Optimizer(.adam(), [("scales", scales)])
        for step in 0..<Self.steps {
            try check()
            try optimizer.clearGradients()
            for (logits, own, answers) in parts {
                let all = try self(logits, own).logSoftmax(1)
                try (-(all.gathered(1, answers.unsqueezed(1)).sum()) * (1 / Double(count))).backward()
            }
            try ((scales.value * scales.value).sum() * (0.5 / Double(count))).backward()
            try optimizer.step(learningRate: step < Self.steps / 2 ? 0.1 : 0.03)
        }
        guard try scales.value.allFinite() else {
            throw TorchError(operation: "evidence", message: "no scales were found: they are no numbers")
        }
    }
}
