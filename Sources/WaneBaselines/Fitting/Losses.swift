import Foundation

enum Losses {
    /// Minus the log likelihood of a label in 0...1 (a share counts as that share of a success).
    @inline(__always)
    static func logLoss(_ predicted: Double, _ label: Double) -> Double {
        let safe = min(1 - 1e-9, max(1e-9, predicted))
        return -label * log(safe) - (1 - label) * log(1 - safe)
    }

    @inline(__always)
    static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}
