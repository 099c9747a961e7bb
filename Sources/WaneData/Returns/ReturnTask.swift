/// Questions of how long until a person comes back to a topic, each asked right after a touch, with the answers.
public struct ReturnQueries: Sendable {
    public let queries: QuerySet
    /// Horizons until the next touch where it was seen, else until the part ended.
    public let duration: [Double]
    public let observed: [Bool]
    /// For each question, horizons since each of the pair's touches up to the last one, oldest first.
    public let ages: [[Double]]

    public var count: Int { duration.count }
}

/// The return-time task on a log: the parts of ``Split``, and durations that are censored where a part ends.
///
/// Touches nearer than a ten-thousandth of the horizon to the next one are within a visit, not before a return, and
/// no question is asked after them.
public struct ReturnTask: Sendable {
    public let interest: InterestTask
    /// Horizons: shorter gaps count as the same visit.
    public static let shortestGap = 1e-4
    /// Past touches of the pair that are kept with a question.
    static let agesKept = 50

    public init(_ interest: InterestTask) { self.interest = interest }

    /// At most `count` questions of a part, drawn evenly from all that can be asked.
    public func questions(_ part: Part, count: Int, seed: UInt64) throws(SplitError) -> ReturnQueries {
        let histories = interest.histories
        let split = interest.split
        let (from, to): (Int64, Int64) =
            switch part {
            case .train: (split.start, split.trainEnd)
            case .validation: (split.trainEnd, split.validationEnd)
            case .test: (split.validationEnd, split.end)
            }
        let horizon = Double(split.horizon)
        let positions = histories.log.clock == .position
        let shortest = positions ? 0 : Self.shortestGap * horizon
        var places: [(pair: Int, touch: Int)] = []
        for pair in 0..<histories.pairCount {
            for touch in histories.pairStarts[pair]..<histories.pairStarts[pair + 1] {
                let at = histories.time(ofTouch: touch)
                guard at >= from, at < end(of: pair, to, positions) else { continue }
                if touch + 1 < histories.pairStarts[pair + 1],
                    Double(histories.time(ofTouch: touch + 1) - at) <= shortest
                {
                    continue
                }
                places.append((pair, touch))
            }
        }
        guard !places.isEmpty else { throw .noQueries(part: part.rawValue) }
        var generator = SeededGenerator(seed: seed, stream: 40 + UInt64(Part.allCases.firstIndex(of: part) ?? 0))
        if places.count > count {
            places.shuffle(using: &generator)
            places.removeLast(places.count - count)
            places.sort { $0.touch < $1.touch }
        }
        var duration: [Double] = []
        var observed: [Bool] = []
        var ages: [[Double]] = []
        for (pair, touch) in places {
            let at = histories.time(ofTouch: touch)
            let end = end(of: pair, to, positions)
            let next =
                touch + 1 < histories.pairStarts[pair + 1] ? histories.time(ofTouch: touch + 1) : Int64.max
            observed.append(next <= end)
            duration.append(max(Self.shortestGap, Double(min(next, end) - at) / horizon))
            let first = max(histories.pairStarts[pair], touch + 1 - Self.agesKept)
            ages.append((first...touch).map { Double(at - histories.time(ofTouch: $0)) / horizon })
        }
        let queries = interest.queries(at: places.map { ($0.pair, histories.time(ofTouch: $0.touch)) })
        return ReturnQueries(queries: queries, duration: duration, observed: observed, ages: ages)
    }

    /// Until when a pair is watched in a part that ends at `to`: a person's own clock ends with their history.
    private func end(of pair: Int, _ to: Int64, _ positions: Bool) -> Int64 {
        guard positions else { return to }
        let histories = interest.histories
        return min(to, histories.log.time[histories.userStarts[Int(histories.pairUser[pair]) + 1] - 1])
    }
}
