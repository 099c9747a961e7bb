import Foundation
import TestSupport
import Testing
import Torch
import WaneBaselines
import WaneEvents
import WaneState
import WaneTasks
import WaneSimulation
import WaneBundle
import WaneMetrics
import WanePrediction

@testable import WaneModels
@testable import WaneTraining

extension UsingTorch {
    @Suite("Models of the next item")
    struct RankingTrainingTests {
        /// Small products gain nothing from a second thread, and lose much where other work has the cores.
        init() throws { try Runtime.setThreads(1) }

        static func model(_ family: String) -> ModelOptions {
            var model = RankingOptions.model(family)
            model.hidden = 32
            model.historyDropout = 0.1
            return model
        }

        static func training(epochs: Int) -> TrainingOptions {
            var options = RankingOptions.training
            options.epochs = epochs
            options.patience = epochs
            options.batch = 16
            options.learningRate = 5e-3
            options.averaging = 0.9
            return options
        }

        static func options(_ family: String = "gru", _ loss: RankingLoss.Kind? = nil) -> RankingOptions {
            var options = RankingOptions()
            options.window = 16
            options.loss = RankingOptions.loss(family)
            if let loss { options.loss.kind = loss }
            if let loss, loss != .softmax { options.loss.negatives = 12 }
            return options
        }

        private func hits(
            _ log: EventLog, _ family: String, epochs: Int, at cutoff: Int = 1, loss: RankingLoss.Kind? = nil,
            seen: SeenItems = .kept, friends: SocialEdges = .none
        ) throws -> Double {
            let task = try RankingTask(log, rule: .leaveOneOut, seen: seen)
            var run = try RankingTraining(
                task, model: Self.model(family), training: Self.training(epochs: epochs),
                ranking: Self.options(family, loss))
            run.friends = friends
            return try RankingEvaluation.report(run.run().ranker, task, .test, seed: 1).report.hitRate[cutoff] ?? 0
        }

        /// People walk along a ring of 20 items, each from a place of their own, with a slip now and then.
        private func ring() -> EventLog {
            var generator = SeededGenerator(seed: 2)
            return TinyLog.log(
                (0..<80).map { _ in
                    var index = Int(generator.uniform() * 20)
                    return (0..<14).map { _ in
                        index = generator.uniform() < 0.05 ? Int(generator.uniform() * 20) : (index + 1) % 20
                        return index
                    }
                })
        }

        @Test(
            "families that read order learn what follows what",
            arguments: ["rnn", "lstm", "gru", "cnn", "caser", "attention", "hstu", "din", "dien", "hybrid", "hawkes"])
        func order(family: String) throws {
            // Those that meet candidates one by one learn few at a time, and are asked about new items alone.
            let isSlow = ["din", "dien"].contains(family)
            let rate = try hits(ring(), family, epochs: isSlow ? 40 : 15, seen: isSlow ? .excluded : .kept)
            #expect(rate > 0.7, "\(family) hits \(rate)")
        }

        /// People in four circles of ten items each, meeting their own circle's in any order.
        private func circles(length: Int = 10) -> EventLog {
            var generator = SeededGenerator(seed: 3)
            return TinyLog.log(
                (0..<120).map { person in
                    (0..<length).map { _ in person % 4 * 10 + Int(generator.uniform() * 10) }
                })
        }

        @Test(
            "families that pool a history learn which circle somebody moves in",
            arguments: ["mlp", "gcn", "gat", "lightgcn", "sparse-autoencoder"])
        func circle(family: String) throws {
            // Popularity has a quarter.
            #expect(try hits(circles(), family, epochs: 15, at: 10) > 0.85)
        }

        @Test("friends tell the circle of people whose own history does not", arguments: ["lightgcn"])
        func friends(family: String) throws {
            var generator = SeededGenerator(seed: 4)
            // Newcomers meet two items that anybody may, then one of their friends' circle.
            let settled = (0..<60).map { person in
                (0..<12).map { _ in person % 4 * 10 + Int(generator.uniform() * 10) }
            }
            var newcomers: [[Int]] = []
            for person in 0..<160 {
                var history = [40 + Int(generator.uniform() * 5), 40 + Int(generator.uniform() * 5)]
                for _ in 0..<(person < 80 ? 3 : 1) {
                    history.append(person % 4 * 10 + Int(generator.uniform() * 10))
                }
                newcomers.append(history)
            }
            let log = TinyLog.log(settled + newcomers)
            var lists = [[SocialEdges.Friend]](repeating: [], count: 220)
            for person in 60..<220 {
                let circle = UInt32(person - 60) % 4
                lists[person] = [circle, circle + 4, circle + 8].map { SocialEdges.Friend(user: $0) }
            }
            let friends = SocialEdges(lists)
            let with = try hits(log, family, epochs: 15, at: 10, seen: .excluded, friends: friends)
            let without = try hits(log, family, epochs: 15, at: 10, seen: .excluded)
            #expect(with > without + 0.1, "\(with) with friends, \(without) without")
        }

        @Test("the time since the last event tells what comes next", arguments: ["attention", "gru"])
        func elapsed(family: String) throws {
            var generator = SeededGenerator(seed: 5)
            // After a day away people meet item 1, after an hour item 2: order says nothing.
            var waits: [[Bool]] = []
            let histories = (0..<80).map { _ in
                let long = (0..<12).map { _ in generator.uniform() < 0.5 }
                waits.append(long)
                return long.map { $0 ? 1 : 2 }
            }
            var moments: [[Double]] = []
            for long in waits {
                var moment = 0.0
                moments.append(
                    long.map {
                        moment += $0 ? 24 : 1
                        return moment
                    })
            }
            let log = TinyLog.log(histories) { person, step in moments[person][step] }
            let share = try hits(log, family, epochs: 20)
            #expect(share > 0.95, "\(family) hits \(share)")
        }

        /// People with four items of their own out of 80, who mostly take up the one before the last again: what comes next is
        /// nobody else's to tell.
        private func habits() -> EventLog {
            var generator = SeededGenerator(seed: 6)
            return TinyLog.log(
                (0..<100).map { _ in
                    let own = (0..<4).map { _ in Int(generator.uniform() * 80) }
                    var history = [own[0], own[1]]
                    while history.count < 16 {
                        let again = generator.uniform() < 0.7
                        history.append(again ? history[history.count - 2] : own[Int(generator.uniform() * 4)])
                    }
                    return history
                })
        }

        @Test(
            "every kind of family learns to repeat, and is above a person's latest and most frequent items",
            arguments: ["mlp", "gru", "attention", "lightgcn", "din"])
        func repeats(family: String) throws {
            let task = try RankingTask(habits(), rule: .leaveOneOut, seen: .kept)
            func figure(_ ranker: any ItemRanker) throws -> Double {
                try RankingEvaluation.report(ranker, task, .test, seed: 1).report.mrr
            }
            var best = 0.0
            for kind in RankingBaselineKind.ownHistory(task.log) {
                let tuned = try #require(try RankingEvaluation.tuned(kind, task, seed: 1))
                best = max(best, try figure(tuned.baseline.fitted(task, before: .test)))
            }
            let trained = try RankingTraining(
                task, model: Self.model(family), training: Self.training(epochs: family == "din" ? 60 : 20),
                ranking: Self.options(family)
            ).run()
            let value = try figure(trained.ranker)
            #expect(value > best + 0.05, "\(family): \(value), own items: \(best)")
            // A hundred questions stop by their log loss.
            #expect(trained.bundle.description.history.measure == "log loss")
        }

        @Test("own items are read as they stood at the question: counts, ages and order worked by hand")
        func ownItems() {
            func events(_ list: [(Int64, Double)]) -> [(item: Int64, time: Int64)] {
                list.map { ($0.0, Int64($0.1 * 3_600e6)) }
            }
            let known = events([(7, 0), (8, 1), (7, 3), (0, 4), (9, 5), (8, 6)])
            func read(_ split: Int, later: [(Int64, Double)] = []) -> OwnItems {
                let stretch = RankingBatch.Stretch(
                    events: Array(known[split...]) + events(later), earlier: Array(known[..<split]), user: -1,
                    moment: Int64(7 * 3_600e6))
                return OwnItems([stretch], at: [(sequence: 0, step: known.count - split - 1)], limit: 32)
            }
            let own = read(2)
            // The latest first; an item without a vector is none, but takes its place in the order.
            #expect(own.items == [8, 9, 7])
            func feature(_ place: Int, _ number: Int) -> Double {
                Double(own.features[place * OwnItems.featureCount + number])
            }
            func near(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-5 }
            // Item 7: met 7 and 4 hours ago, 6 and 4 events back.
            #expect(near(feature(2, 0), 0.1 * log(4 * 3_600 + 1)) && near(feature(2, 1), 0.3 * log(4)))
            #expect(near(feature(2, 2), 0.3 * log(2)) && feature(2, 3) == 0 && feature(0, 3) == 1)
            #expect(near(feature(2, 4), 0.2 * log((4 * 3_600.0 + 1) / (3 * 3_600 + 1))))
            #expect(near(feature(2, 5), 0.3 * log(3)) && near(feature(2, 6), 1 - 3 / 5.0))
            for (lane, halfLife) in [2.0, 8, 32, 128].enumerated() {
                let mass = exp2(-3 / halfLife) + exp2(-5 / halfLife)
                #expect(near(feature(2, 7 + lane), 0.3 * log(mass + 1e-3)))
            }
            for (lane, hours) in [1.0, 24, 168, 720].enumerated() {
                let mass = exp2(-4 / hours) + exp2(-7 / hours)
                #expect(near(feature(2, 11 + lane), 0.2 * log(mass + 1e-4)))
            }
            // Where the stretch begins, and what comes after the question, change nothing.
            #expect(read(5).items == own.items && read(5).features == own.features)
            let later = read(2, later: [(7, 7), (3, 8)])
            #expect(later.items == own.items && later.features == own.features)
        }

        @Test("mass beside the items: value and gradients are those of ordinary tensors")
        func beside() throws {
            try Runtime.seed(4)
            func parameter(_ shape: [Int]) throws -> Tensor {
                let tensor = try Tensor.normal(shape, deviation: 0.7)
                try tensor.setRequiresGradient(true)
                return tensor
            }
            let (hidden, weight, bias) = (try parameter([4, 3]), try parameter([6, 3]), try parameter([6]))
            let (all, target) = (try parameter([4]), try parameter([4]))
            let answers = try Tensor([Int64(1), 5, 0, 2])
            func gradients(_ loss: Tensor) throws -> [[Float]] {
                let tensors = [hidden, weight, bias, all, target]
                for tensor in tensors { try tensor.clearGradient() }
                try loss.backward()
                return try tensors.map { try #require(try $0.gradient()).values() }
            }
            let fused = try Fused.linearCrossEntropy(
                hidden, weight: weight, bias: bias, targets: answers, beside: (all, target))
            let logits = try hidden.matmul(weight.transposed()) + bias
            let mass = try Tensor.concatenated([logits, all.unsqueezed(1)], 1).logSumExp(1)
            let own = try logits.gathered(1, answers.unsqueezed(1)).squeezed(1)
            let plain = try (mass - Tensor.stacked([own, target], 1).logSumExp(1)).mean()
            #expect(abs(try fused.item() - plain.item()) < 1e-5)
            for (a, b) in zip(try gradients(fused), try gradients(plain)) {
                #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-4 }, "\(a) is not \(b)")
            }
        }

        @Test(
            "what is counted is believed as far as held-out questions say: more where it is right, less where it is noise"
        )
        func evidence() throws {
            try Runtime.seed(8)
            let (questions, items) = (200, 30)
            var generator = SeededGenerator(seed: 8)
            let answers = (0..<questions).map { _ in Int64(1 + generator.uniform() * Double(items)) }
            func fitted(isRight: Bool) throws -> [Float] {
                // Vectors know a little of the answer; evidence names it with three others, or four at random.
                let logits = try Tensor.normal([questions, items + 1], deviation: 1)
                var lists: [Int64] = []
                var scores: [Float] = []
                for answer in answers {
                    var own = (0..<4).map { _ in Int64(1 + generator.uniform() * Double(items)) }
                    while Set(own).count < 4 || own.dropFirst().contains(answer) && isRight {
                        own = (0..<4).map { _ in Int64(1 + generator.uniform() * Double(items)) }
                    }
                    if isRight, !own.contains(answer) { own[0] = answer }
                    lists += own
                    scores += own.map { $0 == answer && isRight ? 1 : 0 }
                }
                let own = OwnItems(rows: questions, width: 4, items: lists, features: [])
                let byVector = try logits.gathered(1, own.places)
                let more = try Tensor(scores, shape: [questions, 4])
                let listed = try OwnLogits(own, values: byVector + more, byVector: byVector)
                let scale = try EvidenceScale()
                #expect(
                    try zip(scale(logits, listed).values(Float.self), listed.added(to: logits).values(Float.self))
                        .allSatisfy { abs($0 - $1) < 1e-4 })
                func loss() throws -> Double {
                    let all = try scale(logits, listed).logSoftmax(1)
                    return try -all.gathered(1, Tensor(answers).unsqueezed(1)).mean().item()
                }
                let before = try loss()
                try scale.fit([(logits, listed, try Tensor(answers))])
                #expect(try loss() < before)
                return try scale.scales.value.values()
            }
            let (right, noise) = (try fitted(isRight: true), try fitted(isRight: false))
            // The vectors are noise in both.
            #expect(right[0] < -0.5 && noise[0] < -0.5)
            #expect(right[1] > 0.5 && noise[2] < -0.5, "\(right), \(noise)")
        }

        @Test("every loss learns the ring", arguments: RankingLoss.Kind.allCases)
        func losses(kind: RankingLoss.Kind) throws {
            // Few negatives at a time say less a step than a softmax over all items.
            let epochs = kind == .softmax || kind == .sampled ? 20 : 120
            let share = try hits(ring(), "gru", epochs: epochs, at: 5, loss: kind)
            #expect(share > 0.8, "\(share)")
        }

        @Test("gBCE's constant is 1 without calibration and the sampling rate at full calibration")
        func calibration() {
            #expect(abs(RankingLoss.beta(negatives: 10, items: 101, 0) - 1) < 1e-12)
            // Petrov and Macdonald 2023: beta = alpha where t = 1.
            #expect(abs(RankingLoss.beta(negatives: 10, items: 101, 1) - 0.1) < 1e-12)
        }

        @Test("with log q taken off, drawing by popularity gives the softmax's own answer on average")
        func correction() throws {
            // With every item drawn once, the corrected sampled softmax is the full one.
            let states = try Tensor.normal([6, 4], deviation: 1)
            let vectors = try Tensor.normal([9, 4], deviation: 1)
            let bias = try Tensor.normal([9], deviation: 1)
            let targets: [Int64] = [1, 2, 3, 8, 5, 1]
            // Beside nothing, and beside mass of the person's own items: two each, one of them the answer of two rows.
            let items = OwnItems(rows: 6, width: 2, items: [1, 4, 3, 2, 7, 6, 5, 8, 5, 0, 0, 0], features: [])
            let own = try OwnLogits(items, values: .normal([6, 2], deviation: 1), byVector: .zeros([6, 2]))
            let rows = (0..<9).map(Int64.init)
            let sample = NegativeSample(rows: rows, logChanceOfRow: [Float](repeating: -2.19722458, count: 9))
            for own in [nil, own] {
                func value(_ kind: RankingLoss.Kind) throws -> Double {
                    var loss = RankingLoss()
                    loss.kind = kind
                    return try loss(
                        states, vectors: vectors, bias: bias, targets: targets, own: own,
                        sample: kind == .softmax ? nil : sample
                    ).item()
                }
                #expect(abs(try value(.softmax) - value(.sampled)) < 1e-5)
            }
        }

        @Test("the loss over all items is the same in bfloat16, to its precision")
        func bfloat16() throws {
            let states = try Tensor.normal([40, 16], deviation: 1)
            let vectors = try Tensor.normal([301, 16], deviation: 0.3)
            let bias = try Tensor.zeros([301])
            let targets = (0..<40).map { Int64($0 * 7) }
            var loss = RankingLoss()
            let exact = try loss(states, vectors: vectors, bias: bias, targets: targets, own: nil, sample: nil).item()
            loss.bfloat16 = true
            let rough = try loss(states, vectors: vectors, bias: bias, targets: targets, own: nil, sample: nil).item()
            #expect(abs(exact - rough) < 0.02 * exact)
        }

        @Test("EASE's matrix satisfies the conditions of its optimum")
        func ease() throws {
            var generator = SeededGenerator(seed: 6)
            let n = 7
            let x = (0..<20).map { _ in (0..<n).map { _ in generator.uniform() < 0.4 ? 1.0 : 0 } }
            let gram = (0..<n).map { i in (0..<n).map { j in x.reduce(0) { $0 + $1[i] * $1[j] } } }
            let b = try EASE.weights(gram: gram.flatMap { $0.map(Float.init) }, items: n, l2: 3)
            for i in 0..<n {
                #expect(b[i * n + i] == 0)
                // The gradient of |X - X B|^2 + l2 |B|^2 off the diagonal: (G + l2 I) B - G.
                for j in 0..<n where j != i {
                    let product = (0..<n).reduce(0.0) { sum, k in
                        sum + (gram[i][k] + (i == k ? 3 : 0)) * Double(b[k * n + j])
                    }
                    #expect(abs(product - gram[i][j]) < 1e-4)
                }
            }
        }

        @Test("a blend gives a useless ranker no weight and is at least as good as its parts on what it was fitted to")
        func blend() throws {
            struct Oracle: ItemRanker {
                let log: EventLog
                func scores(_ queries: [RankingQuery]) -> [Float] {
                    queries.flatMap { query -> [Float] in
                        (0..<log.items.count).map { Int(log.item[query.history.upperBound]) == $0 ? 1 : 0 }
                    }
                }
            }
            struct Noise: ItemRanker {
                let items: Int
                func scores(_ queries: [RankingQuery]) -> [Float] {
                    queries.flatMap { query -> [Float] in
                        var generator = SeededGenerator(seed: UInt64(query.user), stream: 9)
                        return (0..<items).map { _ in Float(generator.uniform()) }
                    }
                }
            }
            let task = try RankingTask(ring(), rule: .leaveOneOut, seen: .kept)
            let parts: [any ItemRanker] = [Oracle(log: task.log), Noise(items: task.itemCount)]
            let weights = try RankingBlend.weights(
                parts, task, among: Array(0..<task.itemCount), questions: 100, seed: 1)
            #expect(weights[0] > 1 && abs(weights[1]) < 0.3 * weights[0], "\(weights)")
            let blend = RankingBlend(
                parts, weights: weights, items: task.itemCount, among: Array(0..<task.itemCount))
            #expect(try RankingEvaluation.report(blend, task, .test, seed: 1).report.hitRate[1] == 1)
        }

        // MARK: Around a model

        @Test("the same seed gives the same weights; interrupted and resumed, a run ends as if it had not been")
        func reproducible() throws {
            try Runtime.setThreads(1)
            let task = try RankingTask(ring(), rule: .leaveOneOut, seen: .kept)
            let folder = try TemporaryFolder()
            func run(_ change: (inout Trainer) -> Void) throws -> Data {
                var training = try RankingTraining(
                    task, model: Self.model("attention"), training: Self.training(epochs: 3), ranking: Self.options())
                training.trainer.checkpoint = folder.file("checkpoint")
                change(&training.trainer)
                return try Safetensors.encode(training.run().bundle.weights())
            }
            let whole = try run { _ in }
            #expect(try run { _ in } == whole)
            var steps = 0
            #expect(throws: TrainingError.self) {
                try run { trainer in
                    trainer.shouldStop = {
                        steps += 1
                        return steps > 7
                    }
                }
            }
            #expect(try run { $0.resume = true } == whole)
        }

        /// A model read back, asked about people of the log, gives the scores that it gave beside it.
        private func expectAlike(
            _ trained: TrainedRanker, _ task: RankingTask, _ log: EventLog, _ places: some Sequence<Int>
        ) throws {
            let predictor = Predictor(try StandAloneTests.reread(trained.bundle))
            let asked = try AskedLog(log, for: predictor.bundle)
            for index in places {
                let query = task.query(at: index)
                let before = try trained.ranker.scores([query])
                let state = predictor.state(of: Int(query.user), in: asked, until: task.log.time[index - 1])
                let scores = try predictor.scores(of: [(state, -1)], at: [query.moment], in: asked)[0].scores
                for (number, score) in scores.enumerated() {
                    let item = try #require(log.items.find(predictor.bundle.vocabulary.items[number]))
                    #expect(abs(score - before[Int(item)]) < 1e-4 * max(1, abs(score)))
                }
            }
        }

        @Test(
            "what is remembered beyond the window is read alike beside the log and without it, where seen items are left out"
        )
        func remembered() throws {
            var generator = SeededGenerator(seed: 12)
            let log = TinyLog.log(
                (0..<30).map { _ in (0..<340).map { _ in Int(generator.uniform() * generator.uniform() * 500) } })
            let task = try RankingTask(log, rule: .leaveOneOut, seen: .excluded)
            let trained = try RankingTraining(
                task, model: Self.model("wane"), training: Self.training(epochs: 1), ranking: Self.options("wane")
            ).run()
            try expectAlike(trained, task, log, task.targets(.test).prefix(4))
            // Test questions know what was held back for validation; validation questions do not.
            let validation = task.query(at: task.targets(.validation)[0])
            #expect(try trained.ranker.scores([validation]) != trained.beforeValidation.scores([validation]))

            // Refitted, it believes as far as the one that validation chose.
            var refit = try RankingTraining(
                task, model: Self.model("wane"), training: Self.training(epochs: 1), ranking: Self.options("wane"))
            refit.chosen = trained.bundle
            guard case .ranking(let own) = trained.bundle.network,
                case .ranking(let again) = try refit.run().bundle.network
            else {
                Issue.record("no ranking")
                return
            }
            let scales = try #require(own.evidence).scales.value.values(Float.self)
            #expect(try scales == again.evidence?.scales.value.values(Float.self))
        }

        @Test(
            "a saved model, asked without its log, gives the scores that it gave beside it",
            arguments: ["gru", "attention", "wane", "lightgcn", "din", "mlp"])
        func folder(family: String) throws {
            let log = ring()
            let task = try RankingTask(log, rule: .leaveOneOut, seen: .kept)
            // Shorter than histories: what was before is remembered by the items that people come back to.
            var options = Self.options(family)
            options.window = 5
            let trained = try RankingTraining(
                task, model: Self.model(family), training: Self.training(epochs: 1), ranking: options
            ).run()
            #expect(trained.bundle.description.options.repeats)
            let folder = try TemporaryFolder()
            let path = folder.file("model").path
            try BundleFolder.write(trained.bundle, metrics: Data("{}".utf8), card: "", to: path)
            let bundle = try BundleFolder.read(path, for: [.ranking])
            let predictor = Predictor(bundle)
            for index in task.targets(.test).prefix(6) {
                let query = task.query(at: index)
                let before = try trained.ranker.scores([query])
                // One person's events in a log of their own.
                let own = EventLog(
                    users: Vocabulary(["somebody"]), items: log.items, user: Column(query.history.map { _ in 0 }),
                    item: Column(query.history.map { task.log.item[$0] }),
                    time: Column(query.history.map { task.log.time[$0] }), topics: .single(log.items.count))
                let asked = try AskedLog(own, for: bundle)
                let state = predictor.state(of: 0, in: asked)
                let scores = try predictor.scores(of: [(state, -1)], at: [query.moment], in: asked)[0].scores
                for (number, score) in scores.enumerated() {
                    let item = try #require(log.items.find(bundle.vocabulary.items[number]))
                    let other = before[Int(item)]
                    #expect(abs(score - other) < 1e-4 * max(1, abs(score)), "\(score) is not \(other)")
                }
            }
        }

        @Test(
            "own items are remembered as far back beside the log and alone: longer histories than are kept give the same"
        )
        func memory() throws {
            var generator = SeededGenerator(seed: 9)
            let log = TinyLog.log(
                (0..<6).map { person in
                    (0..<(OwnItems.memory + 60 + person * 40)).map { _ in Int(pow(generator.uniform(), 3) * 60) }
                })
            let task = try RankingTask(log, rule: .leaveOneOut, seen: .kept)
            var options = Self.options()
            options.window = 12
            let trained = try RankingTraining(
                task, model: Self.model("gru"), training: Self.training(epochs: 1), ranking: options
            ).run()
            try expectAlike(trained, task, log, task.targets(.test))
        }

        @Test("a blend that was saved gives the scores of the blend that was measured")
        func savedBlend() throws {
            let log = ring()
            let task = try RankingTask(log, rule: .leaveOneOut, seen: .kept)
            let trained = try RankingTraining(
                task, model: Self.model("gru"), training: Self.training(epochs: 2), ranking: Self.options()
            ).run()
            let parts: [any ItemRanker] = [
                PopularItems(halfLifeDays: 3).fitted(task, before: .validation),
                PopularItems(halfLifeDays: nil).fitted(task, before: .validation),
                ItemKNN(neighbours: 800, halfLife: 2).fitted(task, before: .validation),
                CoVisits(window: 20, halfLife: 3, popularityPower: 0.3).fitted(task, before: .validation),
            ]
            let weights = [0.2, -0.1, 0.5, 0.8, 1.3]
            var bundle = trained.bundle
            bundle.description.blendWeight = weights[4]
            bundle.members = RankingBlend.members(
                parts, names: ["a", "b", "c", "d"], weights: Array(weights.prefix(4)), bundle.vocabulary)
            #expect(bundle.members.count == 4)
            let predictor = Predictor(try StandAloneTests.reread(bundle))
            let asked = try AskedLog(log, for: predictor.bundle)
            let blend = RankingBlend(
                parts + [trained.ranker], weights: weights, items: task.itemCount, among: trained.ranker.knownItems)
            for index in task.targets(.test).prefix(5) {
                let query = task.query(at: index)
                let expected = try blend.scores([query])
                let state = predictor.state(of: Int(query.user), in: asked, until: task.log.time[index - 1])
                let scores = try predictor.scores(of: [(state, -1)], at: [query.moment], in: asked)[0].scores
                for (number, score) in scores.enumerated() {
                    let item = try #require(log.items.find(predictor.bundle.vocabulary.items[number]))
                    #expect(abs(score - expected[Int(item)]) < 2e-3)
                }
            }
        }

        @Test(
            "scores do not depend on what else is asked",
            arguments: ["attention", "wane", "hstu", "caser", "gru", "din"])
        func independent(family: String) throws {
            let task = try RankingTask(ring(), rule: .leaveOneOut, seen: .kept)
            let ranker = try RankingTraining(
                task, model: Self.model(family), training: Self.training(epochs: 1), ranking: Self.options(family)
            ).run().ranker
            // Histories of other lengths beside it.
            let queries = (0..<6).map { person in
                let start = task.userStarts[person]
                return RankingQuery(user: UInt32(person), history: start..<start + 2 + 2 * person, moment: 1 << 40)
            }
            let together = try ranker.scores(queries)
            for (row, query) in queries.enumerated() {
                let alone = try ranker.scores([query])
                for (a, b) in zip(alone, together[row * task.itemCount..<(row + 1) * task.itemCount]) {
                    #expect(abs(a - b) < 1e-4)
                }
            }
        }

        @Test("candidates, seen items and more than there is: lists hold what is left, or say that nothing is")
        func lists() throws {
            let log = ring()
            let task = try RankingTask(log, rule: .leaveOneOut, seen: .kept)
            let predictor = Predictor(
                try RankingTraining(
                    task, model: Self.model("gru"), training: Self.training(epochs: 1), ranking: Self.options()
                ).run().bundle)
            let asked = try AskedLog(log, for: predictor.bundle)
            let state = predictor.state(of: 0, in: asked)
            func top(_ count: Int, among: [String]? = nil, excluding: Set<String> = []) throws -> [Predictor.RankedItem]
            {
                try predictor.top(
                    count, for: state, user: -1, at: state.lastTime, in: asked, among: among, excluding: excluding
                ).items
            }
            let all = try top(.max)
            #expect(all.count == task.itemCount)
            #expect(zip(all, all.dropFirst()).allSatisfy { ($0.score ?? 0) >= ($1.score ?? 0) })
            #expect(try top(5, among: ["3", "3", "7"]).map(\.item).sorted() == ["3", "7"])
            // What the model has not met stands last, without a score that would pretend to be one.
            let mixed = try top(5, among: ["new", "3", "newer", "7"])
            #expect(mixed.suffix(2).map(\.item) == ["new", "newer"] && mixed.suffix(2).allSatisfy { $0.score == nil })
            #expect(throws: PredictionError.noCandidates) { try top(5, among: []) }
            let met = Set(asked.events(ofUser: 0).map { asked.log.items[Int(asked.log.item[$0])] })
            #expect(throws: PredictionError.noCandidates) { try top(5, among: Array(met), excluding: met) }
            #expect(met.isDisjoint(with: try top(1_000, excluding: met).map(\.item)))
        }

        @Test("a person of whom nothing is known is given what people met most, counted before what was held back")
        func nobody() throws {
            let log = ring()
            let task = try RankingTask(log, rule: .leaveOneOut, seen: .kept)
            let bundle = try RankingTraining(
                task, model: Self.model("gru"), training: Self.training(epochs: 1), ranking: Self.options()
            ).run().bundle
            let predictor = Predictor(try StandAloneTests.reread(bundle))
            let asked = try AskedLog(log, for: predictor.bundle)
            let list = try predictor.top(.max, for: predictor.newState(in: asked), user: -1, at: 0, in: asked)
            #expect(list.basis == .population && list.items.count == task.itemCount)
            let state = predictor.state(of: 0, in: asked)
            #expect(try predictor.top(3, for: state, user: -1, at: state.lastTime, in: asked).basis == .history)
            // The ring's items are met about alike; what is kept is one of the settings, of training events alone.
            let settings = RankingBaselineKind.popularity(task.log).flatMap(\.settings)
            var matches = false
            for setting in settings {
                guard case .counts(let counts) = try setting.fitted(task, before: .validation).kept else { continue }
                let scores = list.items.map { ($0.item, $0.score ?? .nan) }
                matches =
                    matches
                    || scores.allSatisfy { name, score in log.items.find(name).map { counts[Int($0)] } == score }
            }
            #expect(matches)
        }

        @Test("people and items that training never met are answered from their history, by known items alone")
        func newcomers() throws {
            let trained = try RankingTraining(
                RankingTask(ring(), rule: .leaveOneOut, seen: .kept), model: Self.model("lightgcn"),
                training: Self.training(epochs: 12), ranking: Self.options()
            ).run()
            let predictor = Predictor(trained.bundle)
            let asked = try AskedLog(TinyLog.log([[3, 4, 99], [98, 97], [5]]), for: trained.bundle)
            func list(_ user: Int) throws -> [Predictor.RankedItem] {
                let state = predictor.state(of: user, in: asked)
                return try predictor.top(100, for: state, user: -1, at: state.lastTime, in: asked).items
            }
            for user in 0..<3 {
                #expect(Set(try list(user).map(\.item)) == Set((0..<20).map(String.init)))
                #expect(try list(user).allSatisfy { $0.score?.isFinite == true })
            }
            // Another history, another order.
            #expect(try list(0).map(\.item) != list(2).map(\.item))
        }

        @Test(
            "edges of a graph are as of a target's moment: later events move nothing",
            arguments: ["hybrid", "lightgcn"])
        func graphAsOf(family: String) throws {
            let task = try RankingTask(circles(length: 20), rule: .leaveOneOut, seen: .kept)
            let known = (0..<task.userCount).map { task.known($0, before: .validation) }
            let times = known.flatMap { $0.map { task.log.time[$0] } }.sorted()
            let moments = [times[times.count / 2], times[times.count - 1]]
            let rows = (0..<task.itemCount).map { Int64($0 + 1) }
            func graph(_ log: EventLog) throws -> [Float] {
                let graphs = try GraphSnapshots(
                    log, known: known, at: moments, itemRow: rows, itemRows: task.itemCount + 1, friends: .none)
                return try graphs[0].plain.matmul(.full([task.itemCount + 1 + task.userCount, 1], 1)).values()
            }
            // Every event after the first snapshot meets item 0 instead.
            let items = (0..<task.log.count).map { task.log.time[$0] > moments[0] ? 0 : task.log.item[$0] }
            let changed = EventLog(
                users: task.log.users, items: task.log.items, user: task.log.user, item: Column(items),
                time: task.log.time, topics: task.log.topics)
            #expect(try graph(task.log) == graph(changed))
        }

        @Test("a loss that a family does not have is refused, not passed over")
        func otherLoss() throws {
            let task = try RankingTask(ring(), rule: .leaveOneOut, seen: .kept)
            for family in ["din", "dien"] {
                #expect(throws: TrainingError.loss("softmax", family: family)) {
                    try RankingTraining(
                        task, model: Self.model(family), training: Self.training(epochs: 1),
                        ranking: Self.options(family, .softmax))
                }
            }
        }

        @Test("losses over drawn items differ for families that meet candidates", arguments: ["din", "dien"])
        func candidateLosses(family: String) throws {
            let task = try RankingTask(ring(), rule: .leaveOneOut, seen: .kept)
            func weights(_ loss: RankingLoss.Kind) throws -> Data {
                try Safetensors.encode(
                    RankingTraining(
                        task, model: Self.model(family), training: Self.training(epochs: 1),
                        ranking: Self.options(family, loss)
                    ).run().bundle.weights())
            }
            let all = try [RankingLoss.Kind.sampled, .bce, .gbce].map(weights)
            #expect(Set(all).count == 3)
        }
    }

    @Suite("Models of return times")
    struct ReturnTrainingTests {
        init() throws { try Runtime.setThreads(1) }

        private func task() throws -> ReturnTask { ReturnTask(try Small.task(users: 100)) }

        @Test(
            "beat one curve for all and the gamma prior in log likelihood on a part they have not seen",
            arguments: ["mlp", "gru", "attention", "hawkes", "din", "lightgcn"])
        func better(family: String) throws {
            let task = try task()
            var options = TrainingTests.options(epochs: family == "hawkes" ? 40 : 12)
            options.averaging = 0.9
            let model = try ReturnTraining(task, model: TrainingTests.model(family), training: options).run()
            let comparison = try ReturnComparison(task, options.record, models: [model])
            func row(_ name: String) throws -> ReturnReport {
                try #require(comparison.rows.first { $0.name == name }).report
            }
            let own = try row(family)
            let (likelihood, prior) = (own.logLikelihood, try row("exponential, gamma prior").logLikelihood)
            #expect(try #require(likelihood) > #require(prior))
            #expect(own.concordance > 0.55)
            let (brier, population) = (own.integratedBrier, try row("Kaplan-Meier").integratedBrier)
            #expect(try #require(brier) < #require(population) + 0.01)
        }

        @Test("survival falls from 1, and the density is its slope", arguments: ["gru", "hawkes"])
        func consistent(family: String) throws {
            let task = try task()
            let model = try ReturnTraining(
                task, model: TrainingTests.model(family), training: TrainingTests.options(epochs: 1)
            ).run()
            let predictor = QueryPredictor(model, of: task.interest.histories)
            let questions = try task.questions(.test, count: 200, seed: 1)
            let grid = (0..<30).map { 1e-3 * exp2(Double($0) / 3) }
            let predictions = try predictor.predict(questions, grid: grid)
            let survival = try #require(predictions.survival)
            for row in 0..<questions.count {
                let curve = Array(survival[row * 30..<(row + 1) * 30])
                #expect(zip(curve, curve.dropFirst()).allSatisfy { $0 >= $1 - 1e-6 })
                #expect(curve.allSatisfy { (0...1.000001).contains($0) })
            }
            // A finite difference in float32: a step of a hundredth keeps enough digits.
            var compared = 0
            let hours = Double(task.interest.split.horizon) / 3.6e9
            for row in 0..<questions.count
            where questions.observed[row] && questions.duration[row] > 0.02 && compared < 20 {
                let t = questions.duration[row]
                // Within an hour of the day: from one to the next the density jumps.
                let touch = Double(questions.queries.moment[row]) / 3.6e9
                guard floor(touch + 0.99 * t * hours) == floor(touch + 1.01 * t * hours) else { continue }
                let nearby = try predictor.predict(questions, grid: [t * 0.99, t * 1.01])
                let s = try #require(nearby.survival)
                let slope = (s[row * 2] - s[row * 2 + 1]) / (0.02 * t)
                let likelihood = try #require(predictions.logLikelihood)
                let density = exp(likelihood[row])
                #expect(abs(density - slope) < 0.03 * max(density, 0.05), "\(density) is not \(slope)")
                compared += 1
            }
            #expect(compared == 20)
        }

        @Test(
            "a question asked later in a silence counts from there: its likelihood is that of the whole less that of the silence"
        )
        func truncated() throws {
            let task = try task()
            let model = try ReturnTraining(
                task, model: TrainingTests.model("gru"), training: TrainingTests.options(epochs: 1)
            ).run()
            let questions = try task.questions(.test, count: 300, seed: 1, later: true)
            #expect(questions.entry.contains { $0 > 0 } && questions.entry.contains(0))
            #expect(zip(questions.entry, questions.duration).allSatisfy { $0 <= $1 })
            let entries = questions.entry.filter { $0 > 0 }
            let predictor = QueryPredictor(model, of: task.interest.histories)
            let plain = ReturnQueries(
                queries: questions.queries, duration: questions.duration, observed: questions.observed,
                entry: questions.entry.map { _ in 0 }, ages: questions.ages)
            let grid = Array(entries.prefix(8))
            let (own, whole) = (try predictor.predict(questions, grid: grid), try predictor.predict(plain, grid: grid))
            let (a, b) = (try #require(own.logLikelihood), try #require(whole.logLikelihood))
            let survival = try #require(whole.survival)
            var compared = 0
            for row in 0..<questions.count {
                guard let column = grid.firstIndex(of: questions.entry[row]) else { continue }
                #expect(abs(a[row] - (b[row] - log(survival[row * grid.count + column]))) < 1e-3)
                // Half of those still away come back later than half of all.
                #expect(own.median[row] >= whole.median[row] - 1e-4)
                compared += 1
            }
            #expect(compared >= 8)
        }

        @Test(
            "a correction of BG/NBD keeps its answers proper: chances sum to one, medians are counts",
            arguments: ["gru", "lightgcn"])
        func cohort(family: String) throws {
            var generator = SeededGenerator(seed: 8)
            let histories = (0..<120).map { _ in (0..<1 + Int(generator.uniform() * 6)).map { _ in 0 } }
            var moments: [[Double]] = []
            for history in histories {
                var hour = generator.uniform() * 24 * 60
                moments.append(
                    history.map { _ in
                        defer { hour += 24 * (1 + generator.uniform() * 60) }
                        return hour
                    })
            }
            let log = TinyLog.log(histories) { person, step in moments[person][step] }
            let week: Int64 = 7 * 86_400_000_000
            let task = try CohortTask(log, known: 24 * week, ahead: 10 * week)
            let classics = try CohortClassics(task)
            let (bundle, answers) = try CohortTraining(
                task, classics, model: TrainingTests.model(family),
                training: TrainingTests.options(epochs: 2)
            ).run()
            // Saved and asked again at the same moment, it gives the same.
            let folder = try TemporaryFolder()
            try BundleFolder.write(bundle, metrics: Data("{}".utf8), card: "", to: folder.file("m").path)
            let read = try BundleFolder.read(folder.file("m").path, for: [.cohort])
            let asked = try AskedLog(log, for: read)
            let reread = Histories(sorted: asked.log, scale: read.scale, engagement: asked.engagement)
            let again = CohortTask(reread, knownUntil: task.knownUntil, ahead: task.ahead)
            let interest = InterestTask(
                reread, split: read.description.split, seed: 1,
                typicalEngagement: read.description.typicalEngagement, popularity: asked.popularity)
            let queries = interest.queries(
                at: again.test.map { (reread.userTopicStarts[$0.user], $0.moment) })
            let record = try #require(read.description.cohort)
            let repeated = try QueryPredictor(read, asked, reread).predict(
                again.test, queries, classic: record.classic, limit: CohortAnswers.limit)
            #expect(zip(repeated.mean, answers.mean).allSatisfy { abs($0 - $1) < 1e-4 })
            #expect(answers.chance.count == task.test.count)
            #expect(answers.chance.allSatisfy { (0...1).contains($0) })
            #expect(answers.median.allSatisfy { $0 == $0.rounded() && $0 >= 0 })
            let comparison = CohortComparison(task, classics, [answers])
            #expect(comparison.rows.map(\.name).contains("Pareto/NBD"))
            #expect(comparison.rows.allSatisfy { $0.report.logLoss?.isFinite ?? ($0.name == "nobody comes back") })
        }
    }
}
