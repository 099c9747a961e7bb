import WaneEvents
import WaneTasks

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What goes with what, counted over everybody's histories: which items come soon after which, and which are met by the same people.
/// Items are rows of a model, from 1 on; 0 is an item that it does not know.
///
/// A model that is trained on the histories that were counted must not find in the counts what its own person did next: what a
/// history holds after the question is taken out of each row before it is read (``evidence(of:limit:)``).
public struct ItemCompanions: Sendable {
    /// `C(i, j) = sum over histories of 2^(-(d - 1) / 10)`, `j` coming `d` events after `i`, `d <= 20`: the followers that weigh most.
    public let after: SparseRows
    /// All of a row's weight, of the followers that are not kept too.
    public let afterTotals: [Float]
    /// How many people met both items among their latest: the most similar.
    public let together: SparseRows
    /// How many people met each item so.
    public let people: [Float]
    /// Of rows that were cut, what the last entry that was kept has; what has less without the asked person would not be there.
    private let least: (after: [Float], together: [Float])

    /// Entries of a row that are kept in each table.
    static let rowLength = 64
    /// Of each history, the latest events that say what is met by the same people.
    static let memory = 256
    static let window = 20
    private static let weights: [Float] = (0..<window).map { exp2(-Float($0) / 10) }

    public init(after: SparseRows, afterTotals: [Float], together: SparseRows, people: [Float]) {
        (self.after, self.afterTotals, self.together, self.people) = (after, afterTotals, together, people)
        least = ([], [])
    }

    /// - Parameters:
    ///   - histories: item rows of each person, in order of time.
    ///   - rows: of items, row 0 included.
    /// - Complexity: O(events · window + people · memory²)
    public init(_ histories: [[UInt32]], rows: Int) {
        let met = Self.byItem(histories, rows: rows)
        var totals = [Float](repeating: 0, count: rows)
        var least = (after: totals, together: totals)
        after = SparseRows(rows: rows, columns: rows) { item, accumulator in
            guard item > 0 else { return }
            for entry in met.places[met.starts[item]..<met.starts[item + 1]] {
                let history = histories[Int(entry.person)]
                for (distance, follower) in history.dropFirst(Int(entry.place) + 1).prefix(Self.window).enumerated()
                where follower > 0 {
                    accumulator.add(follower, Self.weights[distance])
                    totals[item] += Self.weights[distance]
                }
            }
        } finish: { item, entries in
            least.after[item] = Self.keepHeaviest(&entries) { $0.weight }
        }
        afterTotals = totals

        let sets = histories.map { Set($0.suffix(Self.memory)).subtracting([0]).sorted() }
        let who = Self.byItem(sets, rows: rows)
        let people = (0..<rows).map { Float(who.starts[$0 + 1] - who.starts[$0]) }
        together = SparseRows(rows: rows, columns: rows) { item, accumulator in
            for entry in who.places[who.starts[item]..<who.starts[item + 1]] {
                for other in sets[Int(entry.person)] where Int(other) != item { accumulator.add(other, 1) }
            }
        } finish: { item, entries in
            least.together[item] = Self.keepHeaviest(&entries) { $0.weight / people[Int($0.column)].squareRoot() }
        }
        self.people = people
        self.least = least
    }

    /// Where each item stands in histories, in their order: those of an item from `starts[item]` on.
    private static func byItem(
        _ histories: [[UInt32]], rows: Int
    ) -> (starts: [Int], places: [(person: Int32, place: Int32)]) {
        var starts = [Int](repeating: 0, count: rows + 1)
        for history in histories { for item in history { starts[Int(item) + 1] += 1 } }
        for row in 0..<rows { starts[row + 1] += starts[row] }
        var next = starts
        var places = [(person: Int32, place: Int32)](repeating: (0, 0), count: starts[rows])
        for (person, history) in histories.enumerated() {
            for (place, item) in history.enumerated() {
                places[next[Int(item)]] = (Int32(person), Int32(place))
                next[Int(item)] += 1
            }
        }
        return (starts, places)
    }

    /// - Returns: the least weight that was kept; 0 where all were.
    private static func keepHeaviest(
        _ entries: inout [(column: UInt32, weight: Float)], _ weight: ((column: UInt32, weight: Float)) -> Float
    ) -> Float {
        guard entries.count > rowLength else { return 0 }
        entries.sort { (weight($0), $1.column) > (weight($1), $0.column) }
        entries.removeLast(entries.count - rowLength)
        let least = entries.last.map(weight) ?? 0
        entries.sort { $0.column < $1.column }
        return least
    }

    /// A history, and the places after which it is asked what goes with it.
    public struct Asked: Sendable {
        /// Item rows in order of time.
        public let items: [UInt32]
        /// Places of ``items``, ascending.
        public let places: [Int]
        /// All of the person's history that was counted, and the place in it of the first of ``items``; nothing where what
        /// follows the question was not counted.
        public let counted: (items: [UInt32], start: Int)?

        public init(items: [UInt32], places: [Int], counted: (items: [UInt32], start: Int)?) {
            (self.items, self.places, self.counted) = (items, places, counted)
        }
    }

    /// Of each question the items that go with its history best, and what speaks for each.
    public struct Evidence: Sendable {
        /// Questions, and places for items of each.
        public let rows: Int
        public let width: Int
        /// `[rows, width]`, 0 where there are no more.
        public let items: [Int64]
        /// `[rows, width, featureCount]`.
        public let features: [Float]
    }

    public static let featureCount = 11
    /// Half-lives in events, of what follows and of what goes together.
    private static let fading = SIMD8<Float>(1, 3, 10, 1e9, 1, 2, 5, 1e9)
    /// The latest events of a history that are read.
    static let recent = 12

    /// - Parameter limit: items that are read of each question.
    /// - Complexity: O(questions · recent · rowLength)
    public func evidence(of asked: [Asked], limit: Int) -> Evidence {
        let count = asked.reduce(0) { $0 + $1.places.count }
        // Of one size, whatever is found: an answer does not depend on who is asked about beside.
        var parts = Self.parts(asked, ThreadCount.available).map { (range: $0, items: [Int64](), features: [Float]()) }
        AllCores.forEach(&parts) { _, part in
            var reader = Reader(self, limit: limit)
            for index in part.range { reader.read(asked[index]) }
            (part.items, part.features) = (reader.items, reader.features)
        }
        return Evidence(
            rows: count, width: limit, items: parts.flatMap(\.items), features: parts.flatMap(\.features))
    }

    private static func parts(_ asked: [Asked], _ count: Int) -> [Range<Int>] {
        let count = max(1, min(count, asked.count))
        return (0..<count).map { asked.count * $0 / count..<asked.count * ($0 + 1) / count }
    }

    /// Reads questions one after another.
    private struct Reader {
        let table: ItemCompanions
        let limit: Int
        var items: [Int64] = []
        var features: [Float] = []
        private var isTouched: [Bool]
        /// Of each item row: four sums of what follows, four of what goes together.
        private var sums: [SIMD8<Float>]
        /// Those that were added to, each once: the first ``touchedCount``.
        private var touched: [UInt32]
        private var touchedCount = 0
        /// Items of the history so far: what is one's own goes another way.
        private var isPast: [Bool]
        /// Of the counted history: its items, and what it adds to the row that is being read.
        private var isOwn: [Bool]
        private var ownWeight: [Float]

        init(_ table: ItemCompanions, limit: Int) {
            self.table = table
            self.limit = limit
            let rows = table.people.count
            sums = Array(repeating: .zero, count: rows)
            isTouched = Array(repeating: false, count: rows)
            touched = Array(repeating: 0, count: rows)
            isPast = Array(repeating: false, count: rows)
            isOwn = isPast
            ownWeight = Array(repeating: 0, count: rows)
        }

        mutating func read(_ asked: Asked) {
            var placesOf: [UInt32: [Int]] = [:]
            if let counted = asked.counted {
                for (place, item) in counted.items.enumerated() where item > 0 {
                    placesOf[item, default: []].append(place)
                }
                for item in counted.items.suffix(ItemCompanions.memory) { isOwn[Int(item)] = true }
            }
            var passed = 0
            for place in asked.places {
                while passed <= place {
                    isPast[Int(asked.items[passed])] = true
                    passed += 1
                }
                answer(asked, place, placesOf)
            }
            for item in asked.items.prefix(passed) { isPast[Int(item)] = false }
            for item in asked.counted?.items.suffix(ItemCompanions.memory) ?? [] { isOwn[Int(item)] = false }
        }

        private mutating func answer(_ asked: Asked, _ place: Int, _ placesOf: [UInt32: [Int]]) {
            var read: [UInt32] = []
            var latest: UInt32 = 0
            for back in 0..<min(ItemCompanions.recent, place + 1) {
                let item = asked.items[place - back]
                if item == 0 || read.contains(item) { continue }
                if read.isEmpty { latest = item }
                read.append(item)
                let now = (asked.counted?.start ?? 0) + place
                add(item, back: back, asked.counted?.items, now: now, placesOf[item] ?? [])
            }
            write(latest: latest, distinct: read.count)
        }

        /// Adds an item's rows to the sums, without what the counted history put there after `now`.
        private mutating func add(_ item: UInt32, back: Int, _ counted: [UInt32]?, now: Int, _ places: [Int]) {
            let row = Int(item)
            let halvings = -Float(back) / ItemCompanions.fading
            var keep = SIMD8<Float>.zero
            for lane in 0..<8 { keep[lane] = exp2(halvings[lane]) }
            var total = table.afterTotals[row]
            func forEachLater(_ body: (_ follower: Int, _ weight: Float) -> Void) {
                guard let counted else { return }
                for place in places {
                    let first = max(place, now) + 1
                    for later in first..<max(first, min(counted.count, place + 1 + ItemCompanions.window))
                    where counted[later] > 0 {
                        body(Int(counted[later]), ItemCompanions.weights[later - place - 1])
                    }
                }
            }
            forEachLater { follower, weight in
                ownWeight[follower] += weight
                total -= weight
            }
            let scale = 1 / max(1, total)
            let low = SIMD8<Float>(lowHalf: keep.lowHalf, highHalf: .zero)
            let high = SIMD8<Float>(lowHalf: .zero, highHalf: keep.highHalf)
            let leastAfter = counted == nil ? 0 : table.least.after[row]
            let leastTogether = counted == nil ? 0 : table.least.together[row]
            let isOwnRow = isOwn[row]
            let people = table.people[row]
            var found = 0
            sums.withUnsafeMutableBufferPointer { sums in
                @inline(__always)
                func put(_ column: Int, _ sum: SIMD8<Float>) {
                    if !isTouched[column] {
                        isTouched[column] = true
                        touched[touchedCount + found] = UInt32(truncatingIfNeeded: column)
                        found += 1
                    }
                    sums[column] += sum
                }
                table.after.forEach(in: row) { column, weight in
                    let others = weight - ownWeight[column]
                    if others > 1e-4, others >= leastAfter { put(column, low * (others * scale)) }
                }
                table.together.forEach(in: row) { column, weight in
                    // What lies in the past is listed with the person's own items, and not read.
                    let own: Float = isOwn[column] && !isPast[column] ? 1 : 0
                    let both = weight - (isOwnRow ? own : 0)
                    let others = table.people[column] - own
                    guard both > 0.5, others > 0.5, both >= leastTogether * others.squareRoot() else { return }
                    put(column, high * (both / (people * others).squareRoot()))
                }
            }
            touchedCount += found
            forEachLater { follower, _ in ownWeight[follower] = 0 }
        }

        /// The items with the largest sums, and the sums cleared.
        private mutating func write(latest: UInt32, distinct: Int) {
            var best = SIMD2<Float>(1e-12, 1e-12)
            for column in touched.prefix(touchedCount) where !isPast[Int(column)] {
                let sum = sums[Int(column)]
                best = SIMD2(max(best[0], sum[1]), max(best[1], sum[5]))
            }
            var scores: [(score: Float, item: UInt32)] = []
            scores.reserveCapacity(touchedCount)
            for column in touched.prefix(touchedCount) where !isPast[Int(column)] {
                let sum = sums[Int(column)]
                scores.append((sum[1] / best[0] + sum[5] / best[1], column))
            }
            Self.moveBest(&scores, limit)
            func people(_ item: UInt32) -> Float {
                table.people[Int(item)] - (isOwn[Int(item)] && !isPast[Int(item)] ? 1 : 0)
            }
            let support = 0.2 * log(people(latest) + 1)
            let seen = 0.3 * log(Float(max(1, distinct)))
            for (_, item) in scores.prefix(limit) {
                items.append(Int64(item))
                let sum = sums[Int(item)]
                for lane in 0..<8 { features.append(0.2 * log(sum[lane] + 1e-4)) }
                features.append(0.2 * log(people(item) + 1))
                features.append(support)
                features.append(seen)
            }
            let missing = limit - min(limit, scores.count)
            items.append(contentsOf: repeatElement(0, count: missing))
            features.append(contentsOf: repeatElement(0, count: missing * ItemCompanions.featureCount))
            for column in touched.prefix(touchedCount) {
                sums[Int(column)] = .zero
                isTouched[Int(column)] = false
            }
            touchedCount = 0
        }

        /// Moves the `count` best to the front, in any order (quickselect); ties by item.
        private static func moveBest(_ scores: inout [(score: Float, item: UInt32)], _ count: Int) {
            func isBefore(_ a: (score: Float, item: UInt32), _ b: (score: Float, item: UInt32)) -> Bool {
                a.score != b.score ? a.score > b.score : a.item < b.item
            }
            guard count > 0, count < scores.count else { return }
            var (low, high) = (0, scores.count - 1)
            while low < high {
                let pivot = scores[(low + high) / 2]
                var (left, right) = (low, high)
                while left <= right {
                    while isBefore(scores[left], pivot) { left += 1 }
                    while isBefore(pivot, scores[right]) { right -= 1 }
                    if left <= right {
                        scores.swapAt(left, right)
                        left += 1
                        right -= 1
                    }
                }
                if count - 1 <= right { high = right } else if count - 1 >= left { low = left } else { return }
            }
        }
    }
}
