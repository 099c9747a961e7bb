import WaneData

/// Stretches of histories with the item that follows each event, where it may be learned from.
public struct RankingBatch: Sendable {
    public let layout: HistoryLayout
    /// The model's item row of each packed row, and the person's number in the log.
    let items: [Int64]
    let users: [Int64]
    /// Seconds since the stretch's first event: of the event, and of the next one or of the question.
    let times: [Float]
    let moments: [Float]
    /// Packed rows with a known next item, those items' rows, and the same places as stretch and step.
    public let targetRows: [Int64]
    public let targets: [Int64]
    let targetPlaces: [(sequence: Int, step: Int)]
    let timeUnit: Double

    /// One stretch: the events at `places`; the item after its last one is learned from when `answered`.
    public struct Stretch: Sendable {
        public let places: Range<Int>
        public let answered: Bool
        /// Microseconds of the question after the last event; that of the next event when `answered`.
        public let moment: Int64

        public init(places: Range<Int>, answered: Bool, moment: Int64) {
            self.places = places
            self.answered = answered
            self.moment = moment
        }
    }

    /// - Parameter itemRow: the model's row of each of the log's items.
    public init(
        _ stretches: [Stretch], _ log: EventLog, itemRow: [Int64], timeUnit: Double = 86_400
    ) {
        let layout = HistoryLayout(lengths: stretches.map(\.places.count))
        let rows = layout.rowCount
        var items = [Int64](repeating: 0, count: rows)
        var users = items
        var times = [Float](repeating: 0, count: rows)
        var moments = times
        var targetRows: [Int64] = []
        var targets: [Int64] = []
        var targetPlaces: [(sequence: Int, step: Int)] = []
        for (sequence, stretch) in stretches.enumerated() {
            guard let first = stretch.places.first else { continue }
            let start = log.time[first]
            for (step, place) in stretch.places.enumerated() {
                let row = layout.packed.row(sequence: sequence, step: step)
                items[row] = itemRow[Int(log.item[place])]
                users[row] = Int64(log.user[place])
                times[row] = Float(Double(log.time[place] - start) / 1e6)
                let isLast = place + 1 == stretch.places.upperBound
                let next = isLast && !stretch.answered ? stretch.moment : log.time[place + 1]
                moments[row] = Float(Double(next - start) / 1e6)
                guard !isLast || stretch.answered else { continue }
                let target = itemRow[Int(log.item[place + 1])]
                // An unknown item is nothing to learn.
                guard target > 0 else { continue }
                targetRows.append(Int64(row))
                targets.append(target)
                targetPlaces.append((sequence, step))
            }
        }
        self.layout = layout
        self.items = items
        self.users = users
        self.times = times
        self.moments = moments
        self.targetRows = targetRows
        self.targets = targets
        self.targetPlaces = targetPlaces
        self.timeUnit = timeUnit
    }

    /// The same stretches with at most `count` of their targets, drawn anew.
    public func thinned(to count: Int, using generator: inout SeededGenerator) -> RankingBatch {
        guard targets.count > count else { return self }
        let kept = Array(targets.indices.shuffled(using: &generator).prefix(count))
        return RankingBatch(self, keeping: kept)
    }

    private init(_ other: RankingBatch, keeping kept: [Int]) {
        layout = other.layout
        items = other.items
        users = other.users
        times = other.times
        moments = other.moments
        timeUnit = other.timeUnit
        targetRows = kept.map { other.targetRows[$0] }
        targets = kept.map { other.targets[$0] }
        targetPlaces = kept.map { other.targetPlaces[$0] }
    }
}
