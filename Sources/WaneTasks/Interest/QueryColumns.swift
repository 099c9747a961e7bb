import WaneCurves
import WaneEvents
import WaneState

/// A part of what is known of a query, that can be taken from other queries or taken away.
public enum QueryColumns: Sendable, Equatable {
    /// Last-event features, by their places.
    case features([Int])
    case sinceTopic
    case sinceEvent
    case topic
    /// Whose history is read, and up to which event.
    case history
    case cause(Cause)
    /// How often the person came back to the topic, against what its own rate would have brought.
    case rate
    /// When the person is about, and the moment.
    case season
}

extension QuerySet {
    /// The same with some columns of other queries: row `i` has those of row `order[i]`.
    public func taking(_ columns: QueryColumns, from order: [Int]) -> QuerySet {
        var other = self
        switch columns {
        case .features(let places):
            let width = FeatureSchema.lastEventCount
            for row in order.indices {
                for place in places {
                    other.lastEventFeatures[row * width + place] = lastEventFeatures[order[row] * width + place]
                }
            }
        case .sinceTopic: other.setElapsed(topic: order.map { elapsedSinceTopic[$0] })
        case .sinceEvent: other.setElapsed(event: order.map { elapsedSinceEvent[$0] })
        case .topic: other.topic = order.map { topic[$0] }
        case .history:
            other.user = order.map { user[$0] }
            other.event = order.map { event[$0] }
        case .season:
            guard !hours.isEmpty else { return self }
            other.moment = order.map { moment[$0] }
            for (row, source) in order.enumerated() {
                other.hours.replaceSubrange(row * 24..<(row + 1) * 24, with: hours[source * 24..<(source + 1) * 24])
            }
        case .rate:
            guard !rates.isEmpty else { return self }
            other.rates = order.map { rates[$0] }
        case .cause(let cause):
            guard !causes.isEmpty else { return self }
            // Its measure, what it adds to log τ, and the variance of that.
            for row in order.indices {
                for place in [cause.index, 4 + cause.index, 8 + cause.index] {
                    other.causes[row * CauseEffects.width + place] =
                        causes[order[row] * CauseEffects.width + place]
                }
            }
        }
        return other
    }

    /// The same with one number in a column of all queries: a last-event feature as it is, times in seconds.
    public func setting(_ columns: QueryColumns, to value: Float) -> QuerySet {
        var other = self
        switch columns {
        case .features(let places):
            for row in 0..<count {
                for place in places { other.lastEventFeatures[row * FeatureSchema.lastEventCount + place] = value }
            }
        case .sinceTopic: other.setElapsed(topic: elapsedSinceTopic.map { _ in value })
        case .sinceEvent: other.setElapsed(event: elapsedSinceEvent.map { _ in value })
        case .rate: other.rates = Array(repeating: value, count: count)
        case .topic, .history, .cause, .season: break
        }
        return other
    }

    /// A touch is an event: the last event is no longer ago than the last touch, and what is set moves the other along.
    private mutating func setElapsed(topic: [Float]) {
        elapsedSinceTopic = topic
        elapsedSinceEvent = zip(elapsedSinceEvent, topic).map { min($0, $1) }
    }

    private mutating func setElapsed(event: [Float]) {
        elapsedSinceEvent = event
        elapsedSinceTopic = zip(elapsedSinceTopic, event).map { max($0, $1) }
    }

    /// Makes some last-event features of one query those of another.
    ///
    /// - Parameter values: by the features' places.
    public mutating func set(_ places: [Int], ofRow row: Int, to values: [Float]) {
        for place in places { lastEventFeatures[row * FeatureSchema.lastEventCount + place] = values[place] }
    }

    /// The same with what came of each query that of another: nothing is left to be learned.
    public func shufflingOutcomes(seed: UInt64) -> QuerySet {
        var generator = SeededGenerator(seed: seed, stream: 19)
        let order = (0..<count).shuffled(using: &generator)
        var other = self
        other.degree = order.map { degree[$0] }
        other.didReturn = order.map { didReturn[$0] }
        other.timeToReturn = order.map { timeToReturn[$0] }
        return other
    }
}
