import WaneEvents

/// What an event's engagement `w` in `(0, 1]` is measured against: learned from the training part, kept with a
/// model, so that another log's events count as they would have then.
///
/// An explicit weight or rating where the log has one, as a share of the largest in the training part; else the
/// percentile of the duration among the item's durations there (among all of them where the item has fewer than
/// ten); else 1. An event without a value counts a half.
public struct EngagementScale: Sendable, Equatable {
    public enum Source: String, Sendable, Codable { case weight, duration, none }

    public let source: Source
    /// The largest weight or rating; 1 where there is none.
    public let largestWeight: Float
    /// Durations at even steps of their distribution, lowest first: ``steps`` of them, none where the log has none.
    public let durations: [Float]
    /// The same for items with at least ten durations, in fewer steps, end to end; see ``rowOfItem``.
    public let itemDurations: [Float]
    /// For each item of the training log the place of its quantiles among `itemDurations`; -1 where it has none.
    public let rowOfItem: [Int32]

    public static let steps = 201
    public static let itemSteps = 33
    static let smallest: Float = 1e-3
    static let fewDurations = 10

    public init(
        source: Source, largestWeight: Float = 1, durations: [Float] = [], itemDurations: [Float] = [],
        rowOfItem: [Int32] = []
    ) {
        self.source = source
        self.largestWeight = largestWeight
        self.durations = durations
        self.itemDurations = itemDurations
        self.rowOfItem = rowOfItem
    }

    /// - Parameter until: the end of the training part; nothing at or after it is learned from.
    /// - Complexity: O(n log n) time, eight bytes an event of the training part.
    public init(_ log: EventLog, until: Int64) {
        if let weight = log.weight {
            var largest: Float = 0
            for index in 0..<log.count where log.time[index] < until {
                largest = max(largest, weight[index].isNaN ? 0 : weight[index])
            }
            self.init(source: .weight, largestWeight: largest > 1 ? largest : 1)
            return
        }
        guard let duration = log.duration else {
            self.init(source: .none)
            return
        }
        // Item and duration as one number: for floats not below zero the bits are in the numbers' order.
        var entries: [UInt64] = []
        entries.reserveCapacity(log.count)
        for index in 0..<log.count where log.time[index] < until && !duration[index].isNaN {
            entries.append(UInt64(log.item[index]) << 32 | UInt64(max(0, duration[index]).bitPattern))
        }
        RadixSort.sort(&entries)
        var rowOfItem = [Int32](repeating: -1, count: log.items.count)
        var itemDurations: [Float] = []
        var start = 0
        while start < entries.count {
            let item = entries[start] >> 32
            var end = start + 1
            while end < entries.count, entries[end] >> 32 == item { end += 1 }
            if end - start >= Self.fewDurations {
                rowOfItem[Int(item)] = Int32(itemDurations.count / Self.itemSteps)
                for step in 0..<Self.itemSteps {
                    let place = start + step * (end - start - 1) / (Self.itemSteps - 1)
                    itemDurations.append(Float(bitPattern: UInt32(truncatingIfNeeded: entries[place])))
                }
            }
            start = end
        }
        for index in entries.indices { entries[index] &= 0xFFFF_FFFF }
        RadixSort.sort(&entries)
        let durations =
            entries.isEmpty
            ? []
            : (0..<Self.steps).map { step in
                Float(bitPattern: UInt32(entries[step * (entries.count - 1) / (Self.steps - 1)]))
            }
        self.init(
            source: .duration, durations: durations, itemDurations: itemDurations, rowOfItem: rowOfItem)
    }

    /// Engagement of an event.
    ///
    /// - Parameters:
    ///   - item: the item's number in the training log; nothing for one it did not have.
    ///   - duration: seconds; NaN or nothing where the event has none.
    @inline(__always)
    public func engagement(item: Int?, duration: Float?, weight: Float?) -> Float {
        switch source {
        case .none: return 1
        case .weight:
            guard let weight, !weight.isNaN else { return 0.5 }
            return min(1, max(Self.smallest, weight / largestWeight))
        case .duration:
            guard let duration, !duration.isNaN, !durations.isEmpty else { return 0.5 }
            if let item, item < rowOfItem.count, rowOfItem[item] >= 0 {
                let start = Int(rowOfItem[item]) * Self.itemSteps
                return Self.share(itemDurations, start..<start + Self.itemSteps, upTo: duration)
            }
            return Self.share(durations, durations.indices, upTo: duration)
        }
    }

    /// The share of a distribution, given by its quantiles, that lies at or below a value: between 1 over twice the
    /// steps and 1, straight between neighbouring quantiles.
    @inline(__always)
    private static func share(_ quantiles: [Float], _ range: Range<Int>, upTo value: Float) -> Float {
        quantiles.withUnsafeBufferPointer { quantiles in
            let next = range.partitioningIndex { quantiles[$0] > value }
            let steps = Float(range.count - 1)
            if next == range.lowerBound { return 0.5 / (steps + 1) }
            if next == range.upperBound { return 1 }
            let (low, high) = (quantiles[next - 1], quantiles[next])
            let part = high > low ? (value - low) / (high - low) : 0
            return max(0.5 / (steps + 1), (Float(next - 1 - range.lowerBound) + part) / steps)
        }
    }

    /// The same under other numbers of items: `numbers` has, for each new number, the old one.
    public func renumbered(_ numbers: [Int]) -> EngagementScale {
        guard !rowOfItem.isEmpty else { return self }
        return EngagementScale(
            source: source, largestWeight: largestWeight, durations: durations, itemDurations: itemDurations,
            rowOfItem: numbers.map { rowOfItem.indices.contains($0) ? rowOfItem[$0] : -1 })
    }

    /// Engagement of all events of the log that the scale was learned from, or of one that numbers its items alike.
    ///
    /// - Parameter itemOf: the training log's number of each item of `log`; the same numbers when absent.
    public func engagements(_ log: EventLog, itemOf: [Int32]? = nil) -> [Float] {
        [Float](unsafeUninitializedCapacity: log.count) { buffer, filled in
            for index in 0..<log.count {
                let own = Int(log.item[index])
                let item = itemOf.map { Int($0[own]) } ?? own
                buffer[index] = engagement(
                    item: item < 0 ? nil : item, duration: log.duration?[index], weight: log.weight?[index])
            }
            filled = log.count
        }
    }
}
