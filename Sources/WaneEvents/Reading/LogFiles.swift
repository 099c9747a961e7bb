import Foundation

/// Files as people name them, opened whatever they are wrapped in.
enum LogFiles {
    /// The files that a name stands for, in the order of their names: a file, all of a folder, or those that a pattern
    /// matches.
    static func files(_ path: String) throws(LogError) -> [String] {
        if path == "-" { return [path] }
        if isRemote(path) { return try remoteFiles(path) }
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if exists, !isFolder.boolValue { return [path] }
        if exists {
            let files = try below(path)
            guard !files.isEmpty else { throw .cannotOpen(file: path, reason: "it is a folder without a file") }
            return files
        }
        if path.contains(where: { "*?[".contains($0) }) {
            var found = glob_t()
            defer { globfree(&found) }
            guard glob(path, 0, nil, &found) == 0, found.gl_pathc > 0 else {
                throw .cannotOpen(file: path, reason: "no file matches the pattern")
            }
            return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
        }
        return [path]
    }

    /// A folder's files in the order of their names, and those of the folders in it that say what their files are of, as
    /// `country=de/` does.
    private static func below(_ folder: String) throws(LogError) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        if names.contains(deltaLog) { throw deltaTable(folder) }
        var files: [String] = []
        for name in names.filter(isLog).sorted() {
            let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
            if !isFolder.boolValue {
                files.append(path)
            } else if name.contains("=") {
                files += try below(path)
            } else {
                throw hasFolder(name, in: folder)
            }
        }
        return files
    }

    private static let deltaLog = "_delta_log"

    private static func deltaTable(_ folder: String) -> LogError {
        .unsupported(
            file: folder,
            reason: "a Delta Lake table, whose own log says which of its files count; write it out as Parquet first")
    }

    private static func hasFolder(_ name: String, in folder: String) -> LogError {
        .unsupported(
            file: folder,
            reason: "there is a folder in it, \(name); name the files that are meant: '\(folder)/*' or '\(folder)/*/*'")
    }

    /// Hidden files, and those that writers of folders leave beside (`_SUCCESS`), are no logs.
    private static func isLog(_ name: String) -> Bool { !name.hasPrefix(".") && !name.hasPrefix("_") }

    /// What folders say of all rows of a file: `year=2024/month=3/`.
    static func partition(of path: String) -> [(name: String, value: String)] {
        let path = isRemote(path) ? path.prefix { $0 != "?" }.removingPercentEncoding ?? path : path
        return path.split(separator: "/").dropLast().compactMap { part in
            guard let sign = part.firstIndex(of: "="), sign > part.startIndex else { return nil }
            let value = String(part[part.index(after: sign)...])
            let text = value == "__HIVE_DEFAULT_PARTITION__" ? "" : value.removingPercentEncoding ?? value
            return (String(part[..<sign]), text)
        }
    }

    /// Whether a name is of a file system that Arrow reads: `s3://bucket/visits.csv`.
    static func isRemote(_ path: String) -> Bool { path.contains("://") }

    /// The same for a folder, or a pattern, of an object store.
    private static func remoteFiles(_ uri: String) throws(LogError) -> [String] {
        let options = uri.firstIndex(of: "?").map { uri[$0...] } ?? ""
        // What follows a question mark says how to reach the store, so only these two signs make a pattern.
        let path = String(uri.dropLast(options.count))
        guard let sign = path.firstIndex(where: { "*[".contains($0) }) else {
            // Each file, and the names on the way to it from the folder.
            let found = try ArrowFile.list(uri).map { file in
                (file, way: file.dropFirst(path.count).prefix { $0 != "?" }.split(separator: "/").map(String.init))
            }
            if found.contains(where: { $0.way.contains(deltaLog) }) { throw deltaTable(uri) }
            let logs = found.filter { $0.way.allSatisfy(isLog) }
            if let inner = logs.lazy.compactMap({ $0.way.dropLast().first { !$0.contains("=") } }).first {
                throw hasFolder(inner, in: path)
            }
            let files = logs.map(\.0)
            guard !files.isEmpty else { throw .cannotOpen(file: uri, reason: "it is a folder without a file") }
            return files
        }
        let folder = path[..<sign].lastIndex(of: "/").map { String(path[..<$0]) } ?? path
        let files = try ArrowFile.list(folder + options).filter { fnmatch(path + options, $0, FNM_PATHNAME) == 0 }
        guard !files.isEmpty else { throw .cannotOpen(file: uri, reason: "no file matches the pattern") }
        return files
    }

    /// What a file holds.
    enum Contents {
        /// Text, taken out of what it is wrapped in, with about its size where that is known.
        case text(any ByteSource, size: Int?)
        /// A table of columns.
        case table
    }

    /// Opens a file once, as a pipe can be.
    static func open(_ path: String) throws(LogError) -> Contents {
        let packed: PeekedSource
        let size: Int?
        if isRemote(path) {
            let file = try ArrowFile(uri: path)
            (packed, size) = (PeekedSource(file), file.size)
        } else {
            let file = try FileSource(path: path)
            (packed, size) = (PeekedSource(file), file.size)
        }
        // Only a file of a known size can be read from its end.
        if size != nil, ArrowTable.isTable(try packed.peek(ArrowTable.magicSize)) { return .table }
        let contents = try contents(of: packed, file: title(path), size: size)
        return .text(contents.source, size: contents.size)
    }

    /// What messages call a file.
    static func title(_ path: String) -> String { path == "-" ? "standard input" : path }

    /// How many times larger a log is than what it is packed into, about.
    private static let packing = 6

    /// A file's text, taken out of what it is wrapped in; a table as the CSV that it would be.
    static func text(_ path: String) throws(LogError) -> any ByteSource {
        switch try open(path) {
        case .text(let source, _): source
        case .table: try ArrowText(ArrowTable(path, threads: 1))
        }
    }

    /// Text out of what it is wrapped in, with about its size where that is known.
    static func contents(
        of source: any ByteSource, file: String, size: Int?
    ) throws(LogError) -> (source: any ByteSource, size: Int?) {
        let packed = PeekedSource(source)
        let start = try packed.peek(16)
        guard !start.isEmpty else { throw .empty(file: file) }
        func begins(_ text: String) -> Bool { start.starts(with: Array(text.utf8)) }
        if start.starts(with: [0x1F, 0x8B]) {
            return (try text(GzipSource(packed, file: file), file), size.map { $0 * packing })
        }
        if start.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
            return (try text(ZstdSource(packed, file: file), file), size.map { $0 * packing })
        }
        func refuse(_ what: String) -> LogError { .unsupported(file: file, reason: what) }
        if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
            throw refuse(
                "a zip archive (or a spreadsheet): take the file out of it, `unzip -p ARCHIVE FILE | wane ... -`, or save it as CSV"
            )
        }
        if start.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A]) {
            throw refuse("compressed with xz; `xz -dc FILE | wane ... -` reads it")
        }
        if begins("BZh") { throw refuse("compressed with bzip2; `bzip2 -dc FILE | wane ... -` reads it") }
        if ArrowTable.isTable(start) {
            throw refuse(
                "Parquet and Arrow are read from files, not from standard input or out of an archive; give the file's name"
            )
        }
        if begins("FEA1") {
            throw refuse(
                "Feather's first version; write it anew with pyarrow.feather.write_feather, whose second is read")
        }
        if begins("SQLite format 3") {
            throw refuse("a SQLite database; export the table as CSV: sqlite3 -header -csv FILE 'select ...'")
        }
        if start.starts(with: [0xD0, 0xCF, 0x11, 0xE0]) { throw refuse("an old spreadsheet; save it as CSV") }
        let lower = String(decoding: start, as: UTF8.self).lowercased()
        if lower.hasPrefix("<!doc") || lower.hasPrefix("<html") || lower.hasPrefix("<?xml") {
            throw refuse("a page of HTML or XML, not a log; did a download ask for a login?")
        }
        return (try text(packed, file), size)
    }

    /// The same text in UTF-8 with line feeds.
    private static func text(_ source: any ByteSource, _ file: String) throws(LogError) -> any ByteSource {
        let peeked = source as? PeekedSource ?? PeekedSource(source)
        let start = try peeked.peek(1 << 14)
        if start.starts(with: [0xFF, 0xFE]) { return UTF16Source(peeked, isBigEndian: false) }
        if start.starts(with: [0xFE, 0xFF]) { return UTF16Source(peeked, isBigEndian: true) }
        if start.count > 3, start[1] == 0, start[3] == 0, start[0] != 0 {
            return UTF16Source(peeked, isBigEndian: false)
        }
        if let end = start.firstIndex(of: 0x0D), !start.contains(0x0A), end + 1 < start.count {
            return CarriageReturnSource(peeked)
        }
        if start.contains(0) {
            throw .unsupported(file: file, reason: "binary data, not text; is it the right file?")
        }
        return peeked
    }
}

/// A source whose first bytes can be looked at.
final class PeekedSource: ByteSource {
    private let source: any ByteSource
    private var ahead: ArraySlice<UInt8> = []

    init(_ source: any ByteSource) { self.source = source }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        guard !ahead.isEmpty else { return try source.read(into: buffer) }
        let part = ahead.prefix(buffer.count)
        buffer.copyBytes(from: part)
        ahead = ahead.dropFirst(part.count)
        return part.count
    }

    /// The next bytes, fewer at the end, which stay to be read.
    func peek(_ count: Int) throws(LogError) -> [UInt8] {
        var bytes = Array(ahead)
        while bytes.count < count, try source.append(count - bytes.count, to: &bytes) > 0 {}
        ahead = bytes[...]
        return Array(bytes.prefix(count))
    }
}

/// Lines that end in a carriage return alone, as old programs write.
private final class CarriageReturnSource: ByteSource {
    private let source: any ByteSource
    init(_ source: any ByteSource) { self.source = source }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        let got = try source.read(into: buffer)
        for index in 0..<got where buffer[index] == 0x0D { buffer[index] = 0x0A }
        return got
    }
}

/// UTF-16 as UTF-8; what is no character becomes U+FFFD.
private final class UTF16Source: ByteSource {
    private let source: any ByteSource
    private let isBigEndian: Bool
    private var units: [UInt16] = []
    private var odd: UInt8?
    private var out: ArraySlice<UInt8> = []
    private var finished = false
    private var isFirst = true

    init(_ source: any ByteSource, isBigEndian: Bool) {
        self.source = source
        self.isBigEndian = isBigEndian
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        while out.isEmpty, !finished {
            var all = odd.map { [$0] } ?? []
            finished = try source.append(1 << 16, to: &all) == 0
            odd = all.count % 2 == 1 ? all.removeLast() : nil
            for index in stride(from: 0, to: all.count, by: 2) {
                let (a, b) = (UInt16(all[index]), UInt16(all[index + 1]))
                units.append(isBigEndian ? a << 8 | b : b << 8 | a)
            }
            // The first half of a pair waits for the second.
            var rest: [UInt16] = []
            if !finished, let last = units.last, (0xD800..<0xDC00).contains(last) { rest = [units.removeLast()] }
            if isFirst, units.first == 0xFEFF { units.removeFirst() }
            if !units.isEmpty { isFirst = false }
            out = ArraySlice(String(decoding: units, as: UTF16.self).utf8)
            units = rest
        }
        let part = out.prefix(buffer.count)
        buffer.copyBytes(from: part)
        out = out.dropFirst(part.count)
        return part.count
    }
}
