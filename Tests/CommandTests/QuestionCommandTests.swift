import Foundation
import TestSupport
import Testing
import WaneEvents

@Suite("Questions on the command line", .serialized)
struct QuestionCommandTests {
    /// A log, and a model of each task trained on it.
    private static func models(_ tasks: Set<String>) throws -> (TemporaryFolder, log: String) {
        let (folder, log) = try CommandTests.log(users: 50)
        func train(_ arguments: [String]) throws {
            let done = try Command.run(arguments + ["--epochs", "1", "--threads", "1", "--quiet"])
            #expect(done.status == 0, "\(done.errors)")
        }
        let queries = ["--queries", "500", "--test-queries", "500"]
        if tasks.contains("interest") {
            try train(["train", log, "--model", "mlp", "--output", folder.file("models/interest").path] + queries)
        }
        if tasks.contains("return") {
            try train(
                ["return", "train", log, "--model", "mlp", "--output", folder.file("models/return").path] + queries)
        }
        if tasks.contains("cohort") {
            try train([
                "return", "cohort", log, "--models", "mlp", "--known", "40d", "--ahead", "20d", "--output",
                folder.file("models/cohort").path,
            ])
        }
        if tasks.contains("ranking") {
            try train([
                "rank", "train", log, "--model", "gru", "--blend", "--output", folder.file("models/ranking").path,
            ])
        }
        return (folder, log)
    }

    /// Lines of an answer that are about one person.
    private func lines(_ arguments: [String], of user: String) throws -> [String] {
        let answer = try Command.run(arguments + ["--format", "csv", "--quiet"])
        #expect(answer.status == 0, "\(answer.errors)")
        return answer.output.split(separator: "\n").map(String.init).filter { $0.hasPrefix(user + ",") }
    }

    @Test("one person asked alone is answered as among everybody: at their last event, at the log's end, at a moment")
    func aloneOrAmongAll() throws {
        let (folder, log) = try Self.models(["interest", "return", "cohort"])
        defer { withExtendedLifetime(folder) {} }
        for (command, moments) in [
            (["predict", folder.file("models/interest").path], [[], ["--at", "end"], ["--at", "2024-03-20"]]),
            (["return", "predict", folder.file("models/return").path], [[], ["--at", "end"]]),
            (["return", "predict", folder.file("models/cohort").path], [[], ["--at", "2024-02-15"]]),
        ] {
            for at in moments {
                let all = try lines(command + [log] + at, of: "user-3")
                #expect(!all.isEmpty, "\(command), \(at)")
                #expect(
                    try lines(command + [log] + at + ["--user", "user-3"], of: "user-3") == all, "\(command), \(at)")
            }
        }
    }

    @Test("an answer goes into a file when it is whole, and leaves what was there when it fails")
    func answerFile() throws {
        let (folder, log) = try Self.models(["interest"])
        let model = folder.file("models/interest").path
        let path = folder.file("answers/predict.csv").path
        let arguments = ["predict", model, log, "--format", "csv", "--quiet"]
        let printed = try Command.run(arguments).output
        let written = try Command.run(arguments + ["--output", path])
        #expect(written.status == 0 && written.output.isEmpty, "\(written.errors)")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == printed)
        let failed = try Command.run(arguments + ["--topic", "none such", "--output", path])
        #expect(failed.status == 1)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == printed)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("answers").path) == ["predict.csv"])
        let full = try Command.run(arguments + ["--output", "/dev/full"])
        #expect(full.status == 1)
        let folderItself = try Command.run(arguments + ["--output", folder.file("answers").path])
        #expect(folderItself.status == 1)
    }

    @Test("a wrong clock is no end of a log, and is named")
    func wrongClock() throws {
        let (folder, log) = try Self.models(["interest"])
        let model = folder.file("models/interest").path
        let text = try String(contentsOfFile: log, encoding: .utf8)
        let row = try #require(text.split(separator: "\n").last).split(separator: ",").map(String.init)
        let time = try #require(row.firstIndex { $0.hasPrefix("2024-") })
        let strange = row.enumerated().map { $0.offset == time ? "2099-05-01 10:00:00" : $0.element }
        let other = try folder.write("strange.csv", text + strange.joined(separator: ",") + "\n")
        for command in ["predict", "topics"] {
            let at = command == "predict" ? ["--at", "end"] : []
            let answer = try Command.run([command, model, other, "--format", "csv"] + at)
            #expect(answer.status == 0 && answer.errors.contains("far after all others"), "\(answer.errors)")
            #expect(!answer.output.contains("2099-05-01"))
            let before = try Command.run([command, model, log, "--format", "csv"] + at)
            #expect(answer.output == before.output || command == "topics")
        }
    }

    @Test("the likeliest returns of each person, and those from a chance up, are the head of all answers")
    func topAndLeast() throws {
        let (folder, log) = try Self.models(["interest"])
        let model = folder.file("models/interest").path
        func rows(_ more: [String]) throws -> [[String]] {
            let answer = try Command.run(["predict", model, log, "--format", "csv", "--quiet"] + more)
            #expect(answer.status == 0, "\(answer.errors)")
            return answer.output.split(separator: "\n").dropFirst().map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
        }
        let all = try rows([])
        func chance(_ row: [String]) -> Double { Double(row[4]) ?? .nan }
        for (a, b) in zip(all, all.dropFirst()) where a[0] == b[0] { #expect(chance(a) >= chance(b)) }
        var met: [String: Int] = [:]
        let first = all.filter { row in
            met[row[0], default: 0] += 1
            return met[row[0], default: 0] <= 2
        }
        #expect(try rows(["--top", "2"]) == first)
        #expect(try rows(["--min", "0.5"]) == all.filter { chance($0) >= 0.5 })
        #expect(try rows(["--min", "0.5", "--top", "2"]) == first.filter { chance($0) >= 0.5 })
        for wrong in [["--top", "0"], ["--min", "1.5"]] {
            #expect(try Command.run(["predict", model, log] + wrong).status == 64)
        }
        // The curve that is drawn when no topic is named is that of the highest chance.
        let best = try #require(all.first { $0[0] == "user-3" })
        let curve = try Command.run(["curve", model, log, "--user", "user-3", "--format", "csv", "--quiet"])
        #expect(curve.output.split(separator: "\n").dropFirst().allSatisfy { $0.hasPrefix("user-3,\(best[1]),") })
        let drawn = try Command.run(["curve", model, log, "--user", "user-3", "--quiet"])
        #expect(drawn.output.contains("user-3 and \(best[1])"))
    }

    @Test("a person's rows on standard input give what the whole log gives")
    func standardInput() throws {
        let (folder, log) = try Self.models(["interest"])
        let model = folder.file("models/interest").path
        let all = try lines(["predict", model, log], of: "user-3")
        let rows = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        let own = rows.prefix(1) + rows.filter { $0.hasPrefix("user-3,") }
        let (process, out, _) = Command.process(["predict", model, "-", "--format", "csv", "--quiet"])
        let input = Pipe()
        process.standardInput = input
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data((own.joined(separator: "\n") + "\n").utf8))
        try input.fileHandleForWriting.close()
        let answer = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(answer.split(separator: "\n").dropFirst().map(String.init) == all)
    }

    @Test("answers in Parquet are those in CSV, and a full disk is an error")
    func parquet() throws {
        let (folder, log) = try Self.models(["interest"])
        let model = folder.file("models/interest").path
        let rows = try Command.run(["predict", model, log, "--format", "csv", "--quiet"])
        let csv = try folder.write("answers.csv", rows.output)
        let path = folder.file("answers.parquet")
        func write(to path: String) throws -> Int32 {
            let (process, _, _) = Command.process(["predict", model, log, "--format", "parquet", "--quiet"])
            FileManager.default.createFile(atPath: folder.file("answers.parquet").path, contents: nil)
            process.standardOutput = FileHandle(forWritingAtPath: path)
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        #expect(try write(to: path.path) == 0)
        var options = ReadingOptions()
        options.map = [.weight: "return_probability", .item: "basis", .time: ""]
        let (written, said) = (
            try LogReader.read(csv, options: options), try LogReader.read(path.path, options: options)
        )
        #expect(written.log.count == said.log.count && written.log.count > 50)
        #expect(
            written.log.users.names == said.log.users.names
                && written.log.topics.names.names == said.log.topics.names.names)
        for (a, b) in zip(try #require(written.log.weight), try #require(said.log.weight)) {
            #expect(abs(a - b) < 1e-5)
        }
        #expect(try write(to: "/dev/full") == 1)
        // A file's name says the format where no option does; what no answer comes as is refused.
        for (name, begin) in [
            ("named.parquet", "PAR1"), ("named.json", "["), ("named.csv", "user,"), ("named.txt", "person"),
        ] {
            let named = try Command.run(["predict", model, log, "--quiet", "-o", folder.file(name).path])
            #expect(named.status == 0, "\(named.errors)")
            #expect(try Data(contentsOf: folder.file(name)).starts(with: Data(begin.utf8)))
        }
        let lines = try Command.run(["predict", model, log, "-o", folder.file("named.jsonl").path])
        #expect(lines.status == 64 && lines.errors.contains("not as jsonl"))
        let report = try Command.run(["inspect", log, "-o", folder.file("named.parquet").path])
        #expect(report.status == 64 && report.errors.contains("not as parquet"))
        let twice = try Command.run(["predict", model, log, "--user", "a", "--user", "b"])
        #expect(twice.status == 64 && twice.errors.contains("--user is given twice"))
        let short = try Command.run([
            "predict", model, log, "-o=\(folder.file("a").path)", "-qo", folder.file("b").path,
        ])
        #expect(short.status == 64 && short.errors.contains("--output is given twice"))
        let over = try Command.run(["predict", model, log, "-qo", log])
        #expect(over.status == 64 && over.errors.contains("that file is read"))
        // A command's or a family's name may be that of a new folder.
        for arguments in [
            ["inspect", "/nowhere.csv", "-o", "inspect"], ["train", "/nowhere.csv", "--model", "wane", "-o", "wane"],
        ] {
            let named = try Command.run(arguments)
            #expect(named.status != 0 && !named.errors.contains("that file is read"), "\(named.errors)")
        }
        let swapped = try Command.run(["predict", log, model])
        #expect(swapped.status == 1 && swapped.errors.contains("the model comes first"))
        let table = try Command.run(["inspect", log, "--format", "parquet"])
        #expect(table.status != 0 && table.errors.contains("'table', 'json' or 'csv'"))
    }

    @Test("a moment is read in the zone that the log is read in")
    func zones() throws {
        let (folder, log) = try Self.models(["interest"])
        let model = folder.file("models/interest").path
        let utc = try lines(["predict", model, log, "--user", "user-3", "--at", "2024-03-20 12:00:00"], of: "user-3")
        #expect(utc.first?.contains("2024-03-20T12:00:00Z") == true)
        let tokyo = try lines(
            ["predict", model, log, "--user", "user-3", "--at", "2024-03-20 12:00:00", "--time-zone", "Asia/Tokyo"],
            of: "user-3")
        #expect(tokyo.first?.contains("2024-03-20T03:00:00Z") == true)
    }

    @Test("topics are listed with half-lives that do not depend on how long nothing happened")
    func topics() throws {
        let (folder, log) = try Self.models(["interest"])
        let model = folder.file("models/interest").path
        func table(_ more: [String]) throws -> [String: [String]] {
            let answer = try Command.run(["topics", model, log, "--format", "csv", "--quiet"] + more)
            #expect(answer.status == 0, "\(answer.errors)")
            let rows = answer.output.split(separator: "\n").dropFirst().map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0) })
        }
        let page = folder.file("pages/topics.html").path
        let (now, later) = (try table(["--report", page]), try table(["--at", "2030-01-01"]))
        #expect(now.count == 4 && FileManager.default.fileExists(atPath: page))
        for (topic, row) in now { #expect(later[topic]?[1...4] == row[1...4], "\(topic)") }
        #expect(later.values.allSatisfy { $0[6] == "0" }, "nobody is interested after years")
        let early = try Command.run(["topics", model, log, "--at", "2020-01-01"])
        #expect(early.status != 0 && early.errors.contains("before the log's first event"))
    }

    @Test("a model is judged on a window; one that holds nothing, or rows that were trained on, is named")
    func windows() throws {
        let (folder, log) = try Self.models(["interest"])
        let model = folder.file("models/interest").path
        func evaluate(_ more: [String]) throws -> Command { try Command.run(["evaluate", model, log] + more) }
        let own = try evaluate([])
        #expect(own.status == 0 && !own.errors.contains("too good"), "\(own.errors)")
        let seen = try evaluate(["--from", "2024-02-20"])
        #expect(seen.status == 0 && seen.errors.contains("too good"), "\(seen.errors)")
        for (window, words) in [
            (["--from", "2024-03-01", "--to", "2024-02-01"], "not before --to"),
            (["--from", "2030-01-01"], "after the log's last event"),
            (["--to", "2020-01-01"], "before the log's first"),
        ] {
            let none = try evaluate(window)
            #expect(none.status != 0 && none.errors.contains(words), "\(window): \(none.errors)")
        }
    }

    @Test("items are ranked among candidates whose ids hold commas and quotes, each read as it was written")
    func candidates() throws {
        let (folder, log) = try Self.models(["ranking"])
        let model = folder.file("models/ranking").path
        let answer = try Command.run([
            "rank", model, log, "--user", "user-3", "--candidates", "\"a,\"\"b\"\"\", page-1-1", "--format", "csv",
        ])
        #expect(answer.status == 0 && answer.output.contains("\"a,\"\"b\"\"\""), "\(answer.output) \(answer.errors)")
    }

    @Test(
        "folders that were written in the second schema answer as they did then",
        arguments: [("return", ["return", "predict"]), ("ranking", ["rank"])])
    func secondSchema(task: String, command: [String]) throws {
        let folder = Fixture.folder.appendingPathComponent("folders").path
        var arguments = command + ["\(folder)/schema-2-\(task)", "\(folder)/tiny.csv", "--format", "csv", "--quiet"]
        if task == "ranking" { arguments += ["--user", "user-3"] }
        let answer = try Command.run(arguments)
        #expect(answer.status == 0, "\(answer.errors)")
        func rows(_ text: String) -> [[String]] {
            let rows = text.split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
            // People stood in the order of the file then, and stand in that of their names now.
            return task == "ranking"
                ? rows : rows.prefix(1) + rows.dropFirst().sorted { $0.lexicographicallyPrecedes($1) }
        }
        let (now, then) = (rows(answer.output), rows(try Fixture.text("folders/schema-2-\(task).csv")))
        #expect(now.count == then.count && now.first == then.first)
        for (a, b) in zip(now, then) {
            for (x, y) in zip(a, b) where x != y {
                // Other processors add in another order; moments that follow from a curve differ by as much.
                if let p = Double(x), let q = Double(y) {
                    #expect(abs(p - q) < 1e-3 * max(1, abs(q)), "\(a) was \(b)")
                } else {
                    #expect(x.prefix(15) == y.prefix(15), "\(a) was \(b)")
                }
            }
        }
    }

    @Test("curves of folders whose half-lives meant something else are refused, and it is said why", arguments: [1, 2])
    func olderCurves(schema: Int) throws {
        let folder = Fixture.folder.appendingPathComponent("folders").path
        let answer = try Command.run(["predict", "\(folder)/schema-\(schema)-interest", "\(folder)/tiny.csv"])
        #expect(answer.status == 1 && answer.output.isEmpty)
        #expect(answer.errors.contains("a half-life meant something else; train it again"), "\(answer.errors)")
    }

    @Test(
        "rows in another order are the same log: the same questions, weights, figures and answers, with ties and repeats"
    )
    func shuffled() throws {
        let (folder, log) = try CommandTests.log(users: 25)
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map(String.init)
        // Whole days, so that many events are of one moment; some rows twice; topics that change from row to row.
        var rows = lines.dropFirst().enumerated().map { index, line -> String in
            var fields = line.split(separator: ",").map(String.init)
            fields[1] = String(fields[1].prefix(10))
            if index % 7 == 0 { fields[4] += "|topic-3" }
            return fields.joined(separator: ",")
        }
        rows += rows.prefix(20)
        var generator = SeededGenerator(seed: 5)
        var logs: [String] = []
        for name in ["a.csv", "b.csv"] {
            logs.append(try folder.write(name, ([lines[0]] + rows).joined(separator: "\n") + "\n"))
            rows.shuffle(using: &generator)
        }
        for (train, ask) in [
            (["train", "--model", "lstm"], ["predict"]), (["train", "--model", "lightgcn"], ["predict"]),
            (["return", "train", "--model", "hawkes"], ["return", "predict"]),
            (["rank", "train", "--model", "gru", "--blend"], ["rank", "--user", "user-3"]),
        ] {
            var found: [[String]] = []
            for (index, log) in logs.enumerated() {
                let model = folder.file("shuffled-\(train.joined())-\(index)").path
                let few = train.contains("rank") ? [] : ["--queries", "300", "--test-queries", "300"]
                let done = try Command.run(
                    train + few + [
                        log, "--topic-separator", "|", "--epochs", "1", "--threads", "1", "--seed", "3", "--output",
                        model,
                    ])
                #expect(done.status == 0, "\(done.errors)")
                var arguments = ask
                arguments.insert(contentsOf: [model, log], at: ask.firstIndex { $0.hasPrefix("-") } ?? ask.count)
                let answer = try Command.run(arguments + ["--format", "csv", "--quiet"])
                #expect(answer.status == 0 && answer.output.contains("user-3"), "\(answer.errors)")
                let metrics = try String(contentsOfFile: model + "/metrics.json", encoding: .utf8)
                    .split(separator: "\n").filter { !$0.contains("econds") }.joined()
                let weights = try Data(contentsOf: URL(fileURLWithPath: model + "/weights.safetensors"))
                // Beside the weights, what half-lives are read with: to the last digit.
                let manifest =
                    try JSONSerialization.jsonObject(
                        with: Data(contentsOf: URL(fileURLWithPath: model + "/model.json"))) as? [String: Any]
                #expect((manifest?["half_lives"] != nil) == (train[0] == "train"))
                let halfLives = try JSONSerialization.data(
                    withJSONObject: manifest?["half_lives"] ?? [:], options: .sortedKeys)
                found.append([answer.output, metrics, weights.base64EncodedString(), halfLives.base64EncodedString()])
            }
            #expect(found[0] == found[1], "\(train)")
        }
    }

    @Test("what the configuration sets and a family does not obey is named")
    func configured() throws {
        let (folder, log) = try CommandTests.log(users: 40)
        let config = try folder.write("own.json", "{\"train\": {\"heads\": 2, \"epochs\": 1, \"queries\": 300}}")
        func notes(_ family: String) throws -> String {
            let done = try Command.run([
                "train", log, "--model", family, "--config", config, "--output", folder.file("m").path,
                "--test-queries", "300",
            ])
            #expect(done.status == 0, "\(done.errors)")
            return done.errors
        }
        #expect(try notes("gru").contains("train.heads of the configuration is of no effect on gru"))
        #expect(try !notes("attention").contains("no effect"))
    }

    @Test("somebody of whom nothing is known is answered from the population by every command, and each row says so")
    func nobody() throws {
        let (folder, log) = try Self.models(["interest", "return", "ranking", "cohort"])
        let questions = [
            ["predict", folder.file("models/interest").path, log],
            ["return", "predict", folder.file("models/return").path, log],
            ["rank", folder.file("models/ranking").path, log, "--top", "5"],
            ["curve", folder.file("models/interest").path, log, "--topic", "topic-2"],
        ]
        for question in questions {
            for who in [["--user", "ghost"], ["--user", "user-3", "--at", "2020-01-01"]] {
                let answer = try Command.run(question + who + ["--format", "csv"])
                #expect(answer.status == 0, "\(question + who): \(answer.errors)")
                let rows = answer.output.split(separator: "\n")
                #expect(rows.count > 3 && rows[0].hasSuffix(",basis"))
                #expect(rows.dropFirst().allSatisfy { $0.hasSuffix(",population") }, "\(question + who)")
                #expect(answer.errors.contains("population"), "\(question + who): \(answer.errors)")
            }
            let known = try Command.run(question + ["--user", "user-3", "--format", "csv"])
            let rows = known.output.split(separator: "\n").dropFirst()
            #expect(rows.contains { $0.hasSuffix(",history") }, "\(question): \(known.errors)")
        }
        // A cohort is of people who came; there is nobody else to ask about.
        let cohort = try Command.run(["return", "predict", folder.file("models/cohort").path, log, "--user", "ghost"])
        #expect(cohort.status == 1 && cohort.errors.contains("no person \"ghost\""))
        // Of everybody, those without an event by then are counted.
        let early = try Command.run(
            ["predict", folder.file("models/interest").path, log, "--at", "2024-01-24", "--format", "csv"])
        #expect(early.status == 0 && early.errors.contains("people have no event by then"), "\(early.errors)")
    }

    @Test(
        "an option that the task or the family does not obey is refused before any work",
        arguments: [
            ["rank", "train", "LOG", "--queries", "3", "--output", "m"],
            ["rank", "train", "LOG", "--dropout", "0.5", "--output", "m"],
            ["return", "cohort", "LOG", "--test-queries", "3"],
            ["train", "LOG", "--model", "mlp", "--heads", "4", "--output", "m"],
            ["train", "LOG", "--model", "gru", "--sparsity", "kl", "--output", "m"],
            ["train", "LOG", "--model", "lstm-basic", "--dropout", "0.5", "--output", "m"],
            ["inspect", "LOG", "--event-weights", "buy=1"],
        ])
    func unheard(arguments: [String]) throws {
        let (folder, log) = try CommandTests.log()
        let model = folder.file("m").path
        let done = try Command.run(arguments.map { $0 == "LOG" ? log : $0 == "m" ? model : $0 })
        let option = try #require(arguments.first { $0.hasPrefix("--") && !["--output", "--model"].contains($0) })
        #expect(done.status != 0 && done.errors.contains(option), "\(done.errors)")
        #expect(!FileManager.default.fileExists(atPath: model))
    }

    @Test(
        "numbers at their limits end with a message",
        arguments: [
            ["train", "LOG", "--output", "m", "--checkpoint-every", "nan"],
            ["train", "LOG", "--output", "m", "--checkpoint-every", "1e30"],
            ["train", "LOG", "--output", "m", "--queries", "9223372036854775807"],
            ["train", "LOG", "--output", "m", "--test-queries", "9223372036854775807"],
            ["train", "LOG", "--output", "m", "--epochs", "9223372036854775807"],
            ["train", "LOG", "--output", "m", "--horizon", "60000y"], ["inspect", "LOG", "--horizon", "1e300d"],
            ["train", "LOG", "--output", "m", "--threads", "9223372036854775807"],
            ["return", "cohort", "LOG", "--known", "9999y", "--ahead", "9999y"],
            ["rank", "compare", "LOG", "--seeds", "9223372036854775807"],
        ])
    func limits(arguments: [String]) throws {
        let (folder, log) = try CommandTests.log()
        let model = folder.file("m").path
        let done = try Command.run(arguments.map { $0 == "LOG" ? log : $0 == "m" ? model : $0 })
        #expect([1, 64].contains(done.status) && done.errors.contains("Error:"), "\(done.status): \(done.errors)")
    }

    @Test(
        "a file of questions may call people and times as logs do; people whom the log does not have are the population's"
    )
    func questionsOfStrangers() throws {
        let (folder, log) = try Self.models(["interest"])
        let model = folder.file("models/interest").path
        let own = try folder.write(
            "own.csv",
            "topic,CustomerID,visited_at,note\ntopic-2,user-3,2024-03-20 10:00:00,x\ntopic-1,nobody,2024-03-20 10:00:00,y\n"
                + "no such topic,user-3,2024-03-20 10:00:00,z\n"
        )
        let answer = try Command.run(["predict", model, log, "--queries", own, "--format", "csv"])
        #expect(answer.status == 0, "\(answer.errors)")
        let rows = answer.output.split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.map { "\($0[0]) \($0[1])" } == ["user-3 topic-2", "nobody topic-1", "user-3 no such topic"])
        #expect(rows[1].last == "population" && rows[2][4].isEmpty)
        let alone = try Command.run([
            "predict", model, log, "--user", "nobody", "--topic", "topic-1", "--at", "2024-03-20 10:00:00", "--format",
            "csv",
            "--quiet",
        ])
        #expect(
            alone.output.split(separator: "\n")[1].split(separator: ",", omittingEmptySubsequences: false)[3...5]
                == rows[1][3...5])
        #expect(answer.errors.contains("1 rows of \(own) name people whom the log does not have"))
        // A moment that cannot be read is an error, also where another column could be.
        let wrong = try folder.write(
            "wrong.csv", "user,topic,at,visited_at\nuser-3,topic-2,soon,2024-03-20 10:00:00\n"
        )
        let failed = try Command.run(["predict", model, log, "--queries", wrong])
        #expect(failed.status == 1 && failed.errors.contains("soon"), "\(failed.errors)")
    }

    @Test("of a person who is not in the log one is named whose name differs by accents, case or code points alone")
    func likeName() throws {
        let folder = try TemporaryFolder()
        let (own, log) = try Self.models(["interest"])
        defer { withExtendedLifetime(own) {} }
        let text = try String(contentsOfFile: log, encoding: .utf8)
        let other = try folder.write("other.csv", text.replacingOccurrences(of: "user-3,", with: "Jürgen 3,"))
        let model = own.file("models/interest").path
        for (name, hint) in [
            ("jurgen 3", "is \"Jürgen 3\" meant?"), ("Ju\u{308}rgen 3", "letters are put together otherwise"),
            ("Jürgen 4", nil),
        ] {
            let answer = try Command.run(["predict", model, other, "--user", name])
            #expect(answer.status == 0 && answer.errors.contains("the answer is the population's"))
            #expect(
                hint.map { answer.errors.contains($0) } ?? !answer.errors.contains("meant"), "\(name): \(answer.errors)"
            )
        }
    }
}
