import Torch
import WaneEvents
import WaneState

/// People's states and questions about their topics, laid out for a model in blocks of one shape.
///
/// Matrix products of other sizes add in another order, and so differ in the last digits. Here every block has
/// thirty-two questions and, for encoders that read histories, as many people each time whose windows are filled up to a power of
/// two or to all that the encoder reads: an answer does not depend on who else is asked about, to the last bit.
public struct StateBlock {
    public let batch: HistoryBatch
    public let queries: QueryTensors
    public let events: EventTensors
    /// For each of the block's first rows the question that it answers; the rows that follow fill it up.
    public let questions: [Int]

    static let questionCount = 32
    static let shortestWindow = 8
}

/// A question about one topic of one person.
public struct StateQuestion {
    /// The person, by their place among the states.
    public let person: Int
    /// The topic's number in the vocabulary that the state was made with; one that the person has met.
    public let topic: UInt32
    /// Microseconds; not before the person's last event.
    public let moment: Int64

    public init(person: Int, topic: UInt32, moment: Int64) {
        self.person = person
        self.topic = topic
        self.moment = moment
    }
}

/// What blocks are made of, beside people and questions: the same for all of a model's blocks.
public struct StateBlocks {
    public let rows: LogRows
    public let popularity: Popularity
    public let scaling: FeatureScaling
    /// What encoders that read windows read of them; 0 for those that read none.
    public let historyLength: Int
    /// People whose windows are read at once.
    public let peopleCount: Int
    public let smoothed: SmoothedItems?

    public init(
        rows: LogRows, popularity: Popularity, scaling: FeatureScaling, historyLength: Int, peopleCount: Int = 1,
        smoothed: SmoothedItems?
    ) {
        self.peopleCount = peopleCount
        self.rows = rows
        self.popularity = popularity
        self.scaling = scaling
        self.historyLength = historyLength
        self.smoothed = smoothed
    }

    /// Calls `body` with one block after another until all questions have been in one. Questions about a topic that
    /// the person has not met are passed over.
    ///
    /// - Parameters:
    ///   - states: people, each with the number under which the model knows their friends, or -1.
    public func forEach(
        _ questions: [StateQuestion], of states: [(state: PersonState, user: Int64)],
        _ body: (StateBlock) throws -> Void
    ) throws {
        // By the length of the window first, so that a block's windows are of one length.
        let lengths = states.map { windowLength($0.state) }
        let order = questions.indices.filter { states[questions[$0].person].state.topic(questions[$0].topic) != nil }
            .sorted { a, b in
                let (p, q) = (questions[a].person, questions[b].person)
                return (lengths[p], p, a) < (lengths[q], q, b)
            }
        var start = 0
        while start < order.count {
            var people: [Int] = []
            var end = start
            while end < order.count, end - start < StateBlock.questionCount {
                let person = questions[order[end]].person
                if people.last != person {
                    let sameLength = people.isEmpty || lengths[people[0]] == lengths[person]
                    guard historyLength == 0 || (people.count < peopleCount && sameLength) else { break }
                    people.append(person)
                }
                end += 1
            }
            try body(block(questions, Array(order[start..<end]), states, people))
            start = end
        }
    }

    /// How long the window of a person is made: the events of the stretch that their last event is read in, filled up
    /// to a power of two.
    private func windowLength(_ state: PersonState) -> Int {
        guard historyLength > 0 else { return 0 }
        var length = StateBlock.shortestWindow
        while length < stretchCount(state) { length *= 2 }
        return min(length, historyLength)
    }

    private func stretchCount(_ state: PersonState) -> Int {
        let step = max(0, state.eventCount - 1)
        return step - HistoryBatch.stretchStart(step: step, historyLength: historyLength) + 1
    }

    private func block(
        _ questions: [StateQuestion], _ asked: [Int], _ states: [(state: PersonState, user: Int64)], _ people: [Int]
    ) throws(TorchError) -> StateBlock {
        let count = StateBlock.questionCount
        let width = FeatureSchema.lastEventCount
        var features = [Float](repeating: 0, count: count * width)
        var topics = [Int64](repeating: 0, count: count)
        var sinceTopic = [Float](repeating: 0, count: count)
        var sinceEvent = sinceTopic
        features.withUnsafeMutableBufferPointer { features in
            guard let base = features.baseAddress else { return }
            for (row, number) in asked.enumerated() {
                let question = questions[number]
                let state = states[question.person].state
                guard let topic = state.topic(question.topic) else { continue }
                state.writeFeatures(of: topic, popularity: popularity, to: base + row * width)
                topics[row] = Int(question.topic) < rows.topicRow.count ? rows.topicRow[Int(question.topic)] : 0
                sinceTopic[row] = Float(Double(question.moment - topic.lastTime) / 1e6)
                sinceEvent[row] = Float(Double(question.moment - state.lastTime) / 1e6)
            }
        }
        guard let schema = states.first?.state.schema else {
            throw TorchError(operation: "block", message: "there is no state to ask about")
        }
        let queries = try QueryTensors(
            features: features, topics: topics, elapsedSinceTopic: sinceTopic, elapsedSinceEvent: sinceEvent,
            scaling: scaling, horizon: schema.horizon)
        var events: [(event: StateEvent, previous: Int64?, user: Int64)] = []
        var stretches: [Range<Int>] = []
        if historyLength > 0 {
            for person in people {
                let (state, user) = states[person]
                let length = min(stretchCount(state), state.windowCount)
                let first = state.windowCount - length
                let start = events.count
                for index in first..<state.windowCount {
                    let previous = index > 0 ? state.windowEvent(index - 1).time : nil
                    events.append((state.windowEvent(index), previous, user))
                }
                stretches.append(start..<events.count)
            }
        }
        let tensors = EventTensors(
            events, rows: rows, clock: schema.clock, horizon: schema.horizon, smoothed: smoothed)
        guard historyLength > 0, let first = people.first else {
            return StateBlock(
                batch: HistoryBatch(plain: Array(0..<count)), queries: queries, events: tensors, questions: asked)
        }
        let length = windowLength(states[first].state)
        let layout = HistoryLayout(lengths: [Int](repeating: length, count: peopleCount))
        var packed = [Int64](repeating: -1, count: layout.rowCount)
        var sequenceOf: [Int: Int] = [:]
        for (sequence, stretch) in stretches.enumerated() {
            sequenceOf[people[sequence]] = sequence
            for (step, index) in stretch.enumerated() {
                packed[layout.packed.row(sequence: sequence, step: step)] = Int64(index)
            }
        }
        let places = (0..<count).map { row -> (sequence: Int, step: Int) in
            let person = questions[asked[min(row, asked.count - 1)]].person
            let sequence = sequenceOf[person] ?? 0
            return (sequence, max(0, stretches[sequence].count - 1))
        }
        return StateBlock(
            batch: HistoryBatch(
                queries: Array(0..<count), snapshot: 0, events: packed, layout: layout, questions: places),
            queries: queries, events: tensors, questions: asked)
    }
}

/// Windows of people's states for a model of the next item, in blocks of one shape.
extension RankingBatch {
    /// People whose windows are read at once.
    private static let peopleAtOnce = 8

    /// Up to eight people whose windows are filled up to one length.
    ///
    /// - Parameters:
    ///   - window: events that the model reads.
    ///   - rows: the model's rows of the items that states are made with.
    public static func blocks(
        of states: [(state: PersonState, user: Int64)], at moments: [Int64], window: Int, rows: LogRows
    ) -> [(batch: RankingBatch, people: [Int])] {
        func count(_ state: PersonState) -> Int { min(window, state.windowCount) }
        func length(_ state: PersonState) -> Int {
            var length = StateBlock.shortestWindow
            while length < count(state) { length *= 2 }
            return min(length, window)
        }
        let order = states.indices.filter { count(states[$0].state) > 0 }
            .sorted { (length(states[$0].state), $0) < (length(states[$1].state), $1) }
        var blocks: [(batch: RankingBatch, people: [Int])] = []
        var start = 0
        while start < order.count {
            let own = length(states[order[start]].state)
            var end = start
            while end < order.count, end - start < Self.peopleAtOnce, length(states[order[end]].state) == own {
                end += 1
            }
            let people = Array(order[start..<end])
            let stretches = (0..<Self.peopleAtOnce).map { place -> Stretch in
                let person = people[min(place, people.count - 1)]
                let (state, user) = states[person]
                let first = state.windowCount - count(state)
                let events = (first..<state.windowCount).map { index -> (item: Int64, time: Int64) in
                    let event = state.windowEvent(index)
                    let item = Int(event.item)
                    return (item < rows.itemRow.count ? rows.itemRow[item] : 0, event.time)
                }
                return Stretch(events: events, user: user, moment: moments[person])
            }
            blocks.append((RankingBatch(stretches, padded: own), people))
            start = end
        }
        return blocks
    }
}
