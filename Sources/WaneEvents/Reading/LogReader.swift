import Foundation

/// Reads a behaviour log, whatever its format: CSV, TSV and other delimited text, JSON Lines and arrays, RecBole atomic
/// files, MovieLens files, any of them through gzip or zstd; one file, several, a folder or a pattern.
public enum LogReader {
    /// - Parameters:
    ///   - path: a file, a folder, a pattern such as `logs/*.csv`, or `-` for standard input.
    ///   - progress: called now and then with the rows read so far.
    public static func read(
        _ path: String, options: ReadingOptions = ReadingOptions(), progress: (Int) -> Void = { _ in }
    ) throws(LogError) -> (log: EventLog, report: ReadingReport) {
        try read([path], options: options, progress: progress)
    }

    /// Several files as one log: columns by their names, whatever their order in each.
    public static func read(
        _ paths: [String], options: ReadingOptions = ReadingOptions(), progress: (Int) -> Void = { _ in }
    ) throws(LogError) -> (log: EventLog, report: ReadingReport) {
        var files: [String] = []
        for path in paths { files += try LogFiles.files(path) }
        var builder: RowBuilder?
        for path in files {
            let place = Place(
                file: LogFiles.title(path), path: path, options: options, before: builder, isOneOfMany: files.count > 1)
            switch try LogFiles.open(path) {
            case .table: builder = try readTable(at: place, progress: progress)
            case .text(let source, let size): builder = try read(source, size: size, at: place, progress: progress)
            }
        }
        guard let builder else { throw .empty(file: paths.joined(separator: ", ")) }
        var (log, report) = try builder.finish()
        report.files = files.count
        try addItems(options, to: &log, &report)
        return (log, report)
    }

    /// Topics out of the side file, where there is one.
    private static func addItems(
        _ options: ReadingOptions, to log: inout EventLog, _ report: inout ReadingReport
    ) throws(LogError) {
        guard let items = options.items else { return }
        let contents = try ItemFile.read(items, for: log.items, options: options)
        log = log.with(topics: contents.topics)
        report.warnings += contents.notes
    }

    /// Reads a log from where its bytes come from, under a name for errors.
    public static func read(
        _ source: any ByteSource, file: String, options: ReadingOptions = ReadingOptions(),
        progress: (Int) -> Void = { _ in }
    ) throws(LogError) -> (log: EventLog, report: ReadingReport) {
        let contents = try LogFiles.contents(of: source, file: file, size: nil)
        let place = Place(file: file, path: file, options: options, before: nil, isOneOfMany: false)
        var (log, report) = try read(contents.source, size: contents.size, at: place, progress: progress).finish()
        try addItems(options, to: &log, &report)
        return (log, report)
    }

    /// Reads a log held in memory, under a name for errors.
    public static func read(
        bytes: [UInt8], file: String = "log", options: ReadingOptions = ReadingOptions()
    ) throws(LogError) -> (log: EventLog, report: ReadingReport) {
        guard !bytes.isEmpty else { throw .empty(file: file) }
        let contents = try LogFiles.contents(of: MemorySource(bytes), file: file, size: bytes.count)
        let place = Place(file: file, path: file, options: options, before: nil, isOneOfMany: false)
        return try read(contents.source, size: contents.size, at: place, progress: { _ in }).finish()
    }

    /// A file among those of a log.
    private struct Place {
        /// What messages call it.
        let file: String
        let path: String
        let options: ReadingOptions
        /// What the files before it are in.
        let before: RowBuilder?
        let isOneOfMany: Bool

        /// Ready for the rows of a file with these columns.
        ///
        /// - Parameter mayGrow: whether later rows may bring columns that the first does not have.
        func builder(_ names: [String], expectedRows: Int, mayGrow: Bool) throws(LogError) -> RowBuilder {
            var userID = options.userID ?? options.userFrom.map { $0.name(path) }
            var map = options.map
            for (role, name) in options.preferredMap where map[role] == nil {
                let all = names + LogFiles.partition(of: path).map(\.name)
                if name.isEmpty || Schema.index(of: name, in: all) != nil { map[role] = name }
            }
            let preferred = path == "-" ? nil : options.preferredUserFrom
            let schema = try Schema(
                names: names, map: map, file: file, folders: LogFiles.partition(of: path),
                needsUser: userID == nil && preferred == nil && !mayGrow)
            let isLikeModels = userID == nil && schema.index(.user) == nil && preferred != nil
            if isLikeModels { userID = preferred?.name(path) }
            let builder: RowBuilder
            if let before {
                try before.begin(file, schema: schema, userID: userID)
                builder = before
            } else {
                builder = try RowBuilder(
                    schema: schema, options: options, file: file, userID: userID, expectedRows: expectedRows)
                builder.namesFiles = isOneOfMany
            }
            // A column of people under a name that is not known would go unseen.
            if isLikeModels {
                builder.noteOnce(
                    "people are taken from the names of files or folders, as the model's own log had them; where a column names them: "
                        + "--map UserID=COLUMN")
            }
            return builder
        }
    }

    /// A file of Parquet or Arrow.
    private static func readTable(at place: Place, progress: (Int) -> Void) throws(LogError) -> RowBuilder {
        if place.options.columns != nil {
            throw .unsupported(
                file: place.file,
                reason:
                    "its columns have names (\(try ArrowTable(place.path, threads: 1).names.joined(separator: ", "))); name them "
                    + "with --map, not --columns")
        }
        let table = try ArrowTable(place.path, threads: place.options.threads)
        // What a file says of itself is believed as far as room costs nothing.
        let expected = min(max(0, table.rowCount ?? 1_024), 1 << 26)
        let built = try place.builder(table.names, expectedRows: expected, mayGrow: false)
        built.durationsAreSeconds =
            built.schema.index(.duration).map {
                $0 < table.names.count && table.type($0).hasPrefix("duration[")
            } ?? false
        for role in ColumnRole.allCases {
            guard let column = built.schema.index(role), column < table.names.count, !table.isUsable(column) else {
                continue
            }
            throw .unsupported(
                file: place.file,
                reason:
                    "column \(table.names[column]) is of type \(table.type(column)), which no log can have as \(role.rawValue)"
            )
        }
        try ArrowRows.read(table, into: built) { count throws(LogError) in progress(count) }
        return built
    }

    private static func read(
        _ source: any ByteSource, size: Int?, at place: Place, progress: (Int) -> Void
    ) throws(LogError) -> RowBuilder {
        let (file, options) = (place.file, place.options)
        func builder(
            _ names: [String], expectedRows: Int, mayGrow: Bool = false
        ) throws(LogError) -> RowBuilder {
            try place.builder(names, expectedRows: expectedRows, mayGrow: mayGrow)
        }
        /// On several threads, where the file is worth it and its rows allow it.
        func readParts(
            _ source: any ByteSource, after lines: Int, into built: RowBuilder,
            _ makeRows: @Sendable () -> any ParallelReader.Rows,
            orAll readAll: (any ByteSource) throws(LogError) -> Void
        ) throws(LogError) {
            guard options.threads > 1, built.canBeParted, size.map({ $0 > 2 * options.blockSize }) ?? true else {
                return try readAll(source)
            }
            try withoutActuallyEscaping(progress) { progress throws(LogError) in
                try ParallelReader(source, file: file, into: built, after: lines, blockSize: options.blockSize) {
                    progress($0)
                }.read(threads: options.threads, makeRows)
            }
        }
        let reader = DelimitedReader(source, file: file)
        try reader.skipByteOrderMark()
        try reader.skipBlankLines()
        var first = try reader.firstLine()
        if let byte = first.first(where: { $0 != 0x20 && $0 != 0x09 }), byte == 0x7B || byte == 0x5B {
            if byte == 0x7B {
                let keys = try JSONReader.keys(first[...], file: file, line: reader.line)
                let expected = size.map { $0 / max(8, first.count / 2) + 16 } ?? 1_024
                let built = try builder(keys, expectedRows: expected, mayGrow: true)
                try readParts(RestOfSource(reader), after: reader.line - 1, into: built) {
                    JSONRows(file: file)
                } orAll: { source throws(LogError) in
                    try JSONReader(source: source, file: file, firstLine: reader.line)
                        .readLines(into: built) { count throws(LogError) in progress(count) }
                }
                return built
            }
            let json = JSONReader(source: RestOfSource(reader), file: file)
            if try reader.secondByte() != 0x5D || first.count > 2 {
                return try json.readArray { names throws(LogError) in
                    try builder(names, expectedRows: 1_024, mayGrow: true)
                } progress: { count throws(LogError) in
                    progress(count)
                }
            }
        }
        guard !first.isEmpty || reader.unread > 0 else { throw .empty(file: file) }
        var dialect = try options.delimiter.map { name throws(LogError) in try Dialect(named: name) }
        var comments = 0
        while first.first == 0x23, try isComment(first, dialect, reader, place) {
            let text = String(decoding: first, as: UTF8.self)
            if text.hasPrefix("#Fields:"), options.columns == nil {
                let fields = text.dropFirst(8).split(separator: " ").joined(separator: ",")
                throw .unsupported(
                    file: file,
                    reason:
                        "a W3C log, as IIS writes it; read it with --delimiter blanks --columns \(fields), and --map UserID= and "
                        + "PageID= for the columns of the person and of the page")
            }
            comments += 1
            try reader.skipLine()
            try reader.skipBlankLines()
            guard reader.unread > 0 else { throw .headerOnly(file: file) }
            first = try reader.firstLine()
        }
        if options.columns == nil, options.delimiter == nil, AccessLog.matches(first) {
            let built = try builder(AccessLog.names, expectedRows: 1_024)
            try AccessLog.read(RestOfSource(reader), file: file, from: reader.line, into: built) {
                count throws(LogError) in
                progress(count)
            }
            return built
        }
        // Spreadsheets may say in a first line what separates.
        let text = String(decoding: first, as: UTF8.self).trimmingCharacters(in: .whitespaces)
        if text.lowercased().hasPrefix("sep="), text.utf8.count <= 5 {
            if dialect == nil, text.count == 5 { dialect = try Dialect(named: String(text.suffix(1))) }
            if text.count == 4 { dialect = dialect ?? Dialect(firstLine: [0x09]) }
            try reader.skipLine()
            first = try reader.firstLine()
        }
        let used = dialect ?? Dialect(firstLine: first, columns: options.columns?.count)
        let names: [String]
        if let columns = options.columns ?? standardColumns(file: file, first: first, used) {
            names = columns
        } else {
            guard try reader.nextRecord(used) else { throw .empty(file: file) }
            names = reader.texts
            reader.skipRecord()
            try checkHeader(names, used, options, file)
        }
        // A row of a log is seldom shorter than this; untouched room costs no memory.
        let expected = size.map { $0 / max(8, first.count / 2) + 16 } ?? 1_024
        let built = try builder(names, expectedRows: expected)
        if comments > 0 {
            built.noteOnce(
                comments == 1
                    ? "the first line begins with # and is passed over"
                    : "the first \(comments) lines begin with # and are passed over")
        }
        try readParts(RestOfSource(reader), after: reader.line - 1, into: built) {
            DelimitedRows(used, file: file)
        } orAll: { _ throws(LogError) in
            try reader.readRows(used, into: built) { count throws(LogError) in progress(count) }
        }
        return built
    }

    /// Whether a file's first line, which begins with #, is none of its rows and not its header.
    ///
    /// A header names a person and something else of a log, or a column that `--map` names, and no other header follows. Where columns
    /// are known, a line of as many fields is a row: an id may begin so.
    private static func isComment(
        _ line: [UInt8], _ named: Dialect?, _ reader: DelimitedReader, _ place: Place
    ) throws(LogError) -> Bool {
        let options = place.options
        let dialect = named ?? Dialect(firstLine: line, columns: options.columns?.count)
        if let columns = options.columns ?? standardColumns(file: place.file, first: line, dialect) {
            return dialect.fields(line).count != columns.count
        }
        let isSaidWho = options.userID != nil || options.userFrom != nil || options.preferredUserFrom != nil
        func isHeader(_ line: [UInt8]) -> Bool {
            let names = dialect.fields(line)
            let mapped = Array(options.map.values) + options.preferredMap.values
            if mapped.contains(where: { !$0.isEmpty && Schema.index(of: $0, in: names) != nil }) { return true }
            let roles = Set(names.compactMap(ColumnRole.known))
            return roles.count > 1 && (roles.contains(.user) || isSaidWho)
        }
        guard isHeader(line) else { return true }
        return isHeader(try reader.secondLine())
    }

    /// Refuses a first line that is no header.
    private static func checkHeader(
        _ names: [String], _ dialect: Dialect, _ options: ReadingOptions, _ file: String
    ) throws(LogError) {
        let mapped = options.map.values.contains { Schema.index(of: $0, in: names) != nil }
        let known = names.contains { ColumnRole.known($0) != nil }
        guard !known, !mapped else { return }
        if names.count == 1, !names[0].isEmpty {
            throw .wrongDelimiter(file: file, expected: dialect.delimiter.words, header: names[0])
        }
        // Numbers and times are no names of columns.
        func isData(_ text: String) -> Bool {
            Double(text) != nil || Array(text.utf8).withUnsafeBytes { WrittenTime($0) } != nil
        }
        if names.contains(where: isData) { throw .noHeader(file: file, fields: names) }
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
