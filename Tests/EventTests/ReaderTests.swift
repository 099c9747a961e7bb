import Foundation
import TestSupport
import Testing

@testable import WaneEvents

@Suite("Reading logs")
struct ReaderTests {
    static let design = "UserID,Time,PageID,Duration\n1,2023-01-01 10:00:00,101,5\n"

    private func read(_ text: String, file: String = "log.csv", _ change: (inout ReadingOptions) -> Void = { _ in })
        throws -> (log: EventLog, report: ReadingReport)
    {
        var options = ReadingOptions()
        change(&options)
        return try LogReader.read(bytes: Array(text.utf8), file: file, options: options)
    }

    /// Users, items, times and durations as text, to compare whole logs.
    static func rows(_ log: EventLog) -> [String] {
        (0..<log.count).map { index in
            let topics = log.topics[log.item[index]].map { log.topics.names[Int($0)] }.joined(separator: "|")
            return [
                log.users[Int(log.user[index])], log.items[Int(log.item[index])], "\(log.time[index])",
                log.duration.map { "\($0[index])" } ?? "-", log.weight.map { "\($0[index])" } ?? "-", topics,
            ].joined(separator: " ")
        }
    }

    @Test("the design's four columns are read exactly as they stand")
    func design() throws {
        let (log, report) = try read(Self.design)
        #expect(Self.rows(log) == ["1 101 1672567200000000 5.0 - "])
        #expect(report.accepted == 1 && report.rejectedCount == 0)
    }

    @Test(
        "columns are found by their usual names, in any order and case",
        arguments: [
            "user_id,item_id,timestamp,dwell", "UID,Page,TS,DURATION", "visitor-id,url,created_at,time_spent",
            "userId,movieId,timestamp,watch time",
        ])
    func aliases(header: String) throws {
        let (log, _) = try read("\(header)\na,b,1600000060,7\n")
        #expect(Self.rows(log) == ["a b 1600000060000000 7.0 - "])
    }

    @Test(
        "any delimiter is found",
        arguments: [",", "\t", ";", "|", " ", "::"])
    func delimiters(delimiter: String) throws {
        let text = [["user", "item", "time"], ["a", "b", "1600000060"], ["c", "d", "1600000061"]]
            .map { $0.joined(separator: delimiter) }.joined(separator: "\n")
        let (log, _) = try read(text)
        #expect(Self.rows(log) == ["a b 1600000060000000 - - ", "c d 1600000061000000 - - "])
    }

    @Test("columns padded by blanks are read as CDNOW has them, dates of eight digits included")
    func padded() throws {
        let text =
            " customer_id  date number_of_cds  dollar_value\r\n 00001 19970101  1   11.77\r\n 00002 19970112  1   12.00\r\n"
        let (log, report) = try read(text)
        #expect(log.users.names == ["00001", "00002"])
        #expect(log.time[0] == TimeFormat.moment("1997-01-01"))
        #expect(log.topics.count == 1 && log.topics.source == .single)
        #expect(report.unusedColumns == ["number_of_cds", "dollar_value"])
    }

    @Test("RecBole's typed headers, and topics of several values")
    func recBole() throws {
        let (log, _) = try read(
            "user_id:token\titem_id:token\trating:float\ttimestamp:float\tclass:token_seq\n1\t2\t3\t1600000060.0\tWar Drama\n"
        )
        #expect(Self.rows(log) == ["1 2 1600000060000000 - 3.0 Drama|War"])
    }

    @Test("MovieLens files without a header are known by their names")
    func movieLens() throws {
        #expect(
            Self.rows(try read("196\t242\t3\t881250949\n", file: "u.data").log) == ["196 242 881250949000000 - 3.0 "])
        #expect(
            Self.rows(try read("1::1193::5::978300760\n", file: "ratings.dat").log) == ["1 1193 978300760000000 - 5.0 "]
        )
    }

    @Test("quotes hold delimiters, quotes and line breaks")
    func quotes() throws {
        let (log, report) = try read(
            "user,time,item\n\"a,1\",1600000060,\"say \"\"hi\"\"\"\nb,1600000061,\"two\nlines\"\nc,1600000062,d\n")
        #expect(
            Self.rows(log) == [
                "a,1 say \"hi\" 1600000060000000 - - ", "b two\nlines 1600000061000000 - - ",
                "c d 1600000062000000 - - ",
            ])
        #expect(report.rejectedCount == 0)
    }

    @Test("JSON Lines, with lists of topics and numbers as text or not")
    func jsonLines() throws {
        let text = """
            {"user": 1, "time": "2023-01-01 10:00:00", "item": "x", "topics": ["a", "b"], "duration": 2.5}
            {"user": "1", "time": "2023-01-01T10:00:00", "item": "y", "topics": "b"}

            [1, 2]
            {"user": "1", "time": 16725
            """
        let (log, report) = try read(text, file: "log.jsonl")
        #expect(Self.rows(log) == ["1 x 1672567200000000 2.5 - a|b", "1 y 1672567200000000 nan - b"])
        #expect(report.rejected == ["not a JSON object": 2])
    }

    @Test("keys may appear first in any line, also those of the person, the time and the item; true is no number")
    func lateKeys() throws {
        let text = """
            {"item": "w"}
            {"user": "a", "item": "x"}
            {"user": "a", "item": "y", "time": "2023-01-01"}
            {"user": "b", "item": "y", "time": "2023-01-02", "duration": 4, "meta": {"category": "News"}}
            {"user": "b", "item": "z", "time": "2023-01-03", "duration": true}
            {"user": "b", "item": "z", "time": "2023-01-03", "duration": null, "tags": [1, [2], {"a": 1}]}
            """
        let (log, report) = try read(text, file: "log.jsonl")
        #expect(log.items.names == ["y", "z"] && log.users.names == ["a", "b"])
        #expect(log.duration.map { $0.map { $0.isNaN ? -1 : $0 } } == [-1, 4, -1])
        #expect(report.rejected == ["missing value": 2, "unreadable duration": 1] && report.accepted == 3)
        #expect(report.unusedColumns.contains("meta.category") && report.unusedColumns.contains("tags"))
    }

    @Test("an array of objects is a log, over several lines or in one, and one that is cut off is an error")
    func jsonArrays() throws {
        let text = #"""
            [
              {"endTime": "2023-01-01 10:00", "artistName": "M|O|O|N", "trackName": "T, \"1\" \u00e9\ud83d\ude00", "msPlayed": 1500},
              {"endTime": "2023-01-01 11:00", "artistName": "B", "trackName": "T2",
               "msPlayed": 2500}, {"trackName": "}]", "artistName": "B", "endTime": "2023-01-01 12:00", "msPlayed": 0}
            ]
            """#
        let (log, report) = try read(text, file: "log.json") { $0.userID = "me" }
        #expect(log.users.names == ["me"] && log.items.names == ["T, \"1\" é😀", "T2", "}]"])
        #expect(log.topics.names.names == ["B", "M|O|O|N"])
        #expect(log.duration.map { Array($0) } == [1.5, 2.5, 0] && report.accepted == 3)
        let inner = "[{\"user\": 1, \"tracks\": [{\"rating\": 3, \"time\": 1}, 5], \"item\": 2, \"rating\": 4}]\n "
        let (kept, _) = try read(inner, file: "log.json")
        #expect(kept.weight.map { Array($0) } == [4] && kept.clock == .position)
        let one = "{\"user\": 1, \"item\": 2}"
        for wrong in ["[\(one)] []", "[\(one)]x", "[\(one) \(one)]", "[,\(one)]", "[\(one),,\(one)]", "[\(one),]"] {
            #expect(throws: LogError.self, "\(wrong)") { try read(wrong, file: "log.json") }
        }
        for cut in ["[", "[{\"user\": 1", "[{\"user\": 1},", "[1, 2]"] {
            #expect(throws: LogError.self) { try read(cut, file: "log.json") }
        }
    }

    @Test("several files, a folder or a pattern are one log, columns by their names and the person by the file's")
    func severalFiles() throws {
        let folder = try TemporaryFolder()
        try folder.write("logs/anna.csv", "time,item,duration\n2023-01-01,x,5\n2023-01-02,y,6\n")
        try folder.write("logs/ben.csv", "item,rating,time\nx,3,2023-01-03\nz,?,2023-01-04\n")
        var options = ReadingOptions()
        options.userFrom = .file
        for paths in [[folder.file("logs").path], [folder.file("logs/*.csv").path]] {
            let (log, report) = try LogReader.read(paths, options: options)
            #expect(
                Self.rows(log).map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == [
                    "anna x", "anna y", "ben x",
                ])
            #expect(log.duration?[0] == 5 && log.duration?[2].isNaN == true && log.weight?[2] == 3)
            #expect(report.examples.first?.description.contains("ben.csv, line 3, rating") == true)
        }
        options.userFrom = .folder
        #expect(try LogReader.read(folder.file("logs").path, options: options).log.users.names == ["logs"])
        // As a model's own log was read: where no column says whose rows they are.
        options.userFrom = nil
        options.preferredUserFrom = .file
        #expect(try LogReader.read(folder.file("logs").path, options: options).log.users.names == ["anna", "ben"])
        try folder.write("own.csv", "user,time,item\nzoe,2023-01-01,x\n")
        #expect(try LogReader.read(folder.file("own.csv").path, options: options).log.users.names == ["zoe"])
        options.userFrom = .folder
        try folder.write("logs/order.csv", "item\nx\n")
        let error = #expect(throws: LogError.self) { try LogReader.read(folder.file("logs").path, options: options) }
        #expect(error?.description.contains("order.csv") == true && error?.description.contains("Time") == true)
    }

    @Test("text in UTF-16, lone carriage returns, a separator named first and blank lines before the header")
    func wrappings() throws {
        let folder = try TemporaryFolder()
        let text = "UserID,Time,PageID\né,2023-01-01,x 😀\nb,2023-01-02,y\n"
        for (name, encoding) in [("le", String.Encoding.utf16LittleEndian), ("be", .utf16BigEndian)] {
            let mark: [UInt8] = name == "le" ? [0xFF, 0xFE] : [0xFE, 0xFF]
            let data = Data(mark) + (text.data(using: encoding) ?? Data())
            try data.write(to: folder.file(name))
            #expect(try LogReader.read(folder.file(name).path).log.items.names == ["x 😀", "y"])
        }
        #expect(try read(text.replacing("\n", with: "\r")).log.count == 2)
        #expect(try read("sep=;\n" + text.replacing(",", with: ";")).log.count == 2)
        #expect(try read("\n  \n" + text).log.count == 2)
        for (bytes, words) in [
            ("PK\u{3}\u{4}", "zip"), ("BZh91", "bzip2"), ("PAR1", "Parquet"), ("<!DOCTYPE html>", "HTML"),
            ("SQLite format 3\0", "SQLite"), ("a\0b", "binary"),
        ] {
            let error = #expect(throws: LogError.self) { try read(bytes) }
            #expect(error?.description.contains(words) == true, "\(words)")
        }
    }

    @Test(
        "topics: a separator is a text that was given or that the format has; long form adds up; partial coverage is said"
    )
    func topics() throws {
        func names(_ text: String, _ change: (inout ReadingOptions) -> Void = { _ in }) throws -> [String] {
            try read(text, change).log.topics.names.names
        }
        #expect(try names("u,time,item,topic\na,2023-01-01,x,M|O|O|N\n") { $0.map = [.user: "u"] } == ["M|O|O|N"])
        let several = "user,time,item,topic\na,2023-01-01,x,A and B and A\n"
        #expect(try names(several) { $0.topicSeparator = " and " } == ["A", "B"])
        #expect(try names("user,time,item,topic\na,2023-01-01,x,A ; B\n") { $0.topicSeparator = ";" } == ["A", "B"])
        let (log, report) = try read("user,time,topic\na,2023-01-01,News\na,2023-01-02,Sport\na,2023-01-03,\n")
        #expect(log.items.names == [ItemTopics.unknownName, "News", "Sport"])
        #expect(report.warnings.contains { $0.contains("1 of 3 events have no topic") })
        #expect(
            try read("user,time,item\na,2023-01-01,x\n") { $0.map = [.topic: "item"] }.log.topics.names.names == ["x"])
        let people = try read("user,time,item\na,2023-01-01,x\nb,2023-01-01,x\n") { $0.map = [.topic: "user"] }.log
        #expect(people.users.names == ["a", "b"] && people.topics.names.names == ["a", "b"])
        let chosen = try read("user,time,item_id,item_name\na,2023-01-01,x,X\n") {
            $0.map = [.item: "item_id", .topic: "item_name"]
        }.log
        #expect(chosen.items.names == ["x"] && chosen.topics.names.names == ["X"])
        let folder = try TemporaryFolder()
        let path = try folder.write("log.csv", "user,time,item\n1,2023-01-01,5\n1,2023-01-02,6\n1,2023-01-03,9\n")
        var options = ReadingOptions()
        options.items = try folder.write("items.csv", "item,genre\n5,War\n5,Drama\n6,Drama\n5,War\nbad,a,b\n")
        let (long, said) = try LogReader.read(path, options: options)
        #expect(long.topics[0].map { long.topics.names[Int($0)] } == ["Drama", "War"])
        #expect(said.warnings.contains { $0.contains("1 of the log's 3 items have no topic") })
        #expect(said.warnings.contains { $0.contains("1 of its 5 rows") })
    }

    @Test("a column may have a second role or none; names that stand for nobody and an id are named")
    func roles() throws {
        let text = "id,user,time,item,rating\n1,NULL,2023-01-01,x,2\n2,b,2023-01-02,y,3\n1,b,2023-01-03,y,4\n"
        let (log, report) = try read(text)
        #expect(log.count == 2 && report.warnings.contains { $0.contains("--map EventID=") })
        #expect(report.warnings.contains { $0.contains("1 of 2 events are of a user called \"NULL\"") })
        let (all, _) = try read(text) { $0.map = [.eventID: "", .weight: ""] }
        #expect(all.count == 3 && all.weight == nil)
        let (untimed, said) = try read("user,item,moment\na,x,2023-01-01\n")
        #expect(untimed.clock == .position && said.warnings.contains { $0.contains("columns not used: moment") })
        #expect(
            try read("user,time,item,rating\na,2023-01-01,x,1e39\n" + "a,2023-01-01,y,1\n").report.rejectedCount == 1)
    }

    @Test("order without times: the position stands in, and all histories end together")
    func positions() throws {
        let (log, report) = try read("1 10\n1 11\n2 10\n1 12\n") { $0.columns = ["UserID", "PageID"] }
        #expect(log.clock == .position)
        #expect(Self.rows(log).map { $0.split(separator: " ")[2] } == ["1000000", "2000000", "3000000", "3000000"])
        #expect(report.warnings.contains { $0.contains("position") })
    }

    @Test("gzip and zstd give the same log, also in several members")
    func compression() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.csv", Self.design)
        let more = try folder.write("b.csv", "2,2023-01-01 11:00:00,102,6\n")
        func shell(_ command: String) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", command]
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(command)")
        }
        try shell("(gzip -c \(path); gzip -c \(more)) > \(folder.file("log.gz").path)")
        #expect(try LogReader.read(folder.file("log.gz").path).log.count == 2)
        let gz = try Data(contentsOf: folder.file("log.gz"))
        for cut in [5, 20, gz.count - 3] {
            try gz.prefix(cut).write(to: folder.file("cut.gz"))
            let error = #expect(throws: LogError.self) { try LogReader.read(folder.file("cut.gz").path) }
            #expect(error?.description.contains("cut.gz") == true)
        }
        try (gz + Data("garbage".utf8)).write(to: folder.file("tail.gz"))
        #expect(throws: LogError.self) { try LogReader.read(folder.file("tail.gz").path) }
        if FileManager.default.fileExists(atPath: "/usr/bin/zstd") {
            try shell("zstd -q -c \(path) > \(folder.file("log.zst").path)")
            #expect(try LogReader.read(folder.file("log.zst").path).log.count == 1)
            let zst = try Data(contentsOf: folder.file("log.zst"))
            try zst.prefix(zst.count - 4).write(to: folder.file("cut.zst"))
            #expect(throws: LogError.self) { try LogReader.read(folder.file("cut.zst").path) }
        }
    }

    @Test("the fast path reads what the general path reads, whatever the bytes", arguments: 0..<60)
    func fastEqualsGeneral(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func pick(_ choices: [String]) -> String { choices[Int.random(in: 0..<choices.count, using: &generator)] }
        var text = "UserID,Time,PageID,Duration,Weight,Other\n"
        for _ in 0..<80 {
            let fields = [
                pick(["1", "22", "u-7654321", "longer-than-eight", " 5", "\"q\"", "é", "", "a b"]),
                pick([
                    "2023-01-01 10:00:00", "2023-01-01T10:00:59", "2023-01-01", "1672567200", "1672567201", "x",
                    "2023-13-01 10:00:00", "2023-01-01 24:00:00", "2023-01-01 10:00:00Z", "", "1672567200.5", "-",
                    "2 Jan 2023", "13/01/2023 10:00",
                ]),
                pick(["p1", "101", "1234567", "12345678", "\"a,b\"", "#", "~"]),
                pick(["5", "5.25", "0", "", "-1", "1e3", "12345678901", "x", "0.1234567", "31622401", "5."]),
                pick(["3", "0.5", "", "nan", "4.0"]), pick(["", "x", "\"", "a\"b"]),
            ]
            text += fields.prefix(generator.uniform() < 0.95 ? 6 : 3).joined(separator: ",")
            text += pick(["\n", "\n", "\n", "\r\n"])
        }
        func both(_ zone: TimeZone?) throws -> ([String], ReadingReport) {
            let (log, report) = try read(text) {
                $0.timeZone = zone
                // Any form but `auto` sends every row through the general path; a topic column does too.
            }
            return (Self.rows(log), report)
        }
        let (fast, fastReport) = try both(nil)
        // A second, unused header name that is a role makes the general path read every row.
        let general = try LogReader.read(bytes: Array(text.replacing("Other", with: "EventType").utf8), file: "log.csv")
        #expect(fast == Self.rows(general.log))
        #expect(
            fastReport.rejected.filter { $0.key != "invalid UTF-8" }
                == general.report.rejected.filter { $0.key != "invalid UTF-8" })
        #expect(
            fastReport.accepted + fastReport.rejectedCount == general.report.accepted + general.report.rejectedCount)
    }

    @Test("a log longer than the buffer, with rows across its edge, loses nothing")
    func longLog() throws {
        let count = 60_000
        var text = "UserID,Time,PageID,Duration\n"
        for row in 0..<count {
            text += "user\(row % 977),\(1_600_000_000 + row),page-number-\(row % 131),\(row % 60)\n"
        }
        let (log, report) = try read(text)
        #expect(log.count == count && report.rejectedCount == 0)
        #expect(log.users.count == 977 && log.items.count == 131)
        #expect(log.time[count - 1] == Int64(1_600_000_000 + count - 1) * 1_000_000)
    }

    @Test("side files give topics to the log's items")
    func itemFile() throws {
        let folder = try TemporaryFolder()
        let log = try folder.write("log.csv", "user,time,item\n1,1600000060,5\n1,1600000061,6\n1,1600000062,9\n")
        var options = ReadingOptions()
        options.items = try folder.write(
            "movies.csv", "movieId,title,genres\n5,\"A, the film\",War|Drama\n6,B,Drama\n7,C,Other\n")
        let (read, _) = try LogReader.read(log, options: options)
        #expect(
            Self.rows(read).map { $0.split(separator: " ", omittingEmptySubsequences: false)[5] } == [
                "Drama|War", "Drama", "",
            ])
        #expect(read.topics.count == 2)
    }
}
