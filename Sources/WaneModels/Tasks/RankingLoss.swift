import Foundation
import Torch

/// Item rows drawn to be compared with, and how likely each was to be drawn.
public struct NegativeSample: Sendable {
    public let rows: [Int64]
    /// The logarithm of each drawn row's chance, and of every item row's.
    public let logChances: [Float]
    public let logChanceOfRow: [Float]

    public init(rows: [Int64], logChanceOfRow: [Float]) {
        self.rows = rows
        self.logChanceOfRow = logChanceOfRow
        logChances = rows.map { logChanceOfRow[Int($0)] }
    }
}

/// What training for the next item minimizes.
public struct RankingLoss: Sendable, Codable, Equatable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// Cross-entropy of a softmax over all items.
        case softmax
        /// The same over the answer and drawn items, with `log q` taken off each logit (Bengio and Senécal 2008;
        /// Yi et al. 2019).
        case sampled
        /// Binary cross-entropy against drawn items (SASRec).
        case bce
        /// The same with the over-confidence of few negatives mended (Petrov and Macdonald 2023, equation 10).
        case gbce
    }

    public var kind = Kind.softmax
    /// Items drawn for each step, uniformly for `bce` and `gbce`, by popularity for `sampled`.
    public var negatives = 256
    /// `t` of gBCE: 0 is BCE, 1 is fully calibrated.
    public var calibration = 0.75
    /// Multiply in bfloat16 where the loss is a softmax over all items.
    public var bfloat16 = false

    public init() {}

    /// `states`: `[N, D]`; `vectors`: `[items + 1, D]`; `bias`: `[items + 1]`; `targets`: item rows; `own`: what people's own
    /// items have beside.
    func callAsFunction(
        _ states: Tensor, vectors: Tensor, bias: Tensor, targets: [Int64], own: OwnLogits?, sample: NegativeSample?
    ) throws(TorchError) -> Tensor {
        let answers = try Tensor(targets)
        if kind == .softmax {
            return try Fused.linearCrossEntropy(
                states, weight: vectors, bias: bias, targets: answers,
                beside: own.map { own throws(TorchError) in try own.beside(answers) }, bfloat16: bfloat16)
        }
        guard let sample else { throw TorchError(operation: "\(kind.rawValue) loss", message: "needs drawn items") }
        let drawn = try Tensor(sample.rows)
        let biases = bias
        // [N] and [N, K]
        var positive = try (states * vectors.rows(answers)).sum(1) + biases.rows(answers)
        var negative = try states.matmul(vectors.rows(drawn).transposed()) + biases.rows(drawn)
        if kind == .sampled {
            // The answer counts as one of those drawn; beside own items, whose mass is whole, each counts as what it stands for.
            if own == nil { positive = try positive - Tensor(targets.map { sample.logChanceOfRow[Int($0)] }) }
            let times = own == nil ? 0 : Foundation.log(Double(max(1, sample.rows.count)))
            negative = try negative - Tensor(sample.logChances) - times
        }
        return try self(
            positive: positive, negative: negative, isAnswer: drawn.equals(answers.unsqueezed(1)), own: own,
            answers: answers, items: vectors.shape[0] - 1)
    }

    /// The loss of answers' scores, `[N]`, against those of drawn items, `[N, K]`. `isAnswer`, `[N, K]`, marks the
    /// drawn ones that are the answer: as its own opponent it would be pushed both ways. The own items of a person are
    /// opponents too, and what the answer has as one of them is added to it.
    func callAsFunction(
        positive: Tensor, negative: Tensor, isAnswer: Tensor, own: OwnLogits?, answers: Tensor, items: Int
    ) throws(TorchError) -> Tensor {
        let drawn = negative.shape[1]
        var negative = try negative.filled(where: isAnswer, with: -1e9)
        var positive = positive
        if let own {
            let target = try own.beside(answers).target
            positive = try Tensor.stacked([positive, target], 1).logSumExp(1)
            let others = try own.values.filled(where: own.isAnswer(answers), with: -1e9)
            negative = try Tensor.concatenated([negative, others], 1)
        }
        switch kind {
        case .softmax, .sampled:
            let all = try Tensor.concatenated([positive.unsqueezed(1), negative], 1)
            return try -(all.logSoftmax(1).select(1, 0).mean())
        case .bce, .gbce:
            let beta = kind == .gbce ? Self.beta(negatives: drawn, items: items, calibration) : 1
            let right = try positive.logSigmoid() * beta
            let wrong = try (-negative).logSigmoid().sum(1)
            return try -((right + wrong).mean()) * (1 / Double(drawn + 1))
        }
    }

    /// `beta = alpha (t (1 - 1 / alpha) + 1 / alpha)` with the sampling rate `alpha = k / (items - 1)`.
    static func beta(negatives: Int, items: Int, _ t: Double) -> Double {
        let alpha = min(1, Double(negatives) / Double(max(1, items - 1)))
        return alpha * (t * (1 - 1 / alpha) + 1 / alpha)
    }
}
