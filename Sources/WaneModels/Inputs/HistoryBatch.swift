import Torch
import WaneData

/// Some queries of a set, with the stretches of history that they need, each stretch once.
public struct HistoryBatch: Sendable {
    /// Places in the query set, in the batch's order.
    public let queries: [Int]
    /// The stretches' events, as places in the log in packed order.
    let events: [Int64]
    let layout: HistoryLayout
    /// The stretch and the step in it of the state that each query reads, and its packed row.
    let questions: [(sequence: Int, step: Int)]
    let states: [Int64]

    /// A stretch of one person's history and the queries that end in it.
    private struct Stretch {
        let start: Int
        var length = 0
        var queries: [(place: Int, step: Int)] = []
    }

    /// Divides a query set into batches of about `size` queries, stretches of like length together.
    ///
    /// A history longer than `historyLength` is read in stretches that overlap by half, so that a state has
    /// seen at least half of that length; which stretch a query reads depends on its own place alone.
    ///
    /// - Parameter generator: shuffles people and batches; the order of the set when absent.
    public static func batches(
        _ queries: QuerySet, _ histories: Histories, historyLength: Int, size: Int,
        shuffledBy generator: inout SeededGenerator?
    ) -> [HistoryBatch] {
        var numbers: [Int: Int] = [:]
        var stretches: [Stretch] = []
        let half = historyLength / 2
        for place in 0..<queries.count {
            let first = histories.userStarts[Int(queries.user[place])]
            let step = queries.event[place] - first
            let offset = step < historyLength ? 0 : (step / half - 1) * half
            let start = first + offset
            let number = numbers[start] ?? stretches.count
            if number == stretches.count {
                numbers[start] = number
                stretches.append(Stretch(start: start))
            }
            stretches[number].queries.append((place, step - offset))
            stretches[number].length = max(stretches[number].length, step - offset + 1)
        }
        if var random = generator {
            stretches.shuffle(using: &random)
            generator = random
        }
        // Neighbours in a window of about eight batches are sorted by length: little is lost of the shuffle.
        let perStretch = max(1, queries.count / max(1, stretches.count))
        let window = max(1, 8 * size / perStretch)
        var batches: [HistoryBatch] = []
        var start = 0
        while start < stretches.count {
            let end = min(stretches.count, start + window)
            let part = stretches[start..<end].sorted { ($0.length, $0.start) < ($1.length, $1.start) }
            var group: [Stretch] = []
            var count = 0
            for stretch in part {
                group.append(stretch)
                count += stretch.queries.count
                if count >= size {
                    batches.append(HistoryBatch(group))
                    group = []
                    count = 0
                }
            }
            if !group.isEmpty { batches.append(HistoryBatch(group)) }
            start = end
        }
        if var random = generator {
            batches.shuffle(using: &random)
            generator = random
        }
        return batches
    }

    private init(_ stretches: [Stretch]) {
        let layout = HistoryLayout(lengths: stretches.map(\.length))
        var events = [Int64](repeating: 0, count: stretches.reduce(0) { $0 + $1.length })
        var queries: [Int] = []
        var questions: [(sequence: Int, step: Int)] = []
        var states: [Int64] = []
        for (number, stretch) in stretches.enumerated() {
            for step in 0..<stretch.length {
                events[layout.packed.row(sequence: number, step: step)] = Int64(stretch.start + step)
            }
            for query in stretch.queries {
                queries.append(query.place)
                questions.append((number, query.step))
                states.append(Int64(layout.packed.row(sequence: number, step: query.step)))
            }
        }
        self.queries = queries
        self.events = events
        self.questions = questions
        self.states = states
        self.layout = layout
    }

    /// Of each packed row, seconds since its stretch's first event.
    func times(_ log: EventLog) -> [Float] {
        var times = [Float](repeating: 0, count: events.count)
        for (sequence, length) in layout.lengths.enumerated() {
            let first = log.time[Int(events[layout.packed.row(sequence: sequence, step: 0)])]
            for step in 0..<length {
                let row = layout.packed.row(sequence: sequence, step: step)
                times[row] = Float(Double(log.time[Int(events[row])] - first) / 1e6)
            }
        }
        return times
    }

    /// Batches without histories, for families that read none.
    public static func plain(
        _ count: Int, size: Int, shuffledBy generator: inout SeededGenerator?
    ) -> [HistoryBatch] {
        var order = Array(0..<count)
        if var random = generator {
            order.shuffle(using: &random)
            generator = random
        }
        return stride(from: 0, to: count, by: size).map {
            HistoryBatch(plain: Array(order[$0..<min(count, $0 + size)]))
        }
    }

    private init(plain queries: [Int]) {
        self.queries = queries
        events = []
        layout = HistoryLayout(lengths: [])
        questions = []
        states = []
    }
}
