/// Gives topics to a log that has none: each item its own where there are few, else groups learned from
/// which items are visited near one another.
public enum TopicChooser {
    /// Up to this many items, each is its own topic.
    public static let fewItems = 50

    /// - Parameters:
    ///   - sorted: a log sorted by person and time.
    ///   - until: only events before this moment are learned from, so that nothing later leaks.
    public static func topics(for sorted: EventLog, until: Int64, seed: UInt64) -> ItemTopics {
        if sorted.topics.isDecided { return decided(sorted, until: until) }
        var met = [Bool](repeating: false, count: sorted.items.count)
        for index in 0..<sorted.count where sorted.time[index] < until { met[Int(sorted.item[index])] = true }
        if (1...fewItems).contains(met.count { $0 }) { return .own(sorted.items) }
        return coVisitation(sorted, until: until, seed: seed)
    }

    /// Topics that a log gives: of an item that was met before `until`, those of the rows before it; of another one, those of
    /// its first row, which is there when it first matters. What later rows say changes nothing.
    private static func decided(_ log: EventLog, until: Int64) -> ItemTopics {
        guard let rows = log.rowTopics else { return log.topics }
        var byItem = [[UInt32]](repeating: [], count: log.items.count)
        var first = [Int64](repeating: .max, count: log.items.count)
        for index in 0..<log.count {
            let (item, time) = (Int(log.item[index]), log.time[index])
            let own = rows.lists[Int(rows.list[index])]
            if time < until {
                for topic in own where !byItem[item].contains(topic) { byItem[item].append(topic) }
                first[item] = min(first[item], time)
            } else if time < first[item]
                || (time == first[item] && own.lexicographicallyPrecedes(byItem[item]))
            {
                (first[item], byItem[item]) = (time, own)
            }
        }
        return ItemTopics(names: log.topics.names, byItem: byItem, source: log.topics.source)
    }

    /// Spherical k-means over random-index vectors: an item is the sum of its neighbours' random
    /// signatures, a neighbour at distance `k` in a history weighing `1 / k`.
    ///
    /// Sources: Sahlgren, "An Introduction to Random Indexing" (2005); Dhillon and Modha,
    /// "Concept Decompositions for Large Sparse Text Data" (2001).
    static func coVisitation(_ log: EventLog, until: Int64, seed: UInt64) -> ItemTopics {
        let width = 64
        let window = 4
        let itemCount = log.items.count
        var counts = [Float](repeating: 0, count: itemCount)
        for place in 0..<log.count where log.time[place] < until { counts[Int(log.item[place])] += 1 }
        // Drawn for items that were met by then only, in the order of their names, so that an item which comes later, or rows
        // in another order, move nothing.
        let seen = (0..<itemCount).filter { counts[$0] > 0 }.map { (log.items[$0], $0) }.sorted { $0.0 < $1.0 }.map(\.1)
        var generator = SeededGenerator(seed: seed)
        var signatures = [Float](repeating: 0, count: itemCount * width)
        for item in seen {
            for _ in 0..<6 {
                signatures[item * width + Int.random(in: 0..<width, using: &generator)] +=
                    Bool.random(using: &generator) ? 1 : -1
            }
        }
        var vectors = [Float](repeating: 0, count: itemCount * width)
        for place in 0..<log.count where log.time[place] < until {
            let item = Int(log.item[place])
            for back in 1...window where place >= back && log.user[place - back] == log.user[place] {
                let other = Int(log.item[place - back])
                guard other != item else { continue }
                // Popular neighbours say little about an item.
                let forward = 1 / (Float(back) * counts[other].squareRoot())
                let backward = 1 / (Float(back) * counts[item].squareRoot())
                for i in 0..<width {
                    vectors[item * width + i] += forward * signatures[other * width + i]
                    vectors[other * width + i] += backward * signatures[item * width + i]
                }
            }
        }
        for item in 0..<itemCount { normalize(&vectors, item * width, width) }

        let groups = min(64, max(2, Int(Double(seen.count).squareRoot())))
        var centres = [Float](repeating: 0, count: groups * width)
        for (group, item) in seen.shuffled(using: &generator).prefix(groups).enumerated() {
            for i in 0..<width { centres[group * width + i] = vectors[item * width + i] }
        }
        var assignment = [UInt32](repeating: 0, count: itemCount)
        for _ in 0..<15 {
            var sums = [Float](repeating: 0, count: groups * width)
            var changed = false
            for item in seen {
                var best = (group: 0, score: -Float.infinity)
                for group in 0..<groups {
                    var score: Float = 0
                    for i in 0..<width { score += vectors[item * width + i] * centres[group * width + i] }
                    if score > best.score { best = (group, score) }
                }
                changed = changed || assignment[item] != UInt32(best.group)
                assignment[item] = UInt32(best.group)
                for i in 0..<width {
                    sums[best.group * width + i] += vectors[item * width + i] * counts[item].squareRoot()
                }
            }
            for group in 0..<groups { normalize(&sums, group * width, width) }
            centres = sums
            if !changed { break }
        }
        // A topic is named after its busiest item.
        var heads = [Int](repeating: -1, count: groups)
        for item in seen where heads[Int(assignment[item])] < 0 || counts[item] > counts[heads[Int(assignment[item])]] {
            heads[Int(assignment[item])] = item
        }
        let names = VocabularyBuilder()
        var numbers = [UInt32](repeating: 0, count: groups)
        for group in 0..<groups where heads[group] >= 0 {
            numbers[group] = names.number(of: "like " + log.items[heads[group]])
        }
        // What nobody met before `until` belongs to no group: putting it with some would be a guess.
        let byItem = (0..<itemCount).map { item -> [UInt32] in
            counts[item] > 0 ? [numbers[Int(assignment[item])]] : [names.number(of: ItemTopics.unknownName)]
        }
        return ItemTopics(names: names.finish(), byItem: byItem, source: .coVisitation)
    }

    private static func normalize(_ vectors: inout [Float], _ start: Int, _ width: Int) {
        var square: Float = 0
        for i in start..<start + width { square += vectors[i] * vectors[i] }
        guard square > 0 else { return }
        let scale = 1 / square.squareRoot()
        for i in start..<start + width { vectors[i] *= scale }
    }
}
