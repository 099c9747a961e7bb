import Foundation
import WaneBundle
import WaneCurves
import WaneState

/// Why a person's half-life of a topic is what it is: the product of what is ordinary for such pairs and of what each cause
/// multiplies it by.
///
///     half-life = base · fatigue · overload · habit · social
///
/// Multipliers are read off the model: its `log τ` is that sum. They say what goes together in the log, beyond placebos; that one
/// thing made another is more than any log says.
public struct Explanation: Sendable {
    public let curve: InterestCurve
    public let effects: CauseEffects
    /// What of each multiplier's logarithm is beyond what a placebo gives: 0...1.
    let credit: ByCause<Double>
    /// Causes that the model's log does not show.
    public let notShown: [Cause]
    /// Whether the model's log says nothing of causes at all.
    public let isUnmeasured: Bool

    public init(_ curve: InterestCurve, _ effects: CauseEffects, _ record: CauseRecord) {
        self.curve = curve
        self.effects = effects
        isUnmeasured = record.obstacle != nil
        notShown = Cause.allCases.filter { !record.evidence[$0].isShown }
        credit = ByCause { record.evidence[$0].credit }
    }

    /// What a cause multiplies the half-life by, with the 80 % interval.
    public func multiplier(_ cause: Cause) -> (value: Double, low: Double, high: Double) {
        let (mean, deviation) = (effects.offset[cause], effects.variance[cause].squareRoot())
        return (exp(mean), exp(mean - 1.2816 * deviation), exp(mean + 1.2816 * deviation))
    }

    /// The same as far as it is beyond a placebo's.
    public func credited(_ cause: Cause) -> Double { exp(effects.offset[cause] * credit[cause]) }

    /// Seconds: the half-life in an ordinary week; nothing where it does not halve.
    public var baseHalfLife: Double? { curve.halfLife.map { $0 * exp(-effects.total) } }

    /// The cause that multiplies most among those that the log shows, where it stands out: where it is more likely than not to make
    /// a tenth or more of a difference. Nothing where interest does not halve: there is no half-life to multiply.
    public var mainCause: Cause? {
        guard curve.halfLife != nil else { return nil }
        let clear = Cause.allCases.filter { !notShown.contains($0) && abs(effects.offset[$0]) >= Self.spoken }
        return clear.max { abs(effects.offset[$0]) < abs(effects.offset[$1]) }
    }

    /// A tenth, as a logarithm.
    private static let spoken = log(1.1)

    /// The cause whose circumstance departs most from what is usual, whether it does anything or not: the rule that needs no model.
    public var largestDeparture: Cause? {
        Cause.allCases.filter { effects.measures.isMet($0) }
            .max { abs(effects.measures.values[$0]) < abs(effects.measures.values[$1]) }
    }

    /// A cause's evidence and effect in plain words; nothing where the person meets no such circumstance.
    public func words(_ cause: Cause, topic: String) -> String? {
        let measures = effects.measures
        guard !isUnmeasured, measures.isMet(cause) || mainCause == cause else { return nil }
        func times(_ x: Double) -> String { String(format: "×%.2f", x) }
        func visits(_ x: Float) -> String { String(format: x < 10 ? "%.1f" : "%.0f", x) }
        let met =
            switch cause {
            case .fatigue:
                "at its last touch about \(visits(measures.recent.topic)) \(measures.countsExposures ? "touches and impressions" : "touches") of \(topic) within a day and a half, ordinarily \(visits(measures.usual.topic))"
            case .overload:
                "at its last touch about \(visits(measures.recent.others)) \(measures.countsExposures ? "events and impressions" : "events") of all else within a day and a half, ordinarily \(visits(measures.usual.others))"
            case .habit: "at other hours than before"
            case .social:
                measures.values[cause] > 0
                    ? "friends turn to \(topic) less than they did" : "friends turn to \(topic) more than they did"
            }
        if notShown.contains(cause) {
            return "\(cause.rawValue): \(met); that it moves half-lives is not shown by this log"
        }
        let (value, low, high) = multiplier(cause)
        return "\(cause.rawValue): \(met): half-life \(times(value)), 80 % \(times(low)) to \(times(high))"
    }
}
