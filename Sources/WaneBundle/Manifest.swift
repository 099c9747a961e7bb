import Foundation
import Torch
import WaneBaselines
import WaneEvents
import WaneModels
import WaneState
import WaneTasks

/// `model.json` as it is written: its own small types, so that what is inside may change while folders stay
/// readable. What a folder does not say takes its default.
struct Manifest: Codable {
    static let currentSchema = 2

    var schema = Self.currentSchema
    var task: String
    var family: String
    var options: Options
    var training: TrainingRecord
    var history: TrainingHistory
    var split: Parts
    var clock: EventLog.Clock
    var topicSource: ItemTopics.Source
    var engagement: Engagement
    var popularity: Counts
    var features: Features
    var threshold: Double
    var itemRows: Int
    var topicRows: Int
    var data: DataFingerprint
    var code: String
    var doubts: [String]?
    var halfLives: HalfLifeRecord?
    var inputs: InputProfile?
    var hours: [Double]?
    var causes: CauseManifest?
    var ranking: RankingRecord?
    var cohort: Cohort?
    var blend: Blend?
    /// SHA-256 and size of every other file, by its path in the folder.
    var files: [String: FileRecord] = [:]

    struct FileRecord: Codable, Equatable {
        let bytes: Int
        let sha256: String
    }

    /// Sizes by name: a family that has more to set adds a name, and older folders keep its default.
    struct Options: Codable {
        var hidden: Int?
        var layers: Int?
        var itemWidth: Int?
        var topicWidth: Int?
        var headWidth: Int?
        var dropout: Double?
        var historyDropout: Double?
        var topicDropout: Double?
        var historyLength: Int?
        var heads: Int?
        var sparsity: Sparsity?
        var sparsityWeight: Double?
        var social: Bool?
        var repeats: Bool?
    }

    struct Parts: Codable {
        let start: Int64
        let trainEnd: Int64
        let validationEnd: Int64
        let end: Int64
        let horizon: Int64
        var snapshots: [Int64]?
        var random: Bool?
    }

    struct Engagement: Codable {
        let source: EngagementScale.Source
        let largestWeight: Float
        let typical: Double
    }

    struct Counts: Codable {
        let until: Int64
        let events: Int
        let latelyEvents: Int
        let topics: Int
    }

    struct Features: Codable {
        let names: [String]
        let mean: [Float]
        let deviation: [Float]
    }

    struct Cohort: Codable {
        let knownUntil: Int64
        let ahead: Int64
        /// r, alpha, a, b; and r, alpha, s, beta.
        let bgNbd: [Double]
        let paretoNbd: [Double]
    }

    struct Blend: Codable {
        let weight: Double
        let members: [Member]
        struct Member: Codable {
            let name: String
            let weight: Double
            /// Of a table; a member without one has counts.
            let halfLife: Double?
        }
    }
}

extension Manifest {
    init(_ bundle: ModelBundle) {
        let d = bundle.description
        task = d.task.rawValue
        family = d.family
        options = Options(d.options)
        training = d.training
        history = d.history
        split = Parts(
            start: d.split.start, trainEnd: d.split.trainEnd, validationEnd: d.split.validationEnd, end: d.split.end,
            horizon: d.split.horizon, snapshots: d.split.snapshots, random: d.split.random)
        clock = d.clock
        topicSource = d.topicSource
        engagement = Engagement(
            source: bundle.scale.source, largestWeight: bundle.scale.largestWeight, typical: d.typicalEngagement)
        popularity = Counts(
            until: bundle.popularity.until, events: bundle.popularity.events,
            latelyEvents: bundle.popularity.latelyEvents, topics: bundle.popularity.topicCount)
        features = Features(
            names: d.scaling.mean.count == FeatureSchema.lastEventCount ? FeatureSchema.lastEventNames : [],
            mean: d.scaling.mean, deviation: d.scaling.deviation)
        threshold = d.threshold
        itemRows = bundle.vocabulary.itemRows
        topicRows = bundle.vocabulary.topicRows
        data = d.data
        code = d.code
        doubts = d.doubts.isEmpty ? nil : d.doubts
        halfLives = d.halfLives
        inputs = d.inputs
        hours = d.hours
        causes = d.causes.map { CauseManifest($0) }
        ranking = d.ranking
        cohort = d.cohort.map { record in
            let (bg, pareto) = (record.classic.bg, record.classic.pareto)
            return Cohort(
                knownUntil: record.knownUntil, ahead: record.ahead, bgNbd: [bg.r, bg.alpha, bg.a, bg.b],
                paretoNbd: [pareto.r, pareto.alpha, pareto.s, pareto.beta])
        }
        blend = d.blendWeight.map { weight in
            Blend(
                weight: weight,
                members: bundle.members.map { member in
                    if case .table(_, let halfLife) = member.scores {
                        return Blend.Member(name: member.name, weight: member.weight, halfLife: halfLife)
                    }
                    return Blend.Member(name: member.name, weight: member.weight, halfLife: nil)
                })
        }
    }

    /// What the manifest describes, with everything checked that code relies on.
    ///
    /// - Throws: a reason in words.
    func description() throws(ManifestError) -> BundleDescription {
        guard let task = BundleTask(rawValue: task) else { throw ManifestError("a task \"\(task)\" that is not known") }
        func check(_ ok: Bool, _ reason: String) throws(ManifestError) { if !ok { throw ManifestError(reason) } }
        try check(
            (1...TimeSpan.longest).contains(split.horizon),
            "a horizon of \(split.horizon) microseconds, which is no span of time")
        let moments = [split.start, split.trainEnd, split.validationEnd, split.end] + (split.snapshots ?? [])
        try check(
            (moments + [popularity.until]).allSatisfy { (-TimeSpan.longest...TimeSpan.longest).contains($0) },
            "a moment beyond what a log can have")
        try check(threshold.isFinite && (0...1).contains(threshold), "a threshold of \(threshold)")
        try check(
            engagement.typical.isFinite && engagement.typical > 0, "a typical engagement of \(engagement.typical)")
        try check(
            engagement.largestWeight.isFinite && engagement.largestWeight > 0,
            "a largest weight of \(engagement.largestWeight)")
        try check(
            features.mean.count == features.deviation.count
                && (features.mean + features.deviation).allSatisfy(\.isFinite)
                && features.deviation.allSatisfy { $0 > 0 },
            "means and deviations of features that do not fit together")
        if task != .ranking, family != LSTMBasic.name {
            try check(
                features.names == FeatureSchema.lastEventNames && features.mean.count == FeatureSchema.lastEventCount,
                "features that this program does not measure; train it again")
        }
        try check(
            [training.trainQueries, training.validationQueries, training.testQueries].allSatisfy {
                (1...100_000_000).contains($0)
            }, "a number of queries out of range")
        try check(
            popularity.events >= 0 && popularity.latelyEvents >= 0 && popularity.topics >= 0, "negative counts")
        if let ranking {
            try check((1...65_536).contains(ranking.window), "a window of \(ranking.window) events")
        }
        try check((task == .ranking) == (ranking != nil), "no protocol of ranking, or one too many")
        try check((task == .cohort) == (cohort != nil), "no cohort, or one too many")
        let split = Split(
            start: split.start, trainEnd: split.trainEnd, validationEnd: split.validationEnd, end: split.end,
            horizon: split.horizon, snapshots: split.snapshots, random: split.random ?? false)
        var options = options.inner
        options.family = family
        if family != LSTMBasic.name {
            do throws(ModelOptionsError) { options = try options.checked() } catch {
                throw ManifestError(error.description)
            }
        }
        var result = BundleDescription(
            task: task, family: family, options: options, training: training, split: split, clock: clock,
            topicSource: topicSource, typicalEngagement: engagement.typical,
            scaling: FeatureScaling(mean: features.mean, deviation: features.deviation), data: data)
        result.threshold = threshold
        result.history = history
        result.code = code
        result.ranking = ranking
        result.doubts = doubts ?? []
        try check(
            result.doubts.count <= 8
                && result.doubts.allSatisfy {
                    $0.utf8.count <= 500
                        && !$0.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
                }, "doubts that are no sentences")
        try check((0...Int(Int32.max)).contains(topicRows), "a number of topics of \(topicRows)")
        if let halfLives {
            try check(
                halfLives.topicSpread.allSatisfy { (0...1_000).contains($0) }
                    && (0...1).contains(halfLives.left ?? 0)
                    && halfLives.resolution > 0,
                "spreads of half-lives out of range")
            try check(
                halfLives.rates?.isSound(topics: topicRows + 1) != false,
                "rates of topics out of range: \(topicRows + 1) rows of \(RateSchema.width) numbers")
            result.halfLives = halfLives
        }
        if let inputs {
            try check(inputs.isSound, "spreads of inputs out of range")
            result.inputs = inputs
        }
        for shares in [halfLives?.hours, hours].compactMap(\.self) {
            try check(
                shares.count == 24 && shares.allSatisfy { (1e-9...1).contains($0) },
                "shares of a day's hours out of range: 24 numbers above 0")
        }
        result.hours = hours
        let measuresCauses = task == .interest && ModelFamilies.named(family)?.measuresCauses == true
        try check(!measuresCauses || causes != nil, "no causes, which \(family) tells apart")
        if let causes { result.causes = try causes.record(rows: topicRows + 1) }
        result.blendWeight = blend?.weight
        if let cohort {
            func positive(_ values: [Double]) -> Bool {
                values.count == 4 && values.allSatisfy { $0 > 0 && $0.isFinite }
            }
            try check(positive(cohort.bgNbd) && positive(cohort.paretoNbd), "parameters of BG/NBD out of range")
            try check((1...TimeSpan.longest).contains(cohort.ahead), "a span ahead of \(cohort.ahead)")
            let (b, p) = (cohort.bgNbd, cohort.paretoNbd)
            result.cohort = CohortRecord(
                knownUntil: cohort.knownUntil.clamped, ahead: cohort.ahead,
                classic: CohortClassic(
                    bg: BGNBD(r: b[0], alpha: b[1], a: b[2], b: b[3]),
                    pareto: ParetoNBD(r: p[0], alpha: p[1], s: p[2], beta: p[3])))
        }
        return result
    }
}

/// Why a manifest describes no model.
struct ManifestError: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

extension Int64 {
    /// Within what moments of a log may be: any sum of two stays within 64 bits.
    fileprivate var clamped: Int64 { Swift.min(Swift.max(self, -2 * TimeSpan.longest), 2 * TimeSpan.longest) }
}

extension Manifest.Options {
    init(_ options: ModelOptions) {
        self.init(
            hidden: options.hidden, layers: options.layers, itemWidth: options.itemWidth,
            topicWidth: options.topicWidth, headWidth: options.headWidth, dropout: options.dropout,
            historyDropout: options.historyDropout, topicDropout: options.topicDropout,
            historyLength: options.historyLength, heads: options.heads, sparsity: options.sparsity,
            sparsityWeight: options.sparsityWeight, social: options.social, repeats: options.repeats)
    }

    var inner: ModelOptions {
        var inner = ModelOptions()
        inner.hidden = hidden ?? inner.hidden
        inner.layers = layers ?? inner.layers
        inner.itemWidth = itemWidth ?? inner.itemWidth
        inner.topicWidth = topicWidth ?? inner.topicWidth
        inner.headWidth = headWidth ?? inner.headWidth
        inner.dropout = dropout ?? inner.dropout
        inner.historyDropout = historyDropout ?? inner.historyDropout
        inner.topicDropout = topicDropout ?? inner.topicDropout
        inner.historyLength = historyLength ?? inner.historyLength
        inner.heads = heads ?? inner.heads
        inner.sparsity = sparsity ?? inner.sparsity
        inner.sparsityWeight = sparsityWeight ?? inner.sparsityWeight
        inner.social = social ?? inner.social
        inner.repeats = repeats ?? inner.repeats
        return inner
    }
}

/// `reading.json`: how the log was read.
struct ReadingRecord: Codable {
    var map: [String: String]?
    var columns: [String]?
    var delimiter: String?
    var timeFormat: String?
    var preferredTimes: String?
    var timeZone: String?
    var durationUnit: Double?
    var decimalComma: Bool?
    var topicSeparator: String?
    var eventWeights: [String: Float]?
    var userFrom: String?

    init(_ options: ReadingOptions) {
        map = Dictionary(uniqueKeysWithValues: options.map.map { ($0.key.rawValue, $0.value) })
        columns = options.columns
        delimiter = options.delimiter
        timeFormat = options.timeFormat.rawValue
        preferredTimes = options.preferredTimes?.rawValue
        timeZone = options.timeZone?.identifier
        durationUnit = options.durationUnit
        decimalComma = options.decimalComma ? true : nil
        topicSeparator = options.topicSeparator
        eventWeights = options.eventWeights
        userFrom = options.userFrom?.rawValue
    }

    func options() throws(ManifestError) -> ReadingOptions {
        var options = ReadingOptions()
        for (name, column) in map ?? [:] {
            guard let role = ColumnRole(rawValue: name) else { throw ManifestError("a column role \"\(name)\"") }
            options.map[role] = column
        }
        options.columns = columns
        options.delimiter = delimiter
        if let timeFormat {
            guard let format = TimeFormat(rawValue: timeFormat) else {
                throw ManifestError("a form of times \"\(timeFormat)\"")
            }
            options.timeFormat = format
        }
        if let timeZone {
            guard let zone = TimeZone(identifier: timeZone) else { throw ManifestError("a zone \"\(timeZone)\"") }
            options.timeZone = zone
        }
        if let preferredTimes {
            guard let format = TimeFormat(rawValue: preferredTimes) else {
                throw ManifestError("a form of times \"\(preferredTimes)\"")
            }
            options.preferredTimes = format
        }
        options.durationUnit = durationUnit
        guard (durationUnit ?? 1) > 0, (durationUnit ?? 1).isFinite else {
            throw ManifestError("a unit of durations of \(durationUnit ?? 1) s")
        }
        options.decimalComma = decimalComma ?? false
        options.topicSeparator = topicSeparator
        options.eventWeights = eventWeights ?? [:]
        if let userFrom {
            guard let source = UserSource(rawValue: userFrom) else {
                throw ManifestError("people from \"\(userFrom)\"")
            }
            options.userFrom = source
        }
        return options
    }
}
