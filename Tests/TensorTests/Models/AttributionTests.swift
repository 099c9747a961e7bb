import Foundation
import TestSupport
import Testing
import Torch
import WaneBundle
import WaneCurves
import WaneEvents
import WaneMetrics
import WaneModels
import WanePrediction
import WaneSimulation
import WaneState
import WaneTasks

@testable import WaneExplanation
@testable import WaneTraining

extension UsingTorch {
    @Suite("What answers are due to")
    struct AttributionTests {
        private static func trained(_ family: String, _ task: InterestTask) throws -> ModelBundle {
            try InterestTraining(task, model: TrainingTests.model(family), training: TrainingTests.options()).run()
        }

        private static func logit(_ chance: Double) -> Double {
            let chance = min(1 - 1e-6, max(1e-6, chance))
            return log(chance) - log1p(-chance)
        }

        @Test(
            "credits of all that is read add up to the difference between a question and an ordinary one, and leave the model as it was",
            arguments: ["mlp", "lstm", "cnn", "attention", "din", "gcn"])
        func completeness(family: String) throws {
            let task = try Small.task(users: 60)
            let bundle = try Self.trained(family, task)
            let predictor = QueryPredictor(bundle, of: task.histories)
            let queries = try task.queries(.test, count: 40, seed: 3)
            let before = try predictor.predict(queries).returnProbability
            let found = try predictor.attributions(queries)
            #expect(found.count == queries.count)
            let complete = found.count { $0.completenessError != nil }
            #expect(bundle.network.queries?.readsHistory == true ? complete > 3 : complete == found.count)
            var events = 0
            for (attribution, chance) in zip(found, before) {
                #expect(abs(attribution.actual - Self.logit(chance)) < 1e-3)
                // Of questions that share one history the share of its events is not known.
                if let error = attribution.completenessError { #expect(error < 0.01) }
            }
            let asked = try AskedLog(task.histories.log, for: bundle)
            for row in 0..<6 {
                let user = Int(asked.log.users.find(task.histories.log.users[Int(queries.user[row])]) ?? 0)
                let (topic, moment) = (queries.topic[row], queries.moment[row])
                let state = Predictor(bundle).state(of: user, in: asked, until: moment)
                let one = try #require(
                    try Predictor(bundle).attribution(topic, at: moment, of: state, user: asked.userOf[user], in: asked)
                )
                let error = try #require(one.credits.completenessError)
                #expect(error < 0.01, "\(one.credits)")
                let isFinite = one.credits.events.allSatisfy(\.isFinite)
                #expect(isFinite)
                events += one.credits.events.count
                // A graph's items are pooled by weights that decay.
                if ["attention", "din", "gcn"].contains(family) {
                    let weights = try #require(one.attention)
                    #expect(weights.count == one.credits.events.count)
                    let sum = weights.reduce(0) { $0 + abs($1) }
                    #expect(abs(sum - 1) < 1e-3)
                } else {
                    #expect(one.attention == nil)
                }
            }
            #expect((events > 0) == (bundle.network.queries?.readsHistory == true))
            #expect(try predictor.predict(queries).returnProbability == before)
            for (_, parameter) in bundle.network.module.parameters {
                let gradient = try parameter.value.gradient()
                #expect(gradient == nil)
            }
        }

        @Test("where one number alone is out of the ordinary, it has the whole credit, and others none")
        func alone() throws {
            let task = try Small.task(users: 60)
            let bundle = try Self.trained("mlp", task)
            let predictor = QueryPredictor(bundle, of: task.histories)
            var queries = try task.queries(.test, count: 6, seed: 3)
            let width = FeatureSchema.lastEventCount
            let horizon = Float(Double(bundle.description.split.horizon) / 1e6)
            queries = queries.setting(.sinceTopic, to: horizon * (1 - Float(InterestCurve.smallestTime)))
                .setting(.sinceEvent, to: horizon * (1 - Float(InterestCurve.smallestTime))).setting(.rate, to: 0)
            let place = try #require(FeatureSchema.lastEventIndex("log_touches"))
            let scaling = bundle.description.scaling
            for row in 0..<queries.count {
                var values = scaling.mean
                values[place] += scaling.deviation[place] * Float(row - 2)
                queries.set(Array(0..<width), ofRow: row, to: values)
            }
            for (row, found) in try predictor.attributions(queries).enumerated() {
                for other in 0..<width where other != place { #expect(abs(found.features[other]) < 1e-4) }
                #expect(abs(found.sinceTopic) < 1e-4 && abs(found.sinceEvent) < 1e-4 && found.rate == 0)
                #expect(abs(found.features[place] - (found.actual - found.ordinary)) < 2e-3)
                if row == 2 { #expect(abs(found.features[place]) < 1e-5) }
            }
        }

        @Test(
            "had touches or days not been: what a log without those rows gives, for families with and without histories"
        )
        func counterfactuals() throws {
            let task = try Small.task(users: 40)
            let log = task.histories.log
            for family in ["mlp", "attention"] {
                let bundle = try Self.trained(family, task)
                let predictor = Predictor(bundle)
                let asked = try AskedLog(log, for: bundle)
                let day: Int64 = 86_400_000_000
                var changed = 0
                for user in 0..<10 {
                    let events = Array(asked.events(ofUser: user))
                    let last = try #require(events.last)
                    let moment = asked.log.time[last] + 3 * day
                    let topic = asked.log.topics[asked.log.item[last]].first ?? 0
                    let touches = events.filter { asked.log.topics[asked.log.item[$0]].contains(topic) }
                    guard touches.count > 3 else { continue }
                    let found = try predictor.counterfactuals(
                        user, topic, at: moment, in: asked,
                        [.asItIs, .withoutTouches(2), .withoutDays(10), .withoutTouches(100_000), .withoutDays(1)])
                    // Nobody has so many touches, and none came in the last day.
                    #expect(found.map(\.change) == [.asItIs, .withoutTouches(2), .withoutDays(10)])
                    let recent = events.filter { asked.log.time[$0] > moment - 10 * day }
                    for (answer, dropped) in zip(
                        found, [[], Set(touches.suffix(2)), Set(recent)] as [Set<Int>])
                    {
                        let chance = answer.curve.returnProbability(after: 0)
                        let other = try self.chance(dropped, user, topic, moment, asked, bundle)
                        #expect(abs(chance - other) < 1e-6)
                        if abs(chance - found[0].curve.returnProbability(after: 0)) > 1e-4 { changed += 1 }
                    }
                    let credits = try predictor.eventCredits(user, topic, at: moment, in: asked, most: 3)
                    #expect(credits.map(\.event) == Array(events.suffix(3).reversed()))
                    for credit in credits {
                        let without = try chance([credit.event], user, topic, moment, asked, bundle)
                        let whole = found[0].curve.returnProbability(after: 0)
                        #expect(abs(credit.leftOut - (Self.logit(whole) - Self.logit(without))) < 1e-5)
                        #expect((credit.gradient == nil) == (family == "mlp"))
                        #expect((credit.attention == nil) == (family == "mlp"))
                    }
                }
                #expect(changed > 5)
            }
        }

        /// The chance by a log from which some rows are deleted.
        private func chance(
            _ dropped: Set<Int>, _ user: Int, _ topic: UInt32, _ moment: Int64, _ asked: AskedLog, _ bundle: ModelBundle
        ) throws -> Double {
            let log = asked.log
            let kept = log.time.indices.filter { !dropped.contains($0) }
            let cut = EventLog(
                users: log.users, items: log.items, user: Column(kept.map { log.user[$0] }),
                item: Column(kept.map { log.item[$0] }), time: Column(kept.map { log.time[$0] }),
                duration: log.duration.map { duration in Column(kept.map { duration[$0] }) }, topics: log.topics)
            let other = try AskedLog(cut, for: bundle)
            let state = Predictor(bundle).state(of: user, in: other, until: moment)
            return try Predictor(bundle).curves(
                [StateQuestion(person: 0, topic: topic, moment: moment)], of: [(state, other.userOf[user])], in: other
            )[0].curve.returnProbability(after: 0)
        }

        @Test(
            "an ordinary week takes a cause's multiplier away; friends as of the last touch change nothing, of another time they do"
        )
        func ordinaryWeeks() throws {
            var options = Scenario.Options()
            (options.users, options.days, options.seed, options.effect) = (80, 100, 4, 2)
            let result = CausedLog(options, mechanism: .rate)
            let log = result.log.sortedByUser()
            let friends = SocialEdges(
                result.scenario.people.map { $0.friends.map { SocialEdges.Friend(user: UInt32($0)) } })
            let split = try Split(log)
            let task = InterestTask(Histories(log, trainEnd: split.trainEnd), split: split, seed: 7).knowing(friends)
            var bundle = try InterestTraining(
                task, model: TrainingTests.model("wane"), training: TrainingTests.options(epochs: 1)
            ).run()
            // Of so few people little is known, and most causes move nothing.
            bundle.description.causes?.schema.moving = ByCause(repeating: true)
            let asked = try AskedLog(log, for: bundle).knowing(friends, scale: bundle.scale)
            let explainer = try Explainer(Predictor(bundle))
            var (met, moved) = (0, 0)
            for user in 0..<asked.userCount {
                for last in asked.events(ofUser: user).suffix(4) {
                    let touch = asked.log.time[last]
                    // Later events of other topics leave the silence open.
                    let moment = asked.log.time[asked.events(ofUser: user).upperBound - 1]
                    let topic = asked.log.topics[asked.log.item[last]].first ?? 0
                    let state = explainer.predictor.state(of: user, in: asked, until: moment)
                    guard state.topic(topic)?.lastTime == touch else { continue }
                    guard
                        let explanation = try explainer.explain(
                            [.init(user: user, topic: topic, moment: moment)], in: asked)[0],
                        let half = explanation.curve.halfLife
                    else { continue }
                    let found = try explainer.predictor.counterfactuals(
                        user, topic, at: moment, in: asked,
                        Cause.allCases.map { .ordinary($0) } + [
                            .friendsAsOf(touch), .friendsAsOf(touch - 20 * 86_400_000_000),
                        ])
                    for answer in found {
                        let now = try #require(answer.curve.halfLife)
                        switch answer.change {
                        case .ordinary(let cause):
                            met += 1
                            #expect(explanation.effects.measures.values[cause] != 0)
                            #expect(abs(now * explanation.multiplier(cause).value / half - 1) < 1e-3)
                        case .friendsAsOf(touch): #expect(abs(now / half - 1) < 1e-5)
                        default: moved += abs(now / half - 1) > 1e-4 ? 1 : 0
                        }
                    }
                }
            }
            #expect(met > 20 && moved > 5)
        }

        @Test(
            "what a model relies on is in one group each, and the time since the last touch is what chances fall with")
        func importance() throws {
            let task = try Small.task(users: 120)
            let bundle = try Self.trained("mlp", task)
            let predictor = QueryPredictor(bundle, of: task.histories)
            var places: [Int] = []
            for group in predictor.groups { if case .features(let own) = group.columns { places += own } }
            #expect(places.sorted() == Array(0..<FeatureSchema.lastEventCount))
            let queries = try task.queries(.test, count: 1_500, seed: 5)
            let found = try predictor.importance(queries, seed: 1)
            let loss = Classification.report(
                try predictor.predict(queries).returnProbability, queries.didReturn.map(Double.init), threshold: 0.5
            ).logLoss
            #expect(abs(found.logLoss - loss) < 1e-4)
            #expect(found.groups.map(\.increase) == found.groups.map(\.increase).sorted(by: >))
            let time = try #require(found.groups.first { $0.name == "time since the last touch" })
            #expect(time.increase > 0.02 && (time.interval?.low ?? 0) > 0)
            let dependence = try #require(try predictor.dependence(on: "since_topic", queries))
            let chances = dependence.map(\.returnProbability)
            #expect(chances == chances.sorted(by: >) && dependence.count > 3)
            #expect(try predictor.dependence(on: "nothing", queries) == nil)
        }

        @Test("columns of queries are taken from others and set, and nothing else is")
        func columns() throws {
            let task = try Small.task(users: 30)
            let queries = try task.queries(.test, count: 50, seed: 5)
            let order = Array((0..<queries.count).reversed())
            let moved = queries.taking(.sinceTopic, from: order)
            #expect(moved.elapsedSinceTopic == queries.elapsedSinceTopic.reversed())
            // A touch is an event.
            let isPossible = zip(moved.elapsedSinceEvent, moved.elapsedSinceTopic).allSatisfy { $0 <= $1 }
            #expect(isPossible)
            let late = queries.setting(.sinceEvent, to: 1e9)
            let isLate = late.elapsedSinceTopic.allSatisfy { $0 == 1e9 }
            #expect(isLate)
            #expect(queries.taking(.sinceTopic, from: order).lastEventFeatures == queries.lastEventFeatures)
            let one = queries.taking(.features([3]), from: order)
            let width = FeatureSchema.lastEventCount
            for row in 0..<queries.count {
                for place in 0..<width {
                    let from = place == 3 ? order[row] : row
                    #expect(
                        one.lastEventFeatures[row * width + place] == queries.lastEventFeatures[from * width + place])
                }
            }
            let shuffled = queries.shufflingOutcomes(seed: 1)
            #expect(
                shuffled.didReturn.sorted() == queries.didReturn.sorted() && shuffled.didReturn != queries.didReturn)
            #expect(shuffled.lastEventFeatures == queries.lastEventFeatures)
        }

        @Test(
            "a model of shuffled outcomes or without features differs; randomized weights are the same numbers elsewhere"
        )
        func ablations() throws {
            let task = try Small.task(users: 80)
            let plain = try Self.trained("mlp", task)
            let queries = try task.queries(.test, count: 2_000, seed: 5)
            func loss(_ bundle: ModelBundle, _ masked: [Int] = []) throws -> Double {
                let own = masked.isEmpty ? queries : queries.setting(.features(masked), to: 0)
                return Classification.report(
                    try QueryPredictor(bundle, of: task.histories).predict(own).returnProbability,
                    queries.didReturn.map(Double.init), threshold: 0.5
                ).logLoss
            }
            var training = try InterestTraining(
                task, model: TrainingTests.model("mlp"), training: TrainingTests.options())
            training.ablation.shufflesOutcomes = true
            let rate = queries.didReturn.reduce(0.0) { $0 + Double($1) } / Double(queries.count)
            let constant = -rate * log(rate) - (1 - rate) * log1p(-rate)
            let untaught = try training.run()
            #expect(try loss(plain) < constant - 0.03)
            #expect(try loss(untaught) > loss(plain) + 0.03)
            training.ablation = .init()
            training.ablation.features = Array(0..<FeatureSchema.lastEventCount)
            let blind = try training.run()
            // It reads nothing of them, whatever they are.
            let reading = QueryPredictor(blind, of: task.histories)
            let masked = queries.setting(.features(training.ablation.features), to: 0)
            #expect(
                try reading.predict(masked).returnProbability
                    == reading.predict(masked.setting(.features([2]), to: 0)).returnProbability)
            let isBlind = blind.description.scaling.mean.allSatisfy { $0 == 0 }
            #expect(isBlind)
            #expect(try loss(blind, training.ablation.features) > loss(plain))
            var before: [[Float]] = []
            for (_, parameter) in plain.network.module.parameters { before.append(try parameter.value.values()) }
            try plain.randomizeWeights(seed: 3)
            for ((_, parameter), own) in zip(plain.network.module.parameters, before) {
                let after: [Float] = try parameter.value.values()
                #expect(after.sorted() == own.sorted())
            }
        }

        @Test("ranks correlate as SciPy says, ties and all")
        func ranks() {
            // scipy.stats.spearmanr([1, 2, 2, 4, 5], [3, 1, 4, 4, 9]).statistic
            let found = RankCorrelation.spearman([1, 2, 2, 4, 5], [3, 1, 4, 4, 9]) ?? 0
            #expect(abs(found - 0.763_157_894_736_842_1) < 1e-9)
            #expect(RankCorrelation.spearman([1, 1], [1, 2]) == nil)
            #expect(RankCorrelation.spearman([1], [1]) == nil)
        }
    }
}
