import WaneCurves
import WaneMetrics
import WaneModels
import WanePrediction
import WaneState

/// What one of a person's last events does to an answer, each in logits of the chance of coming back.
public struct EventCredit: Sendable {
    /// The event's place in the log.
    public let event: Int
    /// How much lower the answer would be without it: its person's other events run through the model.
    public let leftOut: Double
    /// Its share of the integrated gradients; nothing for families that read no histories, and beyond what they read.
    public let gradient: Double?
    /// What a family with attention attends to.
    public let attention: Double?
}

extension Predictor {
    /// Credits of the last events before a moment, newest first; none where the person has not met the topic.
    ///
    /// - Parameter most: how many events.
    /// - Complexity: a walk through the person's events for each.
    public func eventCredits(
        _ user: Int, _ topic: UInt32, at moment: Int64, in log: AskedLog, most: Int = 20, steps: Int = 50
    ) throws -> [EventCredit] {
        let events = log.events(ofUser: user, until: moment)
        let whole = state(of: user, in: log, until: moment)
        guard
            let attribution = try attribution(
                topic, at: moment, of: whole, user: log.userOf[user], in: log, steps: steps)
        else { return [] }
        let last = events.suffix(most)
        let logits = try self.logits(user, topic, at: moment, in: log, without: [[]] + last.map { [$0] })
        let (gradients, attention) = (attribution.credits.events, attribution.attention ?? [])
        return last.enumerated().reversed().map { place, event in
            let back = last.count - 1 - place
            func own(_ values: [Double]) -> Double? {
                back < values.count ? values[values.count - 1 - back] : nil
            }
            return EventCredit(
                event: event, leftOut: logits[0] - logits[place + 1], gradient: own(gradients),
                attention: own(attention))
        }
    }

    /// Logits of the chance of coming back without some of a person's events, once for each set of them; of people in general
    /// where nothing is left of the topic.
    public func logits(
        _ user: Int, _ topic: UInt32, at moment: Int64, in log: AskedLog, without dropped: [Set<Int>]
    ) throws -> [Double] {
        let events = log.events(ofUser: user, until: moment)
        // What comes before all of them is the same for each.
        let first = dropped.joined().min() ?? events.endIndex
        var common = newState(in: log)
        log.apply(events.prefix { $0 < first }, of: user, to: &common)
        let states = dropped.map { dropped in
            var state = common
            log.apply(events.drop { $0 < first }, of: user, without: dropped.contains, to: &state)
            return (state: state, user: log.userOf[user])
        }
        let questions = dropped.indices.map { StateQuestion(person: $0, topic: topic, moment: moment) }
        return try curves(questions, of: states, in: log).map {
            Classification.logit($0.curve.returnProbability(after: 0))
        }
    }
}
