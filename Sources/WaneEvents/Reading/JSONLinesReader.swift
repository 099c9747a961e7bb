import Foundation

/// Reads a log of one JSON object a line. Keys are columns; a list of topics counts as several topics.
struct JSONLinesReader {
    let source: any ByteSource
    let file: String
    let options: ReadingOptions

    func read(progress: (Int) throws(LogError) -> Void) throws(LogError) -> (EventLog, ReadingReport) {
        var lines = LineReader(source, file: file)
        var builder: RowBuilder?
        var names: [String] = []
        while let (number, line) = try lines.next() {
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
            let object = Self.object(line)
            if builder == nil {
                // The first readable object names the columns.
                switch object {
                case .success(let fields): names = fields.keys.sorted()
                case .failure(let fault):
                    throw .unsupported(
                        file: file, reason: "line \(number): the first line is not a JSON object: \(fault.text)")
                }
                let schema = try Schema(names: names, map: options.map, file: file)
                builder = try RowBuilder(schema: schema, options: options, file: file, expectedRows: 1_024)
            }
            guard let builder else { continue }
            func text() -> String { String(decoding: line, as: UTF8.self) }
            switch object {
            case .failure(let why):
                try builder.reject(
                    RejectedRow(line: number, column: "", reason: .notAnObject(why.text)), text: text())
            case .success(let fields):
                try add(fields, names, to: builder, line: number, text: text())
            }
            if number & 0xFFFF == 0 { try progress(builder.user.count) }
        }
        guard let builder else { throw .empty(file: file) }
        return try builder.finish()
    }

    private func add(
        _ fields: [String: Any], _ names: [String], to builder: RowBuilder, line: Int,
        text: @autoclosure () -> String
    ) throws(LogError) {
        // All values of the row end to end, as the delimited reader has them.
        var bytes: [UInt8] = []
        var ranges: [Range<Int>] = []
        for name in names {
            let start = bytes.count
            switch fields[name] {
            case let text as String: bytes.append(contentsOf: text.utf8)
            case let number as NSNumber: bytes.append(contentsOf: number.stringValue.utf8)
            case let list as [Any]:
                let parts = list.map { "\($0)" }.joined(separator: options.topicSeparator ?? "|")
                bytes.append(contentsOf: parts.utf8)
            default: break
            }
            ranges.append(start..<bytes.count)
        }
        let result: Result<Void, LogError> = bytes.withUnsafeBytes { bytes in
            do throws(LogError) {
                try builder.add(
                    line: line, field: { UnsafeRawBufferPointer(rebasing: bytes[ranges[$0]]) }, text: text())
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
    }

    private struct Fault: Error { let text: String }

    private static func object(_ line: ArraySlice<UInt8>) -> Result<[String: Any], Fault> {
        guard String(validating: line, as: UTF8.self) != nil else {
            return .failure(Fault(text: "bytes that are not UTF-8"))
        }
        do {
            let value = try JSONSerialization.jsonObject(with: Data(line))
            guard let fields = value as? [String: Any] else {
                return .failure(Fault(text: "it is another kind of value"))
            }
            return .success(fields)
        } catch {
            return .failure(Fault(text: "it does not parse"))
        }
    }
}

/// Lines of a source, numbered from one, without their line breaks.
struct LineReader {
    private let source: any ByteSource
    private let file: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var finished = false
    private var line = 0

    init(_ source: any ByteSource, file: String) {
        self.source = source
        self.file = file
    }

    mutating func next() throws(LogError) -> (number: Int, line: ArraySlice<UInt8>)? {
        while true {
            if let newline = buffer[position...].firstIndex(of: 0x0A) {
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
            guard buffer.count - position <= DelimitedReader.longestLine else {
                throw .lineTooLong(file: file, line: line + 1, limit: DelimitedReader.longestLine)
            }
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
        }
    }
}
