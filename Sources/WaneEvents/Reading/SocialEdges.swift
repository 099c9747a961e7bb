/// Friendships of a log's people: who may draw whom along.
public struct SocialEdges: Sendable {
    /// Each person's friends in the order of their numbers, each once; friendship goes both ways.
    public let friends: [[Friend]]
    public let report: Report

    /// A friend, and since when: microseconds; the beginning of time where the file does not say.
    public struct Friend: Sendable, Equatable {
        public let user: UInt32
        public let since: Int64

        public init(user: UInt32, since: Int64 = .min) {
            self.user = user
            self.since = since
        }
    }

    /// Friendships known otherwise than from a file.
    public init(_ friends: [[Friend]]) {
        self.friends = friends
        report = Report()
    }

    /// Nobody knows anybody.
    public static let none = SocialEdges([])

    public var isEmpty: Bool { friends.allSatisfy(\.isEmpty) }

    /// Numbers of each person's friends at a moment; empty lists beyond the people that the edges know.
    public func friends(at moment: Int64, users: Int) -> [[UInt32]] {
        (0..<users).map { user in
            user < friends.count ? friends[user].filter { $0.since <= moment }.map(\.user) : []
        }
    }

    /// What became of the file's rows.
    public struct Report: Sendable, Equatable {
        /// Friendships kept.
        public var edges = 0
        public var selfLoops = 0
        /// The same two people again, in either order.
        public var repeats = 0
        /// Rows that name somebody the log does not have, and the first few of those names.
        public var unknown = 0
        public var unknownNames: [String] = []
        /// Friendships that began after the last moment that matters.
        public var later = 0
        /// Rows without two names, or with a time that cannot be read, and the lines of the first few.
        public var unreadable = 0
        public var unreadableLines: [Int] = []

        /// A line for people about what was left out; nothing when nothing was.
        public var words: String? {
            var parts: [String] = []
            if unknown > 0 {
                parts.append(
                    "\(unknown) name people who are not in the log (\(unknownNames.joined(separator: ", "))"
                        + (unknown > unknownNames.count ? ", ...)" : ")"))
            }
            if selfLoops > 0 { parts.append("\(selfLoops) join a person with themselves") }
            if repeats > 0 { parts.append("\(repeats) are there already") }
            if later > 0 { parts.append("\(later) begin after training ends") }
            if unreadable > 0 {
                let lines = unreadableLines.map(String.init).joined(separator: ", ")
                parts.append(
                    "\(unreadable) cannot be read (lines \(lines)\(unreadable > unreadableLines.count ? ", ..." : ""))")
            }
            return parts.isEmpty ? nil : "of the friendships left out, " + parts.joined(separator: "; ")
        }
    }

    /// Reads `UserID,FriendID[,Time]`, with or without a header, in any delimiter that logs may have.
    ///
    /// - Parameter until: microseconds; friendships that begin later are left out.
    public static func read(_ path: String, users: Vocabulary, until: Int64? = nil) throws(LogError) -> SocialEdges {
        try read(LogFiles.text(path), file: path, users: users, until: until)
    }

    static func read(
        _ source: any ByteSource, file path: String, users: Vocabulary, until: Int64? = nil
    ) throws(LogError) -> SocialEdges {
        let reader = DelimitedReader(source, file: path)
        try reader.skipByteOrderMark()
        let dialect = Dialect(firstLine: try reader.firstLine())
        guard try reader.nextRecord(dialect) else { throw .empty(file: path) }
        let first = reader.texts
        guard first.count >= 2 else {
            throw .unsupported(file: path, reason: "line 1 holds one field; give UserID,FriendID[,Time]")
        }
        var places = (user: 0, friend: 1, time: 2)
        var report = Report()
        // Friendships with the time each began as it stands; the whole column says how times are meant.
        var edges: [(a: UInt32, b: UInt32, time: Int?)] = []
        let times = TimeColumnBuilder(capacity: 16)
        var lines = LineMap()

        func unreadable(_ line: Int) {
            report.unreadable += 1
            if report.unreadableLines.count < 5 { report.unreadableLines.append(line) }
        }
        func take(_ fields: [String], line: Int) {
            guard reader.fault == nil, fields.count > max(places.user, places.friend), !fields[places.user].isEmpty,
                !fields[places.friend].isEmpty
            else { return unreadable(line) }
            let names = [fields[places.user], fields[places.friend]]
            guard let a = users.find(names[0]), let b = users.find(names[1]) else {
                report.unknown += 1
                for name in names where users.find(name) == nil && report.unknownNames.count < 5 {
                    if !report.unknownNames.contains(name) { report.unknownNames.append(name) }
                }
                return
            }
            if a == b { return report.selfLoops += 1 }
            var time: Int?
            if fields.count > places.time, !fields[places.time].isEmpty {
                guard let written = Array(fields[places.time].utf8).withUnsafeBytes({ WrittenTime($0) }) else {
                    return unreadable(line)
                }
                time = times.count
                lines.append(row: times.count, line: line)
                times.append(written)
            }
            edges.append((a, b, time))
        }

        var column = "Time"
        if let friend = first.firstIndex(where: Self.isFriend),
            let user = first.firstIndex(where: { ColumnRole.named($0) == .user })
        {
            places = (user, friend, first.firstIndex { ColumnRole.named($0) == .time } ?? Int.max)
            if places.time < first.count { column = first[places.time] }
        } else if first.contains(where: { ColumnRole.named($0) == .user }) {
            throw .missingColumn(file: path, column: "FriendID", found: first)
        } else {
            take(first, line: 1)
        }
        reader.skipRecord()
        while try reader.nextRecord(dialect) {
            let line = reader.line
            if !reader.isBlank { take(reader.texts, line: line) }
            reader.skipRecord()
        }
        let resolved = try times.finish(
            format: .auto, preferred: nil, zone: nil, file: path, column: column, line: lines.line)
        let faults = Set(resolved.faults.map(\.row))
        var friends = [[UInt32: Int64]](repeating: [:], count: users.count)
        for edge in edges {
            var since = Int64.min
            if let time = edge.time {
                guard !faults.contains(time) else {
                    unreadable(lines.line(of: time))
                    continue
                }
                since = resolved.times[time]
                if let until, since > until {
                    report.later += 1
                    continue
                }
            }
            if let known = friends[Int(edge.a)][edge.b] {
                report.repeats += 1
                since = min(since, known)
            } else {
                report.edges += 1
            }
            friends[Int(edge.a)][edge.b] = since
            friends[Int(edge.b)][edge.a] = since
        }
        guard report.edges > 0 else {
            throw .unsupported(
                file: path,
                reason: "no friendship joins two people of the log; " + (report.words ?? "are the ids the same?"))
        }
        return SocialEdges(
            friends: friends.map { list in
                list.sorted { $0.key < $1.key }.map { Friend(user: $0.key, since: $0.value) }
            }, report: report)
    }

    private init(friends: [[Friend]], report: Report) {
        self.friends = friends
        self.report = report
    }

    private static func isFriend(_ name: String) -> Bool {
        let bare = name.prefix { $0 != ":" }.lowercased().filter { !" _-.".contains($0) }
        return ["friendid", "friend", "targetid", "target", "trustee", "followee", "otherid"].contains(bare)
    }
}
