import WaneCurves
import WaneEvents

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What moves a person's half-lives, as far as their own events show it: their circumstances at each touch, and how each cause
/// has moved them so far. A part of ``PersonState``; an event costs some ten microseconds, since the last hundreds of gaps are taken
/// in anew now and then.
public struct CauseState: Sendable {
    private let schema: CauseSchema
    private var circumstances = CircumstanceState()
    private var history: GapHistory
    private var hours = [Float](repeating: 0, count: 24)
    private var pairs: [Pair] = []
    private let keepsOnly: Bool
    /// What the person's events say, where something else is only supposed.
    private var actual: Sensitivity?

    /// A topic that the person has met: where its last visit stands.
    private struct Pair: Sendable {
        let topic: UInt32
        var last: Double
        var measures: CauseMeasures
        /// Touches in ordinary times so far: what is only met in floods and bursts is no interest that a cause could move.
        var ordinary: Int
    }

    /// - Parameter keepsOnly: gaps are kept, all of them, and not taken in: ``CauseFit`` takes them in.
    public init(_ schema: CauseSchema, keepsOnly: Bool = false) {
        (self.schema, self.keepsOnly) = (schema, keepsOnly)
        history = GapHistory(schema)
    }

    /// One more event.
    ///
    /// - Parameters:
    ///   - time: microseconds.
    ///   - touched: its topics, with their places in the order in which the person met them.
    ///   - pause: microseconds that end a visit.
    ///   - social: what friends do with a topic, where they are known.
    mutating func apply(
        at time: Int64, _ touched: some Collection<(topic: UInt32, place: Int)>, pause: Int64,
        social: (UInt32) -> Float
    ) {
        let now = Double(time) / 1e6
        let rhythm = rhythm
        for (_, place) in touched where place < pairs.count && now - pairs[place].last > Double(pause) / 1e6 {
            add(place, until: now, isClosed: true, rhythm)
        }
        circumstances.apply(at: now, places: touched.map(\.place))
        hours[DailyRhythm.hour(of: time)] += 1
        for (topic, place) in touched {
            var measures = circumstances.measures(place, topic: topic)
            measures.values[.social] = now - circumstances.first > CircumstanceState.known ? social(topic) : 0
            if place < pairs.count {
                pairs[place].last = now
                pairs[place].measures = measures
                pairs[place].ordinary += measures.isOrdinary ? 1 : 0
            } else {
                pairs.append(
                    Pair(topic: topic, last: now, measures: measures, ordinary: measures.isOrdinary ? 1 : 0))
                history.meet(topic, schema)
            }
        }
    }

    /// Something that the person was shown.
    mutating func show(at time: Int64, topics: ArraySlice<UInt32>) {
        circumstances.show(at: Double(time) / 1e6, topics: topics)
    }

    private var rhythm: DailyRhythm { DailyRhythm(hours, general: schema.hours) }

    private mutating func add(_ place: Int, until time: Double, isClosed: Bool, _ rhythm: DailyRhythm) {
        let pair = pairs[place]
        guard pair.ordinary > 1, schema.topic(pair.topic) != nil else { return }
        let gap = CauseGap(
            place: place, isClosed: isClosed, start: pair.last, length: time - pair.last, pair.measures)
        if keepsOnly { history.keep(gap) } else { history.add(gap, schema, rhythm) }
    }

    /// What the causes do to the half-life of a topic since its last touch, given all that the person's events show: the
    /// silences up to the last of them are a part of that.
    ///
    /// - Parameter sensitivity: as ``sensitivity`` has it, for all topics of one state alike.
    public func effects(ofPlace place: Int, _ sensitivity: Sensitivity) -> CauseEffects {
        var result = CauseEffects()
        guard pairs.indices.contains(place) else { return result }
        result.measures = pairs[place].measures
        result.isMoving = schema.moving
        for cause in Cause.allCases where schema.moving[cause] {
            let x = Double(result.measures.values[cause])
            result.offset[cause] = sensitivity.mean[cause] * x
            result.variance[cause] = sensitivity.variance[cause] * x * x
        }
        return result
    }

    /// What each cause's measure is multiplied by for this person: mean and variance.
    ///
    /// - Complexity: O(topics met).
    public var sensitivity: Sensitivity { actual ?? withSilences().history.posterior.sensitivity }

    /// One person's, of each cause.
    public struct Sensitivity: Sendable {
        public let mean: ByCause<Double>
        public let variance: ByCause<Double>
    }

    /// Everything, with the gaps that are still open as far as the person's last event.
    private func withSilences() -> CauseState {
        var all = self
        let rhythm = rhythm
        for place in pairs.indices where circumstances.last - pairs[place].last > 1_800 {
            all.add(place, until: circumstances.last, isClosed: false, rhythm)
        }
        return all
    }

    /// All gaps so far, those that are still open among them, and when the person is about.
    public func gaps() -> (history: GapHistory, rhythm: DailyRhythm) { (withSilences().history, rhythm) }

    /// Mean sensitivities as they stand, open silences left out.
    public var found: ByCause<Double> { history.meanSensitivity }

    /// Bytes beside the state's own.
    var byteCount: Int {
        24 * 4 + history.byteCount + circumstances.exposureByteCount
            + pairs.count * (MemoryLayout<Pair>.stride + MemoryLayout<CircumstanceState.Counts>.stride)
    }

    /// Supposes that a circumstance had been another at the last touch of a topic, all else as it was.
    mutating func suppose(_ cause: Cause, _ value: Float, ofPlace place: Int) {
        guard pairs.indices.contains(place) else { return }
        actual = sensitivity
        pairs[place].measures.values[cause] = value
    }

    /// The measures of the last touch of a topic.
    public func measures(ofPlace place: Int) -> CauseMeasures? {
        pairs.indices.contains(place) ? pairs[place].measures : nil
    }
}
