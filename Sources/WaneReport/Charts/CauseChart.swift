import Foundation
import WaneCurves
import WaneExplanation

/// What each cause multiplies one half-life by, with its 80 % interval, as SVG.
public struct CauseChart {
    let title: String
    let explanation: Explanation
    /// The ordinary half-life and the one at the moment, in words.
    let ordinary: String
    let halfLife: String

    public init(title: String, _ explanation: Explanation, ordinary: String, halfLife: String) {
        (self.title, self.explanation) = (title, explanation)
        (self.ordinary, self.halfLife) = (ordinary, halfLife)
    }

    private static let marks = [0.25, 0.5, 1, 2, 4]

    /// The picture as a file of its own, with its own colours.
    public func standalone() -> String {
        let size = ChartSize.wide
        let (left, right, top, step) = (100.0, size.width - 150, 64.0, 30.0)
        func x(_ multiplier: Double) -> String {
            let share = (log2(min(4, max(0.25, multiplier))) + 2) / 4
            return String(format: "%.1f", left + share * (right - left))
        }
        let bottom = top + step * Double(Cause.allCases.count)
        var out = size.begin(height: bottom + 34, title: title, standalone: true)
        out += size.text(title, x: 8, y: 20, kind: "t")
        out += size.text("ordinarily \(ordinary), as things stand \(halfLife)", x: 8, y: 42)
        for mark in Self.marks {
            out +=
                "<line class=\"\(mark == 1 ? "m" : "g")\" x1=\"\(x(mark))\" y1=\"\(top - 6)\" x2=\"\(x(mark))\" y2=\"\(bottom)\"/>\n"
            out += size.text(
                "×" + String(format: "%g", mark), x: Double(x(mark)) ?? left, y: bottom + 18, anchor: "middle")
        }
        for (place, cause) in Cause.allCases.enumerated() {
            let y = top + step * (Double(place) + 0.5)
            let (value, low, high) = explanation.multiplier(cause)
            let isShown = !explanation.notShown.contains(cause)
            let isMet = explanation.effects.measures.values[cause] != 0 && !explanation.isUnmeasured
            out += size.text(cause.rawValue, x: left - 12, y: y + 4, anchor: "end")
            let absent = explanation.isUnmeasured ? "not measured" : "not met"
            let words = !isMet ? absent : isShown ? String(format: "×%.2f", value) : "not shown by this log"
            out += size.text(words, x: right + 12, y: y + 4)
            guard isMet else { continue }
            let colour = isShown ? "c0" : "c1"
            out +=
                "<polyline class=\"l \(colour)\(isShown ? "" : " d")\" points=\"\(x(low)),\(y) \(x(high)),\(y)\"/>\n"
            out += "<circle class=\"\(colour)\" cx=\"\(x(value))\" cy=\"\(y)\" r=\"4\"/>\n"
        }
        return out + "</svg>\n"
    }
}
