import Torch
import WaneBaselines
import WaneTasks

/// A deep model of the time until a return: a query's vector, and a distribution on it.
///
/// Families have a mixture of log-logistic curves; `hawkes` has the intensity of its own continuous-time state.
public struct ReturnModel: Module {
    public let queries: QueryEncoder
    let mixture: ReturnHead?
    let intensity: IntensityHead?
    /// How much own hours count, before its link; nothing where the log has no hours.
    let ownHours: Parameter?

    public var options: ModelOptions { queries.options }
    /// Horizons; what is farther is as good as never.
    public static let longest = ReturnPredictions.longest
    public var readsHistory: Bool { queries.readsHistory }
    public var followsHours: Bool { ownHours != nil }

    /// - Parameter followsHours: whether time passes in people's own hours, as far as training finds it does.
    public init(_ options: ModelOptions, items: Int, topics: Int, followsHours: Bool) throws(TorchError) {
        queries = try QueryEncoder(options, items: items, topics: topics)
        let hasIntensity = queries.encoder is ContinuousLSTM
        mixture = hasIntensity ? nil : try ReturnHead(inputs: queries.width, options)
        intensity = hasIntensity ? try IntensityHead(inputs: queries.width, options) : nil
        ownHours = followsHours ? try Parameter(.zeros([1])) : nil
    }

    /// The log likelihood of what came, in raw time, and the entries as they count: each `[N]`.
    private func logLikelihood(
        of answers: ReturnAnswers, _ rows: Tensor, under distribution: any ReturnDistribution
    ) throws(TorchError) -> (value: Tensor, entry: Tensor) {
        let (duration, entry) = (try answers.duration.rows(rows), try answers.entry.rows(rows))
        let observed = try answers.observed.rows(rows)
        guard let share = try ownShare else {
            return (try distribution.logLikelihood(duration, observed: observed, entry: entry), entry)
        }
        let counted = try entry + share * (answers.ownEntry.rows(rows) - entry)
        let value = try distribution.logLikelihood(
            duration + share * (answers.ownDuration.rows(rows) - duration), observed: observed, entry: counted)
        return (try value + observed * (share * (answers.speed.rows(rows) - 1) + 1).log(), counted)
    }

    /// When so much time has been counted; what is as good as never stays that.
    private static func time(_ counted: Float, _ clock: ReturnClock, _ share: Double) -> Float {
        Double(counted) >= 0.99 * longest ? Float(longest) : Float(clock.time(Double(counted), share))
    }

    /// How much own hours count, `[1]`, begun at .27; nothing where they are not followed.
    ///
    /// One number among thousands moves ten times as fast, so that a run finds it.
    private var ownShare: Tensor? {
        get throws(TorchError) {
            try ownHours.map { ownHours throws(TorchError) in try (ownHours.value * 10 - 1).sigmoid() }
        }
    }

    /// The same as a number.
    private var ownShareValue: Double {
        get throws(TorchError) { try ownShare.map { share throws(TorchError) in try share.item() } ?? 0 }
    }

    private func distribution(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, training: Bool
    ) throws(TorchError) -> (any ReturnDistribution, penalty: Tensor?) {
        let encoded = try self.queries(batch, queries, events, training: training)
        if let mixture { return (try mixture(encoded.x, training: training), encoded.penalty) }
        guard let intensity, let lstm = self.queries.encoder as? ContinuousLSTM, let history = encoded.history else {
            throw TorchError(operation: "return model", message: "\(options.family) has no distribution")
        }
        let left = try lstm.left(history).rows(Tensor(batch.states))
        return (try intensity(left, encoded.x), encoded.penalty)
    }

    /// The mean negative log likelihood of the batch's durations.
    public func loss(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, _ answers: ReturnAnswers,
        training: Bool
    ) throws(TorchError) -> Tensor {
        let rows = try Tensor(batch.queries.map(Int64.init))
        let (distribution, penalty) = try distribution(batch, queries, events, training: training)
        let loss = try -(logLikelihood(of: answers, rows, under: distribution).value.mean())
        return try penalty.map { penalty throws(TorchError) in try loss + penalty } ?? loss
    }

    /// For the batch's questions in its order: log likelihood of their own durations, median, and survival at each
    /// time of `grid`, `[questions, grid]` row by row.
    public func predict(
        _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors, _ answers: ReturnAnswers,
        grid: [Double]
    ) throws(TorchError) -> (logLikelihood: [Float], median: [Float], survival: [Float]) {
        try withoutGradients { () throws(TorchError) in
            let rows = try Tensor(batch.queries.map(Int64.init))
            let (distribution, _) = try distribution(batch, queries, events, training: false)
            let (likelihood, entry) = try logLikelihood(of: answers, rows, under: distribution)
            let share = try ownShareValue
            let clocks = batch.queries.map { answers.clocks[$0] }
            let median: [Float] = try distribution.quantile(0.5, entry: entry, longest: Self.longest).values()
            var columns: [Tensor] = []
            for time in grid {
                let counted = try Tensor(clocks.map { Float($0.counted(time, share)) })
                columns.append(try distribution.logSurvival(counted).exp())
            }
            return (
                try likelihood.values(), zip(clocks, median).map { Self.time($1, $0, share) },
                try Tensor.stacked(columns, 1).values()
            )
        }
    }

    /// Quantiles of the time of return, in horizons from the touch on, given that there was none by `entry`: one
    /// array a share, each in the batch's order.
    ///
    /// - Parameter entry: horizons since the touch, for each query of the set, with its clock.
    public func quantiles(
        _ shares: [Double], _ batch: HistoryBatch, _ queries: QueryTensors, _ events: EventTensors,
        entry: [(time: Double, clock: ReturnClock)]
    ) throws(TorchError) -> [[Float]] {
        try withoutGradients { () throws(TorchError) in
            let (distribution, _) = try distribution(batch, queries, events, training: false)
            let ownShare = try ownShareValue
            let asked = batch.queries.map { entry[$0] }
            let own = try Tensor(asked.map { Float($0.clock.counted($0.time, ownShare)) })
            var answers: [[Float]] = []
            for share in shares {
                let found: [Float] = try distribution.quantile(share, entry: own, longest: Self.longest).values()
                answers.append(zip(asked, found).map { Self.time($1, $0.clock, ownShare) })
            }
            return answers
        }
    }
}

/// Durations in horizons, whether their returns were seen, and when the question was asked, `[questions]`.
public struct ReturnAnswers {
    let duration: Tensor
    let observed: Tensor
    let entry: Tensor
    /// In people's own hours, and how fast these pass at the durations' ends.
    let ownDuration: Tensor
    let ownEntry: Tensor
    let speed: Tensor
    let clocks: [ReturnClock]

    /// - Parameters:
    ///   - queries: the questions', with people's hours where the model follows them.
    ///   - horizon: microseconds.
    ///   - pause: that ends a visit, in horizons.
    public init(
        _ questions: ReturnQueries, _ queries: QuerySet, horizon: Int64, pause: Double
    ) throws(TorchError) {
        let unit = Double(horizon) / 1e6
        let clocks = (0..<questions.count).map { row in
            // To the microsecond where the question says how long ago the touch was.
            let entry = questions.entry[row]
            let since = entry > 0 ? entry * unit : Double(queries.elapsedSinceTopic[row])
            return ReturnClock(
                queries.rhythm(row), touch: Double(queries.moment[row]) / 1e6 - since, horizon: unit, pause: pause)
        }
        func tensor(_ value: (Int) -> Double) throws(TorchError) -> Tensor {
            try Tensor(clocks.indices.map { Float(value($0)) })
        }
        duration = try tensor { questions.duration[$0] }
        observed = try tensor { questions.observed[$0] ? 1 : 0 }
        entry = try tensor { questions.entry[$0] }
        ownDuration = try tensor { clocks[$0].own(questions.duration[$0]) }
        ownEntry = try tensor { clocks[$0].own(questions.entry[$0]) }
        speed = try tensor { clocks[$0].speed(questions.duration[$0]) }
        self.clocks = clocks
    }
}
