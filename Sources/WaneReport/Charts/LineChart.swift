import Foundation

/// Lines over two axes, as SVG. Colours are CSS variables, so a page's light and dark themes reach them; a
/// picture of its own brings its own.
public struct LineChart {
    public struct Series {
        let name: String
        let points: [(x: Double, y: Double)]
        let dots: Bool
        let dashed: Bool

        public init(name: String, points: [(Double, Double)], dots: Bool = false, dashed: Bool = false) {
            self.name = name
            self.points = points.map { (x: $0.0, y: $0.1) }
            self.dots = dots
            self.dashed = dashed
        }
    }

    let title: String
    let series: [Series]
    let xLabel: String
    let yLabel: String
    let xTick: (Double) -> String
    let marks: [(x: Double, name: String)]
    /// The vertical axis begins at zero unless the values lie close together.
    let fromZero: Bool

    public init(
        title: String, series: [Series], xLabel: String, yLabel: String,
        xTick: @escaping (Double) -> String = { LineChart.short($0) }, marks: [(x: Double, name: String)] = [],
        fromZero: Bool = true
    ) {
        self.title = title
        self.series = series
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.xTick = xTick
        self.marks = marks
        self.fromZero = fromZero
    }

    public static func short(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e6 ? "\(Int(value))" : String(format: "%.3g", value)
    }

    private static let (width, height) = (560.0, 300.0)
    private static let (left, right, top, bottom) = (52.0, 16.0, 34.0, 62.0)

    /// - Parameter standalone: with its own colours, for a file; without them inside a page.
    public func svg(standalone: Bool = false) -> String {
        let all = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        guard let minX = all.map(\.x).min(), let maxX = all.map(\.x).max(), let low = all.map(\.y).min(),
            let high = all.map(\.y).max()
        else { return "" }
        let steps = Self.ticks(fromZero ? min(0, low) : low, high == low ? high + 1 : high)
        let (minY, maxY) = (steps.first ?? 0, steps.last ?? 1)
        func x(_ value: Double) -> String {
            let share = maxX > minX ? (value - minX) / (maxX - minX) : 0.5
            return Self.place(Self.left + share * (Self.width - Self.left - Self.right))
        }
        func y(_ value: Double) -> String {
            let share = (value - minY) / (maxY - minY)
            return Self.place(Self.height - Self.bottom - share * (Self.height - Self.top - Self.bottom))
        }
        var out =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"\(Page.escape(title))\">\n"
        if standalone { out += "<style>\(Page.chartColours)\(Page.chartStyle)</style>\n" }
        out += "<text class=\"t\" x=\"\(Self.left)\" y=\"18\">\(Page.escape(title))</text>\n"
        for step in steps {
            out +=
                "<line class=\"g\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(y(step))\" y2=\"\(y(step))\"/>"
            out +=
                "<text class=\"a\" text-anchor=\"end\" x=\"\(Self.left - 6)\" y=\"\(y(step))\" dy=\"4\">\(Self.short(step))</text>\n"
        }
        for tick in 0...4 {
            let value = minX + (maxX - minX) * Double(tick) / 4
            let anchor = tick == 0 ? "start" : tick == 4 ? "end" : "middle"
            out +=
                "<text class=\"a\" text-anchor=\"\(anchor)\" x=\"\(x(value))\" y=\"\(Self.height - Self.bottom + 18)\">\(Page.escape(xTick(value)))</text>\n"
        }
        out +=
            "<text class=\"a\" text-anchor=\"middle\" x=\"\(Self.width / 2)\" y=\"\(Self.height - Self.bottom + 36)\">\(Page.escape(xLabel))</text>\n"
        if !yLabel.isEmpty {
            out += "<text class=\"a\" x=\"\(Self.left)\" y=\"\(Self.top - 4)\">\(Page.escape(yLabel))</text>\n"
        }
        for mark in marks {
            out +=
                "<line class=\"m\" x1=\"\(x(mark.x))\" x2=\"\(x(mark.x))\" y1=\"\(Self.top)\" y2=\"\(Self.height - Self.bottom)\"/>"
            out +=
                "<text class=\"a\" x=\"\(x(mark.x))\" dx=\"4\" y=\"\(Self.top + 10)\">\(Page.escape(mark.name))</text>\n"
        }
        for (number, line) in series.enumerated() {
            let points = line.points.filter { $0.x.isFinite && $0.y.isFinite }
            let path = points.map { "\(x($0.x)),\(y($0.y))" }.joined(separator: " ")
            let colour = "c\(number % 5)"
            out += "<polyline class=\"l \(colour)\(line.dashed ? " d" : "")\" points=\"\(path)\"/>\n"
            if line.dots {
                for point in points {
                    out += "<circle class=\"\(colour)\" cx=\"\(x(point.x))\" cy=\"\(y(point.y))\" r=\"3\"/>"
                }
            }
        }
        // A legend below, as many columns as fit.
        var at = Self.left
        for (number, line) in series.enumerated() where !line.name.isEmpty {
            out +=
                "<rect class=\"k c\(number % 5)\" x=\"\(Self.place(at))\" y=\"\(Self.height - 16)\" width=\"10\" height=\"10\"/>"
            out +=
                "<text class=\"a\" x=\"\(Self.place(at + 14))\" y=\"\(Self.height - 7)\">\(Page.escape(line.name))</text>\n"
            at += 30 + Double(line.name.count) * 6.4
        }
        return out + "</svg>\n"
    }

    private static func place(_ value: Double) -> String { String(format: "%.1f", value) }

    /// Round steps that cover the values.
    private static func ticks(_ low: Double, _ high: Double) -> [Double] {
        let rough = (high - low) / 4
        let power = pow(10, (log10(max(rough, 1e-12))).rounded(.down))
        let step = [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? power
        let first = (low / step + 1e-9).rounded(.down)
        let last = (high / step - 1e-9).rounded(.up)
        return stride(from: first, through: max(last, first + 1), by: 1).map { $0 * step }
    }
}
