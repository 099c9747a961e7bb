import TestSupport
import Testing
import WaneBaselines
import WaneEvents
import WaneState
import WaneTasks

@testable import WaneMetrics

@Suite("Ranking")
struct RankingTests {
    private func rank(_ target: Int, _ scores: [Float], excluding: Set<UInt32> = []) -> Double {
        scores.withUnsafeBufferPointer { Ranks.rank(of: target, in: $0, excluding: excluding) }
    }

    @Test("a rank counts the better ones, half of the equal ones, and nothing that is left out")
    func ranks() {
        #expect(rank(0, [3, 1, 2]) == 0)
        #expect(rank(1, [3, 1, 2]) == 2)
        #expect(rank(1, [3, 1, 2], excluding: [0]) == 1)
        #expect(rank(0, [1, 1, 1, 0]) == 1)
        #expect(rank(0, [1, 1, 1, 0], excluding: [2]) == 0.5)
        // A target that is itself among the seen still has its rank among the others.
        #expect(rank(1, [3, 1, 2], excluding: [1]) == 2)
    }

    @Test("a score that is no number ranks last, and never into a list")
    func notANumber() {
        #expect(rank(0, [.nan, 1, 2]) == 2)
        let scores: [Float] = [.nan, 1, .nan, 2]
        let top = scores.withUnsafeBufferPointer { Ranks.top(4, of: $0) { _ in true } }
        #expect(top == [3, 1])
    }

    @Test("lists hold what there is when more is asked for than the catalogue has, or nothing")
    func top() {
        let scores: [Float] = [1, 5, 3, 5]
        func top(_ count: Int, _ allowed: @escaping (Int) -> Bool = { _ in true }) -> [Int] {
            scores.withUnsafeBufferPointer { Ranks.top(count, of: $0, where: allowed) }
        }
        #expect(top(2) == [1, 3])
        #expect(top(100) == [1, 3, 2, 0])
        #expect(top(0) == [])
        #expect(top(3) { $0 != 1 } == [3, 2, 0])
        #expect(top(3) { _ in false } == [])
    }

    @Test("ranks and lists agree with sorting, on drawn scores with ties")
    func property() {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<200 {
            let scores = (0..<30).map { _ in Float(Int(generator.uniform() * 10)) }
            let order = scores.indices.sorted { (scores[$0], -$0) > (scores[$1], -$1) }
            let top = scores.withUnsafeBufferPointer { Ranks.top(7, of: $0) { _ in true } }
            #expect(top == Array(order.prefix(7)))
            let target = Int(generator.uniform() * 30)
            let better = scores.count { $0 > scores[target] }
            let equal = scores.count { $0 == scores[target] } - 1
            #expect(rank(target, scores) == Double(better) + Double(equal) / 2)
        }
    }

    @Test("measures have their textbook values")
    func measures() {
        let report = RankingReport(ranks: [0, 1, 9, 10], users: [0, 1, 2, 3], covered: 5, items: 20, seed: 1)
        #expect(report.hitRate[10] == 0.75)
        #expect(report.hitRate[1] == 0.25)
        // 1, 1 / log2 3, 1 / log2 11, 0
        let gain = (1 + 0.6309297535714574 + 0.2890648263178879) / 4
        #expect(abs((report.ndcg[10] ?? 0) - gain) < 1e-12)
        #expect(abs(report.mrr - (1 + 0.5 + 0.1 + 1.0 / 11) / 4) < 1e-12)
        #expect(report.coverage == 0.25)
    }

    // MARK: Protocols

    @Test("leave-one-out holds back each person's last two events, where there are three")
    func leaveOneOut() throws {
        let task = try RankingTask(TinyLog.log([[1, 2, 3, 4], [5, 6], [1, 3, 5]]), rule: .leaveOneOut)
        #expect(task.targets(.test) == [3, 8])
        #expect(task.targets(.validation) == [2, 7])
        #expect(task.known(0, before: .validation) == 0..<2)
        #expect(task.known(0, before: .test) == 0..<3)
        #expect(task.known(1, before: .validation) == 4..<6)
        #expect(task.query(at: 3).history == 0..<3)
    }

    @Test("global time cuts everyone at the same moment, and asks only of people with a past")
    func globalTime() throws {
        let histories = (0..<20).map { person in (0..<(person % 2 == 0 ? 20 : 2)).map { person * 100 + $0 } }
        let task = try RankingTask(TinyLog.log(histories), rule: .globalTime)
        let cuts = try #require(task.cuts)
        for index in task.targets(.test) {
            #expect(task.log.time[index] >= cuts.validation)
            #expect(!task.query(at: index).history.isEmpty)
        }
        for user in 0..<task.userCount {
            for index in task.known(user, before: .validation) { #expect(task.log.time[index] < cuts.train) }
        }
    }

    @Test("where people hardly ever come back to an item, met ones are no answers")
    func seen() throws {
        let rare = try RankingTask(TinyLog.log([[1, 2, 3, 4], [4, 3, 2, 1]]), rule: .leaveOneOut)
        #expect(rare.seen == .excluded)
        let often = try RankingTask(TinyLog.log([[1, 2, 1, 2], [4, 3, 4, 4]]), rule: .leaveOneOut)
        #expect(often.seen == .kept)
        let forced = try RankingTask(
            TinyLog.log([[1, 2, 1, 2], [4, 3, 1, 5]]), rule: .leaveOneOut, seen: .excluded)
        // The first person's last event repeats an item: it is no question.
        #expect(forced.targets(.test) == [7])
    }

    @Test("a log with nothing to rank or to guess says so")
    func nothing() {
        #expect(throws: RankingError.oneItem) { try RankingTask(TinyLog.log([[1, 1, 1]]), rule: .leaveOneOut) }
        #expect(throws: RankingError.nothingToGuess(.leaveOneOut)) {
            try RankingTask(TinyLog.log([[1, 2], [2, 3]]), rule: .leaveOneOut)
        }
    }

    // MARK: Classical rankers

    @Test("item-kNN gives cosines of the sets of people, worked by hand")
    func cosines() {
        let log = TinyLog.log([[0, 1], [0, 1, 2], [2]])
        let met = SparseRows.usersByItems(log, [0..<2, 2..<5, 5..<6])
        let table = ItemKNN.similarities(met, neighbours: 10)
        // Items 0 and 1 share both of their people; each shares one of two with item 2.
        let row = Dictionary(uniqueKeysWithValues: table.range(0).map { (table.columns[$0], table.weights[$0]) })
        #expect(row.count == 2)
        #expect(abs((row[1] ?? 0) - 1) < 1e-6 && abs((row[2] ?? 0) - 0.5) < 1e-6)
        #expect(ItemKNN.similarities(met, neighbours: 1).range(0).count == 1)
    }

    @Test("co-visits weigh followers by distance and by their own popularity")
    func followers() {
        let log = TinyLog.log([[0, 1, 2], [0, 2]])
        let table = CoVisits.followers(log, [0..<3, 3..<5], window: 5, halfLife: 1, popularityPower: 0)
        let row = Dictionary(uniqueKeysWithValues: table.range(0).map { (table.columns[$0], table.weights[$0]) })
        // Item 2 comes two after item 0 once (1/2) and right after it once (1).
        #expect(row == [1: 1, 2: 1.5])
        #expect(table.range(2).isEmpty)
        let near = CoVisits.followers(log, [0..<3, 3..<5], window: 1, halfLife: 1, popularityPower: 1)
        // Right after item 0 come items 1 and 2, and item 2 after item 1: totals 1 and 2.
        let thinned = Dictionary(uniqueKeysWithValues: near.range(0).map { (near.columns[$0], near.weights[$0]) })
        #expect(thinned == [1: 1, 2: 0.5])
    }

    @Test("a person's own items, latest first or by fading counts, worked by hand; all others follow by popularity")
    func ownHistory() throws {
        let task = try RankingTask(TinyLog.log([[0, 0, 0, 1, 2, 1, 0, 3], [4, 4, 3, 3]]), rule: .leaveOneOut)
        let names = (0..<5).map { task.log.items.find("\($0)").map(Int.init) ?? -1 }
        func order(_ rule: OwnHistory.Rule) throws -> [Int] {
            let ranker = OwnHistory(rule).fitted(task, before: .test)
            // 0, 0, 0, 1, 2, 1 an hour apart, asked an hour after.
            let scores = try ranker.scores([RankingQuery(user: 0, history: 0..<6, moment: 6 * 3_600_000_000)])
            return (0..<5).sorted { scores[names[$0]] > scores[names[$1]] }
        }
        #expect(try order(.latest) == [1, 2, 0, 4, 3])
        #expect(try order(.places(halfLife: .infinity)) == [0, 1, 2, 4, 3])
        // Halving every event: item 1 has 1/2 + 1/8, item 2 1/4, item 0 1/16 + 1/32 + 1/64.
        #expect(try order(.places(halfLife: 1)) == [1, 2, 0, 4, 3])
        // Inverse distance: item 1 has 1 + 1/3, item 0 1/4 + 1/5 + 1/6, item 2 1/2.
        #expect(try order(.power(exponent: 1)) == [1, 0, 2, 4, 3])
        #expect(try order(.days(halfLife: 1 / 24.0)) == [1, 2, 0, 4, 3])
        let tied = OwnHistory(.places(halfLife: .infinity)).fitted(task, before: .test)
        let scores = try tied.scores([RankingQuery(user: 0, history: 2..<4, moment: 4 * 3_600_000_000)])
        // Met once each: the more popular first.
        #expect(scores[names[0]] > scores[names[1]] && scores[names[1]] > scores[names[2]])
        let excluded = try RankingTask(task.log, rule: .leaveOneOut, seen: .excluded)
        #expect(task.seen == .kept && RankingBaselineKind.classical(task).contains { $0.name == "own latest" })
        #expect(!RankingBaselineKind.classical(excluded).contains { $0.name == "own latest" })
        // Four thousand events back, sums underflow; their order does not.
        let long = TinyLog.log([[1, 0] + [Int](repeating: 2, count: 4_000) + [3, 4]])
        let old = try RankingTask(long, rule: .leaveOneOut)
        let numbers = (0..<5).map { old.log.items.find("\($0)").map(Int.init) ?? -1 }
        let far = try OwnHistory(.places(halfLife: 3)).fitted(old, before: .test).scores([old.query(at: 4_002)])
        #expect(
            far[numbers[2]] > far[numbers[0]] && far[numbers[0]] > far[numbers[1]] && far[numbers[1]] > far[numbers[4]])
    }

    @Test("decayed popularity is the sum of halvings up to the question, and knows nothing later")
    func popularity() throws {
        // An event each hour: a half-life of a day is 24 of them.
        let task = try RankingTask(TinyLog.log([[0, 1, 2, 0], [3, 1, 3, 1]]), rule: .leaveOneOut, seen: .kept)
        let ranker = PopularItems(halfLifeDays: 1).fitted(task, before: .test)
        let query = RankingQuery(user: 0, history: 0..<2, moment: 2 * 3_600_000_000)
        let scores = try ranker.scores([query])
        func weight(_ hours: Double) -> Float { Float(pow(0.5, hours / 24)) }
        let expected = [weight(2), weight(1) + weight(1), weight(0), weight(2) + weight(0)]
        let names = (0..<4).map { task.log.items.find("\($0)").map(Int.init) ?? -1 }
        for (name, value) in zip(names, expected) { #expect(abs(scores[name] - value) < 1e-6) }
    }

    @Test(
        "MovieLens 100K: item-kNN's figures are NumPy's to the last digit",
        .enabled(if: RealLog.isHere("ml-100k/ml-100k.inter"), "shared/data/ml-100k is not on this machine"))
    func movieLens() throws {
        let (log, _) = try LogReader.read(#require(RealLog.path("ml-100k/ml-100k.inter")))
        let task = try RankingTask(log, rule: .leaveOneOut)
        func figures(_ baseline: any RankingBaseline) throws -> (hits: Double, gain: Double) {
            let ranker = try baseline.fitted(task, before: .test)
            let places = task.targets(.test)
            let scores = try ranker.scores(places.map { task.query(at: $0) })
            let ranks = places.enumerated().map { row, index in
                scores.withUnsafeBufferPointer { all in
                    Ranks.rank(
                        of: Int(task.log.item[index]),
                        in: UnsafeBufferPointer(rebasing: all[row * task.itemCount..<(row + 1) * task.itemCount]),
                        excluding: Set(task.query(at: index).history.map { task.log.item[$0] }))
                }
            }
            let report = RankingReport(ranks: ranks, users: [], covered: 0, items: 0, seed: 1)
            return (report.hitRate[10] ?? 0, report.ndcg[10] ?? 0)
        }
        // Measured with NumPy on the same protocol and the same ties (Tests/Reference/item_knn.py).
        let plain = try figures(ItemKNN(neighbours: 800, halfLife: nil))
        #expect(abs(plain.hits - 0.1177) < 5e-5 && abs(plain.gain - 0.0637) < 5e-5)
        let decayed = try figures(ItemKNN(neighbours: 800, halfLife: 1))
        #expect(abs(decayed.hits - 0.1972) < 5e-5 && abs(decayed.gain - 0.1169) < 1e-4)
    }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
