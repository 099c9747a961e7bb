/// Which column of a file has which role.
struct Schema: Sendable {
    private(set) var names: [String]
    private var places = Places()
    private let map: [ColumnRole: String]
    private let file: String
    /// What columns are of that no row has, but the file's folders say of all of them: the last of ``names``, by their places.
    private(set) var constants: [Int: [UInt8]] = [:]
    /// Whether topics stand in for items, as no column has those.
    private(set) var hasTopicsForItems = false

    /// Columns by role, without a hash: they are asked for in every row.
    private struct Places: Sendable {
        private var columns = [Int](repeating: -1, count: ColumnRole.allCases.count)

        subscript(role: ColumnRole) -> Int? {
            @inline(__always) get {
                let column = columns[role.ordinal]
                return column < 0 ? nil : column
            }
            set { columns[role.ordinal] = newValue ?? -1 }
        }

        var used: Set<Int> { Set(columns.filter { $0 >= 0 }) }
    }

    @inline(__always)
    func index(_ role: ColumnRole) -> Int? { places[role] }

    /// The roles of a column: `--map` may give a second one.
    func roles(of column: Int) -> [ColumnRole] { ColumnRole.allCases.filter { places[$0] == column } }

    /// One more than the last column that must be there.
    var needed: Int {
        let columns = [places[.user], places[.item], places[.time]].compactMap(\.self)
        return 1 + max(0, columns.filter { constants[$0] == nil }.max() ?? 0)
    }

    /// How many columns rows have.
    var rowColumns: Int { names.count - constants.count }

    /// - Parameters:
    ///   - map: column names by role, over the aliases; an empty name takes the role away.
    ///   - folders: columns that the file's folders are of, with what they say; a column of the file's own comes first.
    ///   - needsUser: whether somebody must be named in a column.
    init(
        names own: [String], map: [ColumnRole: String], file: String, folders: [(name: String, value: String)] = [],
        needsUser: Bool = true
    ) throws(LogError) {
        let folders = folders.filter { folder in !own.contains(folder.name) }
        let names = own + folders.map(\.name)
        self.names = names
        for (index, folder) in folders.enumerated() { constants[own.count + index] = Array(folder.value.utf8) }
        self.map = map
        self.file = file
        for (role, name) in map where !name.isEmpty {
            guard let index = Self.index(of: name, in: names) else {
                throw .unknownColumn(file: file, name: name, found: names)
            }
            if names[index] == name, names.count(where: { $0 == name }) > 1 {
                throw .sameNames(file: file, name: name)
            }
            places[role] = index
        }
        try guess(names.indices.filter { constants[$0] == nil }, others: false)
        try guess(names.indices.filter { constants[$0] == nil }, others: true)
        for others in [false, true] { try guess(Array(constants.keys.sorted()), others: others) }
        // A second role takes none away: what a mapped column's own name says holds where no other column has that role.
        for others in [false, true] {
            for (index, name) in names.enumerated() where roles(of: index).contains(where: { map[$0] != nil }) {
                guard let role = ColumnRole.role(ColumnName(name), others: others), map[role] == nil,
                    places[role] == nil
                else { continue }
                places[role] = index
            }
        }
        // A date and a clock in two columns, whatever the second one is called.
        if map[.clock] == nil, map[.time] == nil, let date = places[.time] {
            let clock = names.indices.first {
                $0 != date && roles(of: $0).isEmpty && ["time", "clock", "hour"].contains(ColumnName(names[$0]).bare)
            }
            if let clock, ColumnName(names[date]).bare.hasSuffix("date") || ColumnName(names[date]).bare == "day" {
                places[.clock] = clock
            }
        }
        // Without a beginning, the end is when it was.
        if let end = places[.end], places[.time] == nil, map[.end] == nil {
            places[.time] = end
            places[.end] = nil
        }
        if places[.duration] != nil, map[.end] == nil { places[.end] = nil }
        // A log of topics without items keeps its topics apart.
        if places[.item] == nil, map[.item] == nil, let topic = places[.topic] {
            places[.item] = topic
            hasTopicsForItems = true
        }
        guard places[.user] != nil || !needsUser else {
            throw .missingColumn(file: file, column: "UserID", found: names)
        }
    }

    static func index(of name: String, in names: [String]) -> Int? {
        names.firstIndex(of: name) ?? names.firstIndex { $0.lowercased() == name.lowercased() }
            ?? names.firstIndex {
                $0.hasPrefix("#") && $0.drop { $0 == "#" || $0 == " " }.lowercased() == name.lowercased()
            }
            ?? names.firstIndex { $0.prefix { $0 != ":" }.lowercased() == name.lowercased() }
    }

    private mutating func guess(_ columns: [Int], others: Bool) throws(LogError) {
        let had = places
        for (index, name) in columns.map({ ($0, names[$0]) })
        where !map.values.contains(where: { Self.index(of: $0, in: names) == index }) {
            guard roles(of: index).isEmpty, let role = ColumnRole.role(ColumnName(name), others: others),
                map[role] == nil, had[role] == nil
            else { continue }
            if let other = places[role] {
                // What folders say stands behind what rows say.
                if constants[index] != nil, constants[other] == nil { continue }
                // Two names of equal standing: guessing could read the wrong one.
                if role == .time, let both = Self.dateAndClock(other, index, names) {
                    (places[.time], places[.clock]) = (both.date, both.clock)
                    continue
                }
                guard role != .user, role != .time, role != .item else {
                    throw .duplicateColumn(file: file, column: role.rawValue, names: [names[other], name])
                }
                continue
            }
            places[role] = index
        }
    }

    /// `Date` beside `Time`.
    private static func dateAndClock(_ a: Int, _ b: Int, _ names: [String]) -> (date: Int, clock: Int)? {
        let (first, second) = (ColumnName(names[a]).bare, ColumnName(names[b]).bare)
        func isDate(_ name: String) -> Bool { name.hasSuffix("date") || name == "day" }
        if isDate(first), second == "time" { return (a, b) }
        if isDate(second), first == "time" { return (b, a) }
        return nil
    }

    /// One more column, met later in the file: its roles, which nothing had before.
    mutating func add(_ name: String) -> [ColumnRole] {
        names.append(name)
        let index = names.count - 1
        var roles = map.filter { $0.value.lowercased() == name.lowercased() }.map(\.key)
        if roles.isEmpty {
            for others in [false, true] {
                guard let role = ColumnRole.role(ColumnName(name), others: others), map[role] == nil,
                    places[role] == nil || (role == .item && hasTopicsForItems)
                else { continue }
                roles = [role]
                break
            }
        }
        for role in roles { places[role] = index }
        if roles.contains(.item) { hasTopicsForItems = false }
        return roles
    }

    /// Whether a column's name is that of the one for people.
    func isUser(_ name: String) -> Bool { index(.user).map { names[$0] == name } ?? false }

    func name(_ role: ColumnRole) -> String { index(role).map { names[$0] } ?? role.rawValue }

    /// Columns that nothing reads.
    var unused: [String] {
        let used = places.used
        return names.indices.filter { !used.contains($0) }.map { names[$0] }
    }
}
