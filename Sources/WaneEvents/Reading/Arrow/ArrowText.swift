import CArrow

/// A table as the CSV that it would be: for readers of text, and for logs whose columns need more than the fast path knows.
final class ArrowText: ByteSource {
    private let table: ArrowTable
    /// The place of each of the table's columns among those that are read.
    private let places: [Int?]
    private var out: [UInt8]
    private var given = 0

    init(_ table: ArrowTable) throws(LogError) {
        self.table = table
        let usable = table.names.indices.filter(table.isUsable)
        try table.choose(usable.map { ($0, CA_WANT_TEXT) })
        places = table.names.indices.map { usable.firstIndex(of: $0) }
        out = []
        for (column, name) in table.names.enumerated() {
            if column > 0 { out.append(0x2C) }
            append(Array(name.utf8))
        }
        out.append(0x0A)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        while given == out.count {
            guard let rows = try table.next() else { return 0 }
            out.removeAll(keepingCapacity: true)
            given = 0
            for row in 0..<rows.count {
                for (column, place) in places.enumerated() {
                    if column > 0 { out.append(0x2C) }
                    if let text = place.flatMap({ rows.columns[$0].words(of: row) }) { append(text) }
                }
                out.append(0x0A)
            }
        }
        let count = min(buffer.count, out.count - given)
        buffer.copyBytes(from: out[given..<given + count])
        given += count
        return count
    }

    /// Quoted, so that nothing in it is taken for a delimiter, and nothing around it is dropped.
    private func append(_ text: [UInt8]) {
        if text.isEmpty { return }
        out.append(0x22)
        for byte in text {
            if byte == 0x22 { out.append(0x22) }
            out.append(byte)
        }
        out.append(0x22)
    }
}
