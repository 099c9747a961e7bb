// Delimited text, read three times: the fast path, the general path and the fast path in pieces must agree on every row, and neither may
// crash, hang, or accept what the other sets aside.
import Foundation

/// All that can be seen of a reading: rows and what was set aside, or the error.
private struct Outcome: Equatable {
    var rows: [String] = []
    var rejected: [String: Int] = [:]
    var error = ""
}

private enum Way { case fast, general, pieces }

private func read(_ bytes: [UInt8], _ way: Way) -> Outcome {
    var options = ReadingOptions()
    // The first byte chooses what a person would have chosen.
    switch (bytes.first ?? 0) % 8 {
    case 1: options.columns = ["UserID", "Time", "PageID", "Duration"]
    case 2: options.columns = ["UserID", "PageID"]
    case 3: options.timeZone = TimeZone(identifier: "Europe/Berlin")
    case 4: options.durationUnit = 0.001
    case 5: options.timeFormat = .milliseconds
    case 6: options.delimiter = "::"
    default: break
    }
    do {
        let reader = DelimitedReader(MemorySource(Array(bytes.dropFirst())), file: "log")
        try reader.skipByteOrderMark()
        let first = try reader.firstLine()
        guard !first.isEmpty || reader.unread > 0 else { return Outcome() }
        let dialect = try options.delimiter.map { try Dialect(named: $0) } ?? Dialect(firstLine: first)
        var names = options.columns
        if names == nil {
            guard try reader.nextRecord(dialect) else { return Outcome() }
            names = reader.texts
            reader.skipRecord()
        }
        let schema = try Schema(names: names ?? [], map: [:], file: "log")
        let builder = try RowBuilder(schema: schema, options: options, file: "log", expectedRows: 16)
        if way == .pieces, builder.canBeParted {
            let rest = Array(bytes.dropFirst().suffix(reader.unread))
            try ParallelReader(MemorySource(rest), file: "log", into: builder, after: reader.line - 1, blockSize: 50) {
                _ in
            }
            .read(threads: 1) { DelimitedRows(dialect, file: "log") }
        } else {
            try reader.readRows(dialect, into: builder, fast: way == .fast)
        }
        let (log, report) = try builder.finish()
        let rows = (0..<log.count).map { place in
            "\(log.users[Int(log.user[place])]) \(log.items[Int(log.item[place])]) \(log.time[place]) "
                + "\(log.duration?[place].bitPattern ?? 0) \(log.weight?[place].bitPattern ?? 0)"
        }
        precondition(report.accepted == log.count, "every accepted row is an event")
        return Outcome(rows: rows, rejected: report.rejected)
    } catch {
        return Outcome(error: "\(error)")
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let (fast, general, pieces) = (read(bytes, .fast), read(bytes, .general), read(bytes, .pieces))
    guard fast == general, fast == pieces else {
        FileHandle.standardError.write(Data("fast:    \(fast)\ngeneral: \(general)\npieces:  \(pieces)\n".utf8))
        preconditionFailure("the paths differ")
    }
    return 0
}
