import Foundation
import TestSupport
import Testing
import WaneCurves

/// The built command, run as a user runs it.
struct Command {
    let status: Int32
    let output: String
    let errors: String

    static var executable: URL {
        let own = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("wane")
    }

    static func process(_ arguments: [String], environment: [String: String] = [:]) -> (Process, Pipe, Pipe) {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (out, err) = (Pipe(), Pipe())
        process.standardOutput = out
        process.standardError = err
        process.standardInput = FileHandle.nullDevice
        return (process, out, err)
    }

    static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Command {
        let folder = try TemporaryFolder()
        let (process, _, _) = process(arguments, environment: environment)
        // Files rather than pipes: a full pipe would stop the command.
        for name in ["out", "err"] { FileManager.default.createFile(atPath: folder.file(name).path, contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: folder.file("out"))
        process.standardError = try FileHandle(forWritingTo: folder.file("err"))
        try process.run()
        process.waitUntilExit()
        return Command(
            status: process.terminationStatus, output: try String(contentsOf: folder.file("out"), encoding: .utf8),
            errors: try String(contentsOf: folder.file("err"), encoding: .utf8))
    }
}

@Suite("The command line", .serialized)
struct CommandTests {
    @Test("comparisons for machines have one set of names, numbers or null, and intervals")
    func machineComparison() throws {
        let (folder, log) = try Self.log()
        defer { withExtendedLifetime(folder) {} }
        let queries = folder.file("queries.csv").path
        let arguments = ["compare", log, "--models", "mlp", "--quiet", "--export-queries", queries] + Self.small
        let json = try Command.run(arguments + ["--format", "json"])
        #expect(json.status == 0, "\(json.errors)")
        var keys: [String] = []
        func walk(_ value: Any) {
            if let object = value as? [String: Any] {
                for (key, inner) in object {
                    keys.append(key)
                    walk(inner)
                }
            } else if let list = value as? [Any] {
                list.forEach(walk)
            } else if let text = value as? String {
                #expect(!["nan", "inf", "-inf"].contains(text) && !text.contains("no number"))
            }
        }
        walk(try JSONSerialization.jsonObject(with: Data(json.output.utf8)))
        #expect(keys.contains("horizon_seconds") && keys.contains("log_loss"))
        #expect(keys.allSatisfy { $0 == $0.lowercased() }, "\(Set(keys).filter { $0 != $0.lowercased() })")
        let csv = try Command.run(arguments + ["--format", "csv"])
        let lines = csv.output.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let names = try #require(lines.first).map(String.init)
        let (value, low, high) = (
            try #require(names.firstIndex(of: "log_loss")), try #require(names.firstIndex(of: "log_loss_low")),
            try #require(names.firstIndex(of: "log_loss_high"))
        )
        // A name in quotes has a comma of its own.
        for line in lines.dropFirst() where line[0].first != "\"" {
            #expect(line.count == names.count)
            let numbers = [low, value, high].map { Double(line[$0]) ?? .nan }
            #expect(numbers[0] <= numbers[1] && numbers[1] <= numbers[2])
        }
        let exported = try String(contentsOfFile: queries, encoding: .utf8).split(separator: "\n")
        let row = try #require(exported.dropFirst().first).split(separator: ",")
        #expect(row[1].hasPrefix("user-") && row[2].hasPrefix("topic-") && row[3].hasSuffix("Z"))
    }

    static let small = [
        "--epochs", "2", "--queries", "1000", "--test-queries", "1000", "--threads", "1",
    ]

    /// A simulated log in a folder of its own.
    static func log(users: Int = 60) throws -> (TemporaryFolder, String) {
        let folder = try TemporaryFolder()
        let path = folder.file("visits.csv").path
        let made = try Command.run(["simulate", "--users", "\(users)", "--topics", "4", "--output", path])
        #expect(made.status == 0, "\(made.errors)")
        return (folder, path)
    }

    /// `predict --queries`: a row for each question in its order, the same that `--user --topic --at` answers.
    private func answersQuestions(
        _ model: String, _ log: String, _ planted: [[String]], _ folder: TemporaryFolder
    ) throws {
        let questions = folder.file("exported.csv").path
        let rows =
            planted.map { "test,\($0[0]),\($0[1]),\($0[2]),0.5" } + ["test,nobody,topic-1,2024-03-01T00:00:00Z,0.5"]
        // Named as exported queries are, with columns beside.
        try ("part,user,topic,moment,degree\n" + rows.joined(separator: "\n") + "\n").write(
            toFile: questions, atomically: true, encoding: .utf8)
        func answers(_ arguments: [String]) throws -> (rows: [[Substring]], errors: String) {
            let run = try Command.run(["predict", model, log, "--format", "csv"] + arguments)
            #expect(run.status == 0, "\(run.errors)")
            let lines = run.output.split(separator: "\n").dropFirst()
            return (lines.map { $0.split(separator: ",", omittingEmptySubsequences: false) }, run.errors)
        }
        let (found, errors) = try answers(["--queries", questions])
        #expect(found.map { $0[0] + "," + $0[1] } == planted.map { "\($0[0]),\($0[1])" } + ["nobody,topic-1"])
        #expect(
            errors.contains("1 rows of \(questions) name people whom the log does not have")
                && found[40].last == "population" && !found[40][4].isEmpty && found[40][6].isEmpty)
        for (row, question) in zip(found, planted).prefix(5) {
            let one = try answers(["--user", question[0], "--topic", question[1], "--at", question[2]]).rows
            #expect(one == [row])
        }
        // One that cannot be read would leave the rows after it beside others' questions.
        let broken = try folder.write(
            "broken.csv", "user,topic,at,id\nuser-1,topic-1,2024-03-01,1\nuser-1,topic-1,soon,1\n")
        let stopped = try Command.run(["predict", model, log, "--queries", broken])
        #expect(stopped.status == 1 && stopped.errors.contains("line 3") && stopped.output.isEmpty)
        let nobody = try folder.write("nobody.csv", "user,topic,at\nnobody,topic-1,2024-03-01\n")
        #expect(try answers(["--queries", nobody]).rows.count == 1)
        let refused = try Command.run(["predict", model, log, "--queries", questions, "--top", "3"])
        #expect(refused.status == 64 && refused.errors.contains("--top and --queries"))
        let said = try Command.run(["predict", model, log, "--queries", questions, "--user", "user-1"])
        #expect(said.status == 64 && said.errors.contains("--user and --queries"))
    }

    @Test(
        "from planted causes to explanations: the truth is written, multipliers multiply, a file of questions is answered"
    )
    func causes() throws {
        let folder = try TemporaryFolder()
        let (log, truth, friends) = ("log.csv", "truth.csv", "friends.csv")
        func file(_ name: String) -> String { folder.file(name).path }
        let made = try Command.run([
            "simulate", "--mechanism", "choice", "--users", "80", "--days", "90", "--output", file(log), "--truth",
            file(truth), "--friends-output", file(friends),
        ])
        #expect(made.status == 0, "\(made.errors)")
        let planted = try String(contentsOfFile: file(truth), encoding: .utf8).split(separator: "\n").map {
            $0.split(separator: ",").map(String.init)
        }
        #expect(
            planted[0] == [
                "user", "topic", "from", "to", "cause", "multiplier", "base_half_life_seconds", "half_life_seconds",
            ])
        #expect(
            Set(planted.dropFirst().map { $0[4] }).isSuperset(of: ["none", "fatigue", "overload", "habit", "social"]))
        let model = file("model")
        let trained = try Command.run(
            ["train", file(log), "--model", "wane", "--friends", file(friends), "--output", model] + Self.small)
        #expect(trained.status == 0, "\(trained.errors)")
        let rows = planted.dropFirst().suffix(40).map { "\($0[1]);\($0[0]);\($0[2])" }
        try ("topic;user;at\n" + rows.joined(separator: "\n") + "\ntopic-1;nobody;2024-03-01 00:00:00\n").write(
            toFile: file("questions.csv"), atomically: true, encoding: .utf8)
        let answered = try Command.run([
            "explain", model, file(log), "--friends", file(friends), "--queries", file("questions.csv"), "--format",
            "csv",
        ])
        #expect(answered.status == 0 && answered.errors.contains("1 rows of"), "\(answered.errors)")
        let lines = answered.output.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        // A row for each question, that about nobody without an answer.
        #expect(lines.count == 42 && lines[41][0] == "nobody" && lines[41][3...].allSatisfy(\.isEmpty))
        for line in lines.dropFirst() {
            guard let base = Double(line[3]), let half = Double(line[4]) else { continue }
            let product = line[5...9].compactMap { Double($0) }.reduce(1, *)
            #expect(abs(base * product / half - 1) < 1e-3)
        }
        let all = try Command.run(["causes", model, file(log), "--friends", file(friends), "--format", "csv"])
        #expect(all.status == 0 && all.output.split(separator: "\n").count == 5)
        try answersQuestions(model, file(log), planted.dropFirst().suffix(40).map { $0 }, folder)
        // Of a model that tells none apart.
        let other = try Command.run(["train", file(log), "--model", "mlp", "--output", file("mlp")] + Self.small)
        #expect(other.status == 0)
        let refused = try Command.run(["explain", file("mlp"), file(log)])
        #expect(refused.status == 1 && refused.errors.contains("tells no causes apart"))
        // One person's answers, and their causes as a picture.
        // Touched last of all: long after the person's first days.
        let latest = try #require(planted.dropFirst().max { $0[2] < $1[2] })
        let (user, topic) = (latest[0], latest[1])
        let about = ["--user", user, "--topic", topic, "--friends", file(friends)]
        let drawn = try Command.run(["explain", model, file(log), "--svg", file("why.svg")] + about)
        #expect(drawn.status == 0, "\(drawn.errors)")
        let picture = try String(contentsOfFile: file("why.svg"), encoding: .utf8)
        #expect(picture.hasPrefix("<svg") && Cause.allCases.allSatisfy { picture.contains($0.rawValue) })
        let otherwise = try Command.run(
            [
                "explain", model, file(log), "--what-if", "--friends-as-of", "2024-02-01", "--at", "end", "--format",
                "csv",
            ]
                + about)
        #expect(otherwise.status == 0 && otherwise.output.contains("friends as of 2024-02-01T00:00:00Z"))
        let later = try Command.run(
            ["explain", model, file(log), "--what-if", "--friends-as-of", "2034-02-01"] + about)
        #expect(later.status == 64 && later.errors.contains("nothing later is read"))
        for (kind, heading) in [
            ("--what-if", "user,topic,at,change,"), ("--events", "user,topic,at,event_at,item,"),
            ("--features", "user,topic,at,input,value,credit"),
        ] {
            let said = try Command.run(
                ["explain", file("mlp"), file(log), kind, "--user", user, "--format", "csv"])
            #expect(said.status == 0 && said.output.hasPrefix(heading), "\(kind): \(said.errors)")
            #expect(said.output.split(separator: "\n").count > 3)
            let nobody = try Command.run(["explain", file("mlp"), file(log), kind])
            #expect(nobody.status == 64 && nobody.errors.contains("name the person with --user"))
        }
        // The model as a whole.
        let relied = try Command.run(["explain", model, file(log), "--friends", file(friends), "--importance"])
        #expect(relied.status == 0 && relied.output.contains("time since the last touch"), "\(relied.errors)")
        // Causes that move something are read, and no others.
        let table = all.output.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let gain = try #require(table.first?.firstIndex(of: "gain_nats"))
        for row in table.dropFirst() where (Double(row[gain]) ?? 0) < 4 {
            #expect(!relied.output.contains("\n\(row[0]) "), "\(row)")
        }
        let along = try Command.run([
            "explain", file("mlp"), file(log), "--dependence", "since_topic", "--format", "json",
        ])
        #expect(along.status == 0 && along.output.contains("\"return_probability\""), "\(along.errors)")
        let unknown = try Command.run(["explain", file("mlp"), file(log), "--dependence", "weather"])
        #expect(unknown.status == 64 && unknown.errors.contains("since_topic"))
        let before = try Command.run(["predict", file("mlp"), file(log), "--format", "csv"]).output
        let checked = try Command.run(["explain", file("mlp"), file(log), "--check", "--format", "csv"])
        #expect(
            checked.status == 0 && checked.output.hasPrefix("test,value,low,high,limit,passes\n"), "\(checked.errors)")
        #expect(checked.output.split(separator: "\n").count == 14)
        // In the card too; the model is the same.
        let card = try String(contentsOfFile: file("mlp") + "/card.md", encoding: .utf8)
        #expect(card.contains("## Faithfulness\n") && card.contains("## Limits\n"))
        #expect(card.split(separator: "\n").count { $0.hasSuffix("| passes |") || $0.hasSuffix("| FAILS |") } >= 9)
        #expect(try Command.run(["predict", file("mlp"), file(log), "--format", "csv"]).output == before)
        for wrong in [
            ["--check", "--importance"], ["--importance", "--user", user], ["--queries", "q.csv", "--what-if"],
            ["--dependence", "since_topic", "--check"], ["--svg", "x.svg"], ["--friends-as-of", "2024-02-01"],
        ] {
            #expect(try Command.run(["explain", file("mlp"), file(log)] + wrong).status == 64, "\(wrong)")
        }
    }

    @Test("from a log to a curve: inspect, train, evaluate, predict, curve, models")
    func wholeWay() throws {
        let (folder, log) = try Self.log()
        let model = folder.file("model").path
        let inspected = try Command.run(["inspect", log])
        #expect(inspected.status == 0 && inspected.output.contains("topic-1"))
        let trained = try Command.run(["train", log, "--model", "gru", "--output", model] + Self.small)
        #expect(trained.status == 0, "\(trained.errors)")
        #expect(trained.output.contains("gru *") && trained.output.contains("logistic regression"))
        for file in ["model.json", "weights.safetensors", "metrics.json", "card.md", "vocabulary/topics.txt"] {
            #expect(FileManager.default.fileExists(atPath: model + "/" + file), "\(file)")
        }
        let evaluated = try Command.run(["evaluate", model, log, "--format", "csv"])
        let again = try Command.run(["evaluate", model, log, "--format", "csv"])
        #expect(evaluated.status == 0 && evaluated.output == again.output)
        let predicted = try Command.run(["predict", model, log, "--user", "user-1", "--format", "csv"])
        #expect(
            predicted.output.hasPrefix(
                "user,topic,at,degree,return_probability,returns,half_life_seconds,half_life_low_seconds,"
                    + "half_life_high_seconds,half_life_bound,lapse_at,lapse_bound,basis\nuser-1,"))
        let svg = folder.file("curve.svg").path
        let curve = try Command.run(["curve", model, log, "--user", "user-1", "--svg", svg])
        #expect(curve.status == 0 && curve.output.contains("half-life") && curve.output.contains("│"))
        #expect(try String(contentsOfFile: svg, encoding: .utf8).hasPrefix("<svg"))
        let points = try Command.run(["curve", model, log, "--user", "user-1", "--format", "csv"])
        let values = points.output.split(separator: "\n").dropFirst().compactMap { Double($0.split(separator: ",")[5]) }
        #expect(values.count == 121 && zip(values, values.dropFirst()).allSatisfy(>=))
        #expect(try Command.run(["models", model]).output.contains("gru"))
        #expect(try Command.run(["models"]).output.contains("lstm-basic"))
    }

    @Test("a curve asked from a later moment is the rest of the same curve")
    func sameCurve() throws {
        let (folder, log) = try Self.log()
        let model = folder.file("model").path
        #expect(try Command.run(["train", log, "--model", "mlp", "--output", model] + Self.small).status == 0)
        struct Point: Decodable {
            let elapsedSeconds: Double
            let returnProbability: Double
        }
        func points(_ at: String, ahead: String) throws -> [Point] {
            let answer = try Command.run([
                "curve", model, log, "--user", "user-3", "--at", at, "--ahead", ahead, "--format", "json", "--quiet",
            ])
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode([Point].self, from: Data(answer.output.utf8))
        }
        // Long after the last event nothing happens: twelve days on, the first curve is at its tenth point.
        let first = try points("2024-06-01", ahead: "120d")
        let later = try points("2024-06-11", ahead: "120d")
        #expect(abs(first[10].returnProbability - later[0].returnProbability) < 1e-6)
    }

    @Test("a model is the flagship where no family is named, and what takes another's place says so")
    func replaced() throws {
        let (folder, log) = try Self.log(users: 60)
        let short = ["--epochs", "1", "--queries", "300", "--test-queries", "300", "--output", folder.file("m").path]
        let first = try Command.run(["train", log, "--model", "mlp"] + short)
        #expect(first.status == 0 && first.errors.contains("saved") && !first.errors.contains("replaces"))
        let second = try Command.run(["train", log] + short)
        #expect(second.errors.contains("it replaces the mlp that was there"), "\(second.errors)")
        let model = try Command.run(["models", folder.file("m").path, "--format", "json"])
        #expect(model.output.contains("\"family\": \"wane\""))
    }

    @Test("a killed training run goes on with --resume and ends with the same weights")
    func killed() throws {
        let (folder, log) = try Self.log(users: 120)
        let options = [
            "--model", "lstm", "--epochs", "3", "--queries", "6000", "--test-queries", "500", "--batch", "64",
            "--threads", "1",
        ]
        let whole = folder.file("whole").path
        #expect(try Command.run(["train", log, "--output", whole] + options).status == 0)
        let expected = try Data(contentsOf: folder.file("whole/weights.safetensors"))
        let broken = folder.file("broken").path
        let checkpoint = broken + ".checkpoint"
        func written() -> Date? {
            (try? FileManager.default.attributesOfItem(atPath: checkpoint))?[.modificationDate] as? Date
        }
        for kills in 0..<4 {
            let (process, _, _) = Command.process(
                ["train", log, "--output", broken, "--resume", "--checkpoint-every", "0.05", "--quiet"] + options)
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            let before = written()
            try process.run()
            // As soon as this run has kept something of its own, and no sooner, however slow the machine is.
            while process.isRunning, written() == before { usleep(2_000) }
            #expect(process.isRunning, "it ended before kill \(kills): make the run longer")
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        let last = try Command.run(["train", log, "--output", broken, "--resume"] + options)
        #expect(last.status == 0, "\(last.errors)")
        #expect(try Data(contentsOf: folder.file("broken/weights.safetensors")) == expected)
        #expect(!FileManager.default.fileExists(atPath: checkpoint))
    }

    @Test("Ctrl-C saves and says how to go on")
    func interrupted() throws {
        let (folder, log) = try Self.log(users: 120)
        let model = folder.file("model").path
        let (process, _, err) = Command.process([
            "train", log, "--output", model, "--epochs", "200", "--patience", "200", "--batch", "32",
        ])
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        var errors = ""
        while !errors.contains("epoch 1"), process.isRunning {
            errors += String(decoding: err.fileHandleForReading.availableData, as: UTF8.self)
        }
        process.interrupt()
        errors += String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        #expect(errors.contains("--resume"))
        #expect(FileManager.default.fileExists(atPath: model + ".checkpoint"))
    }

    @Test("a comparison that was killed goes on where it stopped, and prints what it would have printed")
    func killedComparing() throws {
        let (folder, log) = try Self.log()
        let runs = folder.file("runs").path
        let base = ["compare", log, "--models", "mlp,gru", "--format", "csv", "--quiet"] + Self.small
        let whole = try Command.run(base)
        #expect(whole.status == 0, "\(whole.errors)")
        // Killed when the first model is trained and the second has begun.
        let (process, _, _) = Command.process(base + ["--runs", runs])
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        while process.isRunning, !FileManager.default.fileExists(atPath: runs + "/interest-gru.checkpoint") {
            usleep(2_000)
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(FileManager.default.fileExists(atPath: runs + "/interest-mlp.checkpoint"))
        let other = try Command.run(base + ["--runs", runs, "--seed", "8"])
        #expect(other.status == 1 && other.errors.contains("interest-mlp.checkpoint"), "\(other.errors)")
        let last = try Command.run(base + ["--runs", runs])
        #expect(last.status == 0, "\(last.errors)")
        #expect(last.output == whole.output)
        let left = try FileManager.default.contentsOfDirectory(atPath: runs)
        #expect(left.isEmpty, "nothing is left once the table is printed")
    }

    @Test(
        "what was measured against a model stays with it, and is said where it answers, whatever its task",
        arguments: [
            ["train", "--model", "mlp", "--queries", "300", "--test-queries", "300"],
            ["return", "train", "--model", "mlp", "--queries", "300", "--test-queries", "300"],
            ["rank", "train", "--model", "gru"],
            ["return", "cohort", "--models", "gru", "--known", "40d", "--ahead", "20d"],
        ])
    func doubts(arguments: [String]) throws {
        let (folder, log) = try Self.log(users: 8)
        let model = folder.file("model").path
        let words = arguments.prefix { !$0.hasPrefix("-") }
        let trained = try Command.run(
            words + [log] + arguments.dropFirst(words.count) + ["--epochs", "1", "--threads", "1", "--output", model])
        #expect(trained.status == 0, "\(trained.errors)")
        let ask = arguments[0] == "train" ? ["predict"] : arguments[0] == "rank" ? ["rank", "predict"] : ["return"]
        // Of a cohort everybody is asked about: one person may have come after what was known.
        let answered = try Command.run(ask + [model, log] + (words.contains("cohort") ? [] : ["--user", "user-1"]))
        #expect(
            answered.status == 0 && answered.errors.contains("of the model's own log: No verdict"), "\(answered.errors)"
        )
    }

    @Test(
        "an option that a command could not obey is refused before any work",
        arguments: [
            ["return", "compare", "LOG", "--models", "mlp", "--split", "random"],
            ["return", "train", "LOG", "--model", "mlp", "--split", "random", "--output", "FOLDER"],
            ["simulate", "--users", "5", "--output", "FOLDER.parquet"],
            ["simulate", "--users", "5", "--output", "FOLDER.tsv"],
            ["search", "LOG", "--task", "return", "--model", "mlp", "--split", "random", "--file", "FOLDER"],
            ["rank", "train", "LOG", "--dropout", "0.1", "--output", "FOLDER"],
        ])
    func refused(arguments: [String]) throws {
        let (folder, log) = try Self.log(users: 20)
        let path = folder.file("out").path
        let run = try Command.run(
            arguments.map { $0.replacing("LOG", with: log).replacing("FOLDER", with: path) })
        #expect(run.status == 64 && run.output.isEmpty, "\(run.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file(".").path).count == 1, "the log alone")
    }

    @Test(
        "every command that trains several models keeps them until its answer has gone out, and goes on from there",
        arguments: [
            ["compare", "--models", "mlp", "--queries", "400", "--test-queries", "400"],
            ["rank", "compare", "--models", "gru", "--refit"],
            ["return", "compare", "--models", "mlp", "--queries", "400"],
            ["return", "cohort", "--models", "mlp", "--known", "40d", "--ahead", "20d"],
            ["sparse", "--model", "gru", "--shares", "0.5", "--thin", "users"],
        ])
    func runs(arguments: [String]) throws {
        let (folder, log) = try Self.log(users: 40)
        let runs = folder.file("runs").path
        let words = arguments.prefix { !$0.hasPrefix("-") }
        let base =
            words + [log] + arguments.dropFirst(words.count)
            + ["--epochs", "1", "--threads", "1", "--format", "csv", "--quiet", "--runs", runs]
        let (process, _, _) = Command.process(Array(base))
        // Nothing of the answer is taken: it fails, and the runs stay.
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 1)
        let kept = try FileManager.default.contentsOfDirectory(atPath: runs)
        #expect(!kept.isEmpty)
        let again = try Command.run(Array(base))
        #expect(again.status == 0 && again.output.split(separator: "\n").count > 2, "\(again.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: runs).isEmpty)
    }

    @Test("killed while saving, the folder holds one whole model or the other")
    func killedSaving() throws {
        let (folder, log) = try Self.log()
        let model = folder.file("model").path
        let base = ["train", log, "--model", "mlp", "--output", model, "--quiet"] + Self.small
        #expect(try Command.run(base).status == 0)
        // Killed at once, and later and later, from when the new folder is first seen beside the old one.
        for step in 0..<6 {
            let (process, _, _) = Command.process(base + ["--seed", "\(step)"])
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            let parent = URL(fileURLWithPath: model).deletingLastPathComponent().path
            func saving() throws -> Bool {
                try FileManager.default.contentsOfDirectory(atPath: parent).contains {
                    $0.hasPrefix(".model.") && $0.hasSuffix(".tmp")
                }
            }
            while process.isRunning, try !saving() { usleep(200) }
            usleep(UInt32(step * 1_000))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            #expect(try Command.run(["predict", model, log, "--user", "user-1", "--quiet"]).status == 0)
        }
    }

    @Test(
        "wrong use ends with one message and a status of its own",
        arguments: [
            (["train"], 64, "Missing expected argument"), (["inspect", "/nowhere.csv"], 1, "cannot be opened"),
            (["predict", "/nowhere", "/nowhere.csv"], 1, "there is no model"),
            (["simulate", "--users", "0"], 64, "--users"),
            (["simulate", "--effect", "0"], 64, "needs --mechanism"),
            (["simulate", "--output", "/tmp/a.csv", "--truth=/tmp/./a.csv"], 64, "writes it already"),
            (["inspect", "/nowhere.csv", "--output", "/nowhere.csv"], 64, "that file is read"),
            // Said before a log is read, however long it is.
            (["train", "/nowhere.csv", "--model", "oracle", "--output", "/nowhere"], 1, "no model family"),
            (["return", "train", "/nowhere.csv", "--model", "gru,lstm", "--output", "/nowhere"], 1, "no model family"),
            (["rank", "train", "/nowhere.csv", "--model", "lstm-basic", "--output", "/nowhere"], 1, "no model family"),
            (
                ["train", "/nowhere.csv", "--model", "gru", "--friends", "f", "--output", "m"], 64,
                "reads no friendships"
            ),
            (["train", "/nowhere.csv", "--output", "m", "--checkpoint-every", "nan"], 64, "--checkpoint-every"),
        ] as [([String], Int32, String)])
    func wrongUse(arguments: [String], status: Int32, words: String) throws {
        let result = try Command.run(arguments)
        #expect(result.status == status)
        #expect(result.errors.contains(words), "\(result.errors)")
    }

    @Test("unknown people, topics and families are named, with what there is")
    func unknown() throws {
        let (folder, log) = try Self.log()
        let model = folder.file("model").path
        #expect(try Command.run(["train", log, "--model", "mlp", "--output", model] + Self.small).status == 0)
        let nobody = try Command.run(["curve", model, log, "--user", "nobody"])
        #expect(nobody.status != 0 && nobody.errors.contains("no person \"nobody\""))
        let anybody = try Command.run(
            ["predict", model, log, "--user", "nobody", "--topic", "topic-1", "--format", "csv"])
        #expect(anybody.status == 0 && anybody.output.hasSuffix(",population\n"))
        #expect(anybody.errors.contains("the answer is the population's"))
        let chess = try Command.run(["curve", model, log, "--user", "user-1", "--topic", "Chess"])
        #expect(chess.status != 0 && chess.errors.contains("has a topic \"Chess\"; there are topic-"))
        #expect(
            try Command.run(["train", log, "--model", "oracle", "--output", model]).errors.contains("there are mlp"))
        #expect(try Command.run(["inspect", log, "--horizon", "soon"]).errors.contains("--horizon soon"))
        #expect(try Command.run(["train", log, "--horizon", "999d", "--output", model]).errors.contains("--horizon"))
    }

    @Test("settings come from the flag, then the environment, then the file; a misspelt one is refused")
    func settings() throws {
        let (folder, log) = try Self.log()
        func epochs(_ flags: [String], _ environment: [String: String], file: String) throws -> Command {
            let config = try folder.write("wane.json", file)
            return try Command.run(
                [
                    "train", log, "--model", "mlp", "--output", folder.file("m").path, "--config", config, "--queries",
                    "1000", "--test-queries", "500",
                ] + flags,
                environment: environment)
        }
        let file = #"{"train": {"epochs": 1}}"#
        #expect(try epochs([], [:], file: file).errors.contains("epoch 1/1"))
        #expect(try epochs([], ["WANE_TRAIN_EPOCHS": "2"], file: file).errors.contains("epoch 1/2"))
        #expect(try epochs(["--epochs", "3"], ["WANE_TRAIN_EPOCHS": "2"], file: file).errors.contains("epoch 1/3"))
        #expect(
            try epochs([], [:], file: #"{"train": {"epoch": 1}}"#).errors.contains("no setting is called train.epoch"))
    }

    @Test("a random split says that it leaks")
    func randomSplit() throws {
        let (folder, log) = try Self.log()
        defer { withExtendedLifetime(folder) {} }
        let result = try Command.run(["compare", log, "--models", "mlp", "--split", "random"] + Self.small)
        #expect(result.output.contains("leaks") && result.errors.contains("leaks"))
    }

    @Test("machines get JSON and CSV without notes on standard output")
    func formats() throws {
        let (folder, log) = try Self.log()
        defer { withExtendedLifetime(folder) {} }
        let json = try Command.run(["inspect", log, "--format", "json"])
        #expect(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) is [String: Any])
        #expect(!json.output.contains("\u{1B}"))
        struct Inspected: Decodable {
            struct Summary: Decodable { let start: Date, end: Date }
            let summary: Summary
        }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            try Date.ISO8601FormatStyle(includingFractionalSeconds: true)
                .parse(decoder.singleValueContainer().decode(String.self))
        }
        let summary = try decoder.decode(Inspected.self, from: Data(json.output.utf8)).summary
        #expect(summary.start < summary.end, "moments are RFC 3339")
        #expect(
            try Command.run(["inspect", log, "--format", "csv"]).output.hasPrefix("age_seconds,returned_share,cases\n"))
    }

    /// Logs at the edge of what can be learned from.
    private static func edge(_ name: String) -> String {
        let start = 1_600_000_000
        let rows: [(user: Int, time: Int, item: String)] =
            switch name {
            case "one person": (0..<300).map { (1, start + $0 * 9_000, ["a", "b", "c"][$0 % 3]) }
            case "one item": (0..<400).map { ($0 % 20, start + ($0 * 7_919) % 8_640_000, "x") }
            case "one event each": (0..<400).map { ($0, start + $0 * 3_600, "a") }
            case "everyone always returns": (0..<1_600).map { ($0 % 8, start + $0 / 8 * 21_600, "a") }
            default: (0..<600).map { ($0 / 2, start + $0 / 2 * 40_000, $0 % 2 == 0 ? "a" : "b") }
            }
        return rows.reduce(into: "UserID,Time,PageID\n") { $0 += "\($1.user),\($1.time),\($1.item)\n" }
    }

    @Test(
        "logs at the edge train, and measures that do not exist are shown as a dash",
        arguments: ["one person", "one item", "one event each", "everyone always returns", "nobody returns"])
    func edges(name: String) throws {
        let folder = try TemporaryFolder()
        let log = try folder.write("log.csv", Self.edge(name))
        let result = try Command.run(["train", log, "--model", "gru", "--output", folder.file("m").path] + Self.small)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("gru *"))
        let oneClass = ["one event each", "everyone always returns", "nobody returns"].contains(name)
        let cells = result.output.split(separator: "\n").first { $0.hasPrefix("gru *") }?.split(separator: " ") ?? []
        if oneClass { #expect(cells.contains("-")) }
        #expect(!result.output.contains("nan"))
    }
}
