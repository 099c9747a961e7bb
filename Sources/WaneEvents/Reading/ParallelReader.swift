import Foundation

/// Reads the rows of one file on several threads: each takes the next piece, reads its rows for itself, waits for the pieces
/// before and hands its rows over, so that the log is the one that a single thread would read.
///
/// A piece ends with a line, and a line break may stand inside a quoted field: whether a piece began where a row does is known
/// when the piece before has been handed over. Where it did not, or where it has something that only the whole log can judge (a
/// key of JSON that no row had before), its bytes are read again in its turn, as one thread would read them.
final class ParallelReader: @unchecked Sendable {
    // Pieces are taken under `input`; everything else, but the stop sign, belongs to the thread whose turn it is. `turn` and
    // `failure` are guarded by `order`.
    private let input = NSLock()
    private let pieces: PieceSource
    private var taken = 0
    private let order = NSCondition()
    private var turn = 0
    private var failure: LogError?

    private let whole: RowBuilder
    private let file: String
    private let blockSize: Int
    private var lines: Int
    /// Bytes of the pieces before that no row has taken.
    private var carry: [UInt8] = []
    private let progress: (Int) throws(LogError) -> Void

    /// How the rows of a piece are read.
    protocol Rows: AnyObject {
        /// Reads the piece's rows; false where only the whole log can.
        func read(_ reader: DelimitedReader, into rows: RowBuilder) throws(LogError) -> Bool
        /// Reads bytes in their turn, and gives back those that no row has taken.
        func readInTurn(
            _ bytes: [UInt8], isLast: Bool, line: Int, into whole: RowBuilder
        ) throws(LogError) -> (rest: [UInt8], lines: Int)
    }

    /// - Parameters:
    ///   - lines: lines before the first row.
    ///   - progress: called on any of the threads, one at a time, with the rows read so far.
    init(
        _ source: any ByteSource, file: String, into whole: RowBuilder, after lines: Int, blockSize: Int,
        progress: @escaping (Int) throws(LogError) -> Void
    ) {
        pieces = PieceSource(source)
        self.whole = whole
        self.file = file
        self.lines = lines
        self.blockSize = blockSize
        self.progress = progress
    }

    func read(threads: Int, _ makeRows: @Sendable () -> any Rows) throws(LogError) {
        let parts = Parts(all: (0..<threads).map { _ in RowBuilder(partOf: whole) })
        DispatchQueue.concurrentPerform(iterations: threads) { work(makeRows(), parts.all[$0]) }
        if let failure { throw failure }
        // A quote that stays open to the end of a file whose last piece was full.
        if !carry.isEmpty { _ = try makeRows().readInTurn(carry, isLast: true, line: lines + 1, into: whole) }
    }

    /// One for each thread.
    private struct Parts: @unchecked Sendable {
        let all: [RowBuilder]
    }

    private func work(_ way: any Rows, _ first: RowBuilder) {
        let reader = DelimitedReader(MemorySource([]), file: file, blockSize: blockSize)
        var rows = first
        while true {
            guard let ticket = take(reader) else { return }
            rows.removeRows()
            let isRead = (try? way.read(reader, into: rows)) ?? false
            guard wait(for: ticket) else { return }
            do throws(LogError) {
                if isRead, carry.isEmpty, whole.canBeParted, rows.schema.names.count == whole.schema.names.count {
                    try whole.take(rows, lines: lines)
                    lines += reader.line - 1
                    carry = reader.rest
                } else {
                    let bytes = carry + reader.piece
                    guard bytes.count <= DelimitedReader.longestLine + blockSize else {
                        throw .lineTooLong(file: file, line: lines + 1, limit: DelimitedReader.longestLine)
                    }
                    let done = try way.readInTurn(bytes, isLast: reader.isLastPiece, line: lines + 1, into: whole)
                    lines += done.lines
                    carry = done.rest
                }
                // Made anew in the thread's own turn, when the whole one keeps still.
                if rows.schema.names.count != whole.schema.names.count { rows = RowBuilder(partOf: whole) }
                try progress(whole.user.count)
                finish(nil)
            } catch {
                finish(error)
            }
        }
    }

    /// The next piece, and its place among all.
    private func take(_ reader: DelimitedReader) -> Int? {
        input.lock()
        defer { input.unlock() }
        do throws(LogError) {
            guard try reader.load(pieces) else { return nil }
        } catch {
            // What stands before the fault is read first.
            let ticket = taken
            taken += 1
            if wait(for: ticket) { finish(error) }
            return nil
        }
        defer { taken += 1 }
        return taken
    }

    private func wait(for ticket: Int) -> Bool {
        order.lock()
        defer { order.unlock() }
        while turn != ticket, failure == nil { order.wait() }
        return failure == nil
    }

    private func finish(_ error: LogError?) {
        order.lock()
        defer { order.unlock() }
        turn += 1
        failure = failure ?? error
        order.broadcast()
    }
}

/// Rows of delimited text.
final class DelimitedRows: ParallelReader.Rows {
    private let dialect: Dialect
    private let file: String

    init(_ dialect: Dialect, file: String) {
        self.dialect = dialect
        self.file = file
    }

    func read(_ reader: DelimitedReader, into rows: RowBuilder) throws(LogError) -> Bool {
        try reader.readRows(dialect, into: rows)
        return true
    }

    func readInTurn(
        _ bytes: [UInt8], isLast: Bool, line: Int, into whole: RowBuilder
    ) throws(LogError) -> (rest: [UInt8], lines: Int) {
        let reader = DelimitedReader(piece: bytes, file: file, endsWithFile: isLast)
        reader.startLine(line)
        try reader.readRows(dialect, into: whole)
        return (reader.rest, reader.line - line)
    }
}
