import Foundation
import Testing
import WaneBaselines
import WaneEvents

@Suite("What goes with what")
struct ItemCompanionTests {
    private static func histories(people: Int, items: Int, seed: UInt64, longest: Int = 40) -> [[UInt32]] {
        var generator = SeededGenerator(seed: seed, stream: 1)
        return (0..<people).map { _ in
            (0..<1 + Int(generator.uniform() * Double(longest))).map { _ in
                UInt32(generator.uniform() * generator.uniform() * Double(items + 1))
            }
        }
    }

    @Test("a question of training reads the counts as if its own person had stopped there", arguments: [1, 2, 3])
    func leavesOut(seed: UInt64) {
        // Items are met again and again, and 0 is one that the model does not know.
        let histories = Self.histories(people: 40, items: 25, seed: seed)
        let all = ItemCompanions(histories, rows: 26)
        for person in 0..<12 {
            let own = histories[person]
            for place in stride(from: 0, to: own.count, by: 5) {
                var stopped = histories
                stopped[person] = Array(own.prefix(place + 1))
                let expected = ItemCompanions(stopped, rows: 26).evidence(
                    of: [.init(items: stopped[person], places: [place], counted: nil)], limit: 12)
                for start in [0, place / 2] {
                    let asked = all.evidence(
                        of: [.init(items: Array(own[start...]), places: [place - start], counted: (own, start))],
                        limit: 12)
                    // What one has read of the past is all that a stretch holds.
                    if start > 0, place - start < 12 || Set(own[..<start]).subtracting(own[start...place]) != [] {
                        continue
                    }
                    #expect(asked.items == expected.items)
                    for (a, b) in zip(asked.features, expected.features) { #expect(abs(a - b) < 2e-4) }
                }
            }
        }
    }

    @Test("an answer is not told by being in a list that is cut")
    func cutLists() {
        // Rows are cut: each item goes with hundreds of others. What a person does next has nothing to do with what they did.
        var generator = SeededGenerator(seed: 4, stream: 1)
        let histories = (0..<400).map { _ in (0..<30).map { _ in UInt32(1 + generator.uniform() * 400) } }
        let table = ItemCompanions(histories, rows: 401)
        var (told, listed, asked) = (0, 0, 0)
        for person in 0..<400 {
            let own = histories[person]
            let found = table.evidence(
                of: [.init(items: own, places: [14], counted: (own, 0))], limit: 48)
            let candidates = found.items.filter { $0 > 0 }
            listed += candidates.count
            asked += 1
            if candidates.contains(Int64(own[15])), !own[...14].contains(own[15]) { told += 1 }
        }
        // As often as by chance, with three deviations of a binomial.
        let chance = Double(listed) / 400
        let deviation = (chance / Double(asked) * Double(asked)).squareRoot()
        #expect(listed > 40 * asked)
        #expect(Double(told) < chance + 3 * deviation, "\(told) of \(asked), by chance \(chance)")
        #expect(Double(told) > chance - 3.5 * deviation, "\(told) of \(asked), by chance \(chance)")
    }

    @Test("what a person does later changes no question of theirs, and no question depends on the others")
    func later() {
        let histories = Self.histories(people: 30, items: 20, seed: 9)
        let table = ItemCompanions(histories, rows: 21)
        let own = histories[3] + [1, 2, 3, 4]
        let places = [0, own.count / 2]
        let whole = table.evidence(of: [.init(items: own, places: places, counted: nil)], limit: 8)
        let known = Array(own.prefix(own.count / 2 + 1))
        let beside = table.evidence(
            of: [
                .init(items: histories[7], places: [0], counted: (histories[7], 0)),
                .init(items: known, places: places, counted: nil),
            ], limit: 8)
        #expect(whole.items == Array(beside.items.dropFirst(8)))
        #expect(whole.features == Array(beside.features.dropFirst(8 * ItemCompanions.featureCount)))
    }

    @Test("followers and people in common, worked by hand")
    func byHand() throws {
        // Of three people two go on from 1 to 2, one of them over 3.
        let table = ItemCompanions([[1, 2], [1, 3, 2], [4, 3]], rows: 5)
        let found = table.evidence(of: [.init(items: [4, 1], places: [1], counted: nil)], limit: 4)
        // 4 and 1 are the person's own.
        #expect(Set(found.items) == [2, 3, 0])
        func feature(_ item: Int64, _ lane: Int) throws -> Double {
            let place = try #require(found.items.firstIndex(of: item))
            return Double(found.features[place * ItemCompanions.featureCount + lane])
        }
        func near(_ value: Double, _ expected: Double) -> Bool { abs(value - expected) < 1e-5 }
        // After 1 came 2 at once and at a distance of two, and 3 at once; after 4, an event further back, came 3.
        let step = exp2(-0.1)
        let total = 1 + step + 1
        #expect(try near(feature(2, 0), 0.2 * log((1 + step) / total + 1e-4)))
        #expect(try near(feature(3, 0), 0.2 * log(1 / total + exp2(-1) * 1 + 1e-4)))
        // 2 and 1 have both of two people in common; 3 and 1 one of two and two, 3 and 4 one of two and one.
        #expect(try near(feature(2, 4), 0.2 * log(1 + 1e-4)))
        #expect(try near(feature(3, 4), 0.2 * log(0.5 + exp2(-1) / 2.0.squareRoot() + 1e-4)))
        #expect(try near(feature(3, 7), 0.2 * log(0.5 + 1 / 2.0.squareRoot() + 1e-4)))
        #expect(try near(feature(2, 8), 0.2 * log(3)) && near(feature(2, 9), 0.2 * log(3)))
        #expect(try near(feature(2, 10), 0.3 * log(2)))
    }
}
