import Foundation

/// Files as people name them, opened whatever they are wrapped in.
enum LogFiles {
    /// The files that a name stands for, in the order of their names: a file, all of a folder, or those that a pattern
    /// matches.
    static func files(_ path: String) throws(LogError) -> [String] {
        if path == "-" { return [path] }
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if exists, !isFolder.boolValue { return [path] }
        if exists {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            let files = names.filter { !$0.hasPrefix(".") && !$0.hasPrefix("_") }.sorted()
                .map { URL(fileURLWithPath: path).appendingPathComponent($0).relativePath }
                .filter {
                    var isInner: ObjCBool = false
                    return FileManager.default.fileExists(atPath: $0, isDirectory: &isInner) && !isInner.boolValue
                }
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

    /// What messages call a file.
    static func title(_ path: String) -> String { path == "-" ? "standard input" : path }

    /// How many times larger a log is than what it is packed into, about.
    private static let packing = 6

    /// A file's text, taken out of what it is wrapped in, with about its size where that is known.
    static func contents(_ path: String) throws(LogError) -> (source: any ByteSource, size: Int?) {
        let source = try FileSource(path: path)
        return try contents(of: source, file: title(path), size: source.size)
    }

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
        if begins("PAR1") { throw refuse("Parquet is not read yet; export it as CSV, for example with pandas") }
        if begins("ARROW1") || begins("FEA1") {
            throw refuse("Arrow is not read yet; export it as CSV, for example with pandas")
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
