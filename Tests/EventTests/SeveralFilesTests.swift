import Foundation
import TestSupport
import Testing

@testable import WaneEvents

@Suite("Several files as one log")
struct SeveralFilesTests {
    private func read(
        _ files: [(String, String)], _ change: (inout ReadingOptions) -> Void = { _ in }
    ) throws -> (log: EventLog, report: ReadingReport) {
        let folder = try TemporaryFolder()
        var paths: [String] = []
        for (name, text) in files {
            try FileManager.default.createDirectory(
                at: folder.file(name).deletingLastPathComponent(), withIntermediateDirectories: true)
            paths.append(try folder.write(name, text))
        }
        var options = ReadingOptions()
        change(&options)
        defer { withExtendedLifetime(folder) {} }
        return try LogReader.read(paths, options: options)
    }

    private func durations(_ log: EventLog) -> [Float?] { log.duration.map { $0.map { $0.isNaN ? nil : $0 } } ?? [] }

    @Test("a number of JSON is a number, a text of CSV has its decimal comma, whichever file comes first")
    func decimalCommas() throws {
        let json = ("a.jsonl", #"{"user":"a","time":"2023-01-01","item":"x","duration":1.234}"# + "\n")
        let csv = ("b.csv", "user;time;item;duration\na;2023-01-02;x;1.234\na;2023-01-03;x;1,5\n")
        #expect(durations(try read([json, csv]) { $0.decimalComma = true }.log) == [1.234, 1_234, 1.5])
        #expect(durations(try read([csv, json]) { $0.decimalComma = true }.log) == [1_234, 1.5, 1.234])
    }

    @Test("each file's durations are in the unit that its own column says, and ends count where there is no duration")
    func durations() throws {
        let seconds = ("a.csv", "user,time,item,duration\na,2023-01-01,x,3\n")
        let milliseconds = ("b.csv", "user,time,item,duration_ms\na,2023-01-02,x,40000000\n")
        #expect(durations(try read([seconds, milliseconds]).log) == [3, 40_000])
        let (log, report) = try read([milliseconds, seconds])
        #expect(durations(log) == [40_000, 3] && report.warnings.contains { $0.contains("milliseconds") })
        let ends = (
            "e.csv",
            "user,start_time,end_time,item\na,2023-01-01 10:00:00,2023-01-01 10:05:00,x\n"
                + "a,2023-01-02 10:00:00,2023-01-02 09:00:00,x\n"
        )
        let both = try read([ends, ("f.csv", "user,start_time,item,duration\na,2023-01-03 10:00:00,x,7\n")])
        #expect(durations(both.log) == [300, 7] && both.report.rejected == ["negative duration": 1])
        #expect(both.report.examples.first?.file?.hasSuffix("e.csv") == true && both.report.examples.first?.line == 3)
        let error = #expect(throws: LogError.self) {
            try read([("g.csv", "user,start_time,item,duration\na,2023-01-03 10:00:00,x,7\n"), ends]) {
                $0.strict = true
            }
        }
        #expect(error?.description.components(separatedBy: ".csv").count == 2, "\(String(describing: error))")
    }

    @Test(
        "a file with items does not go with one whose topics stand in for them; in JSON Lines the rows before an item are set aside"
    )
    func items() throws {
        let topics = ("a.csv", "user,time,topic\na,2023-01-01,News\n")
        let error = #expect(throws: LogError.self) {
            try read([topics, ("b.csv", "user,time,topic,item\na,2023-01-01,News,x\n")])
        }
        #expect(error?.description.contains("PageID") == true)
        func line(_ index: Int, _ item: Bool) -> String {
            "{\"user\": \"a\", \"time\": \(1_600_000_000 + index), \"category\": \"c\"\(item ? ", \"item\": \"p\(index % 3)\"" : "")}"
        }
        for place in [0, 4] {
            let lines = (0..<8).map { line($0, $0 != place) }.joined(separator: "\n")
            let (log, report) = try read([("l.jsonl", lines)])
            #expect(
                log.items.names == ["p0", "p1", "p2"] && log.count == 7 && report.rejected == ["missing value": 1],
                "\(place)")
            #expect(report.unusedColumns.isEmpty)
        }
    }

    @Test("what folders say is a column of their files, whatever the format, behind what rows say")
    func folders() throws {
        for (name, text) in [
            ("part.csv", "user,time,item\na,2023-01-01,x\nb,2023-01-02,y\n"),
            (
                "part.jsonl",
                "{\"user\":\"a\",\"time\":\"2023-01-01\",\"item\":\"x\"}\n{\"user\":\"b\",\"time\":\"2023-01-02\",\"item\":\"y\"}\n"
            ),
        ] {
            let (log, report) = try read([("log/topic=News/\(name)", text), ("log/topic=Sport%20x/\(name)", text)])
            #expect(
                log.topics.names.names == ["News", "Sport x"] && log.count == 4 && report.rejectedCount == 0, "\(name)")
            let (dated, _) = try read([("log/date=2020-05-05/\(name)", text)])
            #expect(dated.time.min().map(TimeFormat.words) == "2023-01-01 00:00:00", "\(name)")
        }
        let (dated, _) = try read([("log/dt=2020-05-05/part.csv", "user,item\na,x\n")])
        #expect(dated.time.min().map(TimeFormat.words) == "2020-05-05 00:00:00")
        let folder = try TemporaryFolder()
        for inner in ["sub", "_delta_log"] {
            let path = folder.file(inner + "-log/" + inner)
            try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
            try "user,item\na,x\n".write(
                to: path.deletingLastPathComponent().appendingPathComponent("a.csv"), atomically: true, encoding: .utf8)
            let error = #expect(throws: LogError.self) { try LogReader.read(path.deletingLastPathComponent().path) }
            #expect(error?.description.contains(inner == "sub" ? "sub" : "Delta Lake") == true)
        }
    }

    @Test("a pipe is opened once and read whole")
    func pipe() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("pipe").path
        #expect(mkfifo(path, 0o600) == 0)
        let text = "1000001234518,5,2023-01-01\n1000001234519,6,2023-01-02\n"
        let writer = Thread { try? Data(text.utf8).write(to: URL(fileURLWithPath: path), options: []) }
        writer.start()
        var options = ReadingOptions()
        options.columns = ["UserID", "PageID", "Time"]
        let (log, _) = try LogReader.read(path, options: options)
        #expect(log.users.names == ["1000001234518", "1000001234519"])
    }

    @Test("nobody and no topic is there whom no row has")
    func unused() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("ana.csv", "time,item\n2023-01-01,x\n")
        _ = try folder.write("bo.csv", "time,item\n")
        _ = try folder.write("cy.csv", "time,item\nsoon,x\n")
        var options = ReadingOptions()
        options.userFrom = .file
        #expect(try LogReader.read(folder.file("").path, options: options).log.users.names == ["ana"])
        let (log, report) = try read([
            (
                "t.csv",
                "user,time,item,topic\na,1600000000,x,A\na,99999999999999999,x,Ghost\n"
                    + (1...100).map { "a,\(1_600_000_000 + $0),y,B" }.joined(separator: "\n")
            )
        ])
        #expect(log.topics.names.names == ["A", "B"] && report.rejectedCount == 1 && log.topics[0].count == 1)
    }

    @Test("a few values that can be read in two ways are set aside; one person who is not there is nobody's fault")
    func few() throws {
        let lines = (0..<200).map { "a,2023-01-01 10:00:\($0 % 50 + 10),p\($0 % 3)" }
        for stray in ["a,2,x", "a,-1,x", "a,02/03/2023,x"] {
            let (log, report) = try read([("l.csv", "user,time,item\n" + (lines + [stray]).joined(separator: "\n"))])
            #expect(log.count == 200 && report.rejected == ["unreadable time": 1], "\(stray): \(report.rejected)")
        }
        for (row, isNobody) in [(",2023-01-01,x", true), ("b,soon,x", false)] {
            let error = #expect(throws: LogError.self) {
                try read([("l.csv", "user,time,item\na,2023-01-01,x\n\(row)\n")]) { $0.onlyUser = "b" }
            }
            if case .noSuchUser = error {
                #expect(isNobody)
            } else {
                #expect(!isNobody, "\(String(describing: error))")
            }
        }
    }

    @Test("weights by type and weights of rows are not both; a column without a value is none; an hour is a clock")
    func columns() throws {
        let typed = "user,time,item,action,rating\na,2023-01-01,x,view,1\na,2023-01-02,x,buy,\n"
        let error = #expect(throws: LogError.self) { try read([("l.csv", typed)]) { $0.eventWeights = ["view": 0.1] } }
        #expect(error?.description.contains("--map Weight=") == true)
        let (log, report) = try read([("l.csv", typed)]) {
            $0.eventWeights = ["view": 0.1]
            $0.map = [.weight: ""]
        }
        #expect(log.weight.map { Array($0) } == [0.1, 1] && report.warnings.contains { $0.contains("count 1: buy") })
        let (empty, said) = try read([("l.csv", "user,time,item,duration\na,2023-01-01,x,\n")])
        #expect(empty.duration == nil && said.warnings.contains { $0.contains("no value in any row") })
        let (clock, _) = try read([("l.csv", "user,date,hour,item\na,2023-01-01,9,x\na,2023-01-02,23,x\n")])
        #expect(clock.time.map { TimeFormat.words($0) } == ["2023-01-01 09:00:00", "2023-01-02 23:00:00"])
    }
}
