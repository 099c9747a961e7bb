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
import WaneState
import WaneTasks

@testable import WaneTraining

extension UsingTorch {
    /// A model asked with states, without its log, beside the same model asked in batches on its log.
    @Suite("A model stands alone")
    struct StandAloneTests {
        init() throws { try Runtime.setThreads(1) }

        /// Logs of several shapes: simulated; with text ids, shuffled rows and no durations; with order only; and a
        /// stretch of each real log that is on this machine.
        static let logs = ["simulated", "shuffled", "positions", "ml-100k", "cdnow", "ml-latest-small", "url-services"]

        static func log(_ name: String) throws -> EventLog? {
            func real(_ path: String, items: String? = nil, people: Int) throws -> EventLog? {
                guard let path = RealLog.path(path) else { return nil }
                var options = ReadingOptions()
                options.items = items.flatMap { RealLog.path($0) }
                return Self.people(people, of: try LogReader.read(path, options: options).log)
            }
            switch name {
            case "shuffled":
                var generator = SeededGenerator(seed: 12)
                let log = Small.simulated(users: 60, seed: 5).log
                let order = (0..<log.count).shuffled(using: &generator)
                return EventLog(
                    users: Vocabulary(log.users.names.map { "person \($0) é" }), items: log.items,
                    user: Column(order.map { log.user[$0] }), item: Column(order.map { log.item[$0] }),
                    time: Column(order.map { log.time[$0] }), topics: log.topics)
            case "positions":
                var text = "UserID,PageID\n"
                var generator = SeededGenerator(seed: 6)
                for _ in 0..<5_000 {
                    let user = Int(generator.uniform() * generator.uniform() * 60)
                    text += "\(user),\(Int(generator.uniform() * generator.uniform() * 90))\n"
                }
                return try LogReader.read(bytes: Array(text.utf8)).log
            case "ml-100k": return try real("ml-100k/ml-100k.inter", items: "ml-100k/ml-100k.item", people: 120)
            case "cdnow": return try real("cdnow/CDNOW_master.txt", people: 1_500)
            case "ml-latest-small":
                return try real("ml-latest-small/ratings.csv", items: "ml-latest-small/movies.csv", people: 100)
            case "url-services": return try real("url-services/uses.csv", people: 150)
            default: return Small.simulated(users: 60).log
            }
        }

        /// The first people of a log.
        static func people(_ count: Int, of log: EventLog) -> EventLog {
            let kept = (0..<log.count).filter { Int(log.user[$0]) < count }
            return Self.events(kept, of: log)
        }

        static func events(_ kept: [Int], of log: EventLog) -> EventLog {
            EventLog(
                users: log.users, items: log.items, user: Column(kept.map { log.user[$0] }),
                item: Column(kept.map { log.item[$0] }), time: Column(kept.map { log.time[$0] }),
                duration: log.duration.map { column in Column(kept.map { column[$0] }) },
                weight: log.weight.map { column in Column(kept.map { column[$0] }) }, topics: log.topics,
                clock: log.clock)
        }

        static func trained(_ log: EventLog, _ family: String) throws -> (InterestTask, ModelBundle) {
            let sorted = log.sortedByUser()
            let split = try Split(sorted)
            let topics = TopicChooser.topics(for: sorted, until: split.trainEnd, seed: 7)
            let task = InterestTask(
                Histories(sorted.with(topics: topics), trainEnd: split.trainEnd), split: split, seed: 7)
            var model = TrainingTests.model(family)
            model.historyLength = 24
            var options = TrainingTests.options(epochs: 1)
            options.trainQueries = 1_500
            options.validationQueries = 600
            return (task, try InterestTraining(task, model: model, training: options).run())
        }

        /// Saved and read back: nothing of the training log is left but what the folder holds.
        static func reread(_ bundle: ModelBundle) throws -> ModelBundle {
            let folder = try TemporaryFolder()
            let path = folder.file("model").path
            try BundleFolder.write(bundle, metrics: Data("{}".utf8), card: "", to: path)
            return try BundleFolder.read(path)
        }

        /// One person's events up to a moment, in a log of their own: of no other item, topic or person is there any.
        private func alone(_ user: String, of log: EventLog, until moment: Int64) throws -> EventLog {
            let number = try #require(log.users.find(user))
            let kept = (0..<log.count).filter { log.user[$0] == number && log.time[$0] <= moment }
            let (items, users) = (VocabularyBuilder(), VocabularyBuilder())
            let item = kept.map { items.number(of: log.items[Int(log.item[$0])]) }
            let names = VocabularyBuilder()
            let byItem = items.finish().names.map { name -> [UInt32] in
                guard log.topics.count > 0, let own = log.items.find(name) else { return [] }
                return log.topics[own].map { names.number(of: log.topics.names[Int($0)]) }
            }
            return EventLog(
                users: Vocabulary([user]), items: items.finish(),
                user: Column(kept.map { _ in users.number(of: user) }), item: Column(item),
                time: Column(kept.map { log.time[$0] }),
                duration: log.duration.map { column in Column(kept.map { column[$0] }) },
                weight: log.weight.map { column in Column(kept.map { column[$0] }) },
                topics: ItemTopics(names: names.finish(), byItem: byItem, source: log.topics.source), clock: log.clock)
        }

        @Test(
            "asked about the last fifth, every family gives without its log what it gives beside it",
            arguments: logs, ModelFamilies.all.map(\.name))
        func withoutItsLog(name: String, family: String) throws {
            // Real logs have what simulated ones do not; a few families say enough there.
            if Self.logs.firstIndex(of: name).map({ $0 >= 3 }) == true,
                !["mlp", "lstm", "attention", "hybrid", "din", "hawkes"].contains(family)
            {
                return
            }
            guard let log = try Self.log(name) else { return }
            let (task, bundle) = try Self.trained(log, family)
            let read = try Self.reread(bundle)
            let predictor = Predictor(read)
            let queries = try task.queries(.test, count: 400, seed: 5)
            let beside = try QueryPredictor(bundle, of: task.histories).predict(queries)
            var compared = 0
            for row in stride(from: 0, to: queries.count, by: max(1, queries.count / 12)) {
                let user = task.histories.log.users[Int(queries.user[row])]
                let own = try alone(user, of: task.histories.log, until: queries.moment[row])
                let asked = try AskedLog(own, for: read)
                let topic = task.histories.log.topics.names[Int(queries.topic[row])]
                let number = try #require(asked.log.topics.names.find(topic))
                let state = predictor.state(of: 0, in: asked)
                let (curve, basis) = try predictor.curves(
                    [StateQuestion(person: 0, topic: number, moment: queries.moment[row])],
                    of: [(state, asked.userOf[0])], in: asked)[0]
                #expect(basis == .history)
                #expect(abs(curve.returnProbability(after: 0) - beside.returnProbability[row]) < 1e-5)
                #expect(abs(curve.degree(after: 0) - beside.degree[row]) < 1e-5)
                compared += 1
            }
            #expect(compared >= 10)
        }

        /// What a model says of some people, at moments of their own, in the digits of a CSV.
        private func answers(
            _ predictor: Predictor, _ asked: AskedLog, _ users: [String], at moment: (Int) -> Int64
        ) throws -> [String] {
            var lines: [String] = []
            for user in users {
                let number = Int(try #require(asked.log.users.find(user)))
                let until = moment(number)
                let state = predictor.state(of: number, in: asked, until: until)
                let topics = state.topics.map(\.topic)
                let found = try predictor.curves(
                    topics.map { StateQuestion(person: 0, topic: $0, moment: until) },
                    of: [(state, asked.userOf[number])], in: asked)
                lines += zip(topics, found).map { topic, answer in
                    let (p, y) = (answer.curve.returnProbability(after: 0), answer.curve.degree(after: 0))
                    return "\(user),\(asked.log.topics.names[Int(topic)]),"
                        + String(format: "%.6g,%.6g,%.6g", p, y, answer.curve.halfLife ?? -1)
                }.sorted()
            }
            return lines
        }

        @Test(
            "events of others, and later ones of the same person, change no answer at all, digit for digit",
            arguments: ["simulated", "positions", "ml-100k"], ["mlp", "lstm", "attention", "hybrid"])
        func others(name: String, family: String) throws {
            guard let log = try Self.log(name) else { return }
            let (task, bundle) = try Self.trained(log, family)
            let predictor = Predictor(try Self.reread(bundle))
            let histories = task.histories
            let own = histories.log
            let users = (0..<own.users.count).filter { histories.events(ofUser: $0).count > 4 }.prefix(6)
                .map { own.users[$0] }
            let moments = Dictionary(
                uniqueKeysWithValues: users.map { user -> (String, Int64) in
                    let range = histories.events(ofUser: Int(own.users.find(user) ?? 0))
                    return (user, own.time[range.lowerBound + range.count / 2])
                })
            let asked = try AskedLog(log, for: predictor.bundle)
            func at(_ asked: AskedLog) -> (Int) -> Int64 { { moments[asked.log.users[$0]] ?? 0 } }
            let before = try answers(predictor, asked, users, at: at(asked))
            #expect(before.count >= 6)

            // A thousand new events: of new people on new items, of known people on known ones, all later or earlier,
            // and of the people asked about after their moment.
            var generator = SeededGenerator(seed: 31)
            let (people, items) = (VocabularyBuilder(own.users), VocabularyBuilder(own.items))
            var (user, item, time) = (Array(own.user), Array(own.item), Array(own.time))
            let end = own.time.max() ?? 0
            for number in 0..<1_000 {
                let isNew = number % 2 == 0
                let name = isNew ? "new \(number % 40)" : own.users[Int(generator.uniform() * Double(own.users.count))]
                let moment =
                    moments[name].map { $0 + 1 + Int64(generator.uniform() * 1e12) }
                    ?? Int64(generator.uniform() * Double(end))
                user.append(people.number(of: name))
                item.append(
                    isNew
                        ? items.number(of: "item of tomorrow \(number % 30)")
                        : UInt32(generator.uniform() * Double(own.items.count)))
                time.append(moment)
            }
            let extra = user.count - own.count
            func longer(_ column: Column<Float>?) -> Column<Float>? {
                column.map { Column(Array($0) + (0..<extra).map { _ in Float(generator.uniform() * 900) }) }
            }
            let appended = EventLog(
                users: people.finish(), items: items.finish(), user: Column(user), item: Column(item),
                time: Column(time), duration: longer(own.duration), weight: longer(own.weight),
                topics: log.topics.count > 0 ? own.topics : log.topics, clock: own.clock)
            let more = try AskedLog(appended, for: predictor.bundle)
            #expect(try answers(predictor, more, users, at: at(more)) == before)
        }

        @Test(
            "folded at once, event by event, or half in training and half later, states answer alike",
            arguments: ModelFamilies.all.map(\.name))
        func byHalves(family: String) throws {
            let log = try #require(try Self.log("simulated"))
            let (_, bundle) = try Self.trained(log, family)
            let predictor = Predictor(try Self.reread(bundle))
            let asked = try AskedLog(log, for: predictor.bundle)
            for user in [3, 17, 40] {
                let events = asked.events(ofUser: user)
                let whole = predictor.state(of: user, in: asked)
                // The first half from the log as it was then, the rest as it comes, with a copy kept on the way.
                let middle = asked.log.time[events.lowerBound + events.count / 2]
                var live = predictor.state(of: user, in: asked, until: middle)
                let kept = live
                for index in events.dropFirst(live.eventCount) {
                    live.apply(asked.event(index), topics: asked.log.topics[asked.log.item[index]])
                }
                #expect(live.eventCount == whole.eventCount && kept.eventCount < whole.eventCount)
                let questions = whole.topics.map {
                    StateQuestion(person: 0, topic: $0.topic, moment: whole.lastTime + 5_000_000)
                }
                let a = try predictor.curves(questions, of: [(whole, -1)], in: asked).map(\.curve)
                let b = try predictor.curves(questions, of: [(live, -1)], in: asked).map(\.curve)
                #expect(a == b, "to the last bit")
                // Nor does it matter who else is asked about at once.
                var crowd: [(state: PersonState, user: Int64)] = []
                for other in 0..<20 { crowd.append((predictor.state(of: other, in: asked), -1)) }
                crowd.append((whole, -1))
                let all = (0..<20).flatMap { person in
                    crowd[person].state.topics.map {
                        StateQuestion(person: person, topic: $0.topic, moment: crowd[person].state.lastTime)
                    }
                }
                let among = questions.map { StateQuestion(person: 20, topic: $0.topic, moment: $0.moment) }
                let c = try predictor.curves(all + among, of: crowd, in: asked).suffix(among.count).map(\.curve)
                #expect(
                    zip(a, c).allSatisfy { abs($0.returnProbability(after: 0) - $1.returnProbability(after: 0)) < 1e-6 }
                )
            }
        }

        @Test(
            "a person whose events come one by one is answered as from their window",
            arguments: ModelFamilies.all.map(\.name))
        func livePeople(family: String) throws {
            let log = try #require(try Self.log("simulated"))
            let (_, bundle) = try Self.trained(log, family)
            let predictor = Predictor(bundle)
            let asked = try AskedLog(log, for: bundle)
            // Histories of two windows and more: stretches begin and end on the way.
            let long = (0..<asked.userCount).filter { asked.events(ofUser: $0).count > 48 }
            for user in long.prefix(2) + [3] {
                let events = asked.events(ofUser: user)
                var live = LivePerson(predictor, in: asked)
                for index in events {
                    try live.apply(asked.event(index), topics: asked.log.topics[asked.log.item[index]])
                    guard index % 7 == 0 || index == events.upperBound - 1 else { continue }
                    let topics = live.state.topics.map(\.topic)
                    let moment = live.state.lastTime + 7_000_000
                    let questions = topics.map { StateQuestion(person: 0, topic: $0, moment: moment) }
                    let own = try live.curves(topics, at: moment)
                    let window = try predictor.curves(questions, of: [(live.state, -1)], in: asked)
                    for (a, b) in zip(own, window) {
                        let (p, q) = (a.curve.returnProbability(after: 0), b.curve.returnProbability(after: 0))
                        #expect(abs(p - q) < 1e-5, "\(family), user \(user), event \(index): \(p) is not \(q)")
                    }
                }
            }
            #expect(long.count >= 2 && bundle.description.options.historyLength == 24)
        }

        @Test("of people and topics never met, a model says what was counted of everybody's first touches")
        func firstTouches() throws {
            let log = Small.simulated(users: 120).log
            let task = try Small.task(log)
            let bundle = try Self.reread(
                ReturnTraining(
                    ReturnTask(task), model: TrainingTests.model("mlp"), training: TrainingTests.options(epochs: 1)
                ).run())
            let asked = try AskedLog(log, for: bundle)
            let predictor = Predictor(bundle)
            let horizon = Double(bundle.description.split.horizon)
            let histories = task.histories
            guard case .firstTouches(let touches) = bundle.population else { return #expect(Bool(false)) }
            var compared = 0
            for topic in 0..<UInt32(asked.log.topics.count) {
                let name = asked.log.topics.names[Int(topic)]
                // Counted anew: until when each person went without the topic.
                var (durations, observed) = ([Double](), [Bool]())
                for user in 0..<histories.userCount {
                    let events = histories.events(ofUser: user)
                    let begin = histories.log.time[events.lowerBound]
                    guard begin < task.split.trainEnd else { continue }
                    let first = events.first { event in
                        histories.log.topics[histories.log.item[event]].contains {
                            histories.log.topics.names[Int($0)] == name
                        }
                    }.map { histories.log.time[$0] }
                    let isSeen = first.map { $0 < task.split.trainEnd } ?? false
                    durations.append(Double((isSeen ? first ?? 0 : task.split.trainEnd) - begin) / horizon)
                    observed.append(isSeen)
                }
                let curve = KaplanMeier(durations: durations, observed: observed)
                let row = Int(asked.rows.topicRow[Int(topic)])
                guard row > 0 else { continue }
                for (elapsed, span) in [(0.0, 1.0), (0.5, 1.0), (2.0, 1.0), (1.0, 3.0)] {
                    let now = elapsed == 0 ? 1 : curve(elapsed)
                    guard now > 0, durations.max() ?? 0 > elapsed + span + 1 else { continue }
                    let expected = 1 - curve(elapsed + span) / now
                    let value = touches.chance(topicRow: row, elapsed: elapsed, within: span)
                    // Between knots, which lie a third apart, the share is a line.
                    #expect(abs(value - expected) < 0.06, "\(name), \(elapsed), \(span): \(value) is not \(expected)")
                    compared += 1
                }
                let question = StateQuestion(person: 0, topic: topic, moment: 0)
                let answer = try predictor.returnTimes(
                    [question], of: [(predictor.newState(in: asked), -1)], in: asked)[0]
                #expect(answer?.basis == .population)
                if let median = answer?.time.median {
                    // Within a knot of where half have touched it; at once where half begin with it.
                    let at = median * 1e6 / horizon
                    #expect(curve(at * 1.4) <= 0.56, "\(name)")
                    #expect(at < 2e-3 || curve(at / 1.4) >= 0.44, "\(name)")
                    #expect((answer?.time.low ?? .infinity) <= median && median <= (answer?.time.high ?? .infinity))
                }
            }
            #expect(compared >= 12)
        }

        @Test(
            "return models answer about a silence from a person's events alone",
            arguments: ["gru", "hawkes", "lightgcn"])
        func returnTimes(family: String) throws {
            let log = Small.simulated(users: 60).log
            let task = try Small.task(log)
            let bundle = try Self.reread(
                ReturnTraining(
                    ReturnTask(task), model: TrainingTests.model(family), training: TrainingTests.options(epochs: 1)
                ).run())
            let predictor = Predictor(bundle)
            let asked = try AskedLog(log, for: bundle)
            let state = predictor.state(of: 5, in: asked)
            func times(_ state: PersonState, _ asked: AskedLog, after seconds: Int64) throws -> [Predictor.ReturnTime?]
            {
                try predictor.returnTimes(
                    state.topics.map {
                        StateQuestion(person: 0, topic: $0.topic, moment: state.lastTime + seconds * 1_000_000)
                    }, of: [(state, asked.userOf[0])], in: asked
                ).map { $0?.basis == .history ? $0?.time : nil }
            }
            let now = try times(state, asked, after: 0)
            #expect(now.allSatisfy { $0 != nil })
            for answer in now.compactMap(\.self) {
                let (low, median, high) = (answer.low ?? 0, answer.median ?? .infinity, answer.high ?? .infinity)
                #expect(low <= median && median <= high && low >= 0)
            }
            let own = try AskedLog(alone("user-6", of: log, until: .max), for: bundle)
            let alone = predictor.state(of: 0, in: own)
            for (a, b) in zip(now, try times(alone, own, after: 0)) {
                guard let a = a?.median, let b = b?.median else { continue }
                #expect(abs(a - b) <= 1e-3 * max(1, abs(a)))
            }
        }

        @Test(
            "changing later events, edges and friends changes no training query's prediction",
            arguments: ["lightgcn", "gat", "hybrid", "gcn"])
        func nothingLater(family: String) throws {
            let log = Small.simulated(users: 50).log.sortedByUser()
            let split = try Split(log)
            let moment = split.snapshots[4] + 1
            var lists = [[SocialEdges.Friend]](repeating: [], count: 50)
            for user in 0..<50 as Range<Int> {
                let other = UInt32((user * 7 + 1) % 50)
                if Int(other) != user {
                    lists[user].append(.init(user: other, since: user % 2 == 0 ? .min : moment + 5))
                }
            }
            var generator = SeededGenerator(seed: 8)
            // Later events meet other items, last otherwise and stand at other moments; later friends are others.
            let items = (0..<log.count).map { index in
                log.time[index] > moment ? UInt32(generator.uniform() * Double(log.items.count)) : log.item[index]
            }
            let durations = (0..<log.count).map { index in
                log.time[index] > moment ? Float(1 + generator.uniform() * 500) : (log.duration?[index] ?? 0)
            }
            let changed = EventLog(
                users: log.users, items: log.items, user: log.user, item: Column(items), time: log.time,
                duration: Column(durations), topics: log.topics)
            let otherFriends = lists.map { list in
                list.map { $0.since > moment ? SocialEdges.Friend(user: ($0.user + 9) % 50, since: $0.since) : $0 }
            }
            /// Predictions of one network for queries at or before the moment, with what each log lets it see.
            func predictions(_ log: EventLog, _ friends: SocialEdges, _ scale: EngagementScale) throws -> [Float] {
                let histories = Histories(sorted: log, scale: scale, engagement: scale.engagements(log))
                let task = InterestTask(histories, split: split, seed: 7, typicalEngagement: 1)
                    .rating(Small.rates(log.topics.count))
                // Learned before: the items that have vectors are the same.
                let vocabulary = ModelVocabulary(Small.simulated(users: 50).log, trainEnd: moment)
                let rows = LogRows(vocabulary, of: log)
                try Runtime.seed(3)
                var options = TrainingTests.model(family)
                options.social = true
                let network = try InterestModel(
                    options, items: vocabulary.itemRows, topics: vocabulary.topicRows, visitPause: 0.003)
                let known = (0..<50).map { user in
                    let range = histories.events(ofUser: user)
                    return range.lowerBound..<range.partitioningIndex { log.time[$0] >= split.trainEnd }
                }
                let graphs = try GraphSnapshots(
                    log, known: known, at: split.snapshots, itemRow: rows.itemRow, itemRows: vocabulary.itemRows + 1,
                    friends: friends)
                let events = EventTensors(histories, rows: rows, horizon: split.horizon, graphs: graphs)
                var places: [(userTopic: Int, moment: Int64)] = []
                for userTopic in 0..<histories.userTopicCount {
                    let first = histories.time(ofTopicEvent: histories.topicEventStarts[userTopic])
                    if first < moment { places.append((userTopic, moment)) }
                }
                // By person and topic: which user-topics there are later differs.
                places.sort {
                    (histories.userTopicUser[$0.userTopic], histories.userTopicTopic[$0.userTopic])
                        < (histories.userTopicUser[$1.userTopic], histories.userTopicTopic[$1.userTopic])
                }
                let queries = task.queries(at: places)
                #expect(Set(queries.snapshot) == [4])
                let tensors = try QueryTensors(
                    queries, topicRow: rows.topicRow, scaling: FeatureScaling(queries.lastEventFeatures),
                    horizon: split.horizon)
                var unshuffled: SeededGenerator?
                var values = [Float](repeating: 0, count: queries.count)
                for batch in network.queries.batches(queries, histories, size: 512, shuffledBy: &unshuffled) {
                    let (p, _) = try withoutGradients { try network(batch, tensors, events, training: false) }
                    for (value, row) in zip(try p.values(Float.self), batch.queries) { values[row] = value }
                }
                return values
            }
            let scale = EngagementScale(log, until: moment)
            let a = try predictions(log, SocialEdges(lists), scale)
            let b = try predictions(changed, SocialEdges(otherFriends), scale)
            #expect(a.count == b.count && a.count > 50)
            #expect(a == b, "to the last bit")
        }

        @Test("a log that does not fit is refused, with what to do")
        func doesNotFit() throws {
            let (_, bundle) = try Self.trained(Small.simulated(users: 40).log, "mlp")
            let other = TinyLog.log([[1, 2, 3], [2, 3, 1]])
            #expect(throws: PredictionError.noDurations) { try AskedLog(other, for: bundle) }
            let films = EventLog(
                users: other.users, items: Vocabulary(["Alien", "Heat", "Up"]), user: other.user, item: other.item,
                time: other.time, duration: Column([1, 2, 3, 1, 2, 3]),
                topics: ItemTopics(names: Vocabulary(["Horror"]), byItem: [[0], [0], [0]], source: .column))
            let error = #expect(throws: PredictionError.self) { try AskedLog(films, for: bundle) }
            #expect(error?.description.contains("knows next to none of the log's items") == true)
            // Some of the model's topics, and one that it does not know: the log's own are counted.
            let mixed = Small.simulated(users: 40).log
            let some = mixed.with(
                topics: ItemTopics(
                    names: Vocabulary(mixed.topics.names.names + ["Jazz"]),
                    byItem: (0..<mixed.items.count).map { mixed.topics[UInt32($0)].map { $0 } }, source: .column))
            let coverage = try AskedLog(some, for: bundle).coverage
            let met = Set(some.item.flatMap { some.topics[$0] })
            #expect(coverage.topics == met.count && coverage.knownTopics <= coverage.topics)
            // Songs under the numbers of films.
            let (_, model) = try Self.trained(Small.simulated(users: 40).log, "mlp")
            let log = Small.simulated(users: 40).log
            let renamed = log.with(
                topics: ItemTopics(
                    names: Vocabulary(["Jazz"]), byItem: log.items.names.map { _ in [0] }, source: .column))
            let otherKind = #expect(throws: PredictionError.self) { try AskedLog(renamed, for: model) }
            #expect(otherKind?.description.contains("another kind of log") == true)
            let positions = EventLog(
                users: other.users, items: other.items, user: other.user, item: other.item, time: other.time,
                duration: Column([1, 2, 3, 1, 2, 3]), topics: other.topics, clock: .position)
            #expect(throws: PredictionError.clock(model: .wall, log: .position)) {
                try AskedLog(positions, for: bundle)
            }
        }

        @Test("items and topics never met belong to nothing known, and their rows are row 0")
        func unknown() throws {
            let (_, bundle) = try Self.trained(try #require(try Self.log("positions")), "gru")
            #expect(bundle.description.topicSource == .coVisitation)
            let text = "UserID,PageID\na,1\na,never seen\na,nor this\na,1\n"
            let asked = try AskedLog(LogReader.read(bytes: Array(text.utf8)).log, for: bundle)
            let unknown = try #require(asked.log.topics.names.find(ItemTopics.unknownName))
            #expect(asked.log.topics[1].map { $0 } == [unknown] && asked.log.topics[2].map { $0 } == [unknown])
            #expect(asked.rows.topicRow[Int(unknown)] == 0 && asked.rows.itemRow[1] == 0)
            #expect(asked.coverage.knownItemEvents == 2 && asked.coverage.events == 4)
            #expect(asked.withoutTopic == unknown && asked.wordsWithoutTopic?.hasPrefix("2 of 4 events") == true)
            let predictor = Predictor(bundle)
            let state = predictor.state(of: 0, in: asked)
            let summaries = try predictor.topicSummaries(asked, at: state.lastTime).map(\.topic)
            #expect(!summaries.isEmpty && !summaries.contains(ItemTopics.unknownName))
            // A topic of the model that the person has not met is answered from the population, and says so.
            let questions = [unknown, 0, 1].map { StateQuestion(person: 0, topic: $0, moment: state.lastTime) }
            let bases = try predictor.curves(questions, of: [(state, -1)], in: asked).map(\.basis)
            #expect(bases.first == .history && bases.contains(.population))
        }

        /// A simulated log as rows of text; nothing in the place of a topic where the log is to have none.
        private static func rows(topics: Bool, items: Int? = nil) -> [[String]] {
            let log = Small.simulated(users: 60, seed: 9).log
            let order = (0..<log.count).sorted { (log.time[$0], $0) < (log.time[$1], $1) }
            return order.map { index in
                let item = log.item[index]
                let name = items.map { "page-\(Int(item) % $0)" } ?? log.items[Int(item)]
                let topic = log.topics[item].first.map { log.topics.names[Int($0)] } ?? ""
                return [log.users[Int(log.user[index])], "\(log.time[index] / 1_000_000)", name]
                    + (topics ? [topic] : [])
            }
        }

        private static func read(_ rows: [[String]], onlyUser: String? = nil) throws -> EventLog {
            let header = ["UserID", "Time", "PageID", "Topic"].prefix(rows[0].count).joined(separator: ",")
            let text = ([header] + rows.map { $0.joined(separator: ",") }).joined(separator: "\n") + "\n"
            var options = ReadingOptions()
            options.onlyUser = onlyUser
            return try LogReader.read(bytes: Array(text.utf8), options: options).log
        }

        private static func trained(_ log: EventLog) throws -> ModelBundle {
            let sorted = log.sortedByUser()
            let split = try Split(sorted)
            let topics = TopicChooser.topics(for: sorted, until: split.trainEnd, seed: 7)
            let task = InterestTask(
                Histories(sorted.with(topics: topics), trainEnd: split.trainEnd), split: split, seed: 7)
            var training = TrainingTests.options(epochs: 1)
            (training.trainQueries, training.validationQueries) = (400, 200)
            return try InterestTraining(task, model: TrainingTests.model("lstm"), training: training).run()
        }

        @Test(
            "what the last rows say changes no vocabulary, no topic and no weight",
            arguments: ["a new topic", "a new item", "another item", "the fifty-first item"])
        func laterRows(change: String) throws {
            var rows = Self.rows(topics: change == "a new topic", items: change == "the fifty-first item" ? 50 : nil)
            let before = try Self.trained(Self.read(rows))
            let last = rows.count - 1
            switch change {
            case "a new topic": rows[last][3] = "brandnew"
            case "another item": rows[last][2] = rows[0][2]
            default: rows[last][2] = "never met before"
            }
            let after = try Self.trained(Self.read(rows))
            // What has a vector, and its topics by name; names of what came later may follow, without one.
            func learned(_ bundle: ModelBundle) -> (items: [String: [String]], topics: [String]) {
                let vocabulary = bundle.vocabulary
                let items = (0..<vocabulary.itemRows).map { item in
                    (vocabulary.items[item], vocabulary.itemTopics[UInt32(item)].map { vocabulary.topics[Int($0)] })
                }
                return (
                    Dictionary(uniqueKeysWithValues: items), (0..<vocabulary.topicRows).map { vocabulary.topics[$0] }
                )
            }
            #expect(learned(after).items == learned(before).items && learned(after).topics == learned(before).topics)
            #expect(!learned(before).items.isEmpty && !learned(before).topics.isEmpty)
            let (a, b) = (try before.weights(), try after.weights())
            for (name, weight) in a { #expect(try weight.values(Float.self) == b[name]?.values(Float.self), "\(name)") }
        }

        @Test("an item that the model has not met has the topics of the row itself, whatever others' rows say")
        func ownTopics() throws {
            var rows = Self.rows(topics: true)
            let bundle = try Self.trained(Self.read(rows))
            let (one, other) = (rows[rows.count - 1][3], try #require(rows.map { $0[3] }.first { $0 != rows.last?[3] }))
            let me = rows[0][0]
            let somebody = try #require(rows.map { $0[0] }.first { $0 != me })
            let end = try #require(Int(rows[rows.count - 1][1]))
            rows.append([me, "\(end + 60)", "new page", one])
            rows.append([somebody, "\(end + 120)", "new page", other])
            let predictor = Predictor(bundle)
            func answers(_ log: EventLog) throws -> [String: InterestCurve] {
                let asked = try AskedLog(log, for: bundle)
                let user = try #require(asked.log.users.find(me))
                let state = predictor.state(of: Int(user), in: asked)
                let questions = state.topics.map {
                    StateQuestion(person: 0, topic: $0.topic, moment: state.lastTime)
                }
                let curves = try predictor.curves(questions, of: [(state, -1)], in: asked)
                return Dictionary(
                    uniqueKeysWithValues: zip(questions, curves).map {
                        (asked.log.topics.names[Int($0.topic)], $1.curve)
                    })
            }
            let whole = try answers(Self.read(rows))
            #expect(whole.count >= 2)
            #expect(try answers(Self.read(rows, onlyUser: me)) == whole)
            #expect(try answers(#require(Self.read(rows).only(me))) == whole)
        }
    }
}
