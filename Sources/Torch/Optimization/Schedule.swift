import Foundation

/// How the learning rate changes over a run of known length.
public enum Schedule: String, Codable, Sendable, CaseIterable {
    case constant
    /// Down to zero along half a cosine (Loshchilov and Hutter 2017).
    case cosine
    /// Down to zero in a straight line.
    case linear

    /// The share of the full rate at `step` of `total`, with `warmup` steps of rise before.
    public func factor(step: Int, of total: Int, warmup: Int = 0) -> Double {
        if step < warmup { return Double(step + 1) / Double(warmup) }
        let share = min(1, Double(step - warmup) / Double(max(1, total - warmup)))
        switch self {
        case .constant: return 1
        case .cosine: return 0.5 * (1 + cos(.pi * share))
        case .linear: return 1 - share
        }
    }
}
