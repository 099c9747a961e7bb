import WaneEvents
import WaneModels
import WaneState

/// A question about one person and topic of a log at one moment.
public struct LogQuestion: Sendable, Hashable {
    public let user: Int
    public let topic: UInt32
    /// Microseconds.
    public let moment: Int64

    public init(user: Int, topic: UInt32, moment: Int64) {
        (self.user, self.topic, self.moment) = (user, topic, moment)
    }
}

extension Predictor {
    /// What is known of some people at some moments, and questions about it.
    public typealias Asked = (questions: [StateQuestion], states: [(state: PersonState, user: Int64)])

    /// Answers to questions in any order, in that order. Each person's events are walked through once, on all cores.
    ///
    /// - Parameters:
    ///   - answer: called by several threads, with the questions of some people; as many answers, in their order.
    ///   - progress: told how many questions are answered; may throw to end the work.
    /// - Complexity: O(events of the people asked about + questions); a state is kept for each person and moment of 512 at a time, in 32 MB on each core.
    public func answers<Answer: Sendable>(
        _ questions: [LogQuestion], in log: AskedLog, progress: (Int) throws -> Void = { _ in },
        _ answer: @Sendable (Asked) throws -> [Answer]
    ) throws -> [Answer?] {
        let order = questions.indices.sorted {
            (questions[$0].user, questions[$0].moment, $0) < (questions[$1].user, questions[$1].moment, $1)
        }
        var parts: [Range<Int>] = []
        var start = 0
        for place in order.indices.dropFirst()
        where place - start >= Self.questionsAtOnce && questions[order[place]].user != questions[order[place - 1]].user
        {
            parts.append(start..<place)
            start = place
        }
        if start < order.count { parts.append(start..<order.count) }
        var found = [Answer?](repeating: nil, count: questions.count)
        var done = 0
        try AllCores.inOrder(parts) { part in
            try answers(order[part].map { questions[$0] }, folding: log, answer)
        } use: { part, answers in
            for (place, answer) in zip(order[part], answers) { found[place] = answer }
            done += part.count
            try progress(done)
        }
        return found
    }

    private static let questionsAtOnce = 512
    /// Of states, on each core.
    private static let bytesAtOnce = 32 << 20

    /// Answers to questions ordered by person and moment.
    private func answers<Answer>(
        _ questions: [LogQuestion], folding log: AskedLog, _ answer: (Asked) throws -> [Answer]
    ) throws -> [Answer] {
        var found: [Answer] = []
        found.reserveCapacity(questions.count)
        var asked: Asked = ([], [])
        var last: (user: Int, moment: Int64)?
        var bytes = 0
        var next = 0
        var state = newState(in: log)
        for question in questions {
            if asked.questions.count == Self.questionsAtOnce || bytes > Self.bytesAtOnce {
                found += try answer(asked)
                asked = ([], [])
                bytes = 0
                // The state belongs to the next ones too.
                if last?.user == question.user, last?.moment == question.moment {
                    asked.states.append((state, log.userOf[question.user]))
                }
            }
            if last?.user != question.user {
                next = log.events(ofUser: question.user).lowerBound
                state = newState(in: log)
            }
            if last?.user != question.user || last?.moment != question.moment {
                let end = log.events(ofUser: question.user, until: question.moment).upperBound
                log.apply(next..<max(next, end), of: question.user, to: &state)
                next = max(next, end)
                asked.states.append((state, log.userOf[question.user]))
                bytes += state.byteCount
                last = (question.user, question.moment)
            }
            asked.questions.append(
                StateQuestion(person: asked.states.count - 1, topic: question.topic, moment: question.moment))
        }
        return asked.questions.isEmpty ? found : try found + answer(asked)
    }
}
