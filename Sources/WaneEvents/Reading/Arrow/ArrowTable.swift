import CArrow

/// A Parquet file, or a file or stream of Arrow's: its columns, and their rows some at a time.
final class ArrowTable {
    private let api: ca_api
    private let table: ca_table
    let file: String
    /// Columns, with a point between names where one lies in another.
    let names: [String]

    /// The most bytes that tell what a file is.
    static let magicSize = 6

    static func isTable(_ start: [UInt8]) -> Bool {
        [Array("PAR1".utf8), Array("PARE".utf8), Array("ARROW1".utf8), [0xFF, 0xFF, 0xFF, 0xFF]].contains {
            start.starts(with: $0)
        }
    }

    /// - Parameters:
    ///   - path: a file of this machine, or a URI.
    ///   - threads: of which one reads what comes next.
    init(_ path: String, threads: Int) throws(LogError) {
        file = path
        api = try ArrowLibrary.api(for: path)
        isThreaded = threads > 1
        api.set_threads(Int32(clamping: max(1, threads)))
        guard let table = api.open_table(path, Int32(clamping: threads)) else {
            throw .cannotRead(file: path, reason: api.fault)
        }
        self.table = table
        names = (0..<api.column_count(table)).map { [api] in
            api.column_name(table, $0).map { String(cString: $0) } ?? ""
        }
    }

    deinit { api.close_table(table) }

    /// Rows in all, where the file says.
    var rowCount: Int? {
        let count = api.row_count(table)
        return count < 0 ? nil : Int(count)
    }

    /// Whether a column's values can stand in a log: maps and unions cannot.
    func isUsable(_ column: Int) -> Bool { api.can_be_text(table, Int32(column)) != 0 }

    /// A column's type as Arrow calls it.
    func type(_ column: Int) -> String {
        api.column_type(table, Int32(column)).map { String(cString: $0) } ?? ""
    }

    /// Chooses what ``next()`` gives: columns by number, each as it is wanted.
    func choose(_ columns: [(column: Int, want: ca_want)]) throws(LogError) {
        values = [ca_column](repeating: ca_column(), count: columns.count)
        guard api.choose(table, columns.map { Int32($0.column) }, columns.map(\.want), Int32(columns.count)) == 0 else {
            throw .unsupported(file: file, reason: api.fault)
        }
    }

    private var values: [ca_column] = []
    private var side = 0
    private let isThreaded: Bool

    /// Some rows of the chosen columns; nothing at the end. They live until the next call.
    func next() throws(LogError) -> Rows? {
        let count = api.next(table, &values)
        guard count >= 0 else { throw .cannotRead(file: file, reason: api.fault) }
        guard count > 0 else { return nil }
        defer { side = isThreaded ? 1 - side : 0 }
        return Rows(count: Int(count), side: side, columns: values)
    }

    struct Rows {
        let count: Int
        /// Which of two sets of texts these rows' are: they come in turns.
        let side: Int
        let columns: [ca_column]
    }
}

extension ca_column {
    @inline(__always)
    func isMissing(_ row: Int) -> Bool { missing.map { $0[row] != 0 } ?? false }

    /// Which of the texts a row has; none where it has no value.
    @inline(__always)
    func text(of row: Int) -> Int? {
        if let missing, missing[row] != 0 { return nil }
        return texts.map { Int($0[row]) } ?? row
    }

    @inline(__always)
    func bytes(ofText text: Int) -> UnsafeRawBufferPointer {
        let (start, end) = (Int(offsets[text]), Int(offsets[text + 1]))
        return UnsafeRawBufferPointer(start: bytes + start, count: end - start)
    }

    /// A row's value as it stands in CSV; nothing where it has none.
    func words(of row: Int) -> [UInt8]? {
        if isMissing(row) { return nil }
        switch kind {
        case CA_TEXT: return text(of: row).map { Array(bytes(ofText: $0)) }
        case CA_INTEGER: return Array("\(integers[row])".utf8)
        case CA_INSTANT, CA_LOCAL: return Array(Self.moment(integers[row], hasZone: kind == CA_INSTANT).utf8)
        default:
            let number = numbers[row]
            if number.isNaN { return nil }
            let isWhole = number == number.rounded() && abs(number) < 9e15
            return Array((isWhole ? "\(Int64(number))" : "\(number)").utf8)
        }
    }

    private static func moment(_ micros: Int64, hasZone: Bool) -> String {
        let part = ((micros % 1_000_000) + 1_000_000) % 1_000_000
        let fraction = part == 0 ? "" : "." + String(String(part + 1_000_000).dropFirst())
        return TimeFormat.words(micros) + fraction + (hasZone ? "Z" : "")
    }
}
