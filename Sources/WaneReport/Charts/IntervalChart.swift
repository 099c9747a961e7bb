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

    func responsive() -> String { Page.responsive(wide: svg(.wide), narrow: svg(.narrow)) }

    /// The picture as a file of its own, with its own colours.
    public func standalone() -> String { svg(.wide, standalone: true) }

    func svg(_ size: ChartSize, standalone: Bool = false) -> String {
        let low = rows.map { $0.low ?? $0.value }.min() ?? 0
        let high = rows.map { $0.high ?? $0.value }.max() ?? 1
        // Beside the line where there is room, above it where there is not.
        let isWide = size == .wide
        let longest = rows.map { size.textWidth($0.name) }.max() ?? 0
        let left = isWide ? min(260, longest + 24) : 12
        let right = size.width - 66
        let (top, step) = (40.0, isWide ? 22.0 : 40.0)
        func x(_ value: Double) -> String {
            let share = high > low ? (value - low) / (high - low) : 0.5
            return String(format: "%.1f", left + share * (right - left))
        }
        var out = size.begin(height: top + step * Double(rows.count) + 10, title: title, standalone: standalone)
        out += size.text(title, x: 8, y: 20, kind: "t")
        for (place, row) in rows.enumerated() {
            let y = top + step * Double(place) + (isWide ? step / 2 : step - 12)
            let colour = row.isStrong ? "c0" : "c1"
            out +=
                isWide
                ? size.text(row.name, x: left - 10, y: y + 4, anchor: "end")
                : size.text(row.name, x: left, y: y - 11)
            if let low = row.low, let high = row.high {
                out += "<polyline class=\"l \(colour)\" points=\"\(x(low)),\(y) \(x(high)),\(y)\"/>"
            }
            out += "<circle class=\"\(colour)\" cx=\"\(x(row.value))\" cy=\"\(y)\" r=\"4\"/>"
            out += size.text(String(format: "%.4f", row.value), x: right + 12, y: y + 4)
        }
        return out + "</svg>\n"
    }
}
