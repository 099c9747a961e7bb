import WaneBundle
import WaneEvents
import WaneModels
import WaneState
import WaneTasks

/// Why a log cannot be asked about with a model, or a question not answered.
public enum PredictionError: Error, Sendable, Equatable, CustomStringConvertible {
    case clock(model: EventLog.Clock, log: EventLog.Clock)
    case noDurations
    case noWeights
    case nothingKnown(itemsOfModel: [String], itemsOfLog: [String])
    case otherTopics(item: String, ofModel: String, ofLog: String, items: Int)
    case unknownTopic(String, known: [String])
    case notMet(user: String, topic: String)
    case noEventYet(user: String)
    case nobodyYet
    case nobodyMet(topic: String)
    case noCurves(family: String)
    case noCandidates

    public var description: String {
        switch self {
        case .clock(.wall, _):
            "the model was trained on times, and the log has order only; give its time column with --map Time=COLUMN"
        case .clock(.position, _):
            "the model was trained on order only, and the log has times; leave the time column out with --columns, or "
                + "train a model on times"
        case .noDurations:
            "the model measures engagement by durations, and the log has none; name the column with --map "
                + "Duration=COLUMN"
        case .noWeights:
            "the model measures engagement by weights or ratings, and the log has none; name the column with --map "
                + "Weight=COLUMN, or give --event-weights as in training"
        case .nothingKnown(let own, let other):
            "the model knows next to none of the log's items and topics (it knows \(own.joined(separator: ", ")); the log has "
                + "\(other.joined(separator: ", "))); was it trained on another kind of log? If items are the same "
                + "under other names, name the column with --map PageID=COLUMN or give --items FILE"
        case .otherTopics(let item, let model, let log, let items):
            "\(items) items of the log have the names of the model's and other topics (\"\(item)\" is of \"\(model)\" to the "
                + "model and of \"\(log)\" in the log): it was trained on another kind of log. Where they are the same items "
                + "under new topics, train anew, or leave the log's topics out with --map Topic="
        case .unknownTopic(let name, let known):
            "neither the model nor the log has a topic \"\(name)\"\(NearestName.hint(name, among: known)); there are "
                + known.prefix(12).joined(separator: ", ") + (known.count > 12 ? ", ..." : "")
        case .notMet(let user, let topic): "\(user) has not met \"\(topic)\" by then; give a later --at"
        case .noEventYet(let user): "\(user) has no event by then; give a later --at"
        case .nobodyMet(let topic): "nobody has met \"\(topic)\" by then; give a later --at"
        case .nobodyYet: "no person has an event by then; give a later --at"
        case .noCurves(let family): "\(family) says nothing about what comes after; train another family"
        case .noCandidates:
            "no candidates are left to rank: the list is empty, or the person has seen them all (see --seen)"
        }
    }
}

/// A log as a model reads it: its events in order, with the model's topics and engagement measured as in training.
///
/// Items that the model has met keep the topics they had then, whatever a later log says of them, so that the same
/// events always give the same answer. Others bring their own where the log has topics, and belong to the unknown
/// topic where it has none.
public struct AskedLog: Sendable {
    /// Sorted by person and time.
    public let log: EventLog
    /// Where each person's events begin; one longer than there are people.
    public let userStarts: [Int]
    public let engagement: [Float]
    /// The model's rows of the log's items and topics.
    public let rows: LogRows
    /// What was known of everybody when training ended; topics by the log's numbers.
    public let popularity: Popularity
    /// The model's number of each person whose friends it knows, -1 for all others.
    public let userOf: [Int64]
    /// How much of the log the model has met.
    public let coverage: Coverage
    /// The log's number of each of the model's items that have a vector; of use to ranking.
    let itemOf: [Int]
    /// What people's friends do, where it is known.
    public private(set) var friends: FriendActivity?

    /// How much of a log a model knows.
    public struct Coverage: Sendable, Equatable {
        public var events = 0
        /// Events whose item the model has met, and whose topics it has.
        public var knownItemEvents = 0
        public var knownTopicEvents = 0
        public var items = 0
        public var knownItems = 0
        public var topics = 0
        public var knownTopics = 0
        public var people = 0
        /// Nothing where the model keeps no names of people.
        public var knownPeople: Int?

        fileprivate init(_ log: EventLog, _ rows: LogRows, _ itemOf: [Int], _ userOf: [Int64], _ bundle: ModelBundle) {
            events = log.count
            var isMet = [Bool](repeating: false, count: log.items.count)
            // The vocabulary has items of validation and test too, which no weight is of.
            func isKnown(_ item: UInt32) -> Bool { (0..<bundle.vocabulary.itemRows).contains(itemOf[Int(item)]) }
            for index in 0..<log.count {
                let item = log.item[index]
                if isKnown(item) { knownItemEvents += 1 }
                if log.topics[item].contains(where: { rows.topicRow[Int($0)] > 0 }) { knownTopicEvents += 1 }
                isMet[Int(item)] = true
            }
            items = isMet.count { $0 }
            knownItems = isMet.indices.count { isMet[$0] && isKnown(UInt32($0)) }
            let met = Set(isMet.indices.filter { isMet[$0] }.flatMap { log.topics[UInt32($0)] })
            // The numbers begin with the model's own topics: those that the log's events have are counted.
            topics = met.count
            knownTopics = met.count { rows.topicRow[Int($0)] > 0 }
            people = log.users.count
            if bundle.people.count > 0 { knownPeople = userOf.count { $0 >= 0 } }
        }

        /// A line for people, where there is something to say.
        public var words: String? {
            guard events > 0, knownItemEvents < events || knownTopicEvents < events else { return nil }
            func share(_ part: Int) -> String {
                let percent = 100 * Double(part) / Double(events)
                return percent > 99.9 && part < events ? "99.9" : String((percent * 10).rounded() / 10)
            }
            let known = knownPeople.map { ", and \($0) of its \(people) people" } ?? ""
            return
                "the model has met \(knownItems) of the log's \(items) items (\(share(knownItemEvents)) % of events) and "
                + "\(knownTopics) of its \(topics) topics (\(share(knownTopicEvents)) % of events)\(known)"
        }

        /// With less, a log is of another kind than the model's.
        static let leastShare = 0.01
    }

    /// The number under which items stand that are of no topic, where others are of one: what people think of all of them together
    /// is no interest in anything.
    public let withoutTopic: UInt32?

    /// How many events have no topic, in words; nothing where all have one.
    public var wordsWithoutTopic: String? {
        guard let number = withoutTopic else { return nil }
        let count = log.item.count { log.topics[$0].contains(number) }
        guard count > 0 else { return nil }
        return "\(count) of \(log.count) events are of items that no topic is known of, and left out"
    }

    /// - Parameter isPart: whether these are some rows of a log, as one person's, of which the model may know none.
    /// - Throws: ``PredictionError`` where the log does not fit the model.
    /// - Complexity: O(events)
    public init(_ log: EventLog, for bundle: ModelBundle, isPart: Bool = false) throws(PredictionError) {
        guard log.clock == bundle.description.clock else {
            throw .clock(model: bundle.description.clock, log: log.clock)
        }
        if bundle.scale.source == .duration, log.duration == nil { throw .noDurations }
        if bundle.scale.source == .weight, log.weight == nil { throw .noWeights }
        let vocabulary = bundle.vocabulary
        let sorted = Self.byRow(log.sortedByUser()) { vocabulary.items.find($0) != nil }
        let itemOf = sorted.items.names.map { vocabulary.items.find($0).map { Int($0) } ?? -1 }
        let topics = Self.topics(of: sorted, itemOf, bundle)
        let asked = sorted.with(topics: topics)
        let topicOf = topics.names.names.map { vocabulary.topics.find($0).map { Int($0) } ?? -1 }
        self.log = asked
        userStarts = asked.userStarts()
        engagement = bundle.scale.engagements(asked, itemOf: itemOf.map { Int32($0) })
        rows = LogRows(vocabulary, topics: topics, items: asked.items.count, itemOf: itemOf, topicOf: topicOf)
        popularity = bundle.popularity.renumbered(topicOf)
        userOf = asked.users.names.map { bundle.people.find($0).map { Int64($0) } ?? -1 }
        self.itemOf = itemOf
        withoutTopic = topics.names.count > 1 ? topics.names.find(ItemTopics.unknownName) : nil
        coverage = Coverage(asked, rows, itemOf, userOf, bundle)
        if isPart { return }
        let least = Coverage.leastShare * Double(coverage.events)
        if coverage.events > 0, Double(max(coverage.knownItemEvents, coverage.knownTopicEvents)) < least {
            func some(_ names: Vocabulary) -> [String] { (0..<min(3, names.count)).map { names[$0] } + ["..."] }
            throw .nothingKnown(itemsOfModel: some(vocabulary.items), itemsOfLog: some(asked.items))
        }
        try Self.checkKind(sorted, itemOf, bundle)
    }

    /// The numbers of films are the numbers of songs: where ids are the same and topics are not, the log is of another kind.
    private static func checkKind(_ log: EventLog, _ itemOf: [Int], _ bundle: ModelBundle) throws(PredictionError) {
        let vocabulary = bundle.vocabulary
        guard log.topics.source.isGiven, bundle.description.topicSource.isGiven, bundle.description.notes.isEmpty
        else { return }
        var (known, same) = (0, 0)
        var example: (item: String, model: String, log: String)?
        for (item, number) in itemOf.enumerated() where number >= 0 {
            let own = log.topics[UInt32(item)].map { log.topics.names[Int($0)] }
            let learned = vocabulary.itemTopics[UInt32(number)].map { vocabulary.topics[Int($0)] }
            // An item without topics says nothing of its kind.
            guard own != [ItemTopics.unknownName], let first = own.first, let other = learned.first else { continue }
            known += 1
            if own.contains(where: learned.contains) { same += 1 } else { example = (log.items[item], other, first) }
        }
        if known >= 10, Double(same) < 0.1 * Double(known), let example {
            throw .otherTopics(item: example.item, ofModel: example.model, ofLog: example.log, items: known - same)
        }
    }

    /// A log in which an item that the model has not met, and whose rows differ in their topics, counts as several: what a row
    /// says of itself is all that is known of it, whatever others' rows say.
    private static func byRow(_ log: EventLog, isKnown: (String) -> Bool) -> EventLog {
        guard let rows = log.rowTopics else { return log }
        struct Split: Hashable {
            let item: UInt32
            let list: UInt32
        }
        let known = log.items.names.map(isKnown)
        let names = VocabularyBuilder(log.items)
        var byItem = (0..<log.items.count).map { Array(log.topics[UInt32($0)]) }
        var first = [UInt32](repeating: .max, count: log.items.count)
        var others: [Split: UInt32] = [:]
        var item = Array(log.item)
        for index in item.indices where !known[Int(item[index])] {
            let (own, list) = (Int(item[index]), rows.list[index])
            let topics = rows.lists[Int(list)]
            if first[own] == .max { (first[own], byItem[own]) = (list, topics) }
            guard first[own] != list else { continue }
            let split = Split(item: item[index], list: list)
            if let number = others[split] {
                item[index] = number
                continue
            }
            var name = log.items[own] + " (" + topics.map { log.topics.names[Int($0)] }.joined(separator: ", ") + ")"
            while names.find(name) != nil { name += "'" }
            item[index] = names.number(of: name)
            others[split] = item[index]
            byItem.append(topics)
        }
        return log.with(
            items: names.finish(), item: Column(item),
            topics: ItemTopics(names: log.topics.names, byItem: byItem, source: log.topics.source))
    }

    private static func topics(of log: EventLog, _ itemOf: [Int], _ bundle: ModelBundle) -> ItemTopics {
        // The model's topics first, under its own numbers: one that this log does not have can be asked about too.
        let names = VocabularyBuilder(bundle.vocabulary.topics)
        let byItem = itemOf.enumerated().map { item, number in
            topicNames(of: item, in: log, number, bundle).map { names.number(of: $0) }
        }
        return ItemTopics(names: names.finish(), byItem: byItem, source: bundle.description.topicSource)
    }

    /// The topics that an item counts under.
    ///
    /// - Parameter number: the model's of the item, -1 for one that it has not met.
    private static func topicNames(
        of item: Int, in log: EventLog, _ number: Int, _ bundle: ModelBundle
    ) -> [String] {
        let vocabulary = bundle.vocabulary
        let source = bundle.description.topicSource
        let isLegacy = !bundle.description.notes.isEmpty
        if source == .single { return [vocabulary.topics[0]] }
        if number >= 0, !isLegacy {
            return vocabulary.itemTopics[UInt32(number)].map { vocabulary.topics[Int($0)] }
        }
        if source == .items { return [log.items[item]] }
        let own = source == .coVisitation ? [] : log.topics[UInt32(item)]
        return own.isEmpty ? [ItemTopics.unknownName] : own.map { log.topics.names[Int($0)] }
    }

    /// The same log with later events of its only person, which costs next to nothing beside reading all of them: it answers as one read from all
    /// of them would.
    ///
    /// - Returns: nothing where what is later is not all there is to look at: it is not later than all events before, has topics that are new,
    ///   gives an item other topics than before, or was shown only.
    public func continued(by later: EventLog, for bundle: ModelBundle) -> AskedLog? {
        let later = later.sortedByUser()
        guard let last = log.time.last, let first = later.time.first, first > last, friends == nil,
            log.users.count == 1, later.users.names == log.users.names, later.rowTopics == nil,
            later.exposures == nil, later.clock == log.clock
        else { return nil }
        let vocabulary = bundle.vocabulary
        let names = log.topics.names
        var others: (items: VocabularyBuilder, byItem: [[UInt32]], itemOf: [Int])?
        var places: [UInt32] = []
        for (item, name) in later.items.names.enumerated() {
            let number = vocabulary.items.find(name).map { Int($0) } ?? -1
            let own = Self.topicNames(of: item, in: later, number, bundle)
            let topics = own.compactMap { names.find($0) }
            guard topics.count == own.count else { return nil }
            if let known = log.items.find(name) {
                guard log.topics[known].elementsEqual(topics) else { return nil }
                places.append(known)
                continue
            }
            if others == nil {
                others = (
                    VocabularyBuilder(log.items), (0..<log.items.count).map { Array(log.topics[UInt32($0)]) }, itemOf
                )
            }
            guard let place = others?.items.number(of: name) else { return nil }
            places.append(place)
            others?.byItem.append(topics)
            others?.itemOf.append(number)
        }
        let items = others?.items.finish() ?? log.items
        let itemOf = others?.itemOf ?? itemOf
        let topics = others.map { ItemTopics(names: names, byItem: $0.byItem, source: log.topics.source) } ?? log.topics
        let whole = log.followed(
            by: later, items: items, item: later.item.map { places[Int($0)] }, topics: topics)
        let topicOf = others == nil ? [] : names.names.map { vocabulary.topics.find($0).map { Int($0) } ?? -1 }
        return AskedLog(
            whole, userStarts: [0, whole.count],
            engagement: engagement
                + bundle.scale.engagements(later, itemOf: places.map { Int32(itemOf[Int($0)]) }),
            rows: others == nil
                ? rows : LogRows(vocabulary, topics: topics, items: items.count, itemOf: itemOf, topicOf: topicOf),
            itemOf: itemOf, like: self, bundle)
    }

    private init(
        _ log: EventLog, userStarts: [Int], engagement: [Float], rows: LogRows, itemOf: [Int], like other: AskedLog,
        _ bundle: ModelBundle
    ) {
        (self.log, self.userStarts, self.engagement, self.rows, self.itemOf) = (
            log, userStarts, engagement, rows, itemOf
        )
        (popularity, userOf, withoutTopic) = (other.popularity, other.userOf, other.withoutTopic)
        coverage = Coverage(log, rows, itemOf, other.userOf, bundle)
    }

    public var userCount: Int { log.users.count }
    public func events(ofUser user: Int) -> Range<Int> { userStarts[user]..<userStarts[user + 1] }

    /// The same with what people's friends do, for models that read it.
    ///
    /// - Parameter edges: by this log's numbers of people.
    public func knowing(_ edges: SocialEdges, scale: EngagementScale) -> AskedLog {
        var other = self
        other.friends = FriendActivity(
            Histories(sorted: log, scale: scale, engagement: engagement).knowing(edges))
        return other
    }

    /// An event as a state takes it.
    public func event(_ index: Int) -> StateEvent {
        StateEvent(time: log.time[index], item: log.item[index], engagement: engagement[index])
    }

    /// Moves a person's state on by one of their events.
    public func apply(_ index: Int, of user: Int, to state: inout PersonState) {
        log.fold(index, event(index), friends: friends, into: &state)
    }

    /// A person's events up to a moment, the moment included.
    public func events(ofUser user: Int, until moment: Int64) -> Range<Int> {
        let events = events(ofUser: user)
        return events.lowerBound..<events.partitioningIndex { log.time[$0] > moment }
    }

    /// Moves a person's state on by some of their events.
    ///
    /// - Parameter dropped: events that it is kept from; what the person was shown before them stays.
    public func apply(
        _ events: some Sequence<Int>, of user: Int, without dropped: (Int) -> Bool = { _ in false },
        to state: inout PersonState
    ) {
        for index in events {
            if dropped(index) {
                log.foldExposures(before: index, into: &state)
            } else {
                apply(index, of: user, to: &state)
            }
        }
    }

    /// People's states after their events up to a moment of each, made on all cores where they are many.
    ///
    /// - Parameter schema: ``ModelBundle/stateSchema(_:)`` of this log's rows.
    public func states(of users: [Int], until moments: [Int64], _ schema: StateSchema) -> [PersonState] {
        let parts = users.count < 32 ? [0..<users.count] : AllCores.parts(users.count)
        var found = [[PersonState]](repeating: [], count: parts.count)
        AllCores.forEach(&found) { part, own in
            own = parts[part].map { place in
                var state = PersonState(schema)
                apply(events(ofUser: users[place], until: moments[place]), of: users[place], to: &state)
                return state
            }
        }
        return found.flatMap { $0 }
    }

    /// The topics that a person has met, in the order of their numbers: without what no topic is known of, unless it is all there is.
    public func met(_ state: PersonState) -> [UInt32] {
        let all = state.topics.map(\.topic).sorted()
        let known = all.filter { $0 != withoutTopic }
        return known.isEmpty ? all : known
    }

    /// All topics that can be asked about: the model's and the log's, without what no topic is known of.
    public var knownTopics: [UInt32] { (0..<UInt32(log.topics.count)).filter { $0 != withoutTopic } }

    /// Names of the items of a person's events up to a moment, the moment included.
    public func itemNames(ofUser user: Int, until moment: Int64) -> Set<String> {
        Set(events(ofUser: user, until: moment).map { log.items[Int(log.item[$0])] })
    }

    /// A moment as people write it.
    public func words(_ moment: Int64, user: Int) -> String { log.words(moment, firstEvent: userStarts[user]) }

    /// The moment of a place in the person's own history, from one, in a log of positions.
    public func moment(ofPosition position: Int64, user: Int) -> Int64 {
        log.time[userStarts[user]] + (position - 1) * EventLog.second
    }
}
