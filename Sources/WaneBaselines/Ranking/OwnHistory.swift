import WaneEvents
import WaneState
import WaneTasks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The items of the person's own history, by how lately or how often they were met; all others follow, by popularity.
///
///     latest        the item met last first
///     places(h)     sum over meetings of 2^(-events since / h)
///     days(h)       sum over meetings of 2^(-days since / h)
///     power(d)      log sum over meetings of (events since)^-d
///
/// The last is the base-level activation of Anderson and Schooler (Psychological Science 2, 1991).
public struct OwnHistory: RankingBaseline {
    public enum Rule: Sendable, Equatable {
        case latest
        case places(halfLife: Double)
        case days(halfLife: Double)
        case power(exponent: Double)
    }

    let rule: Rule

    public init(_ rule: Rule) { self.rule = rule }

    public var name: String {
        switch rule {
        case .latest: "own items, latest first"
        case .places(.infinity): "own items by count"
        case .places(let halfLife): "own items, halves every \(Int(halfLife))"
        case .days(let halfLife):
            "own items, half-life \(halfLife < 1 ? "\(Int(halfLife * 24)) h" : "\(Int(halfLife)) d")"
        case .power(let exponent): "own items, power \(exponent)"
        }
    }

    public func fitted(_ task: RankingTask, before part: Part) -> any ItemRanker {
        var counts = [Float](repeating: 0, count: task.itemCount)
        var total: Float = 1
        for user in 0..<task.userCount {
            for index in task.known(user, before: part) {
                counts[Int(task.log.item[index])] += 1
                total += 1
            }
        }
        return Fitted(rule: rule, log: task.log, popularity: counts.map { $0 / total })
    }

    private struct Fitted: ItemRanker {
        let rule: Rule
        let log: EventLog
        /// Below 1.
        let popularity: [Float]

        func scores(_ queries: [RankingQuery]) -> [Float] {
            var scores: [Float] = []
            scores.reserveCapacity(queries.count * popularity.count)
            for query in queries {
                let start = scores.count
                scores.append(contentsOf: popularity)
                // Sums of what fades differ by many powers of ten: only their order is kept; of equal ones the more popular first.
                let order = logMasses(query).sorted { $0.value < $1.value }
                var place = 0
                for (index, entry) in order.enumerated() {
                    if index > 0, entry.value > order[index - 1].value { place = index }
                    scores[start + Int(entry.key)] += 1 + Float(place)
                }
            }
            return scores
        }

        /// Logarithms to base 2: sums of what is long past are too small for numbers.
        private func logMasses(_ query: RankingQuery) -> [UInt32: Double] {
            var masses: [UInt32: Double] = [:]
            for (back, index) in query.history.reversed().enumerated() {
                let distance = Double(back + 1)
                let own =
                    switch rule {
                    case .latest: -distance
                    case .places(let halfLife): -distance / halfLife
                    case .days(let halfLife): -Double(query.moment - log.time[index]) / 86_400e6 / halfLife
                    case .power(let exponent): -exponent * log2(distance)
                    }
                let item = log.item[index]
                guard let sum = masses[item] else {
                    masses[item] = own
                    continue
                }
                if rule == .latest { continue }
                masses[item] = max(sum, own) + log2(1 + exp2(-abs(sum - own)))
            }
            return masses
        }
    }
}
