import Torch
import WaneEvents
import WaneTasks

/// Some queries of a set, with the stretches of history that they need, each stretch once.
public struct HistoryBatch: Sendable {
    /// Indices in the query set, in the batch's order.
    public let queries: [Int]
    /// Which snapshot of what concerns everybody the batch may see; -1 for none.
    let snapshot: Int
    /// The stretches' events, as indices in the log in packed order; -1 for padding.
    let events: [Int64]
    let layout: HistoryLayout
    /// The stretch and the step in it of the state that each query reads, and its packed row.
    let questions: [(sequence: Int, step: Int)]
    let states: [Int64]

    /// A stretch of one person's history and the queries that end in it.
    private struct Stretch {
        let start: Int
        let snapshot: Int
        var length = 0
        var queries: [(index: Int, step: Int)] = []
    }

    /// Where the stretch begins that a person's event at `step`, from 0, is read in: histories longer than
    /// `historyLength` are read in stretches that overlap by half, so that a state has seen at least half of that
    /// length, and which stretch an event's state comes from depends on its own place alone.
    public static func stretchStart(step: Int, historyLength: Int) -> Int {
        let half = historyLength / 2
        return step < historyLength ? 0 : (step / half - 1) * half
    }

    /// Divides a query set into batches of about `size` queries, stretches of like length together.
    ///
    /// - Parameters:
    ///   - bySnapshot: put queries that see different snapshots into different batches.
    ///   - generator: shuffles people and batches; the order of the set when absent.
    public static func batches(
        _ queries: QuerySet, _ histories: Histories, historyLength: Int, size: Int, bySnapshot: Bool,
        shuffledBy generator: inout SeededGenerator?
    ) -> [HistoryBatch] {
        struct Key: Hashable {
            let start: Int
            let snapshot: Int
        }
        var numbers: [Key: Int] = [:]
        var stretches: [Stretch] = []
        for index in 0..<queries.count {
            let first = histories.userStarts[Int(queries.user[index])]
            let step = queries.event[index] - first
            let offset = stretchStart(step: step, historyLength: historyLength)
            let key = Key(start: first + offset, snapshot: bySnapshot ? queries.snapshot[index] : 0)
            let number = numbers[key] ?? stretches.count
            if number == stretches.count {
                numbers[key] = number
                stretches.append(Stretch(start: key.start, snapshot: key.snapshot))
            }
            stretches[number].queries.append((index, step - offset))
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
            let part = stretches[start..<end].sorted {
                ($0.snapshot, $0.length, $0.start) < ($1.snapshot, $1.length, $1.start)
            }
            var group: [Stretch] = []
            var count = 0
            for stretch in part {
                if let last = group.last, last.snapshot != stretch.snapshot {
                    batches.append(HistoryBatch(group))
                    group = []
                    count = 0
                }
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
        var events = [Int64](repeating: 0, count: layout.rowCount)
        var queries: [Int] = []
        var questions: [(sequence: Int, step: Int)] = []
        for (number, stretch) in stretches.enumerated() {
            for step in 0..<stretch.length {
                events[layout.packed.row(sequence: number, step: step)] = Int64(stretch.start + step)
            }
            for query in stretch.queries {
                queries.append(query.index)
                questions.append((number, query.step))
            }
        }
        self.init(
            queries: queries, snapshot: stretches.first?.snapshot ?? 0, events: events, layout: layout,
            questions: questions)
    }

    /// Stretches laid side by side by the caller.
    ///
    /// - Parameters:
    ///   - events: indices of an ``EventTensors``, in packed order; -1 for padding.
    ///   - questions: for each query the stretch and the step whose state it reads.
    init(
        queries: [Int], snapshot: Int, events: [Int64], layout: HistoryLayout,
        questions: [(sequence: Int, step: Int)]
    ) {
        self.queries = queries
        self.snapshot = snapshot
        self.events = events
        self.layout = layout
        self.questions = questions
        states = questions.map { Int64(layout.packed.row(sequence: $0.sequence, step: $0.step)) }
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

    init(plain queries: [Int]) {
        self.init(
            queries: queries, snapshot: 0, events: [], layout: HistoryLayout(lengths: []), questions: [])
    }
}
