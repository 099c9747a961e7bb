import Foundation

/// Values with intervals, a line each, best first, as SVG: what a table of models looks like.
public struct IntervalChart {
    public struct Row {
        let name: String
        let value: Double
        let low: Double?
        let high: Double?
        /// Drawn in the first colour, as models are; others in the second.
        let isStrong: Bool

        public init(name: String, value: Double, low: Double?, high: Double?, isStrong: Bool) {
            self.name = name
            self.value = value
            self.low = low
            self.high = high
            self.isStrong = isStrong
        }
    }

    let title: String
    let rows: [Row]

    /// - Parameter lowIsBest: smallest values first, as for losses.
    public init(title: String, rows: [Row], lowIsBest: Bool = false) {
        self.title = title
        self.rows = rows.filter(\.value.isFinite).sorted { lowIsBest ? $0.value < $1.value : $0.value > $1.value }
    }

    private static let (width, left, right, top, step) = (640.0, 230.0, 70.0, 40.0, 20.0)

    /// - Parameter standalone: with its own colours, for a file; without them inside a page.
    public func svg(standalone: Bool = false) -> String {
        let low = rows.map { $0.low ?? $0.value }.min() ?? 0
        let high = rows.map { $0.high ?? $0.value }.max() ?? 1
        let height = Self.top + Self.step * Double(rows.count) + 10
        func x(_ value: Double) -> String {
            let share = high > low ? (value - low) / (high - low) : 0.5
            return String(format: "%.1f", Self.left + share * (Self.width - Self.left - Self.right))
        }
        var out =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(Self.width)) \(Int(height))\" role=\"img\" aria-label=\"\(Page.escape(title))\">\n"
        if standalone { out += "<style>\(Page.chartColours)\(Page.chartStyle)</style>\n" }
        out += "<text class=\"t\" x=\"12\" y=\"20\">\(Page.escape(title))</text>\n"
        for (place, row) in rows.enumerated() {
            let y = Self.top + Self.step * (Double(place) + 0.5)
            let colour = row.isStrong ? "c0" : "c1"
            out +=
                "<text class=\"a\" text-anchor=\"end\" x=\"\(Self.left - 10)\" y=\"\(y + 4)\">\(Page.escape(row.name))</text>"
            if let low = row.low, let high = row.high {
                out += "<polyline class=\"l \(colour)\" points=\"\(x(low)),\(y) \(x(high)),\(y)\"/>"
            }
            out += "<circle class=\"\(colour)\" cx=\"\(x(row.value))\" cy=\"\(y)\" r=\"4\"/>"
            out +=
                "<text class=\"a\" x=\"\(Self.width - Self.right + 12)\" y=\"\(y + 4)\">\(String(format: "%.4f", row.value))</text>\n"
        }
        return out + "</svg>\n"
    }
}
