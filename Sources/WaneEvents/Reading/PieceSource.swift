/// A file in pieces that end with a line, as far as its lines allow.
final class PieceSource {
    private let source: any ByteSource
    /// What follows the last line of the piece before.
    private var rest: [UInt8] = []
    private var isAtEnd = false

    init(_ source: any ByteSource) { self.source = source }

    /// The next piece; nothing at the end. A line that is longer than `buffer` comes in several.
    func next(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> (count: Int, isLast: Bool)? {
        var count = min(rest.count, buffer.count)
        buffer.copyBytes(from: rest[..<count])
        rest.removeFirst(count)
        while count < buffer.count, !isAtEnd {
            let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
            isAtEnd = got == 0
            count += got
        }
        guard count > 0 else { return nil }
        if isAtEnd, rest.isEmpty { return (count, true) }
        guard let newline = buffer[..<count].lastIndex(of: 0x0A) else { return (count, false) }
        rest.insert(contentsOf: buffer[(newline + 1)..<count], at: 0)
        return (newline + 1, false)
    }
}
