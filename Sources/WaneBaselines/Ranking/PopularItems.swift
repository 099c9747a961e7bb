import WaneEvents
import WaneState
import WaneTasks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How often each item was met: in all, or with every event's weight halving in `halfLifeDays` up to the moment
/// of the question.
public struct PopularItems: RankingBaseline {
    let halfLifeDays: Double?

    public init(halfLifeDays: Double?) { self.halfLifeDays = halfLifeDays }

    public var name: String { halfLifeDays.map { "popularity, half-life \(Int($0)) days" } ?? "popularity" }

    public func fitted(_ task: RankingTask, before part: Part) -> any ItemRanker {
        var events: [(time: Int64, item: UInt32)] = []
        for user in 0..<task.userCount {
            for index in task.known(user, before: part) { events.append((task.log.time[index], task.log.item[index])) }
        }
        events.sort { $0.time < $1.time }
        guard let halfLifeDays else { return Counted(events.map(\.item), items: task.itemCount) }
        return Decayed(events: events, items: task.itemCount, halfLife: halfLifeDays * 86_400e6)
    }

    private struct Counted: ItemRanker {
        let counts: [Float]

        init(_ items: [UInt32], items count: Int) {
            var counts = [Float](repeating: 0, count: count)
            for item in items { counts[Int(item)] += 1 }
            self.counts = counts
        }

        func scores(_ queries: [RankingQuery]) -> [Float] { queries.flatMap { _ in counts } }
        var kept: KeptScores? { .counts(counts) }
    }

    /// Sums of `2^((time - base) / halfLife)`, swept once over events and questions in the order of time.
    private struct Decayed: ItemRanker {
        let events: [(time: Int64, item: UInt32)]
        let items: Int
        /// Microseconds.
        let halfLife: Double

        /// From the last event on all sums fade alike: their order, and their standardized values, stand still.
        var kept: KeptScores? {
            guard let last = events.last else { return nil }
            return .counts(scores([RankingQuery(user: 0, history: 0..<0, moment: last.time)]))
        }

        func scores(_ queries: [RankingQuery]) -> [Float] {
            var scores = [Float](repeating: 0, count: queries.count * items)
            var sums = [Double](repeating: 0, count: items)
            var base = events.first?.time ?? 0
            var next = 0
            for row in queries.indices.sorted(by: { queries[$0].moment < queries[$1].moment }) {
                let moment = queries[row].moment
                while next < events.count, events[next].time <= moment {
                    var exponent = Double(events[next].time - base) / halfLife
                    if exponent > 500 {
                        let scale = exp2(-exponent)
                        for item in sums.indices { sums[item] *= scale }
                        base = events[next].time
                        exponent = 0
                    }
                    sums[Int(events[next].item)] += exp2(exponent)
                    next += 1
                }
                let scale = exp2(-Double(moment - base) / halfLife)
                for item in 0..<items { scores[row * items + item] = Float(sums[item] * scale) }
            }
            return scores
        }
    }
}
