import Foundation
import WaneEvents

/// Rows as a Parquet file on standard output, where it comes when all rows are there: such a file is read from its end.
struct ParquetPrinter {
    private let names: [String]
    private let folder: URL
    private var kinds: [ParquetFile.Kind?]
    /// Rows before each column has shown what it holds.
    private var waiting: [[Cell]] = []
    private var file: ParquetFile?

    /// Rows after which a column that has shown nothing is one of texts.
    private static let patience = 10_000

    init(_ names: [String]) {
        self.names = names
        kinds = names.map { _ in nil }
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("wane-\(UUID().uuidString)")
    }

    mutating func print(_ cells: [Cell]) throws {
        if let file { return try file.append(values(cells)) }
        for (column, cell) in cells.enumerated() where kinds[column] == nil { kinds[column] = Self.kind(cell) }
        waiting.append(cells)
        if !kinds.contains(where: { $0 == nil }) || waiting.count == Self.patience { try open() }
    }

    mutating func finish() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        if file == nil { try open() }
        try file?.close()
        let handle = try FileHandle(forReadingFrom: place)
        while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
            do { try FileHandle.standardOutput.write(contentsOf: piece) } catch {
                throw OutputError(path: "standard output", error)
            }
        }
    }

    private var place: URL { folder.appendingPathComponent("rows.parquet") }

    private mutating func open() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = try ParquetFile(place.path, columns: zip(names, kinds).map { ($0, $1 ?? .text) })
        for cells in waiting { try file.append(values(cells)) }
        waiting = []
        self.file = file
    }

    private static func kind(_ cell: Cell) -> ParquetFile.Kind? {
        switch cell {
        case .text: .text
        case .number: .number
        case .whole, .flag: .whole
        case .none: nil
        }
    }

    private func values(_ cells: [Cell]) -> [ParquetFile.Value] {
        zip(cells, kinds).map { cell, kind in
            switch (cell, kind ?? .text) {
            case (.text(let text), _): .text(text)
            case (.number(let number), .number): number.flatMap { $0.isFinite ? .number($0) : nil } ?? .none
            case (.whole(let number), .whole): .whole(number)
            case (.whole(let number), .number): .number(Double(number))
            case (.flag(let flag), .whole): .whole(flag ? 1 : 0)
            case (.number(let number?), .text): .text("\(number)")
            case (.whole(let number), .text): .text("\(number)")
            default: .none
            }
        }
    }
}
