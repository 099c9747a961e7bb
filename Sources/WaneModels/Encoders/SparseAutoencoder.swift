import Foundation
import Torch

extension ModelFamily {
    static let sparseAutoencoder = ModelFamily(
        name: "sparse-autoencoder", summary: "the decayed activity through a wide code of which few numbers are on",
        reference: "Ng 2011; Steck 2019 (EASE) as its linear limit",
        options: [.hidden, .historyDropout, .historyLength, .sparsity, .sparsityWeight]
    ) { sizes throws(TorchError) in
        FamilyParts(history: try SparseAutoencoder(sizes))
    }
}

/// What keeps a code sparse.
public enum Sparsity: String, Sendable, Codable, CaseIterable {
    /// The mean magnitude.
    case l1
    /// The Kullback-Leibler divergence of each unit's mean activation from a small target.
    case kl
}

/// The decayed sum of a history's event vectors (the first, linear layer applied to its decayed activity vector)
/// through a sparse code, which both rebuilds it and answers for the state.
///
///     code = relu(W a + b);  penalty = |a - (V code + c)|^2 + weight * sparsity(code)
///
/// with `KL(rho || mean activation)` summed over units (Ng's notes, section 3) where `sparsity` is `kl`, the
/// activation being a sigmoid then.
struct SparseAutoencoder: HistoryEncoder {
    static let activationTarget = 0.05

    let sparsity: Sparsity
    let weight: Double
    let pooling: DecayedPooling
    let encode: Linear
    let decode: Linear
    let output: Linear
    let dropout: Dropout

    init(_ sizes: FamilySizes) throws(TorchError) {
        let options = sizes.options
        sparsity = options.sparsity
        weight = options.sparsityWeight
        pooling = try DecayedPooling(length: options.historyLength)
        encode = try Linear(sizes.events, 4 * options.hidden)
        decode = try Linear(4 * options.hidden, sizes.events)
        output = try Linear(4 * options.hidden, options.hidden)
        dropout = Dropout(options.historyDropout)
    }

    /// The code of `activity`, `[rows, D]`: `[rows, 4 H]`.
    func code(_ activity: Tensor) throws(TorchError) -> Tensor {
        let z = try encode(activity)
        return sparsity == .l1 ? try z.relu() : try z.sigmoid()
    }

    func callAsFunction(_ history: HistorySequence, training: Bool) throws(TorchError) -> EncodedHistory {
        let activity = try pooling(history)
        let code = try code(activity)
        let states = try output(dropout(code, training: training))
        guard training else { return EncodedHistory(states) }
        let rebuilt = try Loss.meanSquaredError(decode(code), activity.detached())
        return EncodedHistory(states, penalty: try rebuilt + penalty(code) * weight)
    }

    func penalty(_ code: Tensor) throws(TorchError) -> Tensor {
        switch sparsity {
        case .l1: return try code.magnitude().mean()
        case .kl:
            let rho = Self.activationTarget
            let mean = try code.mean(0).clamped(1e-6, 1 - 1e-6)
            let on = try mean.log() * -rho
            let off = try (mean * -1 + 1).log() * -(1 - rho)
            let constant = Self.entropyTerm
            return try (on + off + constant).sum()
        }
    }

    /// `rho log rho + (1 - rho) log(1 - rho)`.
    private static var entropyTerm: Double {
        activationTarget * log(activationTarget) + (1 - activationTarget) * log(1 - activationTarget)
    }
}
