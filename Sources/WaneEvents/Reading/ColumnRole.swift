/// What a column of a log means, and the names it goes by.
public enum ColumnRole: String, Sendable, CaseIterable, Hashable {
    case user = "UserID"
    case time = "Time"
    case item = "PageID"
    case duration = "Duration"
    case eventType = "EventType"
    case topic = "Topic"
    case weight = "Weight"
    case label = "Interest_Degree"
    case eventID = "EventID"

    /// Names without case, blanks, dashes or underscores.
    private var aliases: [String] {
        switch self {
        case .user: ["userid", "user", "uid", "customerid", "customer", "visitorid", "personid", "memberid"]
        case .time:
            ["time", "timestamp", "ts", "datetime", "date", "eventtime", "createdat", "visittime", "when"]
        case .item:
            [
                "pageid", "page", "itemid", "item", "iid", "movieid", "productid", "contentid", "articleid",
                "videoid", "songid", "url", "asin", "docid",
            ]
        case .duration:
            ["duration", "dwell", "dwelltime", "durationseconds", "timespent", "watchtime", "durationms"]
        case .eventType: ["eventtype", "event", "action", "behavior", "behaviortype", "feedbacktype", "type"]
        case .topic: ["topic", "topics", "category", "categories", "genre", "genres", "class", "channel", "tag"]
        case .weight: ["weight", "rating", "score", "value", "ratingvalue"]
        case .label: ["interestdegree", "interest", "label"]
        case .eventID: ["eventid", "id", "uuid"]
        }
    }

    /// The role of a column by its name; a RecBole suffix such as `:token` does not count.
    public static func named(_ name: String) -> ColumnRole? {
        let bare = name.prefix { $0 != ":" }.lowercased().filter { !" _-.".contains($0) }
        return allCases.first { $0.aliases.contains(bare) }
    }

    /// The role whose canonical name this is, as `--map` takes it.
    public static func canonical(_ name: String) -> ColumnRole? {
        allCases.first { $0.rawValue.lowercased() == name.lowercased() } ?? named(name)
    }
}

/// Which column of a file has which role.
struct Schema: Sendable {
    /// The role of each column, in the file's order.
    let roles: [ColumnRole?]
    let names: [String]
    private let places: [ColumnRole: Int]

    func index(_ role: ColumnRole) -> Int? { places[role] }

    /// One more than the last column that must be there.
    let needed: Int

    /// - Parameter map: column names by role, over the aliases.
    init(names: [String], map: [ColumnRole: String], file: String) throws(LogError) {
        var roles = [ColumnRole?](repeating: nil, count: names.count)
        var places: [ColumnRole: Int] = [:]
        for (role, name) in map {
            guard
                let index = names.firstIndex(where: { $0.lowercased() == name.lowercased() })
                    ?? names.firstIndex(where: { $0.prefix { $0 != ":" }.lowercased() == name.lowercased() })
            else { throw .unknownColumn(file: file, name: name, found: names) }
            roles[index] = role
            places[role] = index
        }
        for (index, name) in names.enumerated() where roles[index] == nil {
            guard let role = ColumnRole.named(name), map[role] == nil else { continue }
            if let other = places[role] {
                // Two names of equal standing: guessing could read the wrong one.
                guard role != .user, role != .time, role != .item else {
                    throw .duplicateColumn(file: file, column: role.rawValue, names: [names[other], name])
                }
                continue
            }
            roles[index] = role
            places[role] = index
        }
        guard places[.user] != nil else { throw .missingColumn(file: file, column: "UserID", found: names) }
        self.roles = roles
        self.names = names
        self.places = places
        needed = 1 + ([ColumnRole.user, .item, .time].compactMap { places[$0] }.max() ?? 0)
    }

    func name(_ role: ColumnRole) -> String { index(role).map { names[$0] } ?? role.rawValue }
}
