import Foundation
import TestSupport
import Testing

@Suite("Going on from a model", .serialized)
struct UpdateTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private struct Verdict: Decodable {
        struct Difference: Decodable { let value: Double, low: Double, high: Double }
        let promote: Bool, reason: String, lesson: String
        let difference: Difference?
        let knownPeopleDifference: Difference?
        let questions: Int, people: Int
    }

    /// A log of days, and what it was until one of them.
    private func log(_ name: String, shift: Double?, until day: Int) throws -> String {
        let whole = folder.file("\(name).csv").path
        if !FileManager.default.fileExists(atPath: whole) {
            let more = shift.map { ["--shift-day", "50", "--shift", "\($0)"] } ?? []
            let made = try Command.run(
                ["simulate", "--users", "300", "--days", "110", "--seed", "4", "--output", whole, "--quiet"] + more)
            #expect(made.status == 0, "\(made.errors)")
        }
        let lines = try String(contentsOfFile: whole, encoding: .utf8).split(separator: "\n")
        let start = try #require(ISO8601DateFormatter().date(from: "2024-01-01T00:00:00Z"))
        let end = start.addingTimeInterval(Double(day) * 86_400).formatted(.iso8601).prefix(10)
        let kept = lines.prefix(1) + lines.dropFirst().filter { $0.split(separator: ",")[1].prefix(10) < end }
        let path = folder.file("\(name)-\(day).csv").path
        try Data((kept.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func champion(_ log: String) throws -> String {
        let path = folder.file("champion").path
        let trained = try Command.run([
            "train", log, "--model", "mlp", "--horizon", "2d", "--epochs", "5", "--queries", "10000", "--output", path,
            "--quiet",
        ])
        #expect(trained.status == 0, "\(trained.errors)")
        return path
    }

    private func update(
        _ champion: String, _ log: String, _ more: [String] = []
    ) throws -> (status: Int32, verdict: Verdict?, errors: String) {
        let done = try Command.run(
            [
                "update", champion, log, "--output", folder.file("challenger").path, "--format", "json", "--epochs",
                "4",
                "--queries", "10000", "--quiet",
            ] + more)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return (done.status, try? decoder.decode(Verdict.self, from: Data(done.output.utf8)), done.errors)
    }

    @Test("where half-lives have become a sixth, the challenger takes the place, and answers at once as any model does")
    func shift() throws {
        let champion = try champion(log("shift", shift: 0.15, until: 50))
        let later = try log("shift", shift: 0.15, until: 80)
        let (status, verdict, errors) = try update(champion, later)
        let found = try #require(verdict, "\(errors)")
        #expect(status == 0 && found.promote && (found.difference?.high ?? 1) < 0, "\(found.reason)")
        let asked = try Command.run([
            "predict", folder.file("challenger").path, later, "--user", "user-7", "--format", "csv", "--quiet",
        ])
        #expect(asked.status == 0 && asked.output.split(separator: "\n").count > 1, "\(asked.errors)")
    }

    @Test("where nothing has changed, and where accounts that nobody has flood the log, the champion stays")
    func stays() throws {
        let champion = try champion(log("none", shift: nil, until: 50))
        let later = try log("none", shift: nil, until: 80)
        let (status, verdict, errors) = try update(champion, later)
        #expect(status == 2 && verdict?.promote == false, "\(errors) \(verdict?.reason ?? "")")
        // As many again, who come to one page five times a day, up to the log's end.
        var text = try String(contentsOfFile: later, encoding: .utf8)
        let start = try #require(ISO8601DateFormatter().date(from: "2024-02-22T00:00:00Z"))
        // Each has been here for long, as far as it says itself.
        for account in 0..<300 { text += "bot-\(account),2024-01-05 10:00:00,page-1-1,5.0,topic-1\n" }
        let known = folder.file("known.txt").path
        try Data((1...300).map { "user-\($0)\n" }.joined().utf8).write(to: URL(fileURLWithPath: known))
        for account in 0..<300 {
            for visit in 0..<140 {
                let time = start.addingTimeInterval(Double(visit) * 17_280 + Double(account)).formatted(.iso8601)
                text +=
                    "bot-\(account),\(time.prefix(19).replacing("T", with: " ")),page-\(account % 12 + 1)-1,5.0,topic-\(account % 12 + 1)\n"
            }
        }
        let flooded = folder.file("flooded.csv").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: flooded))
        let poisoned = try update(champion, flooded, ["--known", known])
        #expect(poisoned.status == 2 && poisoned.verdict?.promote == false, "\(poisoned.errors)")
        #expect(poisoned.verdict?.reason.isEmpty == false)
    }

    @Test("a log that has nothing new, one that is too short, and a model of order alone are refused by name")
    func refused() throws {
        let log = try log("short", shift: nil, until: 50)
        let champion = try champion(log)
        let cut = try self.log("short", shift: nil, until: 41)
        let (status, verdict, errors) = try update(champion, cut)
        #expect(
            status == 1 && verdict == nil && errors.contains("two horizons of what came after are needed"), "\(errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("challenger").path))
    }
}
