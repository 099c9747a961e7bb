import WaneCurves
import WaneState

/// Queries with what is known of them and, where they have passed, what came of them; by columns.
public struct QuerySet: Sendable {
    /// Numbers of user-topics in the ``Histories`` they were drawn from.
    public internal(set) var userTopic: [Int] = []
    /// Microseconds.
    public internal(set) var moment: [Int64] = []
    public internal(set) var user: [UInt32] = []
    public internal(set) var topic: [UInt32] = []
    /// The user's last event at or before the moment, as an index in the sorted log.
    public internal(set) var event: [Int] = []
    /// Which snapshot of what concerns everybody the query may see; -1 for none.
    public internal(set) var snapshot: [Int] = []
    /// Seconds since the last touch of the topic, and since the user's last event.
    public internal(set) var elapsedSinceTopic: [Float] = []
    public internal(set) var elapsedSinceEvent: [Float] = []
    /// `[count, FeatureSchema.lastEventCount]` and `[count, FeatureSchema.queryTimeCount]`, row by row; the latter are
    /// none for an epoch's training queries.
    public internal(set) var lastEventFeatures: [Float] = []
    public internal(set) var queryTimeFeatures: [Float] = []
    /// `[count, CauseEffects.width]`, row by row; nothing where causes are not measured.
    public internal(set) var causes: [Float] = []
    /// ``PersonState/rate(of:)`` of each; nothing where pairs' rates are not followed.
    public internal(set) var rates: [Float] = []
    /// When the person is about at the query's event, ``DailyRhythm/shares``: `[count, 24]`, row by row; nothing where hours are not
    /// followed.
    public internal(set) var hours: [Float] = []
    /// Interest degree, and whether the user came back (1) or not (0); the outcome after the moment.
    public internal(set) var degree: [Float] = []
    public internal(set) var didReturn: [Float] = []
    /// Seconds from the moment to the first touch after it; infinite where there is none within the horizon.
    public internal(set) var timeToReturn: [Float] = []

    public var count: Int { userTopic.count }

    public init() {}

    /// When the person of a query is about; nothing where hours are not followed.
    public func rhythm(_ row: Int) -> DailyRhythm? {
        hours.isEmpty ? nil : DailyRhythm(shares: hours[row * 24..<(row + 1) * 24])
    }

    /// The queries at `rows`, in that order.
    ///
    /// - Complexity: O(rows · features)
    public func selecting(_ rows: some Collection<Int>) -> QuerySet {
        func columns(_ values: [Float], _ width: Int) -> [Float] {
            var result: [Float] = []
            result.reserveCapacity(rows.count * width)
            for row in rows { result.append(contentsOf: values[row * width..<(row + 1) * width]) }
            return result
        }
        var result = QuerySet()
        result.userTopic = rows.map { userTopic[$0] }
        result.moment = rows.map { moment[$0] }
        result.user = rows.map { user[$0] }
        result.topic = rows.map { topic[$0] }
        result.event = rows.map { event[$0] }
        result.snapshot = rows.map { snapshot[$0] }
        result.elapsedSinceTopic = rows.map { elapsedSinceTopic[$0] }
        result.elapsedSinceEvent = rows.map { elapsedSinceEvent[$0] }
        result.lastEventFeatures = columns(lastEventFeatures, FeatureSchema.lastEventCount)
        // Queries for training alone have none.
        if !queryTimeFeatures.isEmpty {
            result.queryTimeFeatures = columns(queryTimeFeatures, FeatureSchema.queryTimeCount)
        }
        if !causes.isEmpty { result.causes = columns(causes, CauseEffects.width) }
        if !rates.isEmpty { result.rates = rows.map { rates[$0] } }
        if !hours.isEmpty { result.hours = columns(hours, 24) }
        result.degree = rows.map { degree[$0] }
        result.didReturn = rows.map { didReturn[$0] }
        result.timeToReturn = rows.map { timeToReturn[$0] }
        return result
    }
}
