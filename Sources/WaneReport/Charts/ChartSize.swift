import Foundation

/// For what width a chart is drawn. Text is drawn at its own size, never a wide picture made small.
enum ChartSize: Equatable {
    case wide, narrow

    /// About how wide a letter is in the widest of usual fonts.
    private static let (letter, boldLetter) = (7.7, 9.3)

    var width: Double { self == .wide ? 560 : 340 }
    var left: Double { self == .wide ? 52 : 44 }

    func begin(height: Double, title: String, standalone: Bool) -> String {
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(Int(height.rounded(.up)))\" role=\"img\" "
            + "aria-label=\"\(Page.escape(title))\">\n"
            + (standalone
                ? "<style>\(Page.chartColours)\(Page.chartStyle)</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n"
                : "")
    }

    /// About how wide words are drawn.
    func textWidth(_ text: String) -> Double { Double(text.count) * Self.letter }

    /// Words that stay within the picture: moved inwards where they would leave it, and cut where they are wider than it.
    func text(_ words: String, x: Double, y: Double, anchor: String = "start", kind: String = "a") -> String {
        let letter = kind == "t" ? Self.boldLetter : Self.letter
        let most = max(4, Int((width - 12) / letter))
        let words = words.count > most ? words.prefix(most - 1) + "…" : words[...]
        let own = Double(words.count) * letter
        let before = anchor == "start" ? 0 : anchor == "end" ? own : own / 2
        let begin = min(max(x - before, 4), max(4, width - 4 - own))
        let moved = begin + before
        let place = anchor == "end" ? x : moved
        return "<text class=\"\(kind)\" text-anchor=\"\(anchor)\" x=\"\(String(format: "%.1f", place))\" "
            + "y=\"\(String(format: "%.1f", y))\">\(Page.escape(String(words)))</text>\n"
    }
}
