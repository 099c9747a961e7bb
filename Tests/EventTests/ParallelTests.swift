import Foundation
import TestSupport
import Testing

@testable import WaneEvents

@Suite("A log that is read on several threads")
struct ParallelTests {
    /// All that can be seen of a reading.
    private func outcome(
        _ text: String, _ threads: Int, _ blockSize: Int, _ change: (inout ReadingOptions) -> Void = { _ in }
    ) -> [String] {
        var options = ReadingOptions()
        (options.threads, options.blockSize) = (threads, blockSize)
        change(&options)
        do {
            let (log, report) = try LogReader.read(bytes: Array(text.utf8), file: "log", options: options)
            return ReaderTests.rows(log) + [
                "\(report.rejected.sorted { $0.key < $1.key })",
                "\(report.examples) \(report.warnings) \(report.unusedColumns)",
                "\(report.accepted) \(report.passedOver) \(report.times)",
                "\(log.topics.names.names)", "\(log.rowTopics?.lists ?? [])",
            ]
        } catch { return ["\(error)"] }
    }

    private func expectSame(_ text: String, _ what: String, _ change: (inout ReadingOptions) -> Void = { _ in }) {
        let one = outcome(text, 1, DelimitedReader.blockSize, change)
        for (threads, blockSize) in [(2, 16), (3, 64), (4, 257), (2, 1_024)] {
            #expect(outcome(text, threads, blockSize, change) == one, "\(what), \(threads) threads, \(blockSize) bytes")
        }
    }

    private func table(_ rows: Int, _ field: (Int) -> String) -> String {
        "UserID,Time,PageID,Duration,Topic,Rating\n"
            + (0..<rows).map {
                "user-\($0 * 7 % 13),2023-01-\(String($0 % 28 + 101).suffix(2)) 10:00:00,page-\($0 * 5 % 11),\($0),\(field($0)),\($0 % 5)"
            }.joined(separator: "\n")
    }

    @Test("is the log that one thread reads: names, topics by row, lines of rows set aside, notes")
    func same() {
        expectSame(table(200) { "topic-\($0 % 3)" }, "plain")
        expectSame(table(200) { $0 % 9 == 0 ? "\"a \"\"b\"\",\nc\"" : "t" }, "line breaks in quotes")
        expectSame(table(200) { $0 % 50 == 7 ? "x,y" : "t" }, "rows with a field too many")
        expectSame(table(200) { $0 == 150 ? "\"never closed" : "t" }, "a quote that stays open")
        expectSame(table(200) { $0 % 4 == 0 ? "5\" pipe" : "t" }, "quotes inside bare fields")
        expectSame(table(200) { "t\($0 % 4)|u" }, "several topics") { $0.topicSeparator = "|" }
        expectSame(table(200) { $0 == 120 ? "x,y" : "t" }, "strict") { $0.strict = true }
        expectSame(table(200) { _ in "t" }, "one person") { $0.onlyUser = "user-3" }
        let faulty = table(200) { _ in "t" } + "\nsomebody,soon,page-1,5,t,1\n,2023-01-01,page-1,5,t,1\n"
        expectSame(faulty, "one person whose rows cannot be read") { $0.onlyUser = "somebody" }
        expectSame(faulty, "nobody") { $0.onlyUser = "nobody" }
        expectSame(table(200) { _ in "t" }.replacing("\n", with: "\r\n"), "carriage returns")
        expectSame("UserID,PageID\n" + (0..<100).map { "\($0 % 7),\($0)" }.joined(separator: "\n"), "positions")
        expectSame(
            "EventID,UserID,Time,PageID\n"
                + (0..<100).map { "\($0 % 60),a,\(1_600_000_000 + $0),p" }.joined(separator: "\n"),
            "event ids")
        expectSame(
            "user,time,item\n"
                + (0..<100).map { "a,\($0 % 28 + 1)/\($0 % 12 + 1)/2023,p\($0)" }.joined(separator: "\n"),
            "days and months")
    }

    @Test("of JSON Lines is the same, with keys that come late, faulty lines and blank ones")
    func json() {
        func line(_ index: Int, _ more: String = "") -> String {
            "{\"user\": \"u\(index % 7)\", \"timestamp\": \(1_600_000_000 + index), \"item\": \"é \(index % 5)\"\(more)}"
        }
        for late in [1, 60, 99] {
            let lines = (0..<100).map {
                line($0, $0 >= late ? ", \"duration\": \($0), \"category\": \"c\($0 % 3)\"" : "")
            }
            expectSame(lines.joined(separator: "\n"), "keys from \(late)")
        }
        let faulty = (0..<100).map { $0 % 17 == 3 ? "{\"new\($0)\": " : $0 % 13 == 5 ? "  " : line($0) }
        expectSame(faulty.joined(separator: "\n") + "\n", "faulty lines")
        let ids = (0..<100).map { line($0, $0 > 50 ? ", \"event_id\": \($0 % 20)" : "") }
        expectSame(ids.joined(separator: "\n"), "event ids from the middle on")
    }

    @Test("keeps rows set aside in their order")
    func rejects() throws {
        let folder = try TemporaryFolder()
        var kept: [String] = []
        for threads in [1, 3] {
            let path = folder.file("rejects-\(threads).csv").path
            _ = outcome(table(300) { $0 % 10 == 0 ? "x,y" : "t" }, threads, 100) { $0.rejects = path }
            kept.append(try String(contentsOfFile: path, encoding: .utf8))
        }
        #expect(kept[0] == kept[1] && kept[0].split(separator: "\n").count == 31)
    }
}
