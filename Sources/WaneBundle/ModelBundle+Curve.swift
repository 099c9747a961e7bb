import WaneCurves
import WaneState

extension ModelBundle {
    /// A curve of a model's raw numbers.
    ///
    /// - Parameters:
    ///   - parameters: in the order of ``InterestCurve/Parameter``.
    ///   - elapsedSinceTopic, elapsedSinceEvent: seconds.
    ///   - rhythm: when the person is about, where that is known, and `moment` of the question, in seconds.
    public func curve(
        _ parameters: some Collection<Float>, topicRow: Int, elapsedSinceTopic: Double, elapsedSinceEvent: Double,
        rhythm: DailyRhythm? = nil, moment: Double = 0
    ) -> InterestCurve {
        InterestCurve(
            parameters, elapsedSinceTopic: elapsedSinceTopic, elapsedSinceEvent: elapsedSinceEvent,
            horizon: Double(description.split.horizon) / 1e6,
            visitPause: Double(StateSchema.visitPause(description.clock)) / 1e6,
            topicSpread: description.halfLives?.spread(topicRow) ?? 1, rhythm: rhythm, moment: moment)
    }
}
