import Foundation

/// Reads a behaviour log from a file or standard input, whatever its format: CSV, TSV and other delimited
/// text, JSON Lines, RecBole atomic files, MovieLens files, any of them through gzip or zstd.
public enum LogReader {
    /// - Parameters:
    ///   - path: a file, or `-` for standard input.
    ///   - progress: called now and then with the rows read so far.
    public static func read(
        _ path: String, options: ReadingOptions = ReadingOptions(), progress: (Int) -> Void = { _ in }
    ) throws(LogError) -> (log: EventLog, report: ReadingReport) {
        let source = try FileSource(path: path)
        let start = try source.peek(4)
        let file = path == "-" ? "standard input" : path
        guard !start.isEmpty else { throw .empty(file: file) }
        let contents: any ByteSource
        var size = source.size
        if start.starts(with: [0x1F, 0x8B]) {
            contents = try GzipSource(source, file: file)
            size = nil
        } else if start.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
            contents = try ZstdSource(source, file: file)
            size = nil
        } else if start.starts(with: Array("PAR1".utf8)) {
            throw .unsupported(file: file, reason: "Parquet is not read yet; export it as CSV, for example with pandas")
        } else {
            contents = source
        }
        var (log, report) = try read(contents, file: file, size: size, options: options, progress: progress)
        if let items = options.items {
            log = log.with(topics: try ItemFile.read(items, for: log.items, options: options))
        }
        return (log, report)
    }

    /// Reads a log held in memory, under a name for errors.
    public static func read(
        bytes: [UInt8], file: String = "log", options: ReadingOptions = ReadingOptions()
    ) throws(LogError) -> (log: EventLog, report: ReadingReport) {
        guard !bytes.isEmpty else { throw .empty(file: file) }
        return try read(MemorySource(bytes), file: file, size: bytes.count, options: options) { _ in }
    }

    private static func read(
        _ source: any ByteSource, file: String, size: Int?, options: ReadingOptions, progress: (Int) -> Void
    ) throws(LogError) -> (log: EventLog, report: ReadingReport) {
        let reader = DelimitedReader(source, file: file)
        try reader.skipByteOrderMark()
        let first = try reader.firstLine()
        if first.first(where: { $0 != 0x20 && $0 != 0x09 }) == 0x7B {
            let rest = RestOfSource(reader)
            return try JSONLinesReader(source: rest, file: file, options: options).read { count throws(LogError) in
                progress(count)
            }
        }
        guard !first.isEmpty || reader.unread > 0 else { throw .empty(file: file) }
        let dialect =
            try options.delimiter.map { name throws(LogError) in try Dialect(named: name) }
            ?? Dialect(firstLine: first)
        let names: [String]
        if let columns = options.columns ?? standardColumns(file: file, first: first, dialect) {
            names = columns
        } else {
            guard try reader.nextRecord(dialect) else { throw .empty(file: file) }
            names = reader.texts
            reader.skipRecord()
            if names.count == 1, !names[0].isEmpty, ColumnRole.named(names[0]) == nil {
                throw .wrongDelimiter(file: file, expected: dialect.delimiter.words, header: names[0])
            }
            if names.allSatisfy({ Double($0) != nil }) { throw .noHeader(file: file, fields: names.count) }
        }
        let schema = try Schema(names: names, map: options.map, file: file)
        // A row of a log is seldom shorter than this; untouched room costs no memory.
        let expected = size.map { $0 / max(8, first.count / 2) + 16 } ?? 1_024
        let builder = try RowBuilder(schema: schema, options: options, file: file, expectedRows: expected)
        try reader.readRows(dialect, into: builder) { count throws(LogError) in progress(count) }
        return try builder.finish()
    }

    /// The columns of files that everyone knows and that have no header.
    private static func standardColumns(file: String, first: [UInt8], _ dialect: Dialect) -> [String]? {
        let name = URL(fileURLWithPath: file).lastPathComponent
        if name.hasPrefix("u.data"), dialect.delimiter == .byte(0x09) {
            return ["user_id", "item_id", "rating", "timestamp"]
        }
        if name.hasPrefix("ratings.dat"), dialect.delimiter == .doubleColon {
            return ["user_id", "item_id", "rating", "timestamp"]
        }
        return nil
    }
}

/// What a reader has in its buffer, then what its source still holds.
private final class RestOfSource: ByteSource {
    private let reader: DelimitedReader
    init(_ reader: DelimitedReader) { self.reader = reader }
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int { try reader.drain(into: buffer) }
}
