import CNumbers
import Foundation
import WaneEvents

/// A value of a row for machines.
enum Cell: Sendable {
    case text(String)
    /// What does not exist is empty in CSV and null in JSON.
    case number(Double?)
    case whole(Int)
    case flag(Bool)
    case none
}

/// Rows as they will be printed: bytes where a format has its rows one after another, values where it needs all of them.
struct EncodedRows: Sendable {
    var bytes: [UInt8] = []
    var cells: [[Cell]] = []
    var table: [[String]] = []
    var count = 0
}

/// Turns rows into what a format makes of them; may be used by several threads at once.
struct RowEncoder: Sendable {
    let format: RowOutputOptions.Format
    /// Names of the columns for machines, snake_case.
    let machine: [String]
    /// Significant digits for machines.
    let digits: Int32

    func append(_ cells: @autoclosure () -> [Cell], people: @autoclosure () -> [String], to rows: inout EncodedRows) {
        switch format {
        case .table: rows.table.append(people())
        case .parquet: rows.cells.append(cells())
        case .csv:
            for (column, cell) in cells().enumerated() {
                if column > 0 { rows.bytes.append(UInt8(ascii: ",")) }
                appendCSV(cell, to: &rows.bytes)
            }
            rows.bytes.append(UInt8(ascii: "\n"))
        case .json:
            rows.bytes.append(contentsOf: Self.betweenObjects)
            rows.bytes.append(contentsOf: "  {".utf8)
            for (column, (name, cell)) in zip(machine, cells()).enumerated() {
                rows.bytes.append(contentsOf: (column > 0 ? ", \"" : "\"").utf8)
                rows.bytes.append(contentsOf: name.utf8)
                rows.bytes.append(contentsOf: "\": ".utf8)
                appendJSON(cell, to: &rows.bytes)
            }
            rows.bytes.append(UInt8(ascii: "}"))
        }
        rows.count += 1
    }

    /// What stands before each object but the first.
    static let betweenObjects = Array(",\n".utf8)

    private func appendCSV(_ cell: Cell, to bytes: inout [UInt8]) {
        switch cell {
        case .text(let text): bytes.append(contentsOf: CSVField.quoted(text).utf8)
        case .number(let value): _ = append(value, to: &bytes)
        case .whole(let value): bytes.append(contentsOf: String(value).utf8)
        case .flag(let value): bytes.append(value ? UInt8(ascii: "1") : UInt8(ascii: "0"))
        case .none: break
        }
    }

    private func appendJSON(_ cell: Cell, to bytes: inout [UInt8]) {
        switch cell {
        case .text(let text): Self.appendJSON(text, to: &bytes)
        case .number(let value): if !append(value, to: &bytes) { bytes.append(contentsOf: "null".utf8) }
        case .whole(let value): bytes.append(contentsOf: String(value).utf8)
        case .flag(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .none: bytes.append(contentsOf: "null".utf8)
        }
    }

    private static func appendJSON(_ text: String, to bytes: inout [UInt8]) {
        let isPlain = text.utf8.allSatisfy { byte in
            byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "/")
        }
        if isPlain {
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: text.utf8)
            bytes.append(UInt8(ascii: "\""))
        } else {
            bytes.append(contentsOf: (try? JSONEncoder().encode(text)) ?? Data("\"\"".utf8))
        }
    }

    /// - Returns: whether there is a number to write.
    private func append(_ value: Double?, to bytes: inout [UInt8]) -> Bool {
        guard let value, value.isFinite else { return false }
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            guard let base = text.baseAddress else { return }
            let length = number_write(base, text.count, digits, value)
            for place in 0..<min(Int(length), text.count - 1) { bytes.append(UInt8(bitPattern: text[place])) }
        }
        return true
    }
}
