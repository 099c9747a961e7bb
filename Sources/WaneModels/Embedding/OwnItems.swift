import Foundation
import Torch

/// What is known of the items in a person's own history before a question: how lately and how often each was met.
///
/// A model that can repeat reads them beside the items' vectors. The sums of events that fade over places and over time are those
/// of Anderson's base-level activation, `log sum_j t_j^-d`, with the power law left to a small network over several half-lives.
///
/// Source: Anderson and Schooler, "Reflections of the environment in memory", Psychological Science 2 (1991).
public struct OwnItems: Sendable {
    /// Questions, and places for items of each: as many as the longest needs, ``limit`` at most.
    let rows: Int
    let width: Int
    /// Item rows, `[rows, width]`, the latest first; 0 where there are no more.
    let items: [Int64]
    /// `[rows, width, features of each]`.
    let features: [Float]

    /// The different items that are read of each history, those met last; fewer where each costs a pass of its own.
    static let limit = 32
    static let candidateLimit = 8
    /// Of the items that go with a history.
    static let companionLimit = 48
    /// Events before a stretch that are remembered.
    public static let memory = 256
    static let featureCount = 15

    /// In events.
    private static let placeHalfLives: [Float] = [2, 8, 32, 128]
    /// In seconds: an hour, a day, a week, thirty days.
    private static let timeHalfLives = SIMD4<Float>(3_600, 86_400, 604_800, 2_592_000)
    /// `2^(-d / halfLife)` for each distance in events, four side by side.
    private static let fading: [SIMD4<Float>] = (0...4_096 + memory).map { distance in
        SIMD4(placeHalfLives.map { exp2(-Float(distance) / $0) })
    }

    /// - Parameters:
    ///   - stretches: of histories, with what was before them.
    ///   - places: the questions, each after the event at a step of a stretch; the steps of one stretch in any order.
    ///   - limit: items that are read of each history.
    init(_ stretches: [RankingBatch.Stretch], at places: [(sequence: Int, step: Int)], limit: Int) {
        var bySequence = [[(step: Int, row: Int)]](repeating: [], count: stretches.count)
        for (row, place) in places.enumerated() { bySequence[place.sequence].append((place.step, row)) }
        var found = [[Row]](repeating: [], count: places.count)
        for (stretch, asked) in zip(stretches, bySequence) where !asked.isEmpty {
            var history = History()
            for event in stretch.earlier { history.apply(event) }
            var next = 0
            let asked = asked.sorted { $0.step < $1.step }
            for (step, event) in stretch.events.enumerated() {
                history.apply(event)
                while next < asked.count, asked[next].step == step {
                    found[asked[next].row] = history.latest(limit, at: stretch.moment(after: step))
                    next += 1
                }
            }
        }
        rows = places.count
        width = max(1, found.map(\.count).max() ?? 1)
        var items = [Int64](repeating: 0, count: rows * width)
        var features = [Float](repeating: 0, count: rows * width * Self.featureCount)
        for (row, own) in found.enumerated() {
            for (place, entry) in own.enumerated() {
                let index = row * width + place
                items[index] = entry.item
                features.replaceSubrange(
                    index * Self.featureCount..<(index + 1) * Self.featureCount, with: entry.features)
            }
        }
        self.items = items
        self.features = features
    }

    /// The items as int64 `[rows, width]`.
    var places: Tensor { get throws(TorchError) { try Tensor(items, shape: [rows, width]) } }

    init(rows: Int, width: Int, items: [Int64], features: [Float]) {
        (self.rows, self.width, self.items, self.features) = (rows, width, items, features)
    }

    private struct Row {
        let item: Int64
        let features: [Float]
    }

    /// One person's items as of some event, each moved on in constant time.
    private struct History {
        private struct Slot {
            let item: Int64
            let firstTime: Int64
            var lastTime: Int64
            var lastPlace: Int
            var count: Float = 0
            var byPlace = SIMD4<Float>.zero
            var byTime = SIMD4<Float>.zero
            /// The slots met just before and just after this one, -1 at the ends.
            var older = -1
            var newer = -1
        }

        private var slots: [Slot] = []
        private var slotOf: [Int64: Int] = [:]
        private var newest = -1
        private var place = 0
        /// Events of items that have a vector.
        private var known: Float = 0

        mutating func apply(_ event: (item: Int64, time: Int64)) {
            place += 1
            // An item that the model has no vector of cannot be an answer.
            guard event.item > 0 else { return }
            known += 1
            let number: Int
            if let known = slotOf[event.item] {
                number = known
                unlink(number)
            } else {
                number = slots.count
                slotOf[event.item] = number
                slots.append(
                    Slot(item: event.item, firstTime: event.time, lastTime: event.time, lastPlace: place))
            }
            var slot = slots[number]
            slot.byPlace = Self.faded(slot.byPlace, places: place - slot.lastPlace) + 1
            slot.byTime = slot.byTime * Self.fading(seconds: Float(event.time - slot.lastTime) / 1e6) + 1
            slot.count += 1
            slot.lastTime = event.time
            slot.lastPlace = place
            slot.older = newest
            slot.newer = -1
            slots[number] = slot
            if newest >= 0 { slots[newest].newer = number }
            newest = number
        }

        private mutating func unlink(_ number: Int) {
            let (older, newer) = (slots[number].older, slots[number].newer)
            if older >= 0 { slots[older].newer = newer }
            if newer >= 0 { slots[newer].older = older }
            if newest == number { newest = older }
        }

        private static func faded(_ mass: SIMD4<Float>, places: Int) -> SIMD4<Float> {
            mass * OwnItems.fading[min(places, OwnItems.fading.count - 1)]
        }

        private static func fading(seconds: Float) -> SIMD4<Float> {
            let halvings = -max(0, seconds) / OwnItems.timeHalfLives
            return SIMD4(exp2(halvings[0]), exp2(halvings[1]), exp2(halvings[2]), exp2(halvings[3]))
        }

        func latest(_ limit: Int, at moment: Int64) -> [Row] {
            var rows: [Row] = []
            var number = newest
            let distinct = Float(slots.count)
            while number >= 0, rows.count < limit {
                let slot = slots[number]
                let age = max(0, Float(moment - slot.lastTime) / 1e6)
                let places = place + 1 - slot.lastPlace
                let byPlace = Self.faded(slot.byPlace, places: places - 1)
                let byTime = slot.byTime * Self.fading(seconds: age)
                let gap = slot.count > 1 ? Float(slot.lastTime - slot.firstTime) / 1e6 / (slot.count - 1) : 0
                let due = slot.count > 1 ? log((age + 1) / (gap + 1)) : 0
                var features: [Float] = [
                    0.1 * log(age + 1), 0.3 * log(Float(places)), 0.3 * log(slot.count), places == 1 ? 1 : 0,
                    0.2 * min(10, max(-10, due)), 0.3 * log(distinct), 1 - distinct / max(1, known),
                ]
                for lane in 0..<4 { features.append(0.3 * log(byPlace[lane] + 1e-3)) }
                for lane in 0..<4 { features.append(0.2 * log(byTime[lane] + 1e-4)) }
                rows.append(Row(item: slot.item, features: features))
                number = slot.older
            }
            return rows
        }
    }
}
