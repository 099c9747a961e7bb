import Foundation
import Torch
import WaneBundle
import WaneCurves
import WaneEvents
import WaneModels
import WaneState

/// Answers from a model alone: how much, what next, when. It reads people's states; it knows nothing of the log that
/// the model came from, and nothing that came after.
///
/// Several threads may ask one predictor: a model's weights are only read.
public struct Predictor: @unchecked Sendable {
    public let bundle: ModelBundle

    public init(_ bundle: ModelBundle) { self.bundle = bundle }

    /// A person of whom nothing is known yet.
    ///
    /// - Parameter log: whose numbers of items and topics the events to come have.
    public func newState(in log: AskedLog) -> PersonState { PersonState(bundle.stateSchema(log.rows)) }

    /// A person's state after their events up to a moment, the moment included.
    public func state(of user: Int, in log: AskedLog, until moment: Int64 = .max) -> PersonState {
        var state = newState(in: log)
        log.apply(log.events(ofUser: user, until: moment), of: user, to: &state)
        return state
    }

    // MARK: How much

    /// How an answer came about.
    public enum Basis: String, Sendable, Codable {
        /// From the person's own events.
        case history
        /// From what people do in general: the person has not met the topic, or is not known.
        case population
    }

    /// Interest curves for questions about people, in the order of the questions. Where a person has not met the topic they are
    /// of the chance of a first touch, as people in general have it who have had none for so long.
    ///
    /// - Parameters:
    ///   - states: each with the person's number among those whose friends the model knows, or -1.
    ///   - log: whose numbers the states' items and topics are.
    /// - Throws: ``PredictionError/noCurves(family:)`` for a model without curves.
    public func curves(
        _ questions: [StateQuestion], of states: [(state: PersonState, user: Int64)], in log: AskedLog
    ) throws -> [(curve: InterestCurve, basis: Basis)] {
        try curves(questions, of: states, in: log, encoded: nil)
    }

    /// - Parameter encoded: the state of the only person's history, where it has been kept step by step.
    func curves(
        _ questions: [StateQuestion], of states: [(state: PersonState, user: Int64)], in log: AskedLog,
        encoded: Tensor?
    ) throws -> [(curve: InterestCurve, basis: Basis)] {
        guard case .interest(let model) = bundle.network else {
            throw PredictionError.noCurves(family: bundle.description.family)
        }
        let width = InterestCurve.Parameter.allCases.count
        var answers = [(curve: InterestCurve, basis: Basis)?](repeating: nil, count: questions.count)
        try withoutGradients {
            try blocks(log, readsWindows: encoded == nil).forEach(questions, of: states) { block in
                let parameters = try model.curveParameters(
                    block.batch, block.queries, block.events, state: encoded, training: false
                ).values(Float.self)
                for (row, number) in block.questions.enumerated() {
                    let question = questions[number]
                    let state = states[question.person].state
                    guard let topic = state.topic(question.topic) else { continue }
                    let curve = bundle.curve(
                        parameters[row * width..<(row + 1) * width],
                        topicRow: Int(log.rows.topicRow[Int(question.topic)]),
                        elapsedSinceTopic: Double(question.moment - topic.lastTime) / 1e6,
                        elapsedSinceEvent: Double(question.moment - state.lastTime) / 1e6,
                        rhythm: state.rhythm, moment: Double(question.moment) / 1e6)
                    answers[number] = (curve, .history)
                }
            }
        }
        return zip(answers, questions).map { answer, question in
            answer
                ?? (
                    populationCurve(
                        topicRow: log.rows.topicRow[Int(question.topic)],
                        elapsed: elapsed(states[question.person].state, question.moment)), .population
                )
        }
    }

    /// What people in general do who have not met a topic: the chance of a first touch within the horizon. Row 0 stands for
    /// topics that the model does not know; a folder of an older version says nothing, which is a chance of 0.
    ///
    /// - Parameter elapsed: seconds since the person's first event; 0 for somebody who begins now.
    public func populationCurve(topicRow: Int64, elapsed: Double) -> InterestCurve {
        let horizon = Double(bundle.description.split.horizon) / 1e6
        guard case .firstTouches(let touches) = bundle.population else {
            return InterestCurve(chance: 0, later: 0, after: horizon, degree: 0, horizon: horizon)
        }
        return touches.curve(topicRow: Int(topicRow), elapsed: elapsed, horizon: horizon)
    }

    /// Seconds from a person's first event to a moment; 0 for somebody without one.
    private func elapsed(_ state: PersonState, _ moment: Int64) -> Double {
        state.eventCount > 0 ? max(0, Double(moment - state.firstTime) / 1e6) : 0
    }

    func blocks(_ log: AskedLog, readsWindows: Bool = true) -> StateBlocks {
        let reads = readsWindows && bundle.network.queries?.readsHistory == true
        return StateBlocks(
            rows: log.rows, popularity: log.popularity, scaling: bundle.description.scaling,
            historyLength: reads ? bundle.description.options.historyLength : 0,
            smoothed: bundle.smoothed)
    }

    /// The degree that the textbook recipe gives, which has no curve: for each question its moment and its topic's
    /// last engagement.
    public func degrees(_ questions: [StateQuestion], of states: [(state: PersonState, user: Int64)]) throws -> [Double]
    {
        guard case .basic(let model) = bundle.network else { return [] }
        let inputs = BasicInputs(
            questions.map { question in
                (question.moment, states[question.person].state.topic(question.topic)?.lastEngagement ?? 0)
            })
        let values = try withoutGradients {
            try model(inputs.scaled(bundle.description.scaling), training: false).values(Float.self)
        }
        return values.map { min(1 - 1e-6, max(1e-6, Double($0))) }
    }

    // MARK: When

    /// When a person comes back to a topic.
    public struct ReturnTime: Sendable, Equatable {
        /// Seconds from the moment of the question: by then half, a tenth and nine tenths have come back of all
        /// people of whom the same is known. Nothing where that is longer after the last touch than the model's log covers: no log
        /// of this length shows it.
        public let median: Double?
        public let low: Double?
        public let high: Double?
    }

    /// Times of return, in the order of the questions. Where a person has not met the topic they are those until a first touch,
    /// of people in general who have had none for so long; nothing where the model does not say (a folder of an older
    /// version).
    public func returnTimes(
        _ questions: [StateQuestion], of states: [(state: PersonState, user: Int64)], in log: AskedLog
    ) throws -> [(time: ReturnTime, basis: Basis)?] {
        guard case .returns(let model) = bundle.network else {
            throw BundleFolderError.otherTask(path: "the model", answers: bundle.task)
        }
        let horizon = Double(bundle.description.split.horizon)
        let longest = bundle.logSpan * 1e6 / horizon
        var answers = [(time: ReturnTime, basis: Basis)?](repeating: nil, count: questions.count)
        try blocks(log).forEach(questions, of: states) { block in
            let pause = bundle.description.visitPause
            let rows = block.batch.queries.map { row -> (time: Double, clock: ReturnClock) in
                guard row < block.questions.count else {
                    return (0, ReturnClock(nil, touch: 0, horizon: horizon / 1e6, pause: pause))
                }
                let question = questions[block.questions[row]]
                let state = states[question.person].state
                let last = state.topic(question.topic)?.lastTime ?? question.moment
                return (
                    Double(question.moment - last) / horizon,
                    ReturnClock(
                        model.followsHours ? state.rhythm : nil, touch: Double(last) / 1e6, horizon: horizon / 1e6,
                        pause: pause)
                )
            }
            // There was no return up to the moment of the question.
            let quantiles = try model.quantiles(
                [0.5, 0.1, 0.9], block.batch, block.queries, block.events, entry: rows)
            for (row, number) in block.questions.enumerated() {
                func seconds(_ quantile: Float) -> Double? {
                    let horizons = Double(quantile)
                    if horizons >= min(0.99 * ReturnModel.longest, longest) { return nil }
                    return max(0, horizons - rows[row].time) * horizon / 1e6
                }
                let time = ReturnTime(
                    median: seconds(quantiles[0][row]), low: seconds(quantiles[1][row]),
                    high: seconds(quantiles[2][row]))
                answers[number] = (time, .history)
            }
        }
        guard case .firstTouches(let touches) = bundle.population else { return answers }
        return zip(answers, questions).map { answer, question in
            if let answer { return answer }
            let row = Int(log.rows.topicRow[Int(question.topic)])
            let begun = elapsed(states[question.person].state, question.moment) * 1e6 / horizon
            func seconds(_ share: Double) -> Double? {
                touches.time(share, topicRow: row, elapsed: begun).map { $0 * horizon / 1e6 }.flatMap {
                    $0 > bundle.logSpan ? nil : $0
                }
            }
            return (ReturnTime(median: seconds(0.5), low: seconds(0.1), high: seconds(0.9)), .population)
        }
    }

    // MARK: What next

    /// Scores of all items that have a vector, by the model's numbers, for each person at a moment. For people without
    /// a single event they are how much each item was met by people in general; none where the model does not say (a
    /// folder of an older version).
    public func scores(
        of states: [(state: PersonState, user: Int64)], at moments: [Int64], in log: AskedLog
    ) throws -> [(scores: [Float], basis: Basis)] {
        guard case .ranking(let model) = bundle.network, let record = bundle.description.ranking else {
            throw BundleFolderError.otherTask(path: "the model", answers: bundle.task)
        }
        let items = bundle.vocabulary.itemRows
        var general: [Float] = []
        if case .itemCounts(let counts) = bundle.population { general = counts }
        var answers = [(scores: [Float], basis: Basis)](repeating: (general, .population), count: states.count)
        let smoothed: SmoothedItems = try bundle.smoothed ?? model.smoothed(over: nil)
        for (batch, people) in RankingBatch.blocks(of: states, at: moments, window: record.window, rows: log.rows) {
            let values = try model.scores(batch, smoothed).values(Float.self)
            for (row, person) in people.enumerated() {
                // Row 0 stands for unknown items, which are never listed.
                let own = Array(values[row * (items + 1) + 1..<(row + 1) * (items + 1)])
                answers[person] = (blended(own, states[person].state, log), .history)
            }
        }
        return answers
    }

    /// The model's scores with those of the classical rankers it is blended with.
    private func blended(_ scores: [Float], _ state: PersonState, _ log: AskedLog) -> [Float] {
        guard let weight = bundle.description.blendWeight, !bundle.members.isEmpty else { return scores }
        let length = min(BlendMember.historyLength, state.windowCount)
        let history = (state.windowCount - length..<state.windowCount).map { index -> UInt32 in
            let item = Int(state.windowEvent(index).item)
            // An item without a vector is none of the tables' rows.
            return item < log.itemOf.count && log.itemOf[item] >= 0 ? UInt32(log.itemOf[item]) : UInt32.max
        }
        func standardized(_ scores: [Float]) -> [Float] {
            var scores = scores
            scores.withUnsafeMutableBufferPointer { BlendMember.standardize($0, over: $0.indices) }
            return scores
        }
        var total = standardized(scores).map { $0 * Float(weight) }
        for member in bundle.members {
            let own = standardized(member.scores(history, items: scores.count))
            for item in total.indices { total[item] += Float(member.weight) * own[item] }
        }
        return total
    }
}
