import Foundation
import TestSupport
import Testing
import WaneEvents

/// The recipes of `docs/data.md`, each on a log of its kind, from the shell to a curve.
@Suite("Recipes for logs as people have them", .serialized)
struct RecipeTests {
    struct Recipe: Sendable, CustomTestStringConvertible {
        let name: String
        let flags: [String]
        let people: Int
        var testDescription: String { name }
    }

    static let rows = 600
    static let recipes = [
        Recipe(name: "music", flags: ["--user-from", "folder"], people: 3),
        Recipe(name: "video", flags: [], people: 4), Recipe(name: "tutor", flags: ["--user-from", "file"], people: 6),
        Recipe(name: "receipts", flags: ["--columns", "UserID,Time,PageID,amount"], people: 12),
        Recipe(name: "messages", flags: ["--map", "PageID=recipient"], people: 12),
        Recipe(
            name: "clicks",
            flags: ["--columns", "UserID,PageID,Topic,EventType,Time", "--event-weights", "view=0.2,buy=1"], people: 12),
        Recipe(name: "access", flags: [], people: 12),
    ]

    /// Writes the log of a recipe; people come back to few things, more and more seldom.
    private func write(_ name: String, _ folder: TemporaryFolder) throws -> String {
        var generator = SeededGenerator(seed: 5)
        func draw(_ count: Int) -> Int { Int(generator.uniform() * Double(count)) }
        var files: [String: String] = [:]
        let path: String
        let people = Self.recipes.first { $0.name == name }?.people ?? 1
        func date(_ seconds: Int, _ pattern: String) -> String {
            let format = DateFormatter()
            format.locale = Locale(identifier: "en_US_POSIX")
            format.timeZone = .gmt
            format.dateFormat = pattern
            return format.string(from: Date(timeIntervalSince1970: Double(seconds)))
        }
        for row in 0..<Self.rows {
            // Newest first, as such exports are.
            let at = 1_700_000_000 - row * 14_400 - draw(14_000)
            let (person, item) = (row % people, draw(3) * 3 + row % 3)
            func add(_ file: String, header: String, _ line: String) { files[file, default: header] += line + "\n" }
            switch name {
            case "music":
                let json =
                    "{\"endTime\": \"\(date(at, "yyyy-MM-dd HH:mm"))\", \"artistName\": \"A|\(item % 3)\", \"trackName\": \"T\(item)\", \"msPlayed\": \(draw(200_000))}"
                let file = "music/person\(person)/history\(row % 2).json"
                files[file] = (files[file].map { $0.dropLast() + ",\n" } ?? "[\n") + json + "]"
            case "video":
                add(
                    "video.csv", header: "Profile Name,Start Time,Duration,Title\n",
                    "P\(person),\(date(at, "yyyy-MM-dd HH:mm:ss")),00:\(10 + draw(40)):07,\"Show \(item): Season 1\"")
            case "tutor":
                add(
                    "tutor/s\(person).csv", header: "timestamp,problem_id,skill,elapsed_ms\n",
                    "\(at)123,q\(item),k\(item % 3),\(draw(90_000))")
            case "receipts":
                add("receipts.txt", header: "", "\(person);\(date(at, "dd.MM.yyyy"));\(item);9.90")
            case "messages":
                add("messages.tsv", header: "sender\trecipient\tepoch\n", "p\(person)\tp\(item)\t\(at)")
            case "clicks":
                add("clicks.csv", header: "", "\(person),\(item),\(item % 3),\(draw(9) == 0 ? "buy" : "view"),\(at)")
            default:
                add(
                    "access.log", header: "",
                    "10.0.0.\(person) - - [\(date(at, "dd/MMM/yyyy:HH:mm:ss")) +0000] \"GET /p\(item)?x=1 HTTP/1.1\" 200 99 \"-\" \"\(row % 3 == 0 ? "Googlebot/2.1" : "Mozilla/5.0")\""
                )
            }
        }
        for (file, text) in files { try folder.write(file, text) }
        switch name {
        case "music": path = "music/*/*.json"
        case "tutor": path = "tutor"
        default: path = files.keys.first ?? ""
        }
        return folder.file(path).path
    }

    @Test("run from the shell to a curve with at most two flags, every row counted", arguments: recipes)
    func recipe(_ recipe: Recipe) throws {
        #expect(recipe.flags.count <= 4)
        let folder = try TemporaryFolder()
        let log = try write(recipe.name, folder)
        let inspected = try Command.run(["inspect", log, "--format", "json"] + recipe.flags)
        #expect(inspected.status == 0, "\(inspected.errors)")
        struct Answer: Decodable {
            struct Summary: Decodable { let users: Int }
            let accepted: Int
            let rejected: [String: Int]
            let summary: Summary
        }
        let answer = try JSONDecoder().decode(Answer.self, from: Data(inspected.output.utf8))
        #expect(answer.accepted == Self.rows && answer.rejected.isEmpty && answer.summary.users == recipe.people)
        let model = folder.file("model").path
        let trained = try Command.run(
            [
                "train", log, "--model", "mlp", "--epochs", "1", "--queries", "500", "--test-queries", "300",
                "--threads", "1", "--output", model,
            ]
                + recipe.flags)
        #expect(trained.status == 0, "\(trained.errors)")
        let rows = try Command.run(["predict", model, log, "--format", "csv", "--quiet"] + recipe.flags)
        let user = try #require(rows.output.split(separator: "\n").dropFirst().first?.split(separator: ",").first)
        let curve = try Command.run(["curve", model, log, "--user", String(user)] + recipe.flags)
        #expect(curve.status == 0 && curve.output.contains(/half-life|does not halve/), "\(curve.errors)")
    }
}
