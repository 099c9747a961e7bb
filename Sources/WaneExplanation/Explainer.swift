import WaneBaselines
import WaneBundle
import WaneCurves
import WaneEvents
import WanePrediction
import WaneModels
import WaneState

/// Explains answers of a model that tells causes apart.
public struct Explainer {
    public let predictor: Predictor
    private let record: CauseRecord

    /// - Throws: ``ExplanationError/noCauses(family:)`` for a model of another kind.
    public init(_ predictor: Predictor) throws(ExplanationError) {
        guard let record = predictor.bundle.description.causes else {
            throw .noCauses(family: predictor.bundle.description.family)
        }
        self.predictor = predictor
        self.record = record
    }

    /// A note for people on why causes were not measured at all; nothing where they were.
    public var obstacle: String? { record.obstacle }

    /// What the model's own log shows of each cause.
    public var evidence: ByCause<CauseFit.Evidence> { record.evidence }

    /// One explanation for each question; nothing where the person has not met the topic.
    public func explain(
        _ questions: [StateQuestion], of states: [(state: PersonState, user: Int64)], in log: AskedLog
    ) throws -> [Explanation?] {
        let answers = try predictor.curves(questions, of: states, in: log)
        var known: (person: Int, sensitivity: CauseState.Sensitivity)?
        return zip(questions, answers).map { question, answer in
            let state = states[question.person].state
            guard answer.basis == .history, let causes = state.causes else { return nil }
            let sensitivity = known?.person == question.person ? known?.sensitivity : nil
            known = (question.person, sensitivity ?? causes.sensitivity)
            return state.effects(of: question.topic, known?.sensitivity).map { Explanation(answer.curve, $0, record) }
        }
    }

    /// A question about one person and topic at one moment.
    public struct Query: Sendable {
        public let user: Int
        public let topic: UInt32
        public let moment: Int64

        public init(user: Int, topic: UInt32, moment: Int64) {
            (self.user, self.topic, self.moment) = (user, topic, moment)
        }
    }

    /// Questions about many people and moments, in their order; each person's events are walked through once.
    public func explain(_ queries: [Query], in log: AskedLog) throws -> [Explanation?] {
        var result = [Explanation?](repeating: nil, count: queries.count)
        let order = queries.indices.sorted {
            (queries[$0].user, queries[$0].moment, $0) < (queries[$1].user, queries[$1].moment, $1)
        }
        var (user, next) = (-1, 0)
        var state = predictor.newState(in: log)
        // As many questions at once as a model answers together.
        var asked: [Int] = []
        var states: [(state: PersonState, user: Int64)] = []
        func answer() throws {
            let questions = asked.enumerated().map { place, query in
                StateQuestion(person: place, topic: queries[query].topic, moment: queries[query].moment)
            }
            for (query, found) in zip(asked, try explain(questions, of: states, in: log)) { result[query] = found }
            asked = []
            states = []
        }
        for index in order {
            let query = queries[index]
            if query.user != user {
                (user, next) = (query.user, log.events(ofUser: query.user).lowerBound)
                state = predictor.newState(in: log)
            }
            let end = log.events(ofUser: user).upperBound
            while next < end, log.log.time[next] <= query.moment {
                log.apply(next, of: user, to: &state)
                next += 1
            }
            guard state.topic(query.topic) != nil else { continue }
            asked.append(index)
            states.append((state, log.userOf[user]))
            if asked.count == 512 { try answer() }
        }
        try answer()
        return result
    }
}

public enum ExplanationError: Error, Sendable, Equatable, CustomStringConvertible {
    case noCauses(family: String)

    public var description: String {
        switch self {
        case .noCauses(let family):
            "\(family) tells no causes apart; train one that does with wane train LOG --model wane --output FOLDER, or ask "
                + "this one with --what-if, --events, --features, --importance or --dependence"
        }
    }
}
