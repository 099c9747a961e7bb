import WaneBaselines
import WaneBundle
import WaneCurves
import WaneEvents
import WanePrediction
import WaneModels
import WaneState

/// Explains answers of a model that tells causes apart.
public struct Explainer: Sendable {
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

    /// Questions about many people and moments, in their order; nothing where the person had not met the topic by then.
    public func explain(_ questions: [LogQuestion], in log: AskedLog) throws -> [Explanation?] {
        try predictor.answers(questions, in: log) { try explain($0.questions, of: $0.states, in: log) }.map {
            $0 ?? nil
        }
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
