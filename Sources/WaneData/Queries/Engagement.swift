/// How much each event counts: `w(e)` in `(0, 1]`.
///
/// An explicit weight or rating where the log has one, as a share of the largest in the training part; else
/// the percentile of the duration among the item's durations in the training part (among all of them where
/// the item has fewer than ten); else 1.
public struct Engagement: Sendable {
    /// What was learned from the training part, kept with a model so that another log is read alike.
    public struct Scale: Sendable, Codable, Equatable {
        /// The largest weight or rating; 1 where the log has none.
        public var largestWeight: Float = 1
        /// Durations at even steps of the distribution, lowest first; empty where the log has none.
        public var durationQuantiles: [Float] = []

        public init() {}
    }

    public enum Source: String, Sendable, Codable { case weight, duration, none }

    public let values: [Float]
    public let scale: Scale
    public let source: Source

    private static let smallest: Float = 1e-3
    private static let fewDurations = 10

    /// - Parameters:
    ///   - until: the end of the training part; nothing at or after it is learned from.
    ///   - known: a scale learned before, for a log that the model was not trained on.
    /// - Complexity: O(n log n)
    public init(_ log: EventLog, until: Int64, known: Scale? = nil) {
        var scale = known ?? Scale()
        let training = (0..<log.count).filter { log.time[$0] < until }
        if let weight = log.weight {
            if known == nil {
                let largest = training.reduce(Float(0)) { max($0, weight[$1].isNaN ? 0 : weight[$1]) }
                scale.largestWeight = largest > 1 ? largest : 1
            }
            values = weight.values.map { value in
                value.isNaN ? 0.5 : min(1, max(Self.smallest, value / scale.largestWeight))
            }
            source = .weight
        } else if let duration = log.duration {
            var byItem = [Int: [Float]]()
            var all: [Float] = []
            if known == nil {
                for place in training where !duration[place].isNaN {
                    byItem[Int(log.item[place]), default: []].append(duration[place])
                    all.append(duration[place])
                }
                all.sort()
                for item in byItem.keys { byItem[item]?.sort() }
                scale.durationQuantiles = all.isEmpty ? [] : (0...200).map { all[$0 * (all.count - 1) / 200] }
            } else {
                all = scale.durationQuantiles
            }
            values = (0..<log.count).map { place in
                let seconds = duration[place]
                if seconds.isNaN || all.isEmpty { return 0.5 }
                let own = byItem[Int(log.item[place])] ?? []
                let sorted = own.count >= Self.fewDurations ? own : all
                let below = sorted.partitioningIndex { $0 > seconds }
                return Float(max(1, below)) / Float(sorted.count)
            }
            source = .duration
        } else {
            values = [Float](repeating: 1, count: log.count)
            source = .none
        }
        self.scale = scale
    }
}

extension RandomAccessCollection {
    /// The first place whose element satisfies `predicate`, in a collection that is false then true.
    ///
    /// - Complexity: O(log n)
    @inline(__always)
    public func partitioningIndex(where predicate: (Element) -> Bool) -> Index {
        var low = startIndex
        var left = count
        while left > 0 {
            let half = left / 2
            let middle = index(low, offsetBy: half)
            if predicate(self[middle]) {
                left = half
            } else {
                low = index(after: middle)
                left -= half + 1
            }
        }
        return low
    }
}
