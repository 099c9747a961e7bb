/// A web server's access log in the common or the combined format, as columns:
///
///     host ident user [02/Jan/2023:10:00:00 +0000] "GET /page?x=1 HTTP/1.1" 200 2326 "referer" "agent"
///
/// The person is the authenticated user, else the host; the item is the request's path without its query.
struct AccessLog {
    static let names = ["UserID", "Time", "PageID", "method", "status", "bytes", "referer", "agent"]

    /// Whether a line is of such a log.
    static func matches(_ line: [UInt8]) -> Bool {
        guard let fields = fields(line[...]) else { return false }
        return line[fields[1]].withUnsafeBytes { WrittenTime($0)?.form == .instant }
    }

    /// Words of agents that are programs.
    private static let bots = [
        "bot", "crawl", "spider", "slurp", "curl/", "wget/", "python-requests", "facebookexternalhit",
    ]

    static func isBot(_ agent: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: agent, as: UTF8.self).lowercased()
        return bots.contains { text.contains($0) }
    }

    /// `/path`, or a whole address, as proxies are asked for.
    private static func isPath(_ text: ArraySlice<UInt8>) -> Bool {
        text.first == 0x2F || text.starts(with: Array("http://".utf8)) || text.starts(with: Array("https://".utf8))
    }

    /// The fields of a line in the order of ``names``, as ranges in it; nothing for a line of another form.
    static func fields(_ line: ArraySlice<UInt8>) -> [Range<Int>]? {
        var at = line.startIndex
        func skipBlanks() { while at < line.endIndex, line[at] == 0x20 { at += 1 } }
        func word() -> Range<Int>? {
            skipBlanks()
            let start = at
            while at < line.endIndex, line[at] != 0x20 { at += 1 }
            return at > start ? start..<at : nil
        }
        func between(_ open: UInt8, _ close: UInt8) -> Range<Int>? {
            skipBlanks()
            guard at < line.endIndex, line[at] == open else { return nil }
            let start = at + 1
            at = start
            while at < line.endIndex, line[at] != close {
                // A quote inside an agent or a path is escaped.
                at += line[at] == 0x5C && at + 1 < line.endIndex ? 2 : 1
            }
            guard at < line.endIndex else { return nil }
            defer { at += 1 }
            return start..<at
        }
        guard let host = word(), word() != nil, let user = word(), let time = between(0x5B, 0x5D),
            let request = between(0x22, 0x22), let status = word(), let bytes = word()
        else { return nil }
        let referer = between(0x22, 0x22)
        let agent = between(0x22, 0x22)
        // `GET /path?query HTTP/1.1`, or a path alone. Where there was no request, as before a handshake or a timeout, there is no page.
        let parts = line[request].split(separator: 0x20, maxSplits: 2)
        let isMethod = parts.count > 1 && parts[0].allSatisfy { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A }
        let method = isMethod ? parts[0].indices : request.upperBound..<request.upperBound
        let target = isMethod ? parts[1] : parts.count == 1 ? parts[0] : []
        var path = isPath(target) ? target.indices : request.upperBound..<request.upperBound
        if let query = line[path].firstIndex(of: 0x3F) { path = path.lowerBound..<query }
        let isNamed = user.count != 1 || line[user.lowerBound] != 0x2D
        let none = line.endIndex..<line.endIndex
        func given(_ range: Range<Int>?) -> Range<Int> {
            guard let range, line[range] != [0x2D] else { return none }
            return range
        }
        return [isNamed ? user : host, time, path, method, status, given(bytes), given(referer), given(agent)]
    }

    /// Reads all lines of a source into a builder whose columns are ``names``.
    static func read(
        _ source: any ByteSource, file: String, from first: Int, into builder: RowBuilder,
        progress: (Int) throws(LogError) -> Void
    ) throws(LogError) {
        var lines = LineReader(source, file: file, from: first)
        var botRows = 0
        while let (number, line) = try lines.next() {
            if line.isEmpty { continue }
            func text() -> String { String(decoding: line, as: UTF8.self) }
            guard let fields = fields(line) else {
                try builder.reject(
                    RejectedRow(line: number, column: "", reason: .noAccessLogLine), text: text())
                continue
            }
            if isBot(line[fields[7]]) { botRows += 1 }
            let result = line.withUnsafeBytes { bytes in
                Result { () throws(LogError) in
                    try builder.add(
                        line: number,
                        field: { column in
                            let range = fields[column]
                            let start = range.lowerBound - line.startIndex
                            return UnsafeRawBufferPointer(rebasing: bytes[start..<start + range.count])
                        }, text: text())
                }
            }
            try result.get()
            if number & 0xFFFF == 0 { try progress(builder.user.count) }
        }
        if botRows > 0 {
            builder.note(
                "\(botRows) requests are by programs, as their agents say (bots, crawlers); they are kept: take them out if people are "
                    + "meant")
        }
    }
}
