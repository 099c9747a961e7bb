/// A behaviour log, held by columns: a row is a place in each of them.
///
/// Users and items are numbers into their vocabularies; times are microseconds since 1970 in UTC, or
/// places in the person's history (a million apart) where the log has order but no times.
public struct EventLog: Sendable {
    public private(set) var users: Vocabulary
    public private(set) var items: Vocabulary
    public private(set) var user: Column<UInt32>
    public private(set) var item: Column<UInt32>
    /// Microseconds.
    public private(set) var time: Column<Int64>
    /// Seconds, where the log has durations; NaN where a row has none.
    public private(set) var duration: Column<Float>?
    /// An explicit weight or rating, where the log has one; NaN where a row has none.
    public private(set) var weight: Column<Float>?
    /// `Interest_Degree` in 0...1, where the log has one; NaN where a row has none.
    public private(set) var label: Column<Float>?
    /// What kind of event each row is, where the log says.
    public private(set) var eventType: Column<UInt32>?
    public let eventTypes: Vocabulary
    public private(set) var topics: ItemTopics
    /// What each row itself says of its item's topics, where rows of one item differ; dropped once topics are chosen.
    public private(set) var rowTopics: RowTopics?
    /// What people were shown beside what they did, where the log says; not among the rows.
    public private(set) var exposures: Exposures?
    /// What stands for time.
    public let clock: Clock

    public enum Clock: String, Sendable, Codable {
        /// Times that the log gives.
        case wall
        /// The position in the person's history: the log has order but no times.
        case position
    }

    public var count: Int { user.count }

    /// Microseconds in a second, or between two positions.
    public static let second: Int64 = 1_000_000

    public init(
        users: Vocabulary, items: Vocabulary, user: Column<UInt32>, item: Column<UInt32>, time: Column<Int64>,
        duration: Column<Float>? = nil, weight: Column<Float>? = nil, label: Column<Float>? = nil,
        eventType: Column<UInt32>? = nil, eventTypes: Vocabulary = Vocabulary(), topics: ItemTopics,
        rowTopics: RowTopics? = nil, clock: Clock = .wall
    ) {
        self.users = users
        self.items = items
        self.user = user
        self.item = item
        self.time = time
        self.duration = duration
        self.weight = weight
        self.label = label
        self.eventType = eventType
        self.eventTypes = eventTypes
        self.topics = topics
        self.rowTopics = rowTopics
        self.clock = clock
    }

    /// The same events with other topics.
    public func with(topics: ItemTopics) -> EventLog {
        var log = self
        (log.topics, log.rowTopics) = (topics, nil)
        return log
    }

    /// The same events with other measures of engagement.
    func with(duration: Column<Float>?, weight: Column<Float>?) -> EventLog {
        var log = self
        (log.duration, log.weight) = (duration, weight)
        return log
    }

    /// The same events on items that are numbered and named otherwise.
    public func with(items: Vocabulary, item: Column<UInt32>, topics: ItemTopics) -> EventLog {
        var log = with(topics: topics)
        (log.items, log.item) = (items, item)
        return log
    }

    /// The same log of what people did alone, without what they were shown and the items that nobody did anything with: for tasks that read
    /// no volume, and rank items.
    public func withoutExposures() -> EventLog {
        exposures == nil ? self : without(rows: [])
    }

    /// The same log with other rows behind its own, whose items and topics are numbered anew; of types and labels nothing is kept.
    ///
    /// - Parameters:
    ///   - items: names; the first of them are this log's, under the same numbers.
    ///   - item: of each of the other's rows.
    public func followed(by other: EventLog, items: Vocabulary, item: [UInt32], topics: ItemTopics) -> EventLog {
        func joined(_ first: Column<Float>?, _ second: Column<Float>?) -> Column<Float>? {
            guard first != nil || second != nil else { return nil }
            func all(_ column: Column<Float>?, _ count: Int) -> [Float] {
                column.map(Array.init) ?? [Float](repeating: .nan, count: count)
            }
            return Column(all(first, count) + all(second, other.count))
        }
        var log = with(
            items: items, item: Column(Array(self.item) + item), topics: topics)
        log.user = Column(Array(user) + Array(other.user))
        log.time = Column(Array(time) + Array(other.time))
        (log.duration, log.weight) = (joined(duration, other.duration), joined(weight, other.weight))
        (log.label, log.eventType) = (nil, nil)
        return log
    }

    /// The rows of one person, alone: nothing in a log that does not have them.
    public func only(_ name: String) -> EventLog? {
        guard let number = users.find(name) else { return nil }
        var own = gathered((0..<UInt32(count)).filter { user[Int($0)] == number })
        own.exposures = exposures?.only(user: Int(number))
        own.users = Vocabulary([name])
        own.user = Column([UInt32](repeating: 0, count: own.count))
        return own
    }

    /// The same log without some of its rows, and without the users and items that only those had.
    ///
    /// - Parameter shown: rows that are no events but ``Exposures``. Items that nobody did anything with stay where topics are given, and are in
    ///   no topic where they are not.
    func without(rows: some Collection<Int>, shown: [Int] = []) -> EventLog {
        var isOut = [Bool](repeating: false, count: count)
        for row in rows { isOut[row] = true }
        for row in shown { isOut[row] = true }
        var log = gathered((0..<UInt32(count)).filter { !isOut[Int($0)] })
        log.exposures = nil
        func compacted(
            _ column: Column<UInt32>, _ names: Vocabulary, besides others: [UInt32] = []
        ) -> (Column<UInt32>, Vocabulary, kept: [Int], number: [UInt32]) {
            var isUsed = [Bool](repeating: false, count: names.count)
            for number in column { isUsed[Int(number)] = true }
            for number in others { isUsed[Int(number)] = true }
            let kept = isUsed.indices.filter { isUsed[$0] }
            var number = [UInt32](repeating: .max, count: names.count)
            for (new, old) in kept.enumerated() { number[old] = UInt32(new) }
            return (Column(column.lazy.map { number[Int($0)] }), Vocabulary(kept.map { names[$0] }), kept, number)
        }
        let (kept, newUser, newItem): ([Int], [UInt32], [UInt32])
        (log.user, log.users, _, newUser) = compacted(log.user, users)
        (log.item, log.items, kept, newItem) = compacted(
            log.item, items, besides: topics.isDecided ? shown.map { item[$0] } : [])
        if !shown.isEmpty {
            // Of people who did something.
            let own = shown.filter { newUser[Int(user[$0])] != .max }
            log.exposures = Exposures(
                userCount: log.users.count, user: own.map { newUser[Int(user[$0])] },
                item: own.map { newItem[Int(item[$0])] }, time: own.map { time[$0] })
        }
        guard topics.isDecided || topics.itemCount > 0 else { return log }
        // Topics that only those rows had go with them.
        let byItem = kept.map { Array(topics[UInt32($0)]) }
        var isUsed = [Bool](repeating: topics.source != .column, count: topics.count)
        for topic in byItem.joined() { isUsed[Int(topic)] = true }
        let used = isUsed.indices.filter { isUsed[$0] }
        var number = [UInt32](repeating: 0, count: topics.count)
        for (new, old) in used.enumerated() { number[old] = UInt32(new) }
        log.topics = ItemTopics(
            names: Vocabulary(used.map { topics.names[$0] }), byItem: byItem.map { $0.map { number[Int($0)] } },
            source: topics.source)
        log.rowTopics = log.rowTopics.map { rows in
            RowTopics(lists: rows.lists.map { $0.filter { isUsed[Int($0)] }.map { number[Int($0)] } }, list: rows.list)
        }
        return log
    }

    /// Positions without holes in a log of order, some of whose rows were taken out; all histories end together.
    func renumberedPositions() -> EventLog {
        var log = self
        var left = [Int64](repeating: 0, count: users.count)
        for user in user { left[Int(user)] += 1 }
        let longest = left.max() ?? 0
        log.time = Column(
            user.lazy.map { user in
                left[Int(user)] -= 1
                return (longest - left[Int(user)]) * EventLog.second
            })
        log.exposures = nil
        return log
    }

    /// Rows in another order, or some of them.
    private func gathered(_ order: [UInt32]) -> EventLog {
        var log = self
        log.user = user.gathered(order)
        log.item = item.gathered(order)
        log.time = time.gathered(order)
        log.duration = duration?.gathered(order)
        log.weight = weight?.gathered(order)
        log.label = label?.gathered(order)
        log.eventType = eventType?.gathered(order)
        log.rowTopics = rowTopics?.gathered(order)
        return log
    }

    /// Where each person's events begin in a log sorted by person; one longer than there are people.
    public func userStarts() -> [Int] {
        var starts = [Int](repeating: 0, count: users.count + 1)
        for user in user { starts[Int(user) + 1] += 1 }
        for user in 0..<users.count { starts[user + 1] += starts[user] }
        return starts
    }

    /// The same events ordered by person, then time; those of one moment as ``EventOrder`` says, whatever their order in the
    /// file.
    ///
    /// - Complexity: O(n) where each person's events stand in order of time, as logs mostly do; else
    ///   O(n log n) for the people whose do not.
    public func sortedByUser() -> EventLog {
        let order = EventOrder(self)
        if (1..<max(1, count)).allSatisfy({ user[$0 - 1] < user[$0] || !order.follows($0 - 1, $0) }) { return self }
        let starts = userStarts()
        var next = starts
        var rows = [UInt32](repeating: 0, count: count)
        for index in 0..<count {
            let user = Int(user[index])
            rows[next[user]] = UInt32(index)
            next[user] += 1
        }
        for user in 0..<users.count {
            let range = starts[user]..<starts[user + 1]
            let inOrder = range.dropFirst().allSatisfy { !order.follows(Int(rows[$0 - 1]), Int(rows[$0])) }
            if !inOrder { rows[range].sort { order.follows(Int($1), Int($0)) } }
        }
        return gathered(rows)
    }

    /// A moment as people write it; in a log of positions, the place in a person's own history, from one.
    ///
    /// - Parameter firstEvent: the index of the person's first event.
    public func words(_ moment: Int64, firstEvent: Int) -> String {
        guard clock == .position else { return TimeFormat.words(moment) }
        return "\((moment - time[firstEvent]) / EventLog.second + 1)"
    }

    /// Moments from the first event to the last, both included; nothing for a log without events.
    public var span: ClosedRange<Int64>? {
        guard let first = time.min(), let last = time.max() else { return nil }
        return first...last
    }
}
