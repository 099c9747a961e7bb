import Foundation
import WaneEvents

/// Rows under headings, for people, or as CSV.
struct Table {
    let headings: [String]
    var rows: [[String]] = []

    init(_ headings: [String]) { self.headings = headings }

    /// Columns as wide as their widest cell; numbers to the right.
    var text: String {
        let all = [headings] + rows
        let widths = headings.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String], heading: Bool) -> String {
            zip(cells, widths).enumerated().map { column, cell in
                let (text, width) = cell
                let padding = String(repeating: " ", count: width - text.count)
                let numeric = column > 0 && rows.allSatisfy { isNumeric($0[column]) }
                let padded = numeric ? padding + text : text + padding
                return heading ? Colour.bold(padded) : padded
            }.joined(separator: "  ")
        }
        let trimmed = ([line(headings, heading: true)] + rows.map { line($0, heading: false) }).map { line in
            String(line.reversed().drop { $0 == " " }.reversed())
        }
        return trimmed.joined(separator: "\n")
    }

    private func isNumeric(_ cell: String) -> Bool {
        cell.isEmpty || cell.first.map { $0.isNumber || "+-.".contains($0) } ?? false
    }

    var csv: String {
        ([headings] + rows).map { $0.map(CSVField.quoted).joined(separator: ",") }.joined(separator: "\n")
    }
}

enum Render {
    /// A control character that JSON writes without an escape, and no name holds.
    private static let noNumber = "\u{7F}no number\u{7F}"

    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        // What is no number does not exist: the mark is taken for null, which no text of ours begins with.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: noNumber, negativeInfinity: noNumber, nan: noNumber)
        return String(decoding: try encoder.encode(value), as: UTF8.self)
            .replacing("\"\(noNumber)\"", with: "null")
    }

    /// With its sign in front, also above 0.
    static func signed(_ value: Double, _ places: Int = 4) -> String {
        value.isFinite ? (value > 0 ? "+" : "") + number(value, places) : number(value, places)
    }

    /// A number with a fixed count of places; a dash for one that does not exist.
    static func number(_ value: Double, _ places: Int = 4) -> String {
        value.isFinite ? String(format: "%.\(places)f", value) : "-"
    }
}
