import Foundation
import TestSupport
import Testing

extension CommandTests {
    private static let short = ["--epochs", "1", "--hidden", "8", "--threads", "1"]

    @Test("ranking, from a log to a person's next items; the questions it cannot answer are said")
    func ranking() throws {
        let (folder, log) = try Self.log()
        defer { withExtendedLifetime(folder) {} }
        let model = folder.file("next").path
        let trained = try Command.run(
            ["rank", "train", log, "--model", "gru", "--output", model, "--quiet"] + Self.short)
        #expect(trained.status == 0, "\(trained.errors)")
        #expect(trained.output.contains("HR@10"))

        let asked = try Command.run(["rank", model, log, "--user", "user-3", "--top", "5", "--format", "json"])
        #expect(asked.status == 0, "\(asked.errors)")
        struct Row: Decodable {
            let rank: Int
            let item: String
        }
        let rows = try JSONDecoder().decode([Row].self, from: Data(asked.output.utf8))
        #expect(rows.map(\.rank) == [1, 2, 3, 4, 5])

        let all = try Command.run(["rank", model, log, "--user", "user-3", "--top", "100000", "--format", "json"])
        #expect(all.status == 0)
        #expect(all.errors.contains("are left to rank"))

        let refusals: [([String], String)] = [
            (["--user", "user-3", "--top", "0"], "at least one"),
            (["--user", "user-3", "--candidates", ","], "no candidates"),
        ]
        for (arguments, words) in refusals {
            let refused = try Command.run(["rank", model, log] + arguments)
            #expect(refused.status != 0)
            #expect(refused.errors.contains(words), "\(arguments): \(refused.errors)")
        }
        let wrong = try Command.run(["predict", model, log, "--user", "user-3"])
        #expect(wrong.status == 1 && wrong.errors.contains("wane rank"))
        let described = try Command.run(["models", model])
        #expect(described.status == 0 && described.output.contains("leave-one-out"), "\(described.errors)")
    }

    @Test("rankers and return times are compared in one table each, with a chart")
    func comparing() throws {
        let (folder, log) = try Self.log()
        defer { withExtendedLifetime(folder) {} }
        let chart = folder.file("chart.svg").path
        let ranked = try Command.run(
            ["rank", "compare", log, "--models", "gru,lightgcn", "--blend", "--svg", chart, "--quiet"] + Self.short)
        #expect(ranked.status == 0, "\(ranked.errors)")
        for name in ["blend with gru", "lightgcn *", "EASE, decayed", "co-visits, decayed", "popularity"] {
            #expect(ranked.output.contains(name))
        }
        #expect(try String(contentsOfFile: chart, encoding: .utf8).contains("</svg>"))
        let returned = try Command.run(
            ["return", "compare", log, "--models", "mlp,hawkes", "--quiet"] + Self.small)
        #expect(returned.status == 0, "\(returned.errors)")
        for name in ["hawkes *", "median gap", "Kaplan-Meier", "exponential Hawkes", "C-index"] {
            #expect(returned.output.contains(name))
        }
        let unknown = try Command.run(["rank", "compare", log, "--models", "gru,elephant"])
        #expect(unknown.status == 1 && unknown.errors.contains("elephant") && unknown.errors.contains("lightgcn"))
    }

    @Test("a search keeps every trial, goes on where it stopped, and refuses another search's file")
    func search() throws {
        let (folder, log) = try Self.log()
        defer { withExtendedLifetime(folder) {} }
        let file = folder.file("search.json").path
        func search(_ trials: Int, _ more: [String] = []) throws -> Command {
            try Command.run(
                ["search", log, "--model", "mlp", "--trials", "\(trials)", "--file", file, "--format", "csv"]
                    + ["--epochs", "1", "--queries", "500", "--threads", "1"] + more)
        }
        let first = try search(2)
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.output.split(separator: "\n").count == 3)
        let more = try search(3)
        #expect(more.output.split(separator: "\n").count == 4)
        // Only the third trial was run.
        #expect(!more.errors.contains("trial 2:") && more.errors.contains("trial 3:"))
        let other = try search(3, ["--seed", "8"])
        #expect(other.status == 1 && other.errors.contains("another"))
    }

    @Test("the sparse-data experiment shows every remedy on the same questions; friendships are read and counted")
    func sparse() throws {
        let (folder, log) = try Self.log()
        defer { withExtendedLifetime(folder) {} }
        let friends = try folder.write("friends.csv", "UserID,FriendID\nuser-1,user-2\nuser-2,user-2\nuser-1,ghost\n")
        let result = try Command.run(
            ["sparse", log, "--model", "gru", "--shares", "0.5", "--thin", "users", "--friends", friends]
                + ["--epochs", "1", "--hidden", "8", "--threads", "1"])
        #expect(result.status == 0, "\(result.errors)")
        for remedy in ["none", "l1", "sparse-codes", "graph", "social", "global-statistics"] {
            #expect(result.output.contains(remedy))
        }
        #expect(result.errors.contains("ghost") && result.errors.contains("with themselves"))
        let wrong = try Command.run(["sparse", log, "--shares", "1.5"])
        #expect(wrong.status != 0 && wrong.errors.contains("--shares 1.5"))
    }
}
