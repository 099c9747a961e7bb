import WaneBaselines
import WaneCurves
import WaneState

/// What moves half-lives in a log, kept with the model that learned from it.
public struct CauseRecord: Sendable, Equatable {
    /// Topics by the model's rows.
    public var schema: CauseSchema
    public var evidence: ByCause<CauseFit.Evidence>
    /// Why causes could not be measured at all; nothing where they were.
    public var obstacle: String?

    public init(_ schema: CauseSchema, _ evidence: ByCause<CauseFit.Evidence>) {
        (self.schema, self.evidence) = (schema, evidence)
        self.schema.moving = ByCause { evidence[$0].isMoving }
    }

    /// Of a log that shows none.
    ///
    /// - Parameter topics: rows.
    public init(topics: Int) {
        let schema = CauseSchema(
            topics: Array(repeating: nil, count: topics), pairSpread: 0.4,
            variance: ByCause(repeating: CauseSchema.none))
        self.init(schema, ByCause(repeating: CauseFit.Evidence()))
    }
}

/// The same as it is written.
struct CauseManifest: Codable, Equatable {
    /// Five numbers a row: `log τ` in seconds, `p`, `f`, `log λ0` a second, `k`; none for rows that are not known.
    var topics: [[Double]]
    var pairSpread: Double
    var mean: [String: Double]
    var variance: [String: Double]
    var inflow: Double
    var temper: Double
    /// Mean and variance of people's `log τ` about their topics'; what known circumstances add.
    var level: [Double]?
    var known: Double?
    var hours: [Double]
    var evidence: [String: CauseFit.Evidence]
    /// Whether the head was trained with each.
    var moving: [String: Bool]?
    var obstacle: String?

    init(_ record: CauseRecord) {
        let schema = record.schema
        topics = schema.topics.map { topic in
            topic.map { [$0.logTime, $0.shape, $0.floor, $0.logRate, $0.frailty] } ?? []
        }
        (pairSpread, inflow, hours, temper) = (schema.pairSpread, schema.inflow, schema.hours, schema.temper)
        (level, known) = ([schema.level.mean, schema.level.variance], schema.known)
        func named<Value>(_ values: ByCause<Value>) -> [String: Value] {
            Dictionary(uniqueKeysWithValues: Cause.allCases.map { ($0.rawValue, values[$0]) })
        }
        (mean, variance, evidence) = (named(schema.mean), named(schema.variance), named(record.evidence))
        moving = named(schema.moving)
        obstacle = record.obstacle
    }

    /// - Parameter rows: how many topics the model has, row 0 included.
    func record(rows: Int) throws(ManifestError) -> CauseRecord {
        guard topics.count == rows, topics.allSatisfy({ $0.isEmpty || $0.count == 5 && $0.allSatisfy(\.isFinite) }),
            topics.allSatisfy({
                $0.isEmpty
                    || (-10...40).contains($0[0]) && (1e-3...50).contains($0[1]) && (0...1).contains($0[2])
                        && (-80...40).contains($0[3]) && (1e-3...1e6).contains($0[4])
            })
        else { throw ManifestError("decay of topics, for causes, out of range") }
        // Heads of before read the measures of all causes.
        guard let moving else { throw ManifestError("causes as they were before decision 36; train the model anew") }
        // Folders of before have neither.
        let (level, known) = (self.level ?? [0, 0.05], self.known ?? 0)
        guard hours.count == 24, hours.allSatisfy({ (0...1).contains($0) }),
            abs(hours.reduce(0, +) - 1) < 1e-3, (0...100).contains(inflow), (1...1_000).contains(temper),
            (0...10).contains(pairSpread), level.count == 2, (-10...10).contains(level[0]),
            (CauseSchema.none / 2...10).contains(level[1]), (-10...10).contains(known)
        else { throw ManifestError("what causes are measured with out of range") }
        for cause in Cause.allCases {
            guard let mean = mean[cause.rawValue], let variance = variance[cause.rawValue],
                evidence[cause.rawValue] != nil,
                (-10...10).contains(mean), (CauseSchema.none / 2...10).contains(variance)
            else { throw ManifestError("no sensitivity to \(cause.rawValue), or one out of range") }
        }
        var schema = CauseSchema(
            topics: topics.map {
                $0.isEmpty
                    ? nil
                    : CauseSchema.Topic(logTime: $0[0], shape: $0[1], floor: $0[2], logRate: $0[3], frailty: $0[4])
            }, pairSpread: pairSpread, mean: ByCause { mean[$0.rawValue] ?? 0 },
            variance: ByCause { variance[$0.rawValue] ?? CauseSchema.none }, inflow: inflow, hours: hours)
        (schema.temper, schema.level, schema.known) = (temper, (level[0], level[1]), known)
        var record = CauseRecord(schema, ByCause { evidence[$0.rawValue] ?? CauseFit.Evidence() })
        record.schema.moving = ByCause { moving[$0.rawValue] ?? false }
        record.obstacle = obstacle
        return record
    }
}
