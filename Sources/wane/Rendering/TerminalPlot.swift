/// A curve drawn with Braille dots: two across and four down in each character.
struct TerminalPlot {
    let width = 60
    let height = 13

    /// A place of note: `share` of the width, with words.
    struct Mark {
        let share: Double
        let words: String
    }

    /// - Parameters:
    ///   - values: at even steps from left to right, in 0...`top`.
    ///   - labels: under the axis, each at its share of the width.
    func draw(_ values: [Double], top: Double, labels: [Mark], marks: [Mark]) -> String {
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
            // Four labels: every fourth row is a third of the height.
            let label = place % 4 == 0 ? Render.number(top * Double(height - 1 - place) / Double(height - 1), 2) : ""
            let text = row.compactMap { UnicodeScalar(0x2800 + $0).map(Character.init) }
            lines.append(
                String(repeating: " ", count: max(0, 6 - label.count)) + label + (label.isEmpty ? " │" : " ┤")
                    + String(text))
        }
        var axis = [Character](repeating: "─", count: width)
        for mark in marks { axis[column(mark.share)] = "┼" }
        lines.append("       └" + String(axis))
        lines.append("        " + line(labels))
        for mark in marks {
            lines.append("        " + line([Mark(share: mark.share, words: "^ " + mark.words)], pointing: true))
        }
        return lines.joined(separator: "\n")
    }

    private func column(_ share: Double) -> Int { min(width - 1, max(0, Int((share * Double(width - 1)).rounded()))) }

    /// Words at their places in one line, none over another, none beyond the end.
    private func line(_ words: [Mark], pointing: Bool = false) -> String {
        var out = ""
        for mark in words {
            let place = column(mark.share)
            if pointing {
                // The caret stands at the place; words that would leave the line stand before it.
                let fits = place + mark.words.count <= width + 8
                let text = fits ? mark.words : String(mark.words.dropFirst(2)) + " ^"
                let begin = fits ? place : max(0, place - text.count + 1)
                out += String(repeating: " ", count: begin) + text
                continue
            }
            let begin = min(max(out.isEmpty ? 0 : out.count + 1, place - mark.words.count / 2), width)
            out += String(repeating: " ", count: max(0, begin - out.count)) + mark.words
        }
        return out
    }
}
