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
    /// The time of day, where the date stands in a column of its own.
    case clock = "Clock"
    /// When an event ended, where its duration is the time from its beginning.
    case end = "EndTime"

    /// Its place among all roles.
    var ordinal: Int {
        switch self {
        case .user: 0
        case .time: 1
        case .item: 2
        case .duration: 3
        case .eventType: 4
        case .topic: 5
        case .weight: 6
        case .label: 7
        case .eventID: 8
        case .clock: 9
        case .end: 10
        }
    }

    /// Names of letters and digits only, without a unit.
    private var names: [String] {
        switch self {
        case .user:
            ["userid", "user", "uid", "customerid", "customer", "visitorid", "personid", "memberid", "username"]
        case .time:
            [
                "time", "timestamp", "ts", "datetime", "date", "eventtime", "createdat", "visittime", "when",
                "eventtimestamp", "eventdate", "starttime", "startedat", "playedat", "watchedat", "viewedat",
                "listenedat", "visitedat", "orderdate", "purchasedate", "invoicedate", "transactiondate", "servertime",
                "epoch", "unixtime", "utctime", "timecreated", "day",
            ]
        case .item:
            [
                "pageid", "page", "itemid", "item", "iid", "movieid", "productid", "contentid", "articleid",
                "videoid", "songid", "url", "asin", "docid",
            ]
        case .duration:
            ["duration", "dwell", "dwelltime", "timespent", "watchtime", "playtime", "listeningtime", "viewtime"]
        case .eventType:
            [
                "eventtype", "event", "eventname", "action", "behavior", "behaviour", "behaviortype", "feedbacktype",
                "type",
            ]
        case .topic:
            [
                "topic", "topics", "category", "categories", "genre", "genres", "class", "channel", "tag", "topicid",
                "topicname", "categoryid", "categoryname",
            ]
        case .weight: ["weight", "rating", "score", "value", "ratingvalue"]
        case .label: ["interestdegree", "interest", "label"]
        case .eventID: ["eventid", "id", "uuid"]
        case .clock: ["clock", "timeofday", "clocktime"]
        case .end: ["endtime", "endedat", "finishedat", "stoptime", "endtimestamp"]
        }
    }

    /// Names that stand for a role only where no column has one of the others.
    private var otherNames: [String] {
        switch self {
        case .user:
            [
                "profilename", "profile", "clientid", "accountid", "studentid", "learnerid", "listener", "viewer",
                "sender",
            ]
        case .time: ["endtime", "endedat", "start", "lastplayed", "dt"]
        case .item:
            [
                "trackname", "track", "trackid", "title", "sku", "stockcode", "itemname", "productname", "newsid",
                "problemid", "lessonid", "questionid", "adid", "postid", "request",
            ]
        case .duration: []
        case .end: ["end", "stop"]
        case .topic: ["artist", "artistname", "author", "department", "subject", "skill", "categoryid"]
        default: []
        }
    }

    /// Words that say a duration only with a unit beside them: `ms_played`, `watch_minutes`.
    private static let withUnit: Set<String> = [
        "", "elapsed", "played", "play", "watch", "watched", "listen", "listened", "spent", "viewed",
    ]

    /// The role of a column by its name; a RecBole suffix such as `:token` does not count.
    public static func named(_ name: String) -> ColumnRole? { role(ColumnName(name), others: false) }

    /// The role that a column of this name has, or may stand in for.
    static func known(_ name: String) -> ColumnRole? { named(name) ?? role(ColumnName(name), others: true) }

    static func role(_ name: ColumnName, others: Bool) -> ColumnRole? {
        if let role = allCases.first(where: { (others ? $0.otherNames : $0.names).contains(name.bare) }) { return role }
        return !others && name.unit != nil && withUnit.contains(name.bare) ? .duration : nil
    }

    /// The role whose canonical name this is, as `--map` takes it.
    public static func canonical(_ name: String) -> ColumnRole? {
        allCases.first { $0.rawValue.lowercased() == name.lowercased() } ?? named(name)
    }
}

/// A column's name without its case, punctuation, type and unit.
struct ColumnName: Sendable, Equatable {
    /// Letters and digits.
    let bare: String
    /// The unit that it states.
    let unit: Unit?

    enum Unit: Sendable {
        case nanoseconds, microseconds, milliseconds, seconds, minutes, hours, days

        /// Seconds in one.
        var seconds: Double {
            switch self {
            case .nanoseconds: 1e-9
            case .microseconds: 1e-6
            case .milliseconds: 1e-3
            case .seconds: 1
            case .minutes: 60
            case .hours: 3_600
            case .days: 86_400
            }
        }

        var words: String {
            switch self {
            case .nanoseconds: "nanoseconds"
            case .microseconds: "microseconds"
            case .milliseconds: "milliseconds"
            case .seconds: "seconds"
            case .minutes: "minutes"
            case .hours: "hours"
            case .days: "days"
            }
        }
    }

    private static let units: [String: Unit] = [
        "ns": .nanoseconds, "nanos": .nanoseconds, "nanoseconds": .nanoseconds, "us": .microseconds,
        "micros": .microseconds, "microseconds": .microseconds, "ms": .milliseconds, "msec": .milliseconds,
        "millis": .milliseconds, "milliseconds": .milliseconds, "s": .seconds, "sec": .seconds, "secs": .seconds,
        "second": .seconds, "seconds": .seconds, "min": .minutes, "mins": .minutes, "minute": .minutes,
        "minutes": .minutes, "hours": .hours, "hrs": .hours, "days": .days,
    ]

    init(_ name: String) {
        let untyped = name.prefix { $0 != ":" }
        var words: [String] = []
        var word = ""
        var previous: Character = " "
        for character in untyped {
            guard character.isLetter || character.isNumber else {
                if !word.isEmpty { words.append(word) }
                word = ""
                previous = character
                continue
            }
            if character.isUppercase, previous.isLowercase, !word.isEmpty {
                words.append(word)
                word = ""
            }
            word.append(contentsOf: character.lowercased())
            previous = character
        }
        if !word.isEmpty { words.append(word) }
        // The zone is UTC anyway.
        if words.count > 1, let last = words.last, last == "utc" || last == "gmt" { words.removeLast() }
        var unit: Unit?
        if let index = words.firstIndex(where: { Self.units[$0] != nil }) {
            unit = Self.units[words[index]]
            words.remove(at: index)
        } else if words.count == 1, let only = words.first,
            let (suffix, own) = Self.units.first(where: { only.hasSuffix($0.key) && $0.key.count > 1 }),
            ["duration", "timestamp", "time", "dwelltime", "epoch"].contains(String(only.dropLast(suffix.count)))
        {
            // `durationms`, `timestampms`.
            unit = own
            words = [String(only.dropLast(suffix.count))]
        }
        bare = words.joined()
        self.unit = unit
    }
}
