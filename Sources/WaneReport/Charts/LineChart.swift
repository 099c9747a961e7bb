import Foundation
import WaneEvents

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

    /// A moment of note: a line across the picture, with a dot on a curve where `y` says so.
    public struct Mark {
        let x: Double
        let y: Double?
        let name: String

        public init(x: Double, y: Double? = nil, name: String) {
            self.x = x
            self.y = y
            self.name = name
        }
    }

    /// What the horizontal axis counts.
    public enum Horizontal {
        case numbers
        /// Seconds, or their natural logarithms.
        case times(EventLog.Clock)
        case logTimes(EventLog.Clock)
        /// Names, the values being their places.
        case names([String])
    }

    let title: String
    /// A line under the title.
    let note: String
    let series: [Series]
    let xLabel: String
    let yLabel: String
    let horizontal: Horizontal
    let marks: [Mark]
    /// Places that are ticked along the bottom: what happened before.
    let events: [Double]
    /// The vertical axis begins at zero unless the values lie close together.
    let fromZero: Bool

    public init(
        title: String, note: String = "", series: [Series], xLabel: String, yLabel: String,
        horizontal: Horizontal = .numbers, marks: [Mark] = [], events: [Double] = [], fromZero: Bool = true
    ) {
        self.title = title
        self.note = note
        self.series = series
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.horizontal = horizontal
        self.marks = marks
        self.events = events
        self.fromZero = fromZero
    }

    public static func short(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e6 ? "\(Int(value))" : String(format: "%.3g", value)
    }

    /// Two pictures, of which a page shows the one that its width has room for.
    func responsive() -> String { Page.responsive(wide: svg(.wide), narrow: svg(.narrow)) }

    /// The picture as a file of its own, with its own colours.
    public func standalone() -> String { svg(.wide, standalone: true) }

    private func axis(_ low: Double, _ high: Double, _ size: ChartSize) -> Axis {
        let count = size == .wide ? 5 : 3
        return switch horizontal {
        case .numbers: .numbers(low, high, count: count)
        case .times(let clock): .times(low, high, clock, count: count)
        case .logTimes(let clock): .logTimes(low, high, clock, count: count + 1)
        case .names(let names): Axis(ticks: names.enumerated().map { (Double($0.offset), $0.element) })
        }
    }

    func svg(_ size: ChartSize, standalone: Bool = false) -> String {
        let all = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        let places = all.map(\.x) + marks.map(\.x) + events
        guard let minX = places.min(), let maxX = places.max(), let low = all.map(\.y).min(),
            let high = all.map(\.y).max()
        else { return "" }
        let steps = Axis.numbers(fromZero ? min(0, low) : low, high == low ? high + 1 : high, covering: true).ticks
        let (minY, maxY) = (steps.first?.value ?? 0, steps.last?.value ?? 1)
        let legend = legendRows(size)
        let top = 40.0 + (note.isEmpty ? 0 : 18) + (yLabel.isEmpty ? 0 : 6) + 16 * Double(marks.count)
        let plot = 200.0
        let bottom = top + plot
        let height = bottom + 46 + 20 * Double(legend.count)
        let (left, right) = (size.left, size.width - 16)
        func x(_ value: Double) -> Double {
            left + (maxX > minX ? (value - minX) / (maxX - minX) : 0.5) * (right - left)
        }
        func y(_ value: Double) -> Double { bottom - (value - minY) / (maxY - minY) * plot }
        var out = size.begin(height: height, title: title, standalone: standalone)
        out += size.text(title, x: 8, y: 18, kind: "t")
        if !note.isEmpty { out += size.text(note, x: 8, y: 36) }
        for step in steps {
            let at = Self.place(y(step.value))
            out += "<line class=\"g\" x1=\"\(left)\" x2=\"\(right)\" y1=\"\(at)\" y2=\"\(at)\"/>"
            out += size.text(step.label, x: left - 6, y: y(step.value) + 4, anchor: "end")
        }
        for tick in axis(minX, maxX, size).ticks {
            let place = x(tick.value)
            out +=
                "<line class=\"g\" x1=\"\(Self.place(place))\" x2=\"\(Self.place(place))\" y1=\"\(bottom)\" y2=\"\(bottom + 4)\"/>"
            out += size.text(tick.label, x: place, y: bottom + 18, anchor: "middle")
        }
        out += size.text(xLabel, x: (left + right) / 2, y: bottom + 36, anchor: "middle")
        if !yLabel.isEmpty { out += size.text(yLabel, x: left, y: top - 6) }
        for event in events {
            let at = Self.place(x(event))
            out += "<line class=\"e\" x1=\"\(at)\" x2=\"\(at)\" y1=\"\(bottom - 8)\" y2=\"\(bottom)\"/>\n"
        }
        // Each name has a level of its own above the plot and stands beside its line, right of it where there is room: the lines of
        // others pass it by.
        let named = marks.map { mark in
            (mark: mark, before: x(mark.x) + 4 + size.textWidth(mark.name) > size.width - 4)
        }
        let levels = named.sorted {
            $0.before == $1.before ? ($0.mark.x < $1.mark.x) != $0.before : $0.before
        }
        for (number, (mark, before)) in levels.enumerated() {
            let level = top - 6 - 16 * Double(marks.count - 1 - number) - (yLabel.isEmpty ? 0 : 14)
            let at = Self.place(x(mark.x))
            out += "<line class=\"m\" x1=\"\(at)\" x2=\"\(at)\" y1=\"\(Self.place(level - 9))\" y2=\"\(bottom)\"/>"
            let crowded = before && x(mark.x) - 4 < size.textWidth(mark.name) + 4
            out += size.text(
                mark.name, x: x(mark.x) + (before ? -4 : 4), y: level,
                anchor: crowded ? "middle" : before ? "end" : "start")
            if let height = mark.y {
                out += "<circle class=\"m\" cx=\"\(at)\" cy=\"\(Self.place(y(height)))\" r=\"4\"/>\n"
            }
        }
        for (number, line) in series.enumerated() {
            let points = line.points.filter { $0.x.isFinite && $0.y.isFinite }
            let path = points.map { "\(Self.place(x($0.x))),\(Self.place(y($0.y)))" }.joined(separator: " ")
            let colour = "c\(number % 5)"
            out += "<polyline class=\"l \(colour)\(line.dashed ? " d" : "")\" points=\"\(path)\"/>\n"
            guard line.dots else { continue }
            for point in points {
                out +=
                    "<circle class=\"\(colour)\" cx=\"\(Self.place(x(point.x)))\" cy=\"\(Self.place(y(point.y)))\" r=\"3\"/>"
            }
        }
        for (row, names) in legend.enumerated() {
            var at = left
            let level = height - 8 - 20 * Double(legend.count - 1 - row)
            for (number, name) in names {
                out +=
                    "<rect class=\"k c\(number % 5)\" x=\"\(Self.place(at))\" y=\"\(level - 9)\" width=\"10\" height=\"10\"/>"
                out += size.text(name, x: at + 14, y: level)
                at += 30 + size.textWidth(name)
            }
        }
        return out + "</svg>\n"
    }

    /// Names of the lines, as many in a row as fit.
    private func legendRows(_ size: ChartSize) -> [[(number: Int, name: String)]] {
        var rows: [[(number: Int, name: String)]] = []
        var width = Double.infinity
        for (number, line) in series.enumerated() where !line.name.isEmpty {
            let own = 30 + size.textWidth(line.name)
            if width + own > size.width - size.left {
                rows.append([])
                width = 0
            }
            rows[rows.count - 1].append((number, line.name))
            width += own
        }
        return rows
    }

    private static func place(_ value: Double) -> String { String(format: "%.1f", value) }
}
