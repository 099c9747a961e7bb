import WaneModels
import WaneState

extension Predictor {
    /// What a question's answer is due to: see ``InterestAttribution``.
    public struct Attribution {
        public let credits: InterestAttribution
        /// The weights that a family with attention gives to the same events as `credits.events`; nothing for other families.
        public let attention: [Double]?
    }

    /// - Parameter user: the person's number among those whose friends the model knows, or -1.
    /// - Returns: nothing where the person has not met the topic.
    /// - Throws: ``PredictionError/noCurves(family:)`` for a model without curves.
    public func attribution(
        _ topic: UInt32, at moment: Int64, of state: PersonState, user: Int64, in log: AskedLog, steps: Int = 50
    ) throws -> Attribution? {
        guard case .interest(let model) = bundle.network else {
            throw PredictionError.noCurves(family: bundle.description.family)
        }
        var found: Attribution?
        let question = StateQuestion(person: 0, topic: topic, moment: moment)
        try blocks(log).forEach([question], of: [(state, user)]) { block in
            guard
                let credits = try model.integratedGradients(
                    block.batch, block.queries, block.events, row: 0, steps: steps
                ).first
            else { return }
            found = Attribution(
                credits: credits,
                attention: try model.attention(block.batch, block.queries, block.events, row: 0))
        }
        return found
    }
}
