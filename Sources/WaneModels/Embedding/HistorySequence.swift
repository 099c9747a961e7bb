import Torch

/// Where the events of some stretches of history lie, packed and padded.
public struct HistoryLayout: Sendable {
    public let lengths: [Int]
    public let packed: PackedLayout
    public let longest: Int

    public init(lengths: [Int]) {
        self.lengths = lengths
        packed = PackedLayout(lengths: lengths)
        longest = lengths.max() ?? 0
    }

    public var rowCount: Int { lengths.reduce(0, +) }

    /// For each place of `[B, L]` the packed row there; row 0 beyond a stretch's end.
    var rowOfPlace: [Int64] {
        var rows = [Int64](repeating: 0, count: lengths.count * longest)
        for (sequence, length) in lengths.enumerated() {
            for step in 0..<length {
                rows[sequence * longest + step] = Int64(packed.row(sequence: sequence, step: step))
            }
        }
        return rows
    }

    /// For each packed row its place in `[B, L]`.
    var placeOfRow: [Int64] {
        var places = [Int64](repeating: 0, count: rowCount)
        for (sequence, length) in lengths.enumerated() {
            for step in 0..<length {
                places[packed.row(sequence: sequence, step: step)] = Int64(sequence * longest + step)
            }
        }
        return places
    }
}

/// Stretches of people's histories as encoders read them.
public struct HistorySequence {
    /// Event vectors, `[rows, D]`.
    public let events: PackedSequence
    public let layout: HistoryLayout
    /// Of each packed row: when its event was, and the moment that its state is for; both in seconds since the
    /// stretch's first event, `[rows]`.
    public let times: Tensor
    public let moments: Tensor
    /// Seconds that count as one unit of time where an encoder needs one: the horizon.
    public let timeUnit: Double
    private let rowOfPlace: Tensor
    private let placeOfRow: Tensor
    /// Where attention weights are kept, for those who ask what was attended to.
    var attention: AttentionRecord?

    public init(
        _ vectors: Tensor, layout: HistoryLayout, times: [Float], moments: [Float], timeUnit: Double
    ) throws(TorchError) {
        events = PackedSequence(data: vectors, batchSizes: try Tensor(layout.packed.batchSizes))
        self.layout = layout
        self.times = try Tensor(times)
        self.moments = try Tensor(moments)
        self.timeUnit = timeUnit
        rowOfPlace = try Tensor(layout.rowOfPlace)
        placeOfRow = try Tensor(layout.placeOfRow)
    }

    private init(_ other: HistorySequence, vectors: Tensor) {
        events = PackedSequence(data: vectors, batchSizes: other.events.batchSizes)
        layout = other.layout
        times = other.times
        moments = other.moments
        timeUnit = other.timeUnit
        rowOfPlace = other.rowOfPlace
        placeOfRow = other.placeOfRow
        attention = other.attention
    }

    /// The same stretches with other vectors.
    public func with(_ vectors: Tensor) -> HistorySequence { HistorySequence(self, vectors: vectors) }

    /// `[rows, ...] -> [B, L, ...]`; what stands beyond a stretch's end is of no meaning.
    func padded(_ x: Tensor) throws(TorchError) -> Tensor {
        try x.rows(rowOfPlace).reshaped([layout.lengths.count, layout.longest] + x.shape.dropFirst())
    }

    /// `[B, L, ...] -> [rows, ...]`.
    func packed(_ y: Tensor) throws(TorchError) -> Tensor {
        let shape = y.shape
        return try y.reshaped([shape[0] * shape[1]] + shape.dropFirst(2)).rows(placeOfRow)
    }

    /// The attention weights of each place over its past; see ``Fused/causalWeights(_:placeBias:timeBias:times:moments:lengths:pointwise:)``.
    func causalWeights(
        _ scores: Tensor, place: Tensor, time: Tensor, pointwise: Bool = false
    ) throws(TorchError) -> Tensor {
        let weights = try Fused.causalWeights(
            scores, placeBias: place.slice(1, 0..<layout.longest), timeBias: time, times: padded(times),
            moments: padded(moments), lengths: Tensor(layout.lengths.map(Int64.init)), pointwise: pointwise)
        attention?.weights.append(weights)
        return weights
    }

    /// Seconds from each event to the person's next one in the stretch, 0 for the last: `[rows]`.
    func gapsToNext() throws(TorchError) -> Tensor {
        let times: [Float] = try times.values()
        var gaps = [Float](repeating: 0, count: times.count)
        for (sequence, length) in layout.lengths.enumerated() where length > 1 {
            for step in 0..<length - 1 {
                let row = layout.packed.row(sequence: sequence, step: step)
                gaps[row] = times[layout.packed.row(sequence: sequence, step: step + 1)] - times[row]
            }
        }
        return try Tensor(gaps)
    }
}

/// The last events before each question, for encoders that meet them with a candidate.
public struct HistoryWindows {
    /// `[N, M, D]`, newest last; of no meaning where `mask` is 0.
    public let vectors: Tensor
    /// 1 where there is an event: `[N, M]`.
    public let mask: Tensor
    /// The logarithm of seconds from each event to the question's moment, about 0...1: `[N, M]`.
    public let logGap: Tensor
    /// Each of the windows once: what does not depend on the candidate is read once for all of a moment's questions.
    let distinct: (vectors: Tensor, mask: Tensor)
    /// int64 `[N]`: which of the distinct windows a question reads; nothing where each has its own.
    private let row: Tensor?
    let attention: AttentionRecord?

    /// What was made of the distinct windows, for each question: `[windows, ...] -> [N, ...]`.
    func spread(_ x: Tensor) throws(TorchError) -> Tensor {
        try row.map { row throws(TorchError) in try x.rows(row) } ?? x
    }

    /// The only question, `count` times.
    func repeated(_ count: Int) throws(TorchError) -> HistoryWindows {
        func all(_ x: Tensor) throws(TorchError) -> Tensor { try x.expanded([count] + x.shape.dropFirst()) }
        return HistoryWindows(
            vectors: try all(vectors), mask: try all(mask), logGap: try all(logGap), distinct: distinct,
            row: try Tensor([Int64](repeating: 0, count: count)), attention: attention)
    }

    private init(
        vectors: Tensor, mask: Tensor, logGap: Tensor, distinct: (vectors: Tensor, mask: Tensor), row: Tensor?,
        attention: AttentionRecord?
    ) {
        self.attention = attention
        self.vectors = vectors
        self.mask = mask
        self.logGap = logGap
        self.distinct = distinct
        self.row = row
    }

    /// - Parameter questions: each question's last event, given as a stretch and a step.
    public init(
        _ history: HistorySequence, questions: [(sequence: Int, step: Int)], length: Int
    ) throws(TorchError) {
        attention = history.attention
        var number: [Int64: Int64] = [:]
        var windows: [(sequence: Int, step: Int)] = []
        var last: [Int64] = []
        let row = questions.map { question -> Int64 in
            let place = Int64(history.layout.packed.row(sequence: question.sequence, step: question.step))
            if let own = number[place] { return own }
            number[place] = Int64(windows.count)
            windows.append(question)
            last.append(place)
            return Int64(windows.count - 1)
        }
        var rows = [Int64](repeating: 0, count: windows.count * length)
        var mask = [Float](repeating: 0, count: windows.count * length)
        for (number, question) in windows.enumerated() {
            let count = min(length, question.step + 1)
            for back in 0..<count {
                let place = number * length + length - 1 - back
                rows[place] = Int64(history.layout.packed.row(sequence: question.sequence, step: question.step - back))
                mask[place] = 1
            }
        }
        let places = try Tensor(rows)
        let ownVectors = try history.events.data.rows(places)
            .reshaped([windows.count, length, history.events.data.shape[1]])
        let ownMask = try Tensor(mask, shape: [windows.count, length])
        let own = try history.moments.rows(Tensor(last))
        let gaps = try own.unsqueezed(1) - history.times.rows(places).reshaped([windows.count, length])
        let ownGap = try gaps.clamped(0, 1e12).logOnePlus() * 0.05
        distinct = (ownVectors, ownMask)
        // Where no window is asked twice, as in much of training, nothing is copied.
        let index = windows.count == questions.count ? nil : try Tensor(row)
        func spread(_ x: Tensor) throws(TorchError) -> Tensor {
            try index.map { index throws(TorchError) in try x.rows(index) } ?? x
        }
        vectors = try spread(ownVectors)
        self.mask = try spread(ownMask)
        logGap = try spread(ownGap)
        self.row = index
    }
}

/// The weights that attention gave to a history's events, layer by layer: `[B, heads, L, L]` of self-attention, `[N, M]` of a
/// candidate's.
final class AttentionRecord {
    var weights: [Tensor] = []
}
