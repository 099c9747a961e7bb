/// The line of each accepted row: rows mostly follow one another, so only where they do not is anything kept.
struct LineMap: Sendable {
    private var rows: [Int] = []
    private var lines: [Int] = []
    private var nextLine = -1

    /// One more row, which begins on `line`.
    @inline(__always)
    mutating func append(row: Int, line: Int) {
        if line != nextLine {
            rows.append(row)
            lines.append(line)
        }
        nextLine = line &+ 1
    }

    /// Some rows more, a line each, the first on `line`.
    @inline(__always)
    mutating func append(rows count: Int, from row: Int, line: Int) {
        guard count > 0 else { return }
        append(row: row, line: line)
        nextLine = line &+ count
    }

    /// The lines of rows that were counted on their own, from row 0 and line 1.
    mutating func append(contentsOf other: LineMap, rows rowOffset: Int, lines lineOffset: Int) {
        guard !other.rows.isEmpty else { return }
        for (row, line) in zip(other.rows, other.lines) { append(row: row + rowOffset, line: line + lineOffset) }
        nextLine = other.nextLine + lineOffset
    }

    /// What follows stands on lines of another file.
    mutating func endRun() { nextLine = -1 }

    func line(of row: Int) -> Int {
        var (low, high) = (0, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if rows[middle] <= row { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? lines[low - 1] + row - rows[low - 1] : 0
    }
}
