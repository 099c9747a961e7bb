/// Lines of a source, numbered from one, without their line breaks.
struct LineReader {
    private let source: any ByteSource
    private let file: String
    private var buffer: [UInt8] = []
    private var position = 0
    /// Up to where there is no line break.
    private var searched = 0
    private var finished = false
    private var line = 0

    init(_ source: any ByteSource, file: String) {
        self.source = source
        self.file = file
    }

    mutating func next() throws(LogError) -> (number: Int, line: ArraySlice<UInt8>)? {
        while true {
            let start = max(position, searched)
            if let newline = buffer.withUnsafeBytes({ $0.place(of: 0x0A, from: start) }) {
                let text = buffer[position..<newline]
                position = newline + 1
                line += 1
                return (line, text.last == 0x0D ? text.dropLast() : text)
            }
            if finished {
                guard position < buffer.count else { return nil }
                let text = buffer[position...]
                position = buffer.count
                line += 1
                return (line, text)
            }
            searched = buffer.count
            guard buffer.count - position <= DelimitedReader.longestLine else {
                throw .lineTooLong(file: file, line: line + 1, limit: DelimitedReader.longestLine)
            }
            buffer.removeFirst(position)
            searched -= position
            position = 0
            let end = buffer.count
            buffer.append(contentsOf: repeatElement(0, count: 1 << 18))
            let source = self.source
            let result: Result<Int, LogError> = buffer.withUnsafeMutableBytes { bytes in
                do throws(LogError) {
                    return .success(try source.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[end...])))
                } catch { return .failure(error) }
            }
            let got = try result.get()
            buffer.removeLast(buffer.count - end - got)
            finished = got == 0
        }
    }
}
