import Foundation

/// What is asked about "did the person come back within the horizon".
public struct ClassificationReport: Sendable, Codable, Equatable {
    /// At `threshold`.
    public var accuracy: Double
    public var precision: Double
    public var recall: Double
    public var f1: Double
    /// Over all thresholds; NaN where the labels are all the same.
    public var rocAUC: Double
    public var prAUC: Double
    public var logLoss: Double
    public var brier: Double
    /// Expected calibration error over ten equal bins.
    public var ece: Double
    public var threshold: Double
    /// The share of positive labels.
    public var baseRate: Double
}

/// Measures of a probability against a label of 0 or 1. `weights` count rows; equal when absent.
///
/// Definitions are scikit-learn's, checked against its outputs: `roc_auc_score`, `average_precision_score`,
/// `log_loss`, `brier_score_loss`, `precision_recall_fscore_support`.
public enum Classification {
    /// Predictions are kept this far from 0 and 1 in the log loss: one rounding of a float32.
    static let clip = 1e-7

    /// A chance kept that far from 0 and 1, and its logit.
    public static func logit(_ chance: Double) -> Double {
        let safe = min(1 - clip, max(clip, chance))
        return log(safe) - log1p(-safe)
    }

    /// The log loss of one chance.
    public static func logLoss(_ chance: Double, _ didReturn: Bool) -> Double {
        let safe = min(1 - clip, max(clip, chance))
        return didReturn ? -log(safe) : -log1p(-safe)
    }

    public static func report(
        _ predicted: [Double], _ labels: [Double], threshold: Double, weights: [Double]? = nil
    ) -> ClassificationReport {
        report(predicted, labels, Ranked(predicted), threshold, weights)
    }

    static func report(
        _ predicted: [Double], _ labels: [Double], _ ranked: Ranked, _ threshold: Double, _ weights: [Double]?
    ) -> ClassificationReport {
        var (tp, fp, tn, fn) = (0.0, 0.0, 0.0, 0.0)
        var (loss, brier, total) = (0.0, 0.0, 0.0)
        var bins = [(weight: Double, predicted: Double, label: Double)](repeating: (0, 0, 0), count: 10)
        for index in predicted.indices {
            let weight = weights?[index] ?? 1
            guard weight > 0 else { continue }
            let (p, y) = (predicted[index], labels[index])
            total += weight
            switch (p >= threshold, y > 0.5) {
            case (true, true): tp += weight
            case (true, false): fp += weight
            case (false, true): fn += weight
            case (false, false): tn += weight
            }
            let safe = min(1 - clip, max(clip, p))
            loss -= weight * (y > 0.5 ? log(safe) : log(1 - safe))
            brier += weight * (p - y) * (p - y)
            let bin = min(9, max(0, Int(p * 10)))
            bins[bin].weight += weight
            bins[bin].predicted += weight * p
            bins[bin].label += weight * y
        }
        let (auc, ap) = areas(labels, ranked, weights)
        let precision = tp + fp > 0 ? tp / (tp + fp) : 0
        let recall = tp + fn > 0 ? tp / (tp + fn) : 0
        return ClassificationReport(
            accuracy: (tp + tn) / total, precision: precision, recall: recall,
            f1: precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0, rocAUC: auc,
            prAUC: ap, logLoss: loss / total, brier: brier / total,
            ece: bins.reduce(0) { $0 + abs($1.predicted - $1.label) } / total, threshold: threshold,
            baseRate: (tp + fn) / total)
    }

    /// The area under the ROC curve (trapezoids over ties) and the average precision (steps).
    static func areas(_ labels: [Double], _ ranked: Ranked, _ weights: [Double]?) -> (roc: Double, pr: Double) {
        var (tp, fp) = (0.0, 0.0)
        var (lastTP, lastFP) = (0.0, 0.0)
        var (area, average) = (0.0, 0.0)
        func close() {
            area += (fp - lastFP) * (tp + lastTP) / 2
            if tp > lastTP { average += (tp - lastTP) * tp / (tp + fp) }
            (lastTP, lastFP) = (tp, fp)
        }
        for (index, starts) in zip(ranked.order, ranked.starts) {
            if starts { close() }
            let weight = weights?[Int(index)] ?? 1
            if labels[Int(index)] > 0.5 { tp += weight } else { fp += weight }
        }
        close()
        guard tp > 0, fp > 0 else { return (.nan, tp > 0 ? 1 : .nan) }
        return (area / (tp * fp), average / tp)
    }

    /// The threshold with the highest F1, at most one half; one half where no label is positive.
    ///
    /// For chances that mean what they say the best threshold is half of the F1 that it has (Lipton, Elkan and Narayanaswamy,
    /// "Optimal thresholding of classifiers to maximize F1", 2014): a higher one is chance, as where nearly all labels are positive.
    public static func bestThreshold(_ predicted: [Double], _ labels: [Double]) -> Double {
        let positives = labels.reduce(0.0) { $0 + ($1 > 0.5 ? 1 : 0) }
        guard positives > 0 else { return 0.5 }
        let ranked = Ranked(predicted)
        var best = (f1: -1.0, threshold: 0.5)
        var (tp, count) = (0.0, 0.0)
        for (rank, index) in ranked.order.enumerated() {
            if labels[Int(index)] > 0.5 { tp += 1 }
            count += 1
            let last = rank + 1 == ranked.order.count || ranked.starts[rank + 1]
            let f1 = 2 * tp / (count + positives)
            if last, f1 > best.f1 { best = (f1, predicted[Int(index)]) }
        }
        return min(best.threshold, 0.5)
    }

    /// One bin of a reliability diagram.
    public struct ReliabilityBin: Sendable, Codable {
        public let predicted: Double
        public let observed: Double
        public let count: Int
    }

    /// Ten bins of equal count, from the lowest predictions to the highest.
    public static func reliability(_ predicted: [Double], _ labels: [Double], bins: Int = 10) -> [ReliabilityBin] {
        let order = predicted.indices.sorted { predicted[$0] < predicted[$1] }
        return (0..<bins).compactMap { bin in
            let part = order[(bin * order.count / bins)..<((bin + 1) * order.count / bins)]
            guard !part.isEmpty else { return nil }
            let count = Double(part.count)
            return ReliabilityBin(
                predicted: part.reduce(0) { $0 + predicted[$1] } / count,
                observed: part.reduce(0) { $0 + labels[$1] } / count, count: part.count)
        }
    }
}
