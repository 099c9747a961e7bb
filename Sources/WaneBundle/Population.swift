import WaneCurves
import WaneMetrics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a model says of people in general, where a person has not met a topic or is not known at all.
public enum Population: Sendable, Equatable {
    /// Of models of interest.
    case curves(PopulationCurves)
    /// Of models of return times.
    case returnTimes(PopulationReturnTimes)
    /// Of models of the next item: how much each was met, by the model's numbers of items.
    case itemCounts([Float])
}

/// Curves of the population: what answers where a person has not met a topic, or is not known at all.
///
/// For each topic the mean of the model's own curve parameters and of the logarithms of elapsed times over validation
/// queries, drawn towards the mean of all topics as if there were twenty more of those.
public struct PopulationCurves: Sendable, Equatable {
    /// `[topic rows + 1, parameters + 2]`, row by row; row 0 is of all topics. The last two are mean logarithms of
    /// seconds since the topic and since any event.
    public let rows: [Float]
    public static let width = 13
    static let priorQueries = 20.0

    public init(rows: [Float]) { self.rows = rows }

    /// - Parameters:
    ///   - parameters: `[queries, 11]`, row by row.
    ///   - topicRows: the model's row of each query's topic, and how many rows there are beside row 0.
    public init(
        parameters: [Float], elapsedSinceTopic: [Float], elapsedSinceEvent: [Float], topicRows: [Int64], rows: Int
    ) {
        let width = Self.width
        let inputs = topicRows.indices.map { query -> [Double] in
            parameters[query * (width - 2)..<(query + 1) * (width - 2)].map(Double.init) + [
                log(max(1, Double(elapsedSinceTopic[query]))), log(max(1, Double(elapsedSinceEvent[query]))),
            ]
        }
        var all = [Double](repeating: 0, count: width)
        for input in inputs { for column in 0..<width { all[column] += input[column] } }
        let count = Double(max(1, inputs.count))
        for column in 0..<width { all[column] /= count }
        var sums = [Double](repeating: 0, count: (rows + 1) * width)
        var counts = [Double](repeating: 0, count: rows + 1)
        for (input, row) in zip(inputs, topicRows) where row > 0 {
            counts[Int(row)] += 1
            for column in 0..<width { sums[Int(row) * width + column] += input[column] }
        }
        self.rows = (0...rows).flatMap { row -> [Float] in
            (0..<width).map { column in
                let own = row == 0 ? 0 : sums[row * width + column]
                let weight = row == 0 ? 0 : counts[row]
                return Float((own + Self.priorQueries * all[column]) / (weight + Self.priorQueries))
            }
        }
    }

    /// The curve that stands for a topic; row 0 stands for any.
    ///
    /// - Parameter horizon: seconds.
    public func curve(topicRow: Int, horizon: Double) -> InterestCurve {
        let start = max(0, min(topicRow, rows.count / Self.width - 1)) * Self.width
        let own = Array(rows[start..<start + Self.width])
        return InterestCurve(
            own.dropLast(2), elapsedSinceTopic: exp(Double(own[Self.width - 2])),
            elapsedSinceEvent: exp(Double(own[Self.width - 1])), horizon: horizon)
    }
}

/// How long people in general stay away from a topic after they touched it: Kaplan and Meier's estimate on training
/// questions, a row a topic; a topic of which too few returns were seen has the row of all topics.
public struct PopulationReturnTimes: Sendable, Equatable {
    /// `[topic rows + 1, 3]`, row by row, in horizons from the touch: by then a tenth, half and nine tenths have come
    /// back; -1 where so many were not seen to. Row 0 is of all topics.
    public let rows: [Float]
    public static let shares = [0.1, 0.5, 0.9]
    static let leastReturns = 50

    public init(rows: [Float]) { self.rows = rows }

    /// - Parameters:
    ///   - durations: horizons from the touch to the return where it was seen, else to the end of what was watched.
    ///   - topicRows: the model's row of each question's topic; `rows` how many there are beside row 0.
    public init(durations: [Double], observed: [Bool], topicRows: [Int64], rows: Int) {
        var byRow = [[Int]](repeating: [], count: rows + 1)
        for question in durations.indices {
            byRow[0].append(question)
            if topicRows[question] > 0 { byRow[Int(topicRows[question])].append(question) }
        }
        func quantiles(_ questions: [Int]) -> [Float] {
            let curve = KaplanMeier(
                durations: questions.map { durations[$0] }, observed: questions.map { observed[$0] })
            return Self.shares.map { curve.time(share: $0).map { Float($0) } ?? -1 }
        }
        let all = quantiles(byRow[0])
        self.rows = byRow.flatMap { questions in
            questions.count { observed[$0] } < Self.leastReturns ? all : quantiles(questions)
        }
    }

    /// Horizons from a touch by which a share of ``shares`` has come back, by its index; nothing where so many were
    /// not seen to. Topic row 0 stands for any.
    public func time(_ share: Int, topicRow: Int) -> Double? {
        let row = max(0, min(topicRow, rows.count / Self.shares.count - 1))
        let value = rows[row * Self.shares.count + share]
        return value < 0 ? nil : Double(value)
    }
}
