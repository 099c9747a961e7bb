/// Reads a log of JSON objects: one a line, or all in one array. Keys are columns, whichever line has them first; a list of
/// topics counts as several topics.
struct JSONReader {
    let source: any ByteSource
    let file: String

    /// - Parameter makeBuilder: called with the first object's keys.
    func readLines(
        into makeBuilder: ([String]) throws(LogError) -> RowBuilder, progress: (Int) throws(LogError) -> Void
    ) throws(LogError) -> RowBuilder {
        var lines = LineReader(source, file: file)
        return try read(into: makeBuilder, progress: progress) { () throws(LogError) in
            while let (number, line) = try lines.next() {
                if !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return (number, line) }
            }
            return nil
        }
    }

    func readArray(
        into makeBuilder: ([String]) throws(LogError) -> RowBuilder, progress: (Int) throws(LogError) -> Void
    ) throws(LogError) -> RowBuilder {
        var elements = ArrayReader(source, file: file)
        return try read(into: makeBuilder, progress: progress) { () throws(LogError) in try elements.next() }
    }

    /// - Parameter next: one more object's text, and the line that it begins on.
    private func read(
        into makeBuilder: ([String]) throws(LogError) -> RowBuilder, progress: (Int) throws(LogError) -> Void,
        _ next: () throws(LogError) -> (line: Int, text: ArraySlice<UInt8>)?
    ) throws(LogError) -> RowBuilder {
        var object = JSONObject()
        var builder: RowBuilder?
        var count = 0
        while let (line, text) = try next() {
            builder = try take(text, line, &object, builder, makeBuilder)
            count += 1
            if count & 0xFFFF == 0 { try progress(builder?.user.count ?? 0) }
        }
        guard let builder else { throw .empty(file: file) }
        return builder
    }

    private func take(
        _ text: ArraySlice<UInt8>, _ line: Int, _ object: inout JSONObject, _ before: RowBuilder?,
        _ makeBuilder: ([String]) throws(LogError) -> RowBuilder
    ) throws(LogError) -> RowBuilder {
        let result: Result<Void, JSONObject.Fault> = text.withUnsafeBytes { bytes in
            guard bytes.isASCII || String(validating: bytes, as: UTF8.self) != nil else {
                return .failure(.encoding)
            }
            return Result { () throws(JSONObject.Fault) in try object.read(bytes) }
        }
        func whole() -> String { String(decoding: text, as: UTF8.self) }
        if case .failure(let fault) = result {
            guard let before else {
                throw .unsupported(
                    file: file, reason: "line \(line): the first value is not a JSON object: \(fault.words)")
            }
            try before.reject(RejectedRow(line: line, column: "", reason: .notAnObject(fault.words)), text: whole())
            return before
        }
        let builder: RowBuilder
        if let before { builder = before } else { builder = try makeBuilder(object.keys) }
        // A key that no object had before is a column more.
        while builder.schema.names.count < object.keys.count {
            builder.addColumn(object.keys[builder.schema.names.count])
        }
        let done = text.withUnsafeBytes { text in
            object.withBytes { bytes in
                Result { () throws(LogError) in
                    try builder.add(line: line, field: { object.value($0, bytes, of: text) }, text: whole())
                }
            }
        }
        try done.get()
        return builder
    }
}

/// The objects of one JSON array, each as it stands, with the line that it begins on.
struct ArrayReader {
    private let file: String
    private var buffer: SourceBuffer
    private var line = 1
    private var isOpen = false

    init(_ source: any ByteSource, file: String) {
        buffer = SourceBuffer(source)
        self.file = file
    }

    /// One more element; nothing at the array's end.
    mutating func next() throws(LogError) -> (line: Int, text: ArraySlice<UInt8>)? {
        // The opening bracket, or the comma between two.
        while true {
            guard let byte = try peek() else {
                throw .unsupported(file: file, reason: "line \(line): the array does not end; is the file cut off?")
            }
            if byte == 0x0A { line += 1 }
            if [0x20, 0x09, 0x0A, 0x0D].contains(byte) || (byte == 0x2C && isOpen) || (byte == 0x5B && !isOpen) {
                if byte == 0x5B { isOpen = true }
                buffer.position += 1
                continue
            }
            if byte == 0x5D { return nil }
            break
        }
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

    private mutating func taken(_ length: Int) -> ArraySlice<UInt8> {
        defer { buffer.position += length }
        return buffer.bytes[buffer.position..<buffer.position + length]
    }

    private mutating func peek() throws(LogError) -> UInt8? {
        while buffer.position == buffer.bytes.count { if try !buffer.refill() { return nil } }
        return buffer.bytes[buffer.position]
    }
}
