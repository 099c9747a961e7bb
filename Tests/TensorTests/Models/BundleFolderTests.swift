import Foundation
import TestSupport
import Testing
import Torch
import WaneEvents
import WaneModels
import WanePrediction
import WaneTasks

@testable import WaneBundle
@testable import WaneTraining

extension UsingTorch {
    @Suite("Models on disk")
    struct BundleFolderTests {
        private func trained(_ task: InterestTask, family: String = "lstm") throws -> ModelBundle {
            try InterestTraining(task, model: TrainingTests.model(family), training: TrainingTests.options(epochs: 1))
                .run()
        }

        private func write(_ bundle: ModelBundle, _ path: String, card: String = "card") throws {
            try BundleFolder.write(bundle, metrics: Data("{}".utf8), card: card, to: path)
        }

        /// Values that a file from outside may hold in the place of any other.
        private static var strange: [Any] {
            [
                Int64.max, Int64.min, -1, 0, 1, 4_096, 65_537, 1e308, -1e308, Double.leastNonzeroMagnitude, "", "lstm",
                "ranking", "1e999",
                true,
                NSNull(), [Any](), [1e300, -1e300], [String: Any](),
            ]
        }

        /// Every way to put a strange value into one place of a JSON tree, or to leave the place out.
        private static func mutations(_ value: Any, _ visit: (Any) throws -> Void) rethrows {
            if let object = value as? [String: Any] {
                for key in object.keys.sorted() {
                    var other = object
                    other[key] = nil
                    try visit(other)
                    for strange in Self.strange {
                        other[key] = strange
                        try visit(other)
                    }
                    guard let inner = object[key] else { continue }
                    try mutations(inner) { changed in
                        other[key] = changed
                        try visit(other)
                    }
                }
            } else if let array = value as? [Any], !array.isEmpty {
                for strange in Self.strange {
                    var other = array
                    other[array.count / 2] = strange
                    try visit(other)
                }
            }
        }

        @Test(
            "a manifest with any value in any place is refused in words or can be asked",
            arguments: ["interest", "ranking", "return", "cohort"])
        func strangeManifests(name: String) throws {
            try Runtime.setThreads(1)
            let log = Small.simulated(users: 25).log
            let task = try Small.task(log)
            let options = TrainingTests.options(epochs: 1)
            let bundle: ModelBundle
            switch name {
            case "ranking":
                bundle = try RankingTraining(
                    RankingTask(log, rule: .leaveOneOut, seen: .kept), model: RankingTrainingTests.model("gru"),
                    training: RankingTrainingTests.training(epochs: 1), ranking: RankingTrainingTests.options()
                ).run().bundle
            case "return":
                bundle = try ReturnTraining(ReturnTask(task), model: TrainingTests.model("mlp"), training: options)
                    .run()
            case "cohort":
                let half = (task.split.end - task.split.start) / 2
                let cohort = try CohortTask(log, known: half, ahead: task.split.horizon)
                bundle = try CohortTraining(
                    cohort, CohortClassics(cohort), model: TrainingTests.model("mlp"), training: options
                ).run().bundle
            default: bundle = try trained(task, family: "mlp")
            }
            let folder = try TemporaryFolder()
            let path = folder.file("model").path
            try write(bundle, path)
            let file = folder.file("model/model.json")
            let manifest = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
            var (refused, asked) = (0, 0)
            try Self.mutations(manifest) { changed in
                try JSONSerialization.data(withJSONObject: changed).write(to: file)
                do {
                    let read = try BundleFolder.read(path)
                    let log = try AskedLog(log, for: read)
                    asked += 1
                    switch read.description.task {
                    case .interest:
                        let predictor = Predictor(read)
                        let state = predictor.state(of: 0, in: log)
                        let questions = state.topics.prefix(2).map {
                            StateQuestion(person: 0, topic: $0.topic, moment: state.lastTime)
                        }
                        _ = try predictor.curves(questions, of: [(state, -1)], in: log)
                    default: break
                    }
                } catch let error as BundleFolderError {
                    refused += 1
                    #expect(error.description.contains(path))
                } catch { refused += 1 }
            }
            #expect(refused > 200 && asked > 20, "\(refused) refused, \(asked) asked")
        }

        @Test(
            "are the same in every part after saving and loading",
            arguments: ["lstm", "mlp", "lightgcn", "lstm-basic"])
        func sameParts(family: String) throws {
            let task = try Small.task(users: 50)
            var bundle = try trained(task, family: family)
            bundle.reading.map = [.user: "customer"]
            bundle.reading.timeZone = TimeZone(identifier: "Europe/Berlin")
            bundle.reading.topicSeparator = ";"
            bundle.reading.userFrom = .folder
            bundle.description.doubts = ["No verdict: the test part is of 3 people, too few to tell models apart."]
            let folder = try TemporaryFolder()
            let path = folder.file("deep/er/model").path
            try write(bundle, path)
            let read = try BundleFolder.read(path)
            // How long it took is of the run, not of the model.
            bundle.description.history.seconds = nil
            #expect(read.description == bundle.description)
            #expect(read.scale == bundle.scale && read.popularity == bundle.popularity)
            #expect(read.population == bundle.population && read.reading == bundle.reading)
            #expect(read.vocabulary.items.names == bundle.vocabulary.items.names)
            #expect(read.vocabulary.topics.names == bundle.vocabulary.topics.names)
            #expect(
                read.vocabulary.itemRows == bundle.vocabulary.itemRows
                    && read.vocabulary.topicRows == bundle.vocabulary.topicRows)
            for item in 0..<UInt32(read.vocabulary.items.count) {
                #expect(read.vocabulary.itemTopics[item] == bundle.vocabulary.itemTopics[item])
            }
            let (a, b) = (try bundle.weights(), try read.weights())
            #expect(Set(a.keys) == Set(b.keys))
            for (name, weight) in a { #expect(try weight.values(Float.self) == b[name]?.values(Float.self), "\(name)") }
            #expect((read.smoothed == nil) == (bundle.smoothed == nil))
            #expect(try read.smoothed?.vectors.values(Float.self) == bundle.smoothed?.vectors.values(Float.self))
            // Predictions of both on the same queries, bit by bit.
            let queries = try task.queries(.test, count: 500, seed: 1)
            let (p, q) = (
                try QueryPredictor(bundle, of: task.histories).predict(queries),
                try QueryPredictor(read, AskedLog(task.histories.log, for: read), task.histories).predict(queries)
            )
            #expect(p.degree == q.degree && p.returnProbability == q.returnProbability)
        }

        @Test("a damaged, cut or missing file is named, whatever it is")
        func damage() throws {
            let task = try Small.task(users: 30)
            let folder = try TemporaryFolder()
            let path = folder.file("model").path
            try write(trained(task, family: "mlp"), path)
            var generator = SeededGenerator(seed: 8)
            let names = [
                "weights.safetensors", "tables.safetensors", "vocabulary/items.txt", "vocabulary/topics.txt",
                "reading.json", "model.json",
            ]
            for name in names {
                let url = folder.file("model/\(name)")
                let whole = try Data(contentsOf: url)
                for _ in 0..<40 {
                    var damaged = whole
                    let place = Int.random(in: 0..<whole.count, using: &generator)
                    damaged[place] ^= UInt8.random(in: 1...255, using: &generator)
                    try damaged.write(to: url)
                    // A changed byte of the description may still describe a model: then it is one that works.
                    if name == "model.json" {
                        _ = try? BundleFolder.read(path)
                    } else {
                        let error = #expect(throws: BundleFolderError.self) { try BundleFolder.read(path) }
                        #expect(error?.description.contains(name) == true)
                    }
                }
                for length in [0, 1, whole.count / 2, whole.count - 1] {
                    try whole.prefix(length).write(to: url)
                    #expect(throws: BundleFolderError.self) { try BundleFolder.read(path) }
                }
                try FileManager.default.removeItem(at: url)
                #expect(throws: BundleFolderError.self) { try BundleFolder.read(path) }
                try whole.write(to: url)
            }
            _ = try BundleFolder.read(path)
        }

        @Test(
            "a description that says what cannot be is refused in words, and nothing is made of it",
            arguments: [
                ("horizon", "9223372036854775807"), ("horizon", "0"), ("horizon", "-5"),
                ("end", "9223372036854775807"), ("train_end", "-9223372036854775808"), ("threshold", "7"),
                ("threshold", "1e999"), ("typical", "0"), ("typical", "-1e308"), ("item_rows", "4000000000"),
                ("topic_rows", "-1"), ("hidden", "1000000000"), ("history_length", "0"), ("largest_weight", "0"),
                ("events", "-1"), ("family", "\"oracle\""), ("task", "\"weather\""), ("train_queries", "0"),
                ("test_queries", "9223372036854775807"),
            ])
        func impossible(key: String, value: String) throws {
            let folder = try TemporaryFolder()
            let path = folder.file("model").path
            try write(trained(Small.task(users: 30), family: "mlp"), path)
            let url = folder.file("model/model.json")
            let text = try String(contentsOf: url, encoding: .utf8)
            let pattern = try Regex("\"\(key)\" : [^,\\n]+")
            #expect(text.contains(pattern), "\(key)")
            try Data(text.replacing(pattern, with: "\"\(key)\" : \(value)").utf8).write(to: url)
            #expect(throws: BundleFolderError.self) { try BundleFolder.read(path) }
            _ = try? BundleFolder.description(at: path)
        }

        @Test("a newer format, a folder without a model and a folder of something else are refused")
        func refused() throws {
            let folder = try TemporaryFolder()
            #expect(throws: BundleFolderError.missing(path: folder.url.path)) {
                try BundleFolder.read(folder.url.path)
            }
            try folder.write("model.json", #"{"schema": 99}"#)
            #expect(
                throws: BundleFolderError.newerSchema(
                    path: folder.file("model.json").path, found: 99, known: Manifest.currentSchema)
            ) { try BundleFolder.read(folder.url.path) }
            let other = try TemporaryFolder()
            try other.write("thesis.txt", "years of work")
            // Before anything is trained, and again when the model is to be written.
            #expect(throws: BundleFolderError.wouldOverwrite(path: other.url.path)) {
                try BundleFolder.prepare(other.url.path)
            }
            let model = try trained(Small.task(users: 30), family: "mlp")
            #expect(throws: BundleFolderError.wouldOverwrite(path: other.url.path)) {
                try write(model, other.url.path)
            }
            #expect(try String(contentsOf: other.file("thesis.txt"), encoding: .utf8) == "years of work")
        }

        @Test("a place that cannot take the model is named before the work, and folders above it are made")
        func prepared() throws {
            let folder = try TemporaryFolder()
            try BundleFolder.prepare(folder.file("a/b/model").path)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("a/b").path).isEmpty)
            try folder.write("file", "")
            let path = folder.file("file/model").path
            let error = #expect(throws: StorageError.self) { try BundleFolder.prepare(path) }
            #expect(error?.description.contains("could not be made") == true)
        }

        @Test("is a bundle of bounded size without a person's name, however long the log")
        func bounded() throws {
            func size(_ users: Int) throws -> (bytes: Int, holdsUser: Bool) {
                let folder = try TemporaryFolder()
                let path = folder.file("model").path
                try write(trained(Small.task(users: users), family: "gru"), path)
                var bytes = 0
                var holds = false
                let files = FileManager.default.enumerator(atPath: path)
                while let name = files?.nextObject() as? String {
                    guard let data = FileManager.default.contents(atPath: path + "/" + name) else { continue }
                    bytes += data.count
                    holds = holds || data.range(of: Data("user-1".utf8)) != nil
                }
                return (bytes, holds)
            }
            let (small, large) = (try size(500), try size(2_000))
            // Four times the events, and the same items and topics: what differs is how figures are written.
            #expect(Double(large.bytes) < Double(small.bytes) * 1.03, "\(small.bytes) and \(large.bytes)")
            #expect(!small.holdsUser && !large.holdsUser)
        }

        @Test("a section of a card takes the place of an earlier one, and leaves the others")
        func cardSection() {
            let card = "# mlp\n\nWords.\n\n## Limits\n\nOf this log.\n"
            let once = BundleFolder.replacing("Faithfulness", "| a |\n", in: card)
            #expect(once == "# mlp\n\nWords.\n\n## Limits\n\nOf this log.\n\n## Faithfulness\n\n| a |\n")
            #expect(BundleFolder.replacing("Faithfulness", "| a |\n", in: once) == once)
            #expect(BundleFolder.replacing("Faithfulness", "| b |", in: once).contains("| a |") == false)
        }

        @Test("manifests of the fuzzer's corpus are read, or refused in words")
        func corpus() throws {
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fuzz/Corpus/manifest")
            var read = 0
            for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
                let bytes = try Data(contentsOf: file)
                // The first byte is the fuzzer's choice of schema.
                let schema = try #require(bytes.first) & 1 == 0 ? 1 : 2
                do {
                    _ = try BundleFolder.description(bytes.dropFirst(), schema: schema, path: "model")
                    read += 1
                } catch { #expect(error.description.contains("model"), "\(file.lastPathComponent)") }
            }
            #expect(read >= 5, "the seeds are models of every task")
        }

        @Test("a ranker of the first schema gives the list it gave")
        func legacyRanker() throws {
            let path = Fixture.folder.appendingPathComponent("folders").path
            let bundle = try BundleFolder.read(path + "/schema-1-ranking", for: [.ranking])
            let asked = try AskedLog(LogReader.read(path + "/tiny.csv").log, for: bundle)
            let predictor = Predictor(bundle)
            let user = Int(try #require(asked.log.users.find("user-3")))
            let state = predictor.state(of: user, in: asked)
            let list = try predictor.top(5, for: state, user: -1, at: state.lastTime, in: asked).items
            let expected = try Fixture.text("folders/schema-1-ranking.csv").split(separator: "\n").dropFirst()
                .map { String($0.split(separator: ",")[1]) }
            #expect(list.map(\.item) == expected)
        }

        @Test("another command's model is refused with the command that asks it")
        func otherTask() throws {
            let folder = try TemporaryFolder()
            let path = folder.file("model").path
            try write(trained(Small.task(users: 30), family: "mlp"), path)
            let error = #expect(throws: BundleFolderError.self) { try BundleFolder.read(path, for: [.ranking]) }
            #expect(error?.description.contains("wane predict") == true)
        }

        @Test(
            "a disk that fills up while saving leaves the old model whole",
            .enabled(if: getuid() == 0, "needs root, for a small disk"))
        func fullDisk() throws {
            let folder = try TemporaryFolder()
            func shell(_ command: String) throws -> Int32 {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/bin/sh")
                process.arguments = ["-c", command]
                try process.run()
                process.waitUntilExit()
                return process.terminationStatus
            }
            let disk = folder.file("disk").path
            guard try shell("mkdir -p \(disk) && mount -t tmpfs -o size=256k tmpfs \(disk) 2>/dev/null") == 0 else {
                return
            }
            defer { _ = try? shell("umount \(disk)") }
            let path = disk + "/model"
            let small = try trained(Small.task(users: 30), family: "mlp")
            try write(small, path, card: "old")
            let error = #expect(throws: StorageError.self) {
                try BundleFolder.write(small, metrics: Data(count: 300_000), card: "new", to: path)
            }
            #expect(error?.description.contains("unchanged") == true)
            _ = try BundleFolder.read(path)
            #expect(try String(contentsOfFile: path + "/card.md", encoding: .utf8) == "old")
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk) == ["model"])
        }

        @Test("names with line breaks and backslashes survive a vocabulary file, and one that stands twice is refused")
        func vocabulary() throws {
            let names = ["a", "", "line\nbreak", "back\\slash", "\\n", "é\r", "last", "\r\n"]
            #expect(VocabularyFile.decode(VocabularyFile.encode(Vocabulary(names)))?.names == names)
            #expect(VocabularyFile.decode(Data("a\nb\na\n".utf8)) == nil)
            #expect(VocabularyFile.decode(Data("a\nb".utf8)) == nil)
            #expect(VocabularyFile.decode(Data([0xFF, 0x0A])) == nil)
        }
    }
}
