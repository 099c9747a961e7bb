import WaneCurves

/// A silence between two touches of a topic, or after the last of them, with the circumstances of the touch before it.
struct CauseGap: Sendable {
    /// The person's number of the topic.
    let place: Int32
    /// Whether a touch ended it; whether the circumstances of the touch before it are known.
    let isClosed: Bool
    let isKnown: Bool
    /// Seconds: its length; those of them that a burst explains by itself.
    let length: Float
    let burst: Float
    /// Events a day above the usual, of everything but the topic.
    let inflow: Float
    /// Seconds since 1970.
    let start: Double
    var measures: SIMD4<Float>

    /// Of the touch at `start`, with the measures it was met with.
    init(place: Int, isClosed: Bool, start: Double, length: Double, _ measures: CauseMeasures) {
        (self.place, self.isClosed, self.start, self.length) = (Int32(place), isClosed, start, Float(length))
        (burst, inflow, self.measures) = (measures.burst, measures.inflow, measures.four)
        isKnown = measures.isKnown
    }
}

extension CauseMeasures {
    fileprivate var four: SIMD4<Float> {
        SIMD4(values[.fatigue], values[.overload], values[.habit], values[.social])
    }
}

/// What a person's gaps say, taken together, of how causes move them and of where each of their pairs stands.
///
/// A gap is taken in as it comes, with slopes taken at what is known by then; early ones at little. So all are taken in anew,
/// at what is known now, each time that there are a quarter more: some steps of Newton's method over a person's life, at a
/// price of some gaps for each new one.
public struct GapHistory: Sendable {
    private(set) var gaps: [CauseGap] = []
    private var topics: [UInt32] = []
    private(set) var blocks: [SensitivityFilter.Pair] = []
    private var filter: SensitivityFilter
    private var nextRefit = 8
    /// What inflows brought at the last step, and what they were expected to bring for an inflow of 1.
    public private(set) var inflow = (touches: 0.0, expected: 0.0)

    /// Gaps that are kept.
    private static let most = 768

    /// Lets go of old gaps: first of every other one in ordinary circumstances, of which there are most.
    private mutating func thin() {
        let old = gaps.count / 2
        var isSecond = false
        let kept = gaps[..<old].filter { gap in
            guard gap.measures == .zero else { return true }
            isSecond.toggle()
            return isSecond
        }
        gaps.replaceSubrange(..<old, with: kept)
        if gaps.count > Self.most { gaps.removeFirst(gaps.count - Self.most) }
    }

    init(_ schema: CauseSchema) { filter = SensitivityFilter(schema) }

    /// What is known of one person: the four causes, their level, that of known circumstances.
    public struct Posterior: Sendable {
        public let mean: SIMD8<Double>
        public let covariance: InlineArray<6, SIMD8<Double>>

        /// One person's sensitivities: what each cause's measure is multiplied by.
        public var sensitivity: CauseState.Sensitivity {
            CauseState.Sensitivity(
                mean: ByCause { mean[$0.index] }, variance: ByCause { max(0, covariance[$0.index][$0.index]) })
        }

        /// How far all their `log τ` lie from those of their topics.
        public var level: (mean: Double, variance: Double) { (mean[4], max(0, covariance[4][4])) }
    }

    var meanSensitivity: ByCause<Double> { ByCause { filter.mean[$0.index] } }

    public var posterior: Posterior { Posterior(mean: filter.mean, covariance: filter.covariance) }

    /// Of each gap, the measures that it came with, in two parts: known circumstances, and others.
    public var measures: (known: [SIMD4<Float>], others: [SIMD4<Float>]) {
        (gaps.filter(\.isKnown).map(\.measures), gaps.filter { !$0.isKnown }.map(\.measures))
    }

    var byteCount: Int {
        gaps.count * MemoryLayout<CauseGap>.stride
            + blocks.count * (MemoryLayout<SensitivityFilter.Pair>.stride + MemoryLayout<UInt32>.stride)
    }

    /// A topic that the person meets for the first time.
    mutating func meet(_ topic: UInt32, _ schema: CauseSchema) {
        let spread = max(0.1, schema.pairSpread)
        topics.append(topic)
        blocks.append(
            SensitivityFilter.Pair(
                offsetPrecision: 1 / (spread * spread),
                ratePrecision: min(20, max(0.3, schema.topic(topic)?.frailty ?? 1))))
    }

    /// Keeps a gap to be taken in later, with all others.
    mutating func keep(_ gap: CauseGap) {
        if gap.length > gap.burst { gaps.append(gap) }
    }

    /// Takes in a gap.
    mutating func add(_ gap: CauseGap, _ schema: CauseSchema, _ rhythm: DailyRhythm) {
        let place = Int(gap.place)
        guard let score = score(gap, blocks[place], filter.mean, schema, rhythm) else { return }
        // Within a burst nothing is said.
        guard score.expected > 0 else { return }
        filter.add(score, measures: gap.unknowns, to: &blocks[place])
        gaps.append(gap)
        guard gap.isClosed, gaps.count >= nextRefit else { return }
        if gaps.count >= Self.most * 5 / 4 { thin() }
        for _ in 0..<2 { step(schema, rhythm) }
        nextRefit = min(gaps.count + max(4, gaps.count / 4), Self.most * 5 / 4)
    }

    /// Takes in all gaps anew, at what is known now.
    public mutating func step(_ schema: CauseSchema, _ rhythm: DailyRhythm) {
        var inflow = (touches: 0.0, expected: 0.0)
        var blocks = blocks
        filter = filter.stepped(schema, pairs: &blocks) { from, mean, take in
            for gap in gaps {
                guard let score = score(gap, from[Int(gap.place)], mean, schema, rhythm) else { continue }
                inflow.touches += score.inflowShare
                inflow.expected += score.inflow / max(1e-9, schema.inflow)
                take(score, gap.unknowns, Int(gap.place))
            }
        }
        (self.blocks, self.inflow) = (blocks, inflow)
    }

    /// The same person before anything is known of them.
    public func restarted(_ schema: CauseSchema) -> GapHistory {
        var other = GapHistory(schema)
        other.gaps = gaps
        for topic in topics { other.meet(topic, schema) }
        return other
    }

    /// The same with the measures of somebody else's gaps in turn, known ones in place of known ones: a placebo.
    public func replaced(by measures: (known: [SIMD4<Float>], others: [SIMD4<Float>])) -> GapHistory {
        var other = self
        var places = (known: 0, others: 0)
        func next(_ values: [SIMD4<Float>], _ place: inout Int) -> SIMD4<Float> {
            guard !values.isEmpty else { return .zero }
            defer { place += 1 }
            return values[place % values.count]
        }
        for index in gaps.indices {
            other.gaps[index].measures =
                gaps[index].isKnown
                ? next(measures.known, &places.known) : next(measures.others, &places.others)
        }
        return other
    }

    private func score(
        _ gap: CauseGap, _ block: SensitivityFilter.Pair, _ mean: SensitivityFilter.Vector, _ schema: CauseSchema,
        _ rhythm: DailyRhythm
    ) -> GapScore? {
        guard let topic = schema.topic(topics[Int(gap.place)]) else { return nil }
        var score = GapScore(
            logTime: topic.logTime + block.offset + (mean * gap.unknowns).sum(), shape: topic.shape, floor: topic.floor,
            logRate: topic.logRate + block.rate, length: Double(gap.length), burst: Double(gap.burst),
            isClosed: gap.isClosed, inflow: schema.inflow * Double(gap.inflow) / 86_400, start: gap.start,
            rhythm: rhythm)
        score.temper(by: schema.temper)
        return score
    }
}

extension CauseGap {
    fileprivate var unknowns: SensitivityFilter.Vector {
        SIMD8(lowHalf: SIMD4<Double>(measures), highHalf: SIMD4(1, isKnown ? 1 : 0, 0, 0))
    }
}

extension CauseSchema {
    /// How interest in a topic decays; nothing where it is not known.
    func topic(_ topic: UInt32) -> Topic? { Int(topic) < topics.count ? topics[Int(topic)] : nil }
}
