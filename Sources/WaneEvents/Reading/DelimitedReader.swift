/// Reads rows of delimited text into a ``RowBuilder``.
///
/// Two readers in one: a fast path takes plain rows straight from the buffer, eight bytes at a time; any
/// row with something unusual in it (a quote, a blank, a byte beyond ASCII, a missing field, a time in
/// another form) goes to the general path, which decides alone what is right. The fast path takes only
/// rows that the general path would read the same way.
final class DelimitedReader {
    private let source: any ByteSource
    private let file: String
    private var buffer: UnsafeMutableRawBufferPointer
    /// Unread bytes are `position..<end`; eight zero bytes follow `end`.
    private var position = 0
    private var end = 0
    private var finished = false
    /// The number of the line that begins at `position`.
    /// Of the record to come, or of the one just read until it is skipped; from one.
    private(set) var line = 1

    static let blockSize = 1 << 20
    static let longestLine = 1 << 24
    private static let padding = 16

    /// Whether what is read ends where the file does; where it does not, a record without its end is left unread.
    private var endsWithFile = true

    init(_ source: any ByteSource, file: String, blockSize: Int = DelimitedReader.blockSize) {
        self.source = source
        self.file = file
        buffer = .allocate(byteCount: blockSize + Self.padding, alignment: 16)
    }

    /// Reads a piece of a file that is cut somewhere, for its lines from one.
    convenience init(piece bytes: [UInt8], file: String, endsWithFile: Bool) {
        self.init(MemorySource(bytes), file: file, blockSize: bytes.count)
        self.endsWithFile = endsWithFile
    }

    /// Takes the next piece of a file in place of what is in the buffer; whether there was one.
    func load(_ pieces: PieceSource) throws(LogError) -> Bool {
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(buffer.count - Self.padding)])
        guard let piece = try pieces.next(into: room) else { return false }
        (position, end, line) = (0, piece.count, 1)
        (finished, endsWithFile) = (true, piece.isLast)
        for index in end..<end + Self.padding { buffer[index] = 0 }
        return true
    }

    /// All bytes of the piece, read or not.
    var piece: [UInt8] { Array(buffer[..<end]) }
    var isLastPiece: Bool { endsWithFile }
    /// The piece's next line without its line break, with its number.
    func nextLine() -> (number: Int, text: UnsafeRawBufferPointer)? {
        guard position < end else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<end])
        let newline = bytes.place(of: 0x0A, from: position)
        guard newline != nil || endsWithFile else { return nil }
        var stop = newline ?? end
        let text = position
        position = newline.map { $0 + 1 } ?? end
        if newline != nil, stop > text, bytes[stop - 1] == 0x0D { stop -= 1 }
        line += 1
        return (line - 1, UnsafeRawBufferPointer(rebasing: bytes[text..<stop]))
    }

    /// Counts lines from here.
    func startLine(_ number: Int) { line = number }
    /// The bytes that no record has taken.
    var rest: [UInt8] { Array(buffer[position..<end]) }

    deinit { buffer.deallocate() }

    /// Moves what is left to the front and reads more behind it; says whether anything came.
    private func refill() throws(LogError) -> Bool {
        guard !finished else { return false }
        let left = end - position
        if left > buffer.count / 2 {
            guard buffer.count < Self.longestLine else {
                throw .lineTooLong(file: file, line: line, limit: Self.longestLine)
            }
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: (buffer.count - Self.padding) * 2 + Self.padding, alignment: 16)
            larger.copyBytes(from: buffer[position..<end])
            buffer.deallocate()
            buffer = larger
        } else if position > 0 {
            buffer.copyBytes(from: buffer[position..<end])
        }
        position = 0
        end = left
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[end..<buffer.count - Self.padding])
        let got = try source.read(into: room)
        end += got
        for index in end..<end + Self.padding { buffer[index] = 0 }
        finished = got == 0
        return got > 0
    }

    /// The first line, without consuming it: for finding the delimiter.
    func firstLine() throws(LogError) -> [UInt8] {
        while true {
            if let newline = buffer[position..<end].firstIndex(of: 0x0A) {
                return Array(buffer[position..<newline].filter { $0 != 0x0D })
            }
            if try !refill() { return Array(buffer[position..<end].filter { $0 != 0x0D }) }
        }
    }

    /// The line after that; empty where there is none.
    func secondLine() throws(LogError) -> [UInt8] {
        let first = try firstLine()
        while true {
            let rest = buffer[position..<end].drop { $0 != 0x0A }.dropFirst()
            if let newline = rest.firstIndex(of: 0x0A) { return rest[..<newline].filter { $0 != 0x0D } }
            if try !refill() { return first.count < unread ? rest.filter { $0 != 0x0D } : [] }
        }
    }

    /// Bytes in the buffer that no row has taken.
    var unread: Int { end - position }

    /// Hands over what is left, for a reader of another format.
    func drain(into target: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        guard unread > 0 else { return try source.read(into: target) }
        let count = min(unread, target.count)
        target.copyBytes(from: buffer[position..<position + count])
        position += count
        return count
    }

    /// Passes over the line at `position`.
    func skipLine() throws(LogError) {
        while true {
            if let newline = buffer[position..<end].firstIndex(of: 0x0A) {
                position = newline + 1
                line += 1
                return
            }
            if try !refill() { return position = end }
        }
    }

    /// Lines without anything before the first that has something.
    func skipBlankLines() throws(LogError) {
        while true {
            if unread == 0, try !refill() { return }
            let line = try firstLine()
            guard line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }), unread > line.count else { return }
            try skipLine()
        }
    }

    /// The byte after the first that is no blank, as far as the buffer shows.
    func secondByte() throws(LogError) -> UInt8? {
        buffer[position..<end].filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }.dropFirst().first
    }

    func skipByteOrderMark() throws(LogError) {
        while end - position < 3, try refill() {}
        if end - position >= 3, buffer[position] == 0xEF, buffer[position + 1] == 0xBB, buffer[position + 2] == 0xBF {
            position += 3
        }
    }

    // MARK: One record, in general

    /// The fields of one record: places in `scratch`.
    private var fields: [Range<Int>] = []
    private var scratch: [UInt8] = []
    private(set) var fault: RejectedRow.Reason?
    private var isDividedByBlanks = false
    /// What stands between the fields of rows that are set aside, as it stood in the file.
    private var separator = ","

    /// Reads the record at `position`, RFC 4180 with blanks around bare fields dropped; false at the end.
    func nextRecord(_ dialect: Dialect) throws(LogError) -> Bool {
        while true {
            if position == end, try !refill() { return false }
            if let next = scan(dialect) {
                position = next
                return true
            }
            if try !refill() {
                // The last line has no line break, or a quote stays open to the end of the file.
                guard endsWithFile else { return false }
                guard end < buffer.count else { return false }
                let closed = scan(dialect, atEnd: true)
                position = closed ?? end
                return true
            }
        }
    }

    /// The place after the record, or nothing when the buffer ends first.
    private func scan(_ dialect: Dialect, atEnd: Bool = false) -> Int? {
        isDividedByBlanks = dialect.delimiter == .blanks
        fields.removeAll(keepingCapacity: true)
        scratch.removeAll(keepingCapacity: true)
        fault = nil
        recordLines = 0
        var index = position
        if dialect.delimiter == .blanks {
            while index < end, buffer[index] == 0x20 || buffer[index] == 0x09 { index += 1 }
        }
        while true {
            // A field begins here.
            while index < end, buffer[index] == 0x20, dialect.delimiter != .byte(0x20) { index += 1 }
            let start = scratch.count
            if index < end, buffer[index] == 0x22 {
                index += 1
                while true {
                    guard index < end else {
                        if atEnd { fault = .unclosedQuote }
                        return atEnd ? end : nil
                    }
                    let byte = buffer[index]
                    index += 1
                    if byte == 0x22 {
                        if index < end, buffer[index] == 0x22 {
                            scratch.append(0x22)
                            index += 1
                        } else if index == end, !atEnd {
                            return nil
                        } else {
                            break
                        }
                    } else {
                        if byte == 0x0A { recordLines += 1 }
                        scratch.append(byte)
                    }
                }
                fields.append(start..<scratch.count)
                while index < end, buffer[index] == 0x20 { index += 1 }
                if index < end, !isEndOfField(index, dialect) { fault = .textAfterQuote }
                while index < end, !isEndOfField(index, dialect) { index += 1 }
            } else {
                while index < end, !isEndOfField(index, dialect) {
                    scratch.append(buffer[index])
                    index += 1
                }
                var stop = scratch.count
                while stop > start, scratch[stop - 1] == 0x20 || scratch[stop - 1] == 0x0D { stop -= 1 }
                fields.append(start..<stop)
            }
            guard index < end else {
                if atEnd { recordLines += 1 }
                return atEnd ? end : nil
            }
            if buffer[index] == 0x0D { index += 1 }
            if index < end, buffer[index] == 0x0A {
                recordLines += 1
                dropTrailingBlank(dialect)
                return index + 1
            }
            guard index < end else { return atEnd ? end : nil }
            switch dialect.delimiter {
            case .byte: index += 1
            case .doubleColon: index += 2
            case .blanks:
                while index < end, buffer[index] == 0x20 || buffer[index] == 0x09 { index += 1 }
                if index < end, buffer[index] == 0x0D, index + 1 < end, buffer[index + 1] == 0x0A {
                    recordLines += 1
                    return index + 2
                }
                if index < end, buffer[index] == 0x0A {
                    recordLines += 1
                    return index + 1
                }
            }
        }
    }

    /// How many lines the record takes.
    private var recordLines = 0

    private func dropTrailingBlank(_ dialect: Dialect) {
        if dialect.delimiter == .blanks, let last = fields.last, last.isEmpty, fields.count > 1 { fields.removeLast() }
    }

    @inline(__always)
    private func isEndOfField(_ index: Int, _ dialect: Dialect) -> Bool {
        let byte = buffer[index]
        if byte == 0x0A { return true }
        if byte == 0x0D { return index + 1 < end && buffer[index + 1] == 0x0A }
        switch dialect.delimiter {
        case .byte(let delimiter): return byte == delimiter
        case .blanks: return byte == 0x20 || byte == 0x09
        case .doubleColon: return byte == 0x3A && index + 1 < end && buffer[index + 1] == 0x3A
        }
    }

    /// The texts of the record's fields.
    var texts: [String] { fields.map { String(decoding: scratch[$0], as: UTF8.self) } }

    /// Whether the record is a blank line.
    var isBlank: Bool { fields.count == 1 && fields[0].isEmpty }

    func skipRecord() { line += recordLines }

    // MARK: All rows

    /// Reads every row that is left.
    ///
    /// - Parameter fast: off to send every row through the general path, for comparing the two.
    func readRows(
        _ dialect: Dialect, into builder: RowBuilder, fast: Bool = true,
        progress: (Int) throws(LogError) -> Void = { _ in }
    ) throws(LogError) {
        let plan = fast ? FastRowPlan(dialect, builder) : nil
        separator = dialect.delimiter.text
        var sinceProgress = 0
        while true {
            if let plan {
                try readFast(plan, builder)
            }
            guard try nextRecord(dialect) else { return }
            let rowLine = line
            line += recordLines
            sinceProgress += 1
            if sinceProgress & 0xFFFF == 0 { try progress(builder.user.count) }
            if builder.user.count > Int(UInt32.max) - 2 { throw .tooManyRows(file: file) }
            // A blank line is no row.
            if isBlank { continue }
            try addRecord(to: builder, line: rowLine)
        }
    }

    private func addRecord(to builder: RowBuilder, line: Int) throws(LogError) {
        func text() -> String { texts.joined(separator: separator) }
        if let fault {
            return try builder.reject(RejectedRow(line: line, column: "", reason: fault), text: text())
        }
        guard fields.count >= builder.schema.needed else {
            let reason = RejectedRow.Reason.missingFields(found: fields.count, needed: builder.schema.needed)
            return try builder.reject(RejectedRow(line: line, column: "", reason: reason), text: text())
        }
        // A last delimiter opens a field with nothing in it; anything else beyond the header is a row out of joint.
        let columns = builder.schema.rowColumns
        if fields.count > columns, !fields[columns...].allSatisfy(\.isEmpty) {
            let reason = RejectedRow.Reason.tooManyFields(
                found: fields.count, header: columns, blanks: isDividedByBlanks)
            return try builder.reject(RejectedRow(line: line, column: "", reason: reason), text: text())
        }
        let fields = self.fields
        let result = scratch.withUnsafeBytes { bytes in
            Result { () throws(LogError) in
                try builder.add(
                    line: line,
                    field: { index in
                        index < fields.count ? UnsafeRawBufferPointer(rebasing: bytes[fields[index]]) : nil
                    }, text: text())
            }
        }
        try result.get()
    }

    /// Takes plain rows until one is unusual or the buffer runs out.
    private func readFast(_ plan: FastRowPlan, _ builder: RowBuilder) throws(LogError) {
        while true {
            guard let last = buffer[position..<end].lastIndex(of: 0x0A) else {
                if try refill() { continue }
                return
            }
            guard let base = UnsafeRawPointer(buffer.baseAddress) else { return }
            // `base` is valid until the next refill; every row taken ends at or before `last`, and the
            // eight-byte loads stay within the padding.
            let stop = base + last + 1
            var row = base + position
            var taken = 0
            let before = builder.user.count
            var noted = before
            while row < stop, let next = plan.take(row, builder) {
                row = next
                taken &+= 1
                // Where rows are passed over, each of those that stay is noted with its own line.
                if builder.wanted != nil, builder.user.count > noted {
                    builder.noteLines(rows: 1, line: line + taken - 1)
                    noted = builder.user.count
                }
            }
            position = base.distance(to: row)
            if builder.wanted == nil { builder.noteLines(rows: builder.user.count - before, line: line) }
            line += taken
            if row < stop { return }
            if try !refill() { return }
        }
    }
}
