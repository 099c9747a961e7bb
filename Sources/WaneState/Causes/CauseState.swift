import WaneCurves
import WaneEvents

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What moves a person's half-lives, as far as their own events show it: their circumstances at each touch, and how each cause
/// has moved them so far. A part of ``PersonState``; an event costs some microseconds and no look at what came before.
public struct CauseState: Sendable {
    private let schema: CauseSchema
    private var circumstances = CircumstanceState()
    private var filter: SensitivityFilter
    private var hours = [Float](repeating: 0, count: 24)
    private var pairs: [Pair] = []
    /// What inflows brought, and what they were expected to bring for an inflow of 1: what ``CauseFit`` counts.
    private(set) public var inflow = (touches: 0.0, expected: 0.0)

    /// A topic that the person has met: where its last visit stands.
    private struct Pair: Sendable {
        let topic: UInt32
        var last: Double
        var measures: CauseMeasures
        /// Touches in ordinary times so far: what is only met in floods and bursts is no interest that a cause could move.
        var ordinary: Int
        var block: SensitivityFilter.Pair
    }

    public init(_ schema: CauseSchema) {
        self.schema = schema
        filter = SensitivityFilter(schema)
    }

    /// One more event.
    ///
    /// - Parameters:
    ///   - time: microseconds.
    ///   - touched: its topics, with their places in the order in which the person met them.
    ///   - pause: microseconds that end a visit.
    ///   - social: what friends do with a topic, where they are known.
    ///   - replaced: measures that stand in for the person's own, for a placebo.
    mutating func apply(
        at time: Int64, _ touched: some Collection<(topic: UInt32, place: Int)>, pause: Int64,
        social: (UInt32) -> Float, replaced: () -> ByCause<Float>?
    ) {
        let now = Double(time) / 1e6
        let rhythm = DailyRhythm(hours, general: schema.hours)
        for (_, place) in touched where place < pairs.count && now - pairs[place].last > Double(pause) / 1e6 {
            close(place, at: now, rhythm)
        }
        circumstances.apply(at: now, places: touched.map(\.place))
        hours[DailyRhythm.hour(of: time)] += 1
        for (topic, place) in touched {
            var measures = circumstances.measures(place)
            measures.values[.social] = now - circumstances.first > CircumstanceState.known ? social(topic) : 0
            if let replaced = replaced() { measures.values = replaced }
            if place < pairs.count {
                pairs[place].last = now
                pairs[place].measures = measures
                pairs[place].ordinary += measures.isOrdinary ? 1 : 0
            } else {
                let known = self.known(topic)
                let spread = max(0.1, schema.pairSpread)
                pairs.append(
                    Pair(
                        topic: topic, last: now, measures: measures, ordinary: measures.isOrdinary ? 1 : 0,
                        block: SensitivityFilter.Pair(
                            offsetPrecision: 1 / (spread * spread),
                            ratePrecision: min(20, max(0.3, known?.frailty ?? 1)))))
            }
        }
    }

    private func known(_ topic: UInt32) -> CauseSchema.Topic? {
        Int(topic) < schema.topics.count ? schema.topics[Int(topic)] : nil
    }

    private func score(_ pair: Pair, length: Double, isClosed: Bool, _ mean: SIMD4<Double>, _ rhythm: DailyRhythm)
        -> GapScore?
    {
        guard pair.ordinary > 1, let topic = known(pair.topic) else { return nil }
        var score = GapScore(
            logTime: topic.logTime + pair.block.offset + (mean * Self.four(pair.measures)).sum(), shape: topic.shape,
            floor: topic.floor, logRate: topic.logRate + pair.block.rate, length: length,
            burst: Double(pair.measures.burst), isClosed: isClosed,
            inflow: schema.inflow * Double(pair.measures.inflow) / 86_400, start: pair.last, rhythm: rhythm)
        score.temper(by: schema.temper)
        return score
    }

    private static func four(_ measures: CauseMeasures) -> SIMD4<Double> {
        SIMD4(
            Double(measures.values[.fatigue]), Double(measures.values[.overload]), Double(measures.values[.habit]),
            Double(measures.values[.social]))
    }

    private mutating func close(_ place: Int, at time: Double, _ rhythm: DailyRhythm) {
        let length = time - pairs[place].last
        guard let score = score(pairs[place], length: length, isClosed: true, filter.mean, rhythm) else { return }
        filter.add(score, measures: Self.four(pairs[place].measures), to: &pairs[place].block)
        inflow.touches += score.inflowShare
        inflow.expected += score.inflow / max(1e-9, schema.inflow)
    }

    /// What the causes do to the half-life of a topic since its last touch, given all that the person's events show: the
    /// silences up to the last of them are a part of that.
    ///
    /// - Parameter sensitivity: as ``sensitivity`` has it, for all topics of one state alike.
    public func effects(ofPlace place: Int, _ sensitivity: Sensitivity) -> CauseEffects {
        var result = CauseEffects()
        guard pairs.indices.contains(place) else { return result }
        result.measures = pairs[place].measures
        for cause in Cause.allCases {
            let x = Double(result.measures.values[cause])
            result.offset[cause] = sensitivity.mean[cause] * x
            result.variance[cause] = sensitivity.variance[cause] * x * x
        }
        return result
    }

    /// What each cause's measure is multiplied by for this person: mean and variance.
    ///
    /// - Complexity: O(topics met).
    public var sensitivity: Sensitivity { withSilences().found }

    /// One person's, of each cause.
    public struct Sensitivity: Sendable {
        public let mean: ByCause<Double>
        public let variance: ByCause<Double>
    }

    /// Everything, with the gaps that are still open as far as the person's last event.
    private func withSilences() -> CauseState {
        var all = self
        let rhythm = DailyRhythm(hours, general: schema.hours)
        for place in pairs.indices {
            let length = circumstances.last - pairs[place].last
            guard length > 1_800,
                let score = score(pairs[place], length: length, isClosed: false, all.filter.mean, rhythm)
            else { continue }
            all.filter.add(score, measures: Self.four(pairs[place].measures), to: &all.pairs[place].block)
        }
        return all
    }

    /// The same with the silences taken in, as at the end of what is fitted.
    public func finished() -> CauseState { withSilences() }

    /// Sensitivities as they stand, open silences left out.
    public var found: Sensitivity {
        Sensitivity(mean: ByCause { filter.mean[$0.index] }, variance: ByCause { filter.variance[$0.index] })
    }

    /// Bytes beside the state's own.
    var byteCount: Int {
        24 * 4 + pairs.count * (MemoryLayout<Pair>.stride + MemoryLayout<CircumstanceState.Counts>.stride)
    }

    /// The measures of the last touch of a topic.
    public func measures(ofPlace place: Int) -> CauseMeasures? {
        pairs.indices.contains(place) ? pairs[place].measures : nil
    }
}
