import WaneCurves
import WaneEvents
import WaneModels
import WanePrediction
import WaneState

/// What a model would say had something not been as it was: the same person's events, without some of them or in other
/// circumstances, run through the model anew.
public struct Counterfactual: Sendable {
    public enum Change: Sendable, Equatable {
        case asItIs
        /// Without the last touches of the topic.
        case withoutTouches(Int)
        /// Without everything in the days before the moment; in the last positions of a log of order only.
        case withoutDays(Int)
        /// As if a circumstance had been that of an ordinary week at the last touch.
        case ordinary(Cause)
        /// With friends as active in the topic as at another moment, at the last touch.
        case friendsAsOf(Int64)
    }

    public let change: Change
    public let curve: InterestCurve
    public let basis: Predictor.Basis
}

extension Predictor {
    /// - Parameters:
    ///   - changes: those that change nothing, as days without an event, are left out.
    /// - Throws: ``PredictionError/noCurves(family:)`` for a model without curves.
    /// - Complexity: a walk through the person's events for each change.
    public func counterfactuals(
        _ user: Int, _ topic: UInt32, at moment: Int64, in log: AskedLog, _ changes: [Counterfactual.Change]
    ) throws -> [Counterfactual] {
        let events = log.events(ofUser: user, until: moment)
        let touches = events.filter { log.log.topics[log.log.item[$0]].contains(topic) }
        func state(without dropped: (Int) -> Bool = { _ in false }) -> PersonState {
            var state = newState(in: log)
            log.apply(events, of: user, without: dropped, to: &state)
            return state
        }
        let actual = state()
        let known = log.userOf[user]
        let states = changes.map { change -> PersonState? in
            switch change {
            case .asItIs: return actual
            case .withoutTouches(let count):
                guard count > 0, touches.count >= count else { return nil }
                let dropped = Set(touches.suffix(count))
                return state(without: dropped.contains)
            case .withoutDays(let days):
                let unit = log.log.clock == .wall ? 86_400 * EventLog.second : EventLog.second
                let begin = moment - Int64(days) * unit
                guard let last = events.last, log.log.time[last] > begin else { return nil }
                return state { log.log.time[$0] > begin }
            case .ordinary(let cause):
                guard let measures = actual.measures(of: topic), measures.values[cause] != 0 else { return nil }
                return actual.supposing(cause, 0, of: topic)
            case .friendsAsOf(let other):
                // In a person's first days what friends do counts as nothing.
                guard let friends = log.friends, let last = actual.topic(topic)?.lastTime,
                    actual.causes != nil, last - actual.firstTime > CircumstanceState.knownAfter
                else { return nil }
                return actual.supposing(.social, friends.measure(user, topic, at: other), of: topic)
            }
        }
        let asked = zip(changes, states).compactMap { change, state in state.map { (change, $0) } }
        let questions = asked.indices.map { StateQuestion(person: $0, topic: topic, moment: moment) }
        let answers = try curves(questions, of: asked.map { ($0.1, known) }, in: log)
        return zip(asked, answers).map { Counterfactual(change: $0.0, curve: $1.curve, basis: $1.basis) }
    }
}
