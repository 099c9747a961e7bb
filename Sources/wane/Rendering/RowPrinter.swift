import Foundation
import WaneEvents

/// Rows on standard output as they come: CSV and JSON some thousand bytes at a time, tables and Parquet when all are there.
struct RowPrinter {
    let encoder: RowEncoder
    private var table: Table
    private var count = 0
    private var parquet: ParquetPrinter?
    private var waiting: [UInt8] = []

    private static let bytesAtOnce = 1 << 16

    /// - Parameters:
    ///   - machine: names of the columns for machines, snake_case.
    ///   - people: headings of the table.
    ///   - digits: significant digits for machines.
    init(_ format: RowOutputOptions.Format, machine: [String], people: [String], digits: Int = 6) {
        encoder = RowEncoder(format: format, machine: machine, digits: Int32(digits))
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

    mutating func print(machine cells: @autoclosure () -> [Cell], people: @autoclosure () -> [String]) throws {
        var rows = EncodedRows()
        encoder.append(cells(), people: people(), to: &rows)
        try print(rows)
    }

    mutating func print(_ rows: EncodedRows) throws {
        guard rows.count > 0 else { return }
        table.rows += rows.table
        for cells in rows.cells { try parquet?.print(cells) }
        switch encoder.format {
        case .csv where count == 0: waiting += heading
        case .json where count == 0:
            waiting += Array("[\n".utf8)
            waiting += rows.bytes.dropFirst(RowEncoder.betweenObjects.count)
        default: break
        }
        if encoder.format == .csv || count > 0 { waiting += rows.bytes }
        count += rows.count
        if waiting.count >= Self.bytesAtOnce { try flush() }
    }

    /// The end of the output: the table, or what closes a list.
    mutating func finish() throws {
        switch encoder.format {
        case .table: waiting += Array((table.text + "\n").utf8)
        case .csv: if count == 0 { waiting += heading }
        case .parquet: try parquet?.finish()
        case .json: waiting += Array((count == 0 ? "[]\n" : "\n]\n").utf8)
        }
        try flush()
    }

    private var heading: [UInt8] { Array((encoder.machine.joined(separator: ",") + "\n").utf8) }

    private mutating func flush() throws {
        if waiting.isEmpty { return }
        do { try FileHandle.standardOutput.write(contentsOf: Data(waiting)) } catch {
            throw OutputError(path: StandardOutput.path, error)
        }
        waiting.removeAll(keepingCapacity: true)
    }
}
