/// Lines of a source, numbered from one, without their line breaks.
struct LineReader {
    private let file: String
    private var buffer: SourceBuffer
    /// Up to where there is no line break.
    private var searched = 0
    private var line = 0

    /// - Parameter first: the number of the first line.
    init(_ source: any ByteSource, file: String, from first: Int = 1) {
        buffer = SourceBuffer(source)
        self.file = file
        line = first - 1
    }

    mutating func next() throws(LogError) -> (number: Int, line: ArraySlice<UInt8>)? {
        while true {
            let start = max(buffer.position, searched)
            if let newline = buffer.bytes.withUnsafeBytes({ $0.place(of: 0x0A, from: start) }) {
                let text = buffer.bytes[buffer.position..<newline]
                buffer.position = newline + 1
                line += 1
                return (line, text.last == 0x0D ? text.dropLast() : text)
            }
            if buffer.isAtEnd {
                guard buffer.position < buffer.bytes.count else { return nil }
                let text = buffer.bytes[buffer.position...]
                buffer.position = buffer.bytes.count
                line += 1
                return (line, text)
            }
            let unread = buffer.bytes.count - buffer.position
            guard unread <= DelimitedReader.longestLine else {
                throw .lineTooLong(file: file, line: line + 1, limit: DelimitedReader.longestLine)
            }
            _ = try buffer.refill()
            searched = unread
        }
    }
}
