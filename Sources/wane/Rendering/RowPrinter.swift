import Foundation
import WaneEvents

/// A value of a row for machines.
enum Cell {
    case text(String)
    /// What does not exist is empty in CSV and null in JSON.
    case number(Double?)
    case whole(Int)
    case flag(Bool)
    case none
}

/// Rows on standard output as they come: CSV and JSON at once, tables and Parquet when all are there.
struct RowPrinter {
    private let format: RowOutputOptions.Format
    private let machine: [String]
    private let digits: Int
    private var table: Table
    private var count = 0
    private var parquet: ParquetPrinter?

    /// - Parameters:
    ///   - machine: names of the columns for machines, snake_case.
    ///   - people: headings of the table.
    ///   - digits: significant digits for machines.
    init(_ format: RowOutputOptions.Format, machine: [String], people: [String], digits: Int = 6) {
        self.format = format
        self.machine = machine
        self.digits = digits
        table = Table(people)
        parquet = format == .parquet ? ParquetPrinter(machine) : nil
    }

    /// Measures of models and baselines as CSV: names for machines in the first line, nothing where a measure is none.
    static func printMeasures(
        _ measures: [String], _ rows: [(name: String, isModel: Bool, values: [Double?])]
    ) throws {
        var printer = RowPrinter(.csv, machine: ["name", "kind"] + measures, people: [])
        for row in rows {
            let cells = row.values.map { Cell.number($0) }
            try printer.print(
                machine: [.text(row.name), .text(row.isModel ? "model" : "baseline")] + cells, people: [])
        }
        try printer.finish()
    }

    mutating func print(machine cells: [Cell], people: @autoclosure () -> [String]) throws {
        switch format {
        case .table: table.rows.append(people())
        case .csv:
            if count == 0 { try write(machine.joined(separator: ",") + "\n") }
            try write(cells.map(csv).joined(separator: ",") + "\n")
        case .parquet: try parquet?.print(cells)
        case .json:
            let fields = zip(machine, cells).map { "\"\($0)\": \(json($1))" }
            try write((count == 0 ? "[\n" : ",\n") + "  {" + fields.joined(separator: ", ") + "}")
        }
        count += 1
    }

    /// The end of the output: the table, or what closes a list.
    mutating func finish() throws {
        switch format {
        case .table: try write(table.text + "\n")
        case .csv: if count == 0 { try write(machine.joined(separator: ",") + "\n") }
        case .parquet: try parquet?.finish()
        case .json: try write(count == 0 ? "[]\n" : "\n]\n")
        }
    }

    private func write(_ text: String) throws {
        do { try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) } catch {
            throw OutputError(path: StandardOutput.path, error)
        }
    }

    private func number(_ value: Double?) -> String? {
        value.flatMap { $0.isFinite ? String(format: "%.\(digits)g", $0) : nil }
    }

    private func csv(_ cell: Cell) -> String {
        switch cell {
        case .text(let text): CSVField.quoted(text)
        case .number(let value): number(value) ?? ""
        case .whole(let value): "\(value)"
        case .flag(let value): value ? "1" : "0"
        case .none: ""
        }
    }

    private func json(_ cell: Cell) -> String {
        switch cell {
        case .text(let text):
            (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
        case .number(let value): number(value) ?? "null"
        case .whole(let value): "\(value)"
        case .flag(let value): value ? "true" : "false"
        case .none: "null"
        }
    }
}
