/// Reads a log of JSON objects: one a line, or all in one array. Keys are columns, whichever line has them first; a list of
/// topics counts as several topics.
struct JSONReader {
    let source: any ByteSource
    let file: String
    /// The number of the first line.
    var firstLine = 1

    func readLines(into builder: RowBuilder, progress: (Int) throws(LogError) -> Void) throws(LogError) {
        var lines = LineReader(source, file: file, from: firstLine)
        try read(into: builder, progress: progress) { () throws(LogError) in
            while let (number, line) = try lines.next() {
                if !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return (number, line) }
            }
            return nil
        }
    }

    /// - Parameter makeBuilder: called with the first object's keys.
    func readArray(
        into makeBuilder: ([String]) throws(LogError) -> RowBuilder, progress: (Int) throws(LogError) -> Void
    ) throws(LogError) -> RowBuilder {
        var elements = ArrayReader(source, file: file)
        guard let first = try elements.next() else { throw .empty(file: file) }
        let builder = try makeBuilder(try Self.keys(first.text, file: file, line: first.line))
        var ahead: (line: Int, text: ArraySlice<UInt8>)? = first
        try read(into: builder, progress: progress) { () throws(LogError) in
            if let first = ahead {
                ahead = nil
                return first
            }
            return try elements.next()
        }
        return builder
    }

    /// The keys of a file's first object.
    static func keys(_ text: ArraySlice<UInt8>, file: String, line: Int) throws(LogError) -> [String] {
        let object = JSONObject()
        do throws(JSONObject.Fault) { try object.checked(text) } catch {
            throw .unsupported(file: file, reason: "line \(line): the first value is not a JSON object: \(error.words)")
        }
        return object.keys
    }

    /// - Parameter next: one more object's text, and the line that it begins on.
    private func read(
        into builder: RowBuilder, progress: (Int) throws(LogError) -> Void,
        _ next: () throws(LogError) -> (line: Int, text: ArraySlice<UInt8>)?
    ) throws(LogError) {
        let object = JSONObject(keys: builder.schema.names)
        var count = 0
        while let (line, text) = try next() {
            let result = text.withUnsafeBytes { bytes in
                Result { () throws(LogError) in try object.add(bytes, line: line, to: builder, mayGrow: true) }
            }
            _ = try result.get()
            count += 1
            if count & 0xFFFF == 0 { try progress(builder.user.count) }
        }
    }
}

extension JSONObject {
    /// Reads an object, and says where its bytes are no UTF-8.
    func checked(_ text: some Collection<UInt8>) throws(Fault) {
        let result = Array(text).withUnsafeBytes { bytes in Result { () throws(Fault) in try checked(bytes) } }
        try result.get()
    }

    private func checked(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        guard bytes.isUTF8 else { throw .encoding }
        try read(bytes)
    }

    /// Reads one object and adds it as a row, or sets it aside.
    ///
    /// - Parameter mayGrow: whether a key that no object had before becomes a column more.
    /// - Returns: false where there is such a key and it may not.
    func add(
        _ text: UnsafeRawBufferPointer, line: Int, to builder: RowBuilder, mayGrow: Bool
    ) throws(LogError) -> Bool {
        func whole() -> String { String(decoding: text, as: UTF8.self) }
        do throws(Fault) { try checked(text) } catch {
            try builder.reject(RejectedRow(line: line, column: "", reason: .notAnObject(error.words)), text: whole())
            return true
        }
        while builder.schema.names.count < keys.count {
            guard mayGrow else { return false }
            builder.addColumn(keys[builder.schema.names.count])
        }
        if builder.options.decimalComma { builder.isTypedNumber = { self.kind($0) == .number } }
        defer { builder.isTypedNumber = nil }
        if !objectLists.isEmpty { builder.objectLists.formUnion(objectLists) }
        let done = withBytes { bytes in
            Result { () throws(LogError) in
                try builder.add(line: line, field: { self.value($0, bytes, of: text) }, text: whole())
            }
        }
        try done.get()
        return true
    }
}

/// Rows of JSON Lines.
final class JSONRows: ParallelReader.Rows {
    private let file: String
    private var object = JSONObject()

    init(file: String) { self.file = file }

    func read(_ reader: DelimitedReader, into rows: RowBuilder) throws(LogError) -> Bool {
        if object.keys != rows.schema.names { object = JSONObject(keys: rows.schema.names) }
        while let (line, text) = reader.nextLine() {
            if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
            guard try object.add(text, line: line, to: rows, mayGrow: false) else { return false }
        }
        return true
    }

    func readInTurn(
        _ bytes: [UInt8], isLast: Bool, line: Int, into whole: RowBuilder
    ) throws(LogError) -> (rest: [UInt8], lines: Int) {
        let end = isLast ? bytes.count : (bytes.lastIndex(of: 0x0A) ?? -1) + 1
        let text = Array(bytes[..<end])
        try JSONReader(source: MemorySource(text), file: file, firstLine: line)
            .readLines(into: whole) { _ throws(LogError) in }
        return (Array(bytes[end...]), text.count { $0 == 0x0A })
    }
}

/// The objects of one JSON array, each as it stands, with the line that it begins on.
struct ArrayReader {
    private let file: String
    private var buffer: SourceBuffer
    private var line = 1
    private var isOpen = false
    private var count = 0

    init(_ source: any ByteSource, file: String) {
        buffer = SourceBuffer(source)
        self.file = file
    }

    /// One more element; nothing at the array's end.
    mutating func next() throws(LogError) -> (line: Int, text: ArraySlice<UInt8>)? {
        // The opening bracket, or the comma between two.
        var sign = isOpen ? UInt8(0x2C) : 0x5B
        if isOpen, count == 0 { sign = 0 }
        while true {
            guard let byte = try peek() else {
                throw .unsupported(file: file, reason: "line \(line): the array does not end; is the file cut off?")
            }
            if byte == 0x0A { line += 1 }
            if [0x20, 0x09, 0x0A, 0x0D].contains(byte) || (byte == sign && sign != 0) {
                if byte == sign {
                    isOpen = true
                    sign = 0
                }
                buffer.position += 1
                continue
            }
            if byte == 0x5D, isOpen, sign != 0 || count == 0 {
                buffer.position += 1
                return try end()
            }
            guard sign == 0, byte != 0x2C, byte != 0x5D else {
                throw .unsupported(
                    file: file, reason: "line \(line): no comma, or one too many, between the array's values")
            }
            break
        }
        count += 1
        let begins = line
        var length = 0
        var depth = 0
        var (isQuoted, isEscaped) = (false, false)
        while true {
            while buffer.position + length < buffer.bytes.count {
                let byte = buffer.bytes[buffer.position + length]
                if isQuoted {
                    if isEscaped {
                        isEscaped = false
                    } else if byte == 0x5C {
                        isEscaped = true
                    } else if byte == 0x22 {
                        isQuoted = false
                    }
                } else if byte == 0x22 {
                    isQuoted = true
                } else if byte == 0x7B || byte == 0x5B {
                    depth += 1
                } else if depth == 0, byte == 0x2C || byte == 0x5D {
                    return (begins, taken(length))
                } else if byte == 0x7D || byte == 0x5D {
                    depth -= 1
                }
                if byte == 0x0A { line += 1 }
                length += 1
                if depth == 0, byte == 0x7D {
                    return (begins, taken(length))
                }
            }
            guard length <= DelimitedReader.longestLine else {
                throw .lineTooLong(file: file, line: begins, limit: DelimitedReader.longestLine)
            }
            if try !buffer.refill() {
                throw .unsupported(
                    file: file, reason: "line \(begins): a value that does not end; is the file cut off?")
            }
        }
    }

    /// Nothing but blanks follows the array.
    private mutating func end() throws(LogError) -> (line: Int, text: ArraySlice<UInt8>)? {
        while let byte = try peek() {
            guard [0x20, 0x09, 0x0A, 0x0D].contains(byte) else {
                throw .unsupported(
                    file: file,
                    reason: "line \(line): something follows the end of the array; several arrays are several files")
            }
            if byte == 0x0A { line += 1 }
            buffer.position += 1
        }
        return nil
    }

    private mutating func taken(_ length: Int) -> ArraySlice<UInt8> {
        defer { buffer.position += length }
        return buffer.bytes[buffer.position..<buffer.position + length]
    }

    private mutating func peek() throws(LogError) -> UInt8? {
        while buffer.position == buffer.bytes.count { if try !buffer.refill() { return nil } }
        return buffer.bytes[buffer.position]
    }
}
