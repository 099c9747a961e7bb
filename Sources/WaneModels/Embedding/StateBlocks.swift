import Torch
import WaneEvents
import WaneState

/// People's states and questions about their topics, laid out for a model in blocks of one shape.
///
/// Matrix products of other sizes add in another order, and so differ in the last digits. Here every block has
/// thirty-two questions and, for encoders that read histories, one person whose window is filled up to a power of two
/// or to all that the encoder reads: an answer does not depend on who else is asked about, to the last bit.
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
    public let smoothed: SmoothedItems?

    public init(
        rows: LogRows, popularity: Popularity, scaling: FeatureScaling, historyLength: Int,
        smoothed: SmoothedItems?
    ) {
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
        let order = questions.indices.filter { states[questions[$0].person].state.topic(questions[$0].topic) != nil }
            .sorted { (questions[$0].person, $0) < (questions[$1].person, $1) }
        var start = 0
        while start < order.count {
            let person = questions[order[start]].person
            var end = start
            while end < order.count, end - start < StateBlock.questionCount,
                historyLength == 0 || questions[order[end]].person == person
            {
                end += 1
            }
            try body(block(questions, Array(order[start..<end]), states))
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
        _ questions: [StateQuestion], _ asked: [Int], _ states: [(state: PersonState, user: Int64)]
    ) throws(TorchError) -> StateBlock {
        let count = StateBlock.questionCount
        let width = FeatureSchema.lastEventCount
        var features = [Float](repeating: 0, count: count * width)
        var topics = [Int64](repeating: 0, count: count)
        var sinceTopic = [Float](repeating: 0, count: count)
        var sinceEvent = sinceTopic
        let hasCauses = asked.first.map { states[questions[$0].person].state.causes != nil } ?? false
        var causes = [Float](repeating: 0, count: hasCauses ? count * CauseEffects.width : 0)
        let hasRates = asked.first.map { states[questions[$0].person].state.schema.rates != nil } ?? false
        var rates = [Float](repeating: 0, count: hasRates ? count : 0)
        let hasHours = asked.first.map { states[questions[$0].person].state.schema.hours != nil } ?? false
        var hours = [Float](repeating: 1 / 24, count: hasHours ? count * 24 : 0)
        var moments = [Int64](repeating: 0, count: count)
        var about: (person: Int, shares: [Float])?
        var known: (person: Int, sensitivity: CauseState.Sensitivity)?
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
                moments[row] = question.moment
                if hasHours {
                    if about?.person != question.person {
                        about = state.rhythm.map { (question.person, $0.shares) }
                    }
                    if let about { hours.replaceSubrange(row * 24..<(row + 1) * 24, with: about.shares) }
                }
                if hasRates { rates[row] = Float(state.rate(of: question.topic) ?? 0) }
                guard hasCauses, let own = state.causes else { continue }
                if known?.person != question.person { known = (question.person, own.sensitivity) }
                guard let effects = state.effects(of: question.topic, known?.sensitivity) else { continue }
                causes.withUnsafeMutableBufferPointer { causes in
                    guard let base = causes.baseAddress else { return }
                    effects.write(to: base + row * CauseEffects.width)
                }
            }
        }
        guard let first = asked.first else {
            throw TorchError(operation: "block", message: "there is no question")
        }
        let (state, user) = states[questions[first].person]
        let schema = state.schema
        let queries = try QueryTensors(
            features: features, topics: topics, elapsedSinceTopic: sinceTopic, elapsedSinceEvent: sinceEvent,
            causes: causes, rates: rates, hours: hours, moments: moments, scaling: scaling,
            horizon: schema.horizon)
        var events: [(event: StateEvent, previous: Int64?, user: Int64)] = []
        if historyLength > 0 {
            for index in state.windowCount - min(stretchCount(state), state.windowCount)..<state.windowCount {
                let previous = index > 0 ? state.windowEvent(index - 1).time : nil
                events.append((state.windowEvent(index), previous, user))
            }
        }
        let tensors = EventTensors(
            events, rows: rows, clock: schema.clock, horizon: schema.horizon, smoothed: smoothed)
        guard historyLength > 0 else {
            return StateBlock(
                batch: HistoryBatch(plain: Array(0..<count)), queries: queries, events: tensors, questions: asked)
        }
        let length = windowLength(state)
        let packed = (0..<length).map { $0 < events.count ? Int64($0) : -1 }
        let last = (sequence: 0, step: max(0, events.count - 1))
        return StateBlock(
            batch: HistoryBatch(
                queries: Array(0..<count), snapshot: 0, events: packed, layout: HistoryLayout(lengths: [length]),
                questions: [(sequence: Int, step: Int)](repeating: last, count: count)),
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
                func read(_ indices: Range<Int>) -> [(item: Int64, time: Int64)] {
                    indices.map { index in
                        let event = state.windowEvent(index)
                        let item = Int(event.item)
                        return (item < rows.itemRow.count ? rows.itemRow[item] : 0, event.time)
                    }
                }
                return Stretch(
                    events: read(first..<state.windowCount), earlier: read(max(0, first - OwnItems.memory)..<first),
                    user: user, moment: moments[person])
            }
            blocks.append((RankingBatch(stretches, padded: own), people))
            start = end
        }
        return blocks
    }
}
