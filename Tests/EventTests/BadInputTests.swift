import Foundation
import TestSupport
import Testing

@testable import WaneEvents

@Suite("Bad logs have one clear message")
struct BadInputTests {
    private func error(_ text: String, _ change: (inout ReadingOptions) -> Void = { _ in }) -> LogError? {
        var options = ReadingOptions()
        change(&options)
        do {
            _ = try LogReader.read(bytes: Array(text.utf8), file: "log.csv", options: options)
            return nil
        } catch { return error }
    }

    @Test("an empty file")
    func empty() throws {
        #expect(error("") == .empty(file: "log.csv"))
        let folder = try TemporaryFolder()
        let path = try folder.write("empty.csv", "")
        #expect(throws: LogError.empty(file: path)) { try LogReader.read(path) }
    }

    @Test("a header and nothing else")
    func headerOnly() { #expect(error("UserID,Time,PageID\n") == .headerOnly(file: "log.csv")) }

    @Test("no column for the person, with the columns that there are and what to do")
    func missingColumn() {
        let error = error("a,b,c\n1,2,3\n")
        #expect(error == .missingColumn(file: "log.csv", column: "UserID", found: ["a", "b", "c"]))
        #expect(error?.description.contains("--map UserID=COLUMN") == true)
    }

    @Test("the wrong delimiter")
    func wrongDelimiter() {
        let error = error("UserID;Time;PageID\n1;2;3\n") { $0.delimiter = "," }
        #expect(error == .wrongDelimiter(file: "log.csv", expected: "\",\"", header: "UserID;Time;PageID"))
    }

    @Test("no header at all")
    func noHeader() { #expect(error("1 2\n1 3\n") == .noHeader(file: "log.csv", fields: ["1", "2"])) }

    @Test("two columns that could be the person")
    func ambiguous() {
        #expect(
            error("user,customer,time,item\n1,2,2023-01-01,4\n")
                == .duplicateColumn(file: "log.csv", column: "UserID", names: ["user", "customer"]))
        #expect(error("user,customer,time,item\n1,2,2023-01-01,4\n") { $0.map = [.user: "customer"] } == nil)
    }

    @Test("a map to a column that is not there")
    func unknownColumn() {
        #expect(
            error("user,time\n1,2\n") { $0.map = [.item: "page"] }
                == .unknownColumn(file: "log.csv", name: "page", found: ["user", "time"]))
    }

    @Test("a missing file and a folder")
    func missingFile() throws {
        #expect(throws: LogError.self) { try LogReader.read("/nowhere/log.csv") }
        let folder = try TemporaryFolder()
        let empty = #expect(throws: LogError.self) { try LogReader.read(folder.file("").path) }
        #expect(empty?.description.contains("folder") == true)
        let none = #expect(throws: LogError.self) { try LogReader.read(folder.file("*.csv").path) }
        #expect(none?.description.contains("no file matches") == true)
    }

    @Test("a field that never ends is cut off with its line")
    func endlessLine() {
        let text = "user,time,item\n1,1600000060,\"" + String(repeating: "x", count: DelimitedReader.longestLine + 10)
        #expect(error(text) == .lineTooLong(file: "log.csv", line: 2, limit: DelimitedReader.longestLine))
    }

    @Test(
        "a bad row is set aside with its line, column and reason",
        arguments: [
            (",1600000060,p,1", "UserID", RejectedRow.Reason.missingValue), ("1,,p,1", "Time", .missingValue),
            ("1,1600000060,,1", "PageID", .missingValue), ("1,1600000060", "", .missingFields(found: 2, needed: 3)),
            ("1,soon,p,1", "Time", .unreadableTime("soon")), ("1,1600000060,p,-2", "Duration", .negativeDuration(-2)),
            ("1,1600000060,p,1e9", "Duration", .enormousDuration(1e9)),
            ("1,1600000060,p,much", "Duration", .unreadableDuration("much")),
            ("1,1600000060,p,inf", "Duration", .unreadableDuration("inf")),
            ("\"1\"x,1600000060,p,1", "", .textAfterQuote),
            ("1,99999999999999999999,p,1", "Time", .timeOutOfRange("99999999999999999999")),
        ])
    func rows(row: String, column: String, reason: RejectedRow.Reason) throws {
        let text = "UserID,Time,PageID,Duration\n1,1600000060,p,1\n\(row)\n1,1600000061,p,2\n"
        let (log, report) = try LogReader.read(bytes: Array(text.utf8), file: "log.csv")
        #expect(log.count == 2)
        #expect(report.examples == [RejectedRow(line: 3, column: column, reason: reason)])
        #expect(report.rejected == [reason.kind: 1])
        var options = ReadingOptions()
        options.strict = true
        let first = RejectedRow(line: 3, column: column, reason: reason)
        #expect(throws: LogError.strict(file: "log.csv", row: first)) {
            try LogReader.read(bytes: Array(text.utf8), file: "log.csv", options: options)
        }
    }

    @Test("bytes that are not UTF-8, and a quote open to the end")
    func bytes() throws {
        var bytes = Array("user,time,item\n1,1600000060,p\n".utf8)
        bytes +=
            [0x31, 0x2C] + Array("1600000060".utf8) + [0x2C, 0xFF, 0xFE, 0x0A] + Array("1,1600000061,\"open".utf8)
        let (log, report) = try LogReader.read(bytes: bytes, file: "log.csv")
        #expect(log.count == 1)
        #expect(report.rejected == ["invalid UTF-8": 1, "unclosed quote": 1])
    }

    @Test("labels outside 0...1, and an event read before")
    func labelsAndDuplicates() throws {
        let text =
            "user,time,item,interest_degree,event_id\n1,1600000060,p,0.5,a\n1,1600000061,p,1.5,b\n1,1600000062,p,0.1,a\n"
        let (log, report) = try LogReader.read(bytes: Array(text.utf8), file: "log.csv")
        #expect(log.count == 1)
        #expect(report.rejected == ["label out of range": 1, "duplicate event": 1])
    }

    @Test("times in several forms are read, and it is said")
    func mixedTimes() throws {
        let text = "user,time,item\n1,1672567200,p\n1,2023-01-01T10:00:00Z,p\n1,2023-01-01 10:00:00,p\n"
        let (log, report) = try LogReader.read(bytes: Array(text.utf8), file: "log.csv")
        #expect(Set(log.time) == [1_672_567_200_000_000])
        #expect(report.warnings.contains { $0.contains("several forms") })
    }

    @Test("every row set aside is kept where asked, with the row")
    func rejects() throws {
        let folder = try TemporaryFolder()
        var options = ReadingOptions()
        options.rejects = folder.file("rejects.csv").path
        _ = try LogReader.read(
            bytes: Array("user,time,item\n1,1600000060,p\n1,x,\"q,r\"\n".utf8), file: "log.csv", options: options)
        let kept = try String(contentsOf: folder.file("rejects.csv"), encoding: .utf8)
        #expect(kept.hasPrefix("line,column,reason,row\n3,\"time\","))
        #expect(kept.hasSuffix("\"1,x,q,r\"\n"))
        _ = try LogReader.read(
            bytes: Array("user\ttime\titem\n1\t1600000060\tp\n1\tx\tq,r\n".utf8), file: "log.tsv", options: options)
        let tabs = try String(contentsOf: folder.file("rejects.csv"), encoding: .utf8)
        #expect(tabs.hasSuffix("\"1\tx\tq,r\"\n"), "what stood between the fields still does")
    }

    @Test("one person's rows that cannot be read are no person that is not there")
    func onlyUserUnreadable() throws {
        let rows = Array("UserID,Time,PageID\n1,2024-01-01,p\n2,2024-01-01,p\n".utf8)
        func read(_ name: String, _ format: TimeFormat) throws -> EventLog {
            var options = ReadingOptions()
            (options.onlyUser, options.timeFormat) = (name, format)
            return try LogReader.read(bytes: rows, options: options).log
        }
        #expect(try read("1", .auto).count == 1)
        #expect { try read("3", .auto) } throws: { "\($0)".contains("no person \"3\"") }
        #expect { try read("1", .seconds) } throws: { "\($0)".contains("could be read") }
    }

    @Test("weights of event types that a model had may lack in a log; those given for it may not")
    func lackingTypes() throws {
        let rows = Array("UserID,Time,PageID,EventType\n1,2024-01-01,p,view\n".utf8)
        var options = ReadingOptions()
        options.eventWeights = ["view": 0.2, "buy": 1]
        #expect { try LogReader.read(bytes: rows, options: options) } throws: { "\($0)".contains("buy") }
        options.mayLackEventTypes = true
        #expect(try LogReader.read(bytes: rows, options: options).log.weight.map { Array($0) } == [0.2])
    }
}
