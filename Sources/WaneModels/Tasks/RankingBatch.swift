import WaneBaselines
import WaneEvents

/// Stretches of histories with the item that follows each event, where it may be learned from.
public struct RankingBatch: Sendable {
    public let layout: HistoryLayout
    /// The model's item row of each packed row, and the person, where the model knows people.
    let items: [Int64]
    let users: [Int64]
    /// Seconds since the stretch's first event: of the event, and of the next one or of the question.
    let times: [Float]
    let moments: [Float]
    /// Packed rows with a known next item, those items' rows, and the same places as stretch and step.
    public let targetRows: [Int64]
    public let targets: [Int64]
    let targetPlaces: [(sequence: Int, step: Int)]
    /// The last step of each stretch that is an event: what follows is padding. A question is asked after it.
    let questionPlaces: [(sequence: Int, step: Int)]
    let timeUnit: Double
    private let stretches: [Stretch]

    /// One stretch of one person's history.
    public struct Stretch: Sendable {
        /// Item rows and moments in microseconds, in order of time.
        public let events: [(item: Int64, time: Int64)]
        /// The person's number, where the model knows people; -1 else.
        public let user: Int64
        /// The item that follows the last event, 0 for a question; and when, in microseconds.
        public let next: (item: Int64, time: Int64)
        /// Steps from this one on are learned from.
        public let firstTarget: Int
        /// What the person met before the stretch, for models that repeat: ``OwnItems/memory`` events at most.
        public let earlier: [(item: Int64, time: Int64)]
        /// All of the person's items that ``ItemCompanions`` counted, and the place in them of what is remembered, for stretches
        /// that are learned from.
        let counted: (items: [UInt32], start: Int)?

        /// A question: what comes at `moment`?
        public init(
            events: [(item: Int64, time: Int64)], earlier: [(item: Int64, time: Int64)] = [], user: Int64,
            moment: Int64
        ) {
            self.events = events
            self.earlier = earlier
            self.user = user
            next = (0, moment)
            firstTarget = events.count
            counted = nil
        }

        /// Events of a log with the one that follows the last of them.
        ///
        /// - Parameters:
        ///   - indices: of the log, sorted by person and time; the person has an event after the last of them.
        ///   - itemRow: the model's row of each of the log's items.
        ///   - begin: of what is known of the person; nothing before the stretch is remembered when absent.
        ///   - since: targets before this moment, in microseconds, are not learned from.
        ///   - counted: all of the person's items that ``ItemCompanions`` counted.
        public init(
            _ indices: Range<Int>, _ log: EventLog, itemRow: [Int64], begin: Int? = nil, since: Int64 = .min,
            counted: [UInt32]? = nil
        ) {
            events = Self.read(indices, log, itemRow)
            let remembered = max(begin ?? indices.lowerBound, indices.lowerBound - OwnItems.memory)
            let first = min(remembered, indices.lowerBound)
            earlier = Self.read(first..<indices.lowerBound, log, itemRow)
            self.counted = counted.map { ($0, first - (begin ?? indices.lowerBound)) }
            user = Int64(log.user[indices.lowerBound])
            next = (itemRow[Int(log.item[indices.upperBound])], log.time[indices.upperBound])
            var target = 0
            while target < indices.count, log.time[indices.lowerBound + target + 1] < since { target += 1 }
            firstTarget = target
        }

        /// A question about what comes at `moment`, after a person's history in a log.
        ///
        /// - Parameter window: events that are read at once; what was before is remembered.
        public init(
            after history: Range<Int>, _ log: EventLog, itemRow: [Int64], window: Int, user: Int64, moment: Int64
        ) {
            let read = history.suffix(window)
            let before = history.prefix(upTo: read.lowerBound).suffix(OwnItems.memory)
            self.init(
                events: Self.read(read, log, itemRow), earlier: Self.read(before, log, itemRow), user: user,
                moment: moment)
        }

        private static func read(
            _ indices: Range<Int>, _ log: EventLog, _ itemRow: [Int64]
        ) -> [(item: Int64, time: Int64)] {
            indices.map { (itemRow[Int(log.item[$0])], log.time[$0]) }
        }

        /// When the next event is, or the question: microseconds.
        func moment(after step: Int) -> Int64 { step + 1 < events.count ? events[step + 1].time : next.time }
    }

    /// What is known of people's own items before each target, or before each question.
    func ownBeforeTargets(_ limit: Int) -> OwnItems { OwnItems(stretches, at: targetPlaces, limit: limit) }
    func ownBeforeQuestions(_ limit: Int) -> OwnItems { OwnItems(stretches, at: questionPlaces, limit: limit) }

    /// What goes with people's histories before each target, or before each question.
    func companionsBeforeTargets(_ table: ItemCompanions) -> OwnItems { companions(table, targetPlaces) }
    func companionsBeforeQuestions(_ table: ItemCompanions) -> OwnItems { companions(table, questionPlaces) }

    /// - Parameter places: in the order of the stretches and of their steps.
    private func companions(_ table: ItemCompanions, _ places: [(sequence: Int, step: Int)]) -> OwnItems {
        var steps = [[Int]](repeating: [], count: stretches.count)
        for place in places { steps[place.sequence].append(place.step) }
        let asked = zip(stretches, steps).map { stretch, steps in
            ItemCompanions.Asked(
                items: (stretch.earlier + stretch.events).map { UInt32($0.item) },
                places: steps.map { $0 + stretch.earlier.count }, counted: stretch.counted)
        }
        let found = table.evidence(of: asked, limit: OwnItems.companionLimit)
        return OwnItems(rows: found.rows, width: found.width, items: found.items, features: found.features)
    }

    /// - Parameter padded: events that each stretch is filled up to; as many as it has when absent.
    public init(_ stretches: [Stretch], timeUnit: Double = 86_400, padded: Int? = nil) {
        let layout = HistoryLayout(lengths: stretches.map { max(padded ?? 0, $0.events.count) })
        let rows = layout.rowCount
        var items = [Int64](repeating: 0, count: rows)
        var users = [Int64](repeating: -1, count: rows)
        var times = [Float](repeating: 0, count: rows)
        var moments = times
        var targetRows: [Int64] = []
        var targets: [Int64] = []
        var targetPlaces: [(sequence: Int, step: Int)] = []
        for (sequence, stretch) in stretches.enumerated() {
            guard let start = stretch.events.first?.time else { continue }
            for (step, event) in stretch.events.enumerated() {
                let row = layout.packed.row(sequence: sequence, step: step)
                items[row] = event.item
                users[row] = stretch.user
                times[row] = Float(Double(event.time - start) / 1e6)
                let next = step + 1 < stretch.events.count ? stretch.events[step + 1] : stretch.next
                moments[row] = Float(Double(stretch.moment(after: step) - start) / 1e6)
                // An unknown item is nothing to learn.
                guard step >= stretch.firstTarget, next.item > 0 else { continue }
                targetRows.append(Int64(row))
                targets.append(next.item)
                targetPlaces.append((sequence, step))
            }
        }
        self.layout = layout
        self.items = items
        self.users = users
        self.times = times
        self.moments = moments
        self.targetRows = targetRows
        self.targets = targets
        self.targetPlaces = targetPlaces
        questionPlaces = stretches.enumerated().map { ($0.offset, $0.element.events.count - 1) }
        self.timeUnit = timeUnit
        self.stretches = stretches
    }

    /// The same stretches with at most `count` of their targets, drawn anew.
    public func thinned(to count: Int, using generator: inout SeededGenerator) -> RankingBatch {
        guard targets.count > count else { return self }
        let kept = Array(targets.indices.shuffled(using: &generator).prefix(count))
        return RankingBatch(self, keeping: kept)
    }

    private init(_ other: RankingBatch, keeping kept: [Int]) {
        layout = other.layout
        items = other.items
        users = other.users
        times = other.times
        moments = other.moments
        timeUnit = other.timeUnit
        questionPlaces = other.questionPlaces
        stretches = other.stretches
        targetRows = kept.map { other.targetRows[$0] }
        targets = kept.map { other.targets[$0] }
        targetPlaces = kept.map { other.targetPlaces[$0] }
    }
}
