/// A curve drawn with Braille dots: two across and four down in each character.
struct TerminalPlot {
    let width = 60
    let height = 12

    /// - Parameters:
    ///   - values: at even steps from left to right, in 0...`top`.
    func draw(_ values: [Double], top: Double, left: String, right: String) -> String {
        var cells = [[UInt32]](repeating: [UInt32](repeating: 0, count: width), count: height)
        let dots: [[UInt32]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
        var previous: Int?
        for column in 0..<width * 2 {
            let place = Double(column) / Double(width * 2 - 1) * Double(values.count - 1)
            let low = values[Int(place)]
            let high = values[min(values.count - 1, Int(place) + 1)]
            let value = low + (high - low) * (place - place.rounded(.down))
            let share = top > 0 ? min(1, max(0, value / top)) : 0
            let row = Int(((1 - share) * Double(height * 4 - 1)).rounded())
            // Steep parts stay connected.
            for dot in min(row, previous ?? row)...max(row, previous ?? row) {
                cells[dot / 4][column / 2] |= dots[dot % 4][column % 2]
            }
            previous = row
        }
        var lines: [String] = []
        for (place, row) in cells.enumerated() {
            let label = place == 0 ? Render.number(top, 2) : place == height - 1 ? Render.number(0, 2) : ""
            let text = row.compactMap { UnicodeScalar(0x2800 + $0).map(Character.init) }
            lines.append(String(repeating: " ", count: 6 - label.count) + label + " │" + String(text))
        }
        lines.append("       └" + String(repeating: "─", count: width))
        let gap = max(1, width - left.count - right.count)
        lines.append("        " + left + String(repeating: " ", count: gap) + right)
        return lines.joined(separator: "\n")
    }
}
