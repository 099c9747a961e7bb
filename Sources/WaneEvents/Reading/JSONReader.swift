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
        var object = JSONObject()
        var builder: RowBuilder?
        while let (number, line) = try lines.next() {
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
            builder = try take(line, number, &object, builder, makeBuilder)
            if number & 0xFFFF == 0 { try progress(builder?.user.count ?? 0) }
        }
        guard let builder else { throw .empty(file: file) }
        return builder
    }

    func readArray(
        into makeBuilder: ([String]) throws(LogError) -> RowBuilder, progress: (Int) throws(LogError) -> Void
    ) throws(LogError) -> RowBuilder {
        var elements = ArrayReader(source, file: file)
        var object = JSONObject()
        var builder: RowBuilder?
        var count = 0
        while let (line, element) = try elements.next() {
            builder = try take(element, line, &object, builder, makeBuilder)
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
            do throws(JSONObject.Fault) {
                try object.read(bytes)
                return .success(())
            } catch { return .failure(error) }
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
        let done: Result<Void, LogError> = text.withUnsafeBytes { text in
            object.withBytes { bytes in
                do throws(LogError) {
                    try builder.add(line: line, field: { object.value($0, bytes, of: text) }, text: whole())
                    return .success(())
                } catch { return .failure(error) }
            }
        }
        try done.get()
        return builder
    }
}

/// The objects of one JSON array, each as it stands, with the line that it begins on.
struct ArrayReader {
    private let source: any ByteSource
    private let file: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var finished = false
    private var line = 1
    private var isOpen = false

    init(_ source: any ByteSource, file: String) {
        self.source = source
        self.file = file
    }

    /// One more element; nothing at the array's end.
    mutating func next() throws(LogError) -> (line: Int, element: ArraySlice<UInt8>)? {
        // The opening bracket, or the comma between two.
        while true {
            guard let byte = try peek() else {
                throw .unsupported(file: file, reason: "line \(line): the array does not end; is the file cut off?")
            }
            if byte == 0x0A { line += 1 }
            if [0x20, 0x09, 0x0A, 0x0D].contains(byte) || (byte == 0x2C && isOpen) || (byte == 0x5B && !isOpen) {
                if byte == 0x5B { isOpen = true }
                position += 1
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
            while position + length < buffer.count {
                let byte = buffer[position + length]
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
                    defer { position += length }
                    return (begins, buffer[position..<position + length])
                } else if byte == 0x7D || byte == 0x5D {
                    depth -= 1
                }
                if byte == 0x0A { line += 1 }
                length += 1
                if depth == 0, byte == 0x7D {
                    defer { position += length }
                    return (begins, buffer[position..<position + length])
                }
            }
            guard length <= DelimitedReader.longestLine else {
                throw .lineTooLong(file: file, line: begins, limit: DelimitedReader.longestLine)
            }
            if try !refill() {
                throw .unsupported(
                    file: file, reason: "line \(begins): a value that does not end; is the file cut off?")
            }
        }
    }

    private mutating func peek() throws(LogError) -> UInt8? {
        while position == buffer.count { if try !refill() { return nil } }
        return buffer[position]
    }

    private mutating func refill() throws(LogError) -> Bool {
        guard !finished else { return false }
        buffer.removeFirst(position)
        position = 0
        let start = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: 1 << 18))
        let source = self.source
        let result: Result<Int, LogError> = buffer.withUnsafeMutableBytes { bytes in
            do throws(LogError) {
                return .success(try source.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...])))
            } catch { return .failure(error) }
        }
        let got = try result.get()
        buffer.removeLast(buffer.count - start - got)
        finished = got == 0
        return got > 0
    }
}
