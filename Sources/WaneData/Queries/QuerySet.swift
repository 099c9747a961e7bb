/// Queries with what is known of them and, where they have passed, what came of them; by columns.
public struct QuerySet: Sendable {
    /// Numbers of pairs in the ``Histories`` they were drawn from.
    public private(set) var pair: [Int] = []
    /// Microseconds.
    public private(set) var moment: [Int64] = []
    public private(set) var user: [UInt32] = []
    public private(set) var topic: [UInt32] = []
    /// The person's last event at or before the moment, as a place in the sorted log.
    public private(set) var event: [Int] = []
    /// Seconds since the last touch of the topic, and since the person's last event.
    public private(set) var gap: [Float] = []
    public private(set) var personGap: [Float] = []
    /// `[count, anchoredCount]` and `[count, timedCount]`, row by row.
    public private(set) var anchored: [Float] = []
    public private(set) var timed: [Float] = []
    /// Interest degree, and whether the person came back (1) or not (0); the outcome after the moment.
    public private(set) var degree: [Float] = []
    public private(set) var returned: [Float] = []

    public var count: Int { pair.count }

    public init() {}

    /// Adds a query; the outcome is that of the histories, whether or not the horizon has passed in full.
    mutating func append(
        pair: Int, touch: Int, event: Int, moment: Int64, histories: Histories, features: FeatureBuilder,
        horizon: Int64, median: Double
    ) {
        self.pair.append(pair)
        self.moment.append(moment)
        user.append(histories.pairUser[pair])
        topic.append(histories.pairTopic[pair])
        self.event.append(event)
        gap.append(Float(Double(moment - histories.time(ofTouch: touch)) / 1e6))
        personGap.append(Float(Double(moment - histories.log.time[event]) / 1e6))
        let (a, t) = (FeatureBuilder.anchoredCount, FeatureBuilder.timedCount)
        anchored.append(contentsOf: repeatElement(0, count: a))
        timed.append(contentsOf: repeatElement(0, count: t))
        let (anchoredTotal, timedTotal) = (anchored.count, timed.count)
        anchored.withUnsafeMutableBufferPointer { anchored in
            timed.withUnsafeMutableBufferPointer { timed in
                guard let left = anchored.baseAddress, let right = timed.baseAddress else { return }
                features.fill(
                    pair: pair, touch: touch, event: event, moment: moment,
                    anchored: left + (anchoredTotal - a), timed: right + (timedTotal - t))
            }
        }
        let outcome = histories.outcome(of: pair, after: moment, horizon: horizon)
        degree.append(Float(outcome.label ?? outcome.engagement / (outcome.engagement + median)))
        returned.append(outcome.touches > 0 ? 1 : 0)
    }

    /// The queries at `places`, in that order.
    public func selecting(_ places: [Int]) -> QuerySet {
        func rows(_ values: [Float], _ width: Int) -> [Float] {
            var result: [Float] = []
            result.reserveCapacity(places.count * width)
            for place in places { result.append(contentsOf: values[place * width..<(place + 1) * width]) }
            return result
        }
        var result = QuerySet()
        result.pair = places.map { pair[$0] }
        result.moment = places.map { moment[$0] }
        result.user = places.map { user[$0] }
        result.topic = places.map { topic[$0] }
        result.event = places.map { event[$0] }
        result.gap = places.map { gap[$0] }
        result.personGap = places.map { personGap[$0] }
        result.anchored = rows(anchored, FeatureBuilder.anchoredCount)
        result.timed = rows(timed, FeatureBuilder.timedCount)
        result.degree = places.map { degree[$0] }
        result.returned = places.map { returned[$0] }
        return result
    }
}
