import Foundation
import Testing
import WaneEvents

@Suite("Events by names")
struct EventRecordTests {
    private static let now: Int64 = 1_760_000_000_000_000

    private func read(
        _ body: String, _ form: EventRecordReader.Form = .json, limit: Int = 100
    ) throws -> [Result<EventRecord, EventRecordReader.Fault>] {
        try EventRecordReader(now: Self.now).read(Array(body.utf8), as: form, limit: limit)
    }

    @Test("one object, a list, lines and CloudEvents say the same")
    func forms() throws {
        let own =
            #"{"event_id":"e1","user":"ann","time":"2025-01-02T03:04:05.5Z","item":"p","topics":["b","a"],"duration":2.5,"event_type":"view","weight":1}"#
        let expected = EventRecord(
            id: "e1", user: "ann", time: 1_735_787_045_500_000, item: "p", topics: ["a", "b"], duration: 2.5,
            type: "view",
            weight: 1)
        #expect(try read(own).map { try $0.get() } == [expected])
        #expect(try read(" [\(own) , \(own)]\n").map { try $0.get() } == [expected, expected])
        #expect(try read("\(own)\n\n\(own)\n", .lines).map { try $0.get() } == [expected, expected])
        let cloud =
            #"{"specversion":"1.0","id":"1","source":"/shop","type":"view","time":"2025-01-02T03:04:05.5Z","data":{"user":"ann","item":"p","topics":["b","a"],"duration":2.5,"weight":1}}"#
        var other = expected
        other.id = "/shop\u{1}1"
        #expect(try read("[\(cloud)]", .cloudEvents).map { try $0.get() } == [other])
    }

    @Test("a time is RFC 3339 or a number since 1970, in seconds, milliseconds or microseconds")
    func times() throws {
        for text in [
            #""2025-01-02T04:04:05+01:00""#, "1735787045", "1735787045000", "1735787045000000", #""1735787045""#,
        ] {
            let record = try read(#"{"user":1,"item":"p","time":\#(text)}"#)[0].get()
            #expect(record.time == 1_735_787_045_000_000, "\(text)")
            #expect(record.user == "1")
        }
    }

    @Test(
        "what is wrong with an event is named by its place, and the others are read",
        arguments: [
            (#"{"time":"2025-01-01","item":"p"}"#, "/0/user"),
            (#"{"user":"","time":"2025-01-01","item":"p"}"#, "/0/user"),
            (#"{"user":true,"time":"2025-01-01","item":"p"}"#, "/0/user"),
            (#"{"user":["a"],"time":"2025-01-01","item":"p"}"#, "/0/user"),
            (#"{"user":{"id":1},"time":"2025-01-01","item":"p"}"#, "/0/user/id"),
            (#"{"user":"a\u0001","time":"2025-01-01","item":"p"}"#, "/0/user"),
            (#"{"user":"a","item":"p"}"#, "/0/time"), (#"{"user":"a","time":"soon","item":"p"}"#, "/0/time"),
            (#"{"user":"a","time":0,"item":"p"}"#, "/0/time"),
            (#"{"user":"a","time":"1970-01-01","item":"p"}"#, "/0/time"),
            (#"{"user":"a","time":"2200-01-01","item":"p"}"#, "/0/time"),
            (#"{"user":"a","time":"2025-01-01"}"#, "/0/item"),
            (#"{"user":"a","time":"2025-01-01","item":"p","duration":-1}"#, "/0/duration"),
            (#"{"user":"a","time":"2025-01-01","item":"p","duration":"3"}"#, "/0/duration"),
            (#"{"user":"a","time":"2025-01-01","item":"p","duration":1e400}"#, "/0/duration"),
            (#"{"user":"a","time":"2025-01-01","item":"p","dwell":3}"#, "/0/dwell"), ("3", "/0"), ("{", "/0"),
        ])
    func faults(event: String, pointer: String) throws {
        let good = #"{"user":"b","time":"2025-01-01","item":"p"}"#
        // A value that does not end takes the list with it.
        let results = try event == "{" ? read(event) : read("[\(event),\(good)]")
        guard case .failure(let fault) = results[0] else {
            Issue.record("it was read")
            return
        }
        #expect(fault.pointer == pointer, "\(fault.reason)")
        if results.count > 1 { #expect(try results[1].get().user == "b") }
    }

    @Test("names have at most 512 bytes, an event 64 topics, a body so many events, and none at all is said")
    func limits() throws {
        func event(_ user: String, _ topics: [String] = []) -> String {
            #"{"user":"\#(user)","time":"2025-01-01","item":"p","topics":[\#(topics.map { "\"\($0)\"" }.joined(separator: ","))]}"#
        }
        #expect(try read(event(String(repeating: "é", count: 256)))[0].get().user.count == 256)
        #expect(throws: EventRecordReader.Fault.self) { try read(event(String(repeating: "x", count: 513)))[0].get() }
        #expect(throws: EventRecordReader.Fault.self) { try read(event("a", (0..<65).map { "t\($0)" }))[0].get() }
        #expect(throws: EventRecordReader.Fault.self) { try read("[\(event("a")),\(event("b"))]", limit: 1) }
        for body in ["", "[]", " \n"] { #expect(throws: EventRecordReader.Fault.self) { try read(body) } }
        for body in ["[\(event("a"))", "[\(event("a"))]]", "[\(event("a"))\(event("b"))]"] {
            #expect(throws: EventRecordReader.Fault.self) { try read(body) }
        }
    }

    @Test("a field that may have been meant is named")
    func nearest() throws {
        let result = try #require(try read(#"{"usr":"a"}"#).first)
        guard case .failure(let fault) = result else {
            Issue.record("it was read")
            return
        }
        #expect(fault.reason.contains("is user meant?"))
    }

    @Test("events as a log are the log that a file of them is, and back again")
    func asLog() throws {
        let text = #"""
            UserID,Time,PageID,Topic,Duration,EventType
            "a ""b""",2024-01-01 10:00:00,"p,1",x,3.25,view
            c,2024-01-02 10:00:00.000001,p2,y,,buy
            c,2024-01-01 10:00:00,p2,x,10,view
            c,2024-01-03 10:00:00,p3,y,,impression

            """#
        var reading = ReadingOptions()
        reading.keepsExposures = true
        let (log, _) = try LogReader.read(bytes: Array(text.utf8), options: reading)
        var records: [EventRecord] = []
        log.forEachRecord { records.append($0) }
        #expect(records.count == 4 && records[0].user == "a \"b\"" && records[0].duration == 3.25)
        #expect(Set(records.compactMap(\.type)) == ["view", "buy", "impression"])
        let again = try EventLog(records, reading: reading)
        #expect(again.count == 3 && again.exposures?.count == 1)
        var twice: [EventRecord] = []
        again.forEachRecord { twice.append($0) }
        #expect(twice == records.filter { $0.type != "impression" })
        // Weights by type of event are the model's own.
        reading.eventWeights = ["buy": 1, "view": 0.25]
        let weighed = try EventLog(records, reading: reading)
        #expect(weighed.weight.map { Array($0).sorted() } == [0.25, 0.25, 1])
        // Columns are there where no event has a value.
        let bare = try EventLog([EventRecord(user: "a", time: Self.now, item: "p")], reading: ReadingOptions())
        #expect(bare.duration?.count == 1 && bare.weight?.count == 1)
    }

    @Test("no two events that differ are written alike")
    func canonical() {
        let base = EventRecord(user: "a", time: 5, item: "b", topics: ["t"], duration: 1, type: "v", weight: 2)
        var others = [base]
        for change in [
            { $0.user = "ab" }, { $0.item = "" }, { $0.time = 6 }, { $0.topics = [] }, { $0.topics = ["t", "u"] },
            { $0.duration = nil }, { $0.type = nil }, { $0.weight = nil }, { $0.weight = 0 },
        ] as [(inout EventRecord) -> Void] {
            var other = base
            change(&other)
            others.append(other)
        }
        #expect(Set(others.map(\.canonicalBytes)).count == others.count)
    }
}
