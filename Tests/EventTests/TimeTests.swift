import Foundation
import TestSupport
import Testing

@testable import WaneEvents

@Suite("Written times")
struct TimeTests {
    private func micros(_ text: String, zone: String? = nil) -> Int64? {
        TimeFormat.moment(text, zone: zone.flatMap(TimeZone.init(identifier:)))
    }

    private func written(_ text: String) -> WrittenTime? { Array(text.utf8).withUnsafeBytes { WrittenTime($0) } }

    @Test(
        "are read in every form that logs have",
        arguments: [
            // Seconds from `date -u -d ... +%s`.
            ("2023-01-01 10:00:00", 1_672_567_200_000_000), ("2023-01-01T10:00:00Z", 1_672_567_200_000_000),
            ("2023-01-01T12:00:00+02:00", 1_672_567_200_000_000), ("2023-01-01T05:00:00-0500", 1_672_567_200_000_000),
            ("2023-01-01 10:00:00.25", 1_672_567_200_250_000), ("2023/01/01 10:00", 1_672_567_200_000_000),
            ("2023-01-01 10:00:00 UTC", 1_672_567_200_000_000), ("2023-01-01", 1_672_531_200_000_000),
            ("2023-1-1 9.30", 1_672_565_400_000_000), ("20230101T100000Z", 1_672_567_200_000_000),
            ("20230101", 1_672_531_200_000_000), ("202301011000", 1_672_567_200_000_000),
            ("20230101100000", 1_672_567_200_000_000), ("20230101.0", 1_672_531_200_000_000),
            ("44927.5", 1_672_574_400_000_000), ("44927.416666666664", 1_672_567_200_000_000),
            ("1672567200", 1_672_567_200_000_000), ("1672567200000", 1_672_567_200_000_000),
            ("1672567200123456", 1_672_567_200_123_456), ("1672567200123456789", 1_672_567_200_123_456),
            ("1672567200.5", 1_672_567_200_500_000), ("1.6725672e9", 1_672_567_200_000_000),
            ("86400000000", 86_400_000_000_000), ("2000-02-29", 951_782_400_000_000),
            ("1969-12-31 23:59:59", -1_000_000), ("1 Jan 2023 10:00", 1_672_567_200_000_000),
            ("01-Jan-2023 10:00:00 AM", 1_672_567_200_000_000), ("January 1, 2023, 10:00 am", 1_672_567_200_000_000),
            ("Sun, 01 Jan 2023 10:00:00 GMT", 1_672_567_200_000_000),
            ("Sun Jan 01 10:00:00 2023", 1_672_567_200_000_000),
            ("Sun Jan 01 10:00:00 +0000 2023", 1_672_567_200_000_000),
            ("[01/Jan/2023:12:00:00 +0200]", 1_672_567_200_000_000),
            ("2023-01-01 11:00 CET", 1_672_567_200_000_000), ("13/01/2023", 1_673_568_000_000_000),
            ("01/13/2023", 1_673_568_000_000_000), ("13.1.23", 1_673_568_000_000_000),
            ("13/01/2023 12:00 AM", 1_673_568_000_000_000), ("13/01/2023 12:00 PM", 1_673_611_200_000_000),
            ("2023-01-01 10:00:00+00:00 (UTC)", 1_672_567_200_000_000), ("2022-12-31 24:00:00", 1_672_531_200_000_000),
        ] as [(String, Int64)])
    func forms(text: String, expected: Int64) { #expect(micros(text) == expected) }

    @Test(
        "that are none, or mean several things, are refused",
        arguments: [
            "", "yesterday", "2023-13-01", "2023-02-29", "2023-01-32", "2023-01-01 25:00:00", "2023-01-01 10:61:00",
            "2023-01-01 10:00:00 EST", "2023-01-01 10:00:00.", "-", "1e", "12:00", "2023-01-01 10:00:00+2", "0x1p3",
            "inf",
            "nan", "01/02/2023", "13/13/2023", "2023-01-01 13:00 PM", "99999999999999999999", "1e300", "12", "-5", "0",
            "Jan 2023", "2023-01-01x", "2023-01-0110:00", "1/2/3", "2023", "2023-01",
        ])
    func refused(text: String) { #expect(micros(text) == nil) }

    /// Python's zoneinfo says the same: `Tests/Reference/zones.py`.
    struct Zones: Decodable {
        struct Case: Decodable {
            let zone: String
            let local: String
            let utc: Int64
            let kind: String
        }
        let cases: [Case]
    }

    @Test("without a zone are in the zone asked for, by the rules of their own day")
    func zones() throws {
        let fixture: Zones = try Fixture.json("zones.json")
        #expect(fixture.cases.count > 500)
        for c in fixture.cases {
            let zone = try #require(TimeZone(identifier: c.zone))
            let local = try #require(written(c.local))
            #expect(local.form == .local)
            var hint = 0
            let (micros, kind) = ZoneRules(zone, from: local.raw, to: local.raw).utc(local.raw, hint: &hint)
            #expect(micros == c.utc * 1_000_000, "\(c.zone), \(c.local)")
            #expect("\(kind)" == c.kind, "\(c.zone), \(c.local)")
        }
        // The same from one table over all of a zone's times, in any order.
        for (name, cases) in Dictionary(grouping: fixture.cases, by: \.zone) {
            let zone = try #require(TimeZone(identifier: name))
            let locals = cases.compactMap { written($0.local)?.raw }
            let rules = ZoneRules(zone, from: locals.min() ?? 0, to: locals.max() ?? 0)
            var hint = 0
            for (c, local) in zip(cases, locals) { #expect(rules.utc(local, hint: &hint).micros == c.utc * 1_000_000) }
        }
    }

    @Test("a zone is a place, UTC or an offset; a name of several is refused with the choices")
    func zoneNames() throws {
        #expect(try TimeZone.named("Europe/Berlin").identifier == "Europe/Berlin")
        #expect(try TimeZone.named("utc").secondsFromGMT() == 0)
        #expect(try TimeZone.named("+02:00").secondsFromGMT() == 7_200)
        #expect(try TimeZone.named("UTC-3").secondsFromGMT() == -10_800)
        #expect(try TimeZone.named("-0330").secondsFromGMT() == -12_600)
        for name in ["EST", "CST", "IST", "bst", "PST"] {
            let error = #expect(throws: ZoneError.self) { try TimeZone.named(name) }
            #expect(error?.description.contains("/") == true)
        }
        for name in ["Berlin", "Europe/Nowhere", "", "+99", "UTC+"] {
            #expect(throws: ZoneError.self) { try TimeZone.named(name) }
        }
    }

    @Test("agree with the calendar of Foundation on days of all eras")
    func calendar() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        for day in stride(from: Int64(-140_000), through: 2_900_000, by: 997) {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400)
            let parts = calendar.dateComponents([.year, .month, .day], from: date)
            guard let year = parts.year, year > 1582, year < 9_999, let month = parts.month, let dayOfMonth = parts.day
            else { continue }
            #expect(GregorianCalendar.days(Int64(year), Int64(month), Int64(dayOfMonth)) == day)
        }
    }

    @Test("as words come back as the same moment")
    func words() {
        #expect(micros(TimeFormat.words(1_672_567_207_000_000)) == 1_672_567_207_000_000)
        // Leap days, ends of centuries, before 1970, before the calendar was introduced; then moments all over the range.
        for text in [
            "2024-02-29T23:59:59Z", "2000-02-29T00:00:00Z", "1900-02-28T12:00:00Z", "1969-12-31T23:59:59.999999Z",
            "1582-10-10T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.000001Z",
        ] {
            #expect(micros(text).map { TimeFormat.rfc3339($0) } == text)
        }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let time = Int64.random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &generator)
            #expect(micros(TimeFormat.rfc3339(time)) == time)
        }
    }

    // MARK: Columns

    private func column(
        _ times: [String], name: String = "Time", _ change: (inout ReadingOptions) -> Void = { _ in }
    ) throws -> (log: EventLog, report: ReadingReport) {
        var options = ReadingOptions()
        change(&options)
        let rows = times.map { "u,\"\($0)\",p" }.joined(separator: "\n")
        return try LogReader.read(
            bytes: Array("UserID,\(name),PageID\n\(rows)\n".utf8), file: "log.csv", options: options)
    }

    private func days(_ log: EventLog) -> [String] { log.time.map { String(TimeFormat.words($0).prefix(10)) } }

    @Test("a number above 12 anywhere in the column says whether the day or the month comes first")
    func dayOrMonth() throws {
        #expect(
            try days(column(["01/02/2023", "03/04/2023", "25/12/2022"]).log) == [
                "2023-02-01", "2023-04-03", "2022-12-25",
            ])
        #expect(try days(column(["12/25/22", "01/02/2023"]).log) == ["2022-12-25", "2023-01-02"])
        #expect(try days(column(["01/02/2023"]) { $0.timeFormat = .monthFirst }.log) == ["2023-01-02"])
        #expect(try days(column(["01/02/2023"]) { $0.preferredTimes = .dayFirst }.log) == ["2023-02-01"])
        #expect(try days(column(["02/02/2023", "03/03/2023"]).log) == ["2023-02-02", "2023-03-03"])
        for (times, words) in [
            (["01/02/2023", "03/04/2023"], "no date shows"),
            (["25/12/2022", "12/26/2022"], "line 2 has the day first and line 3"),
        ] {
            let error = #expect(throws: LogError.self) { try column(times) }
            #expect(
                error?.description.contains(words) == true
                    && error?.description.contains("--time-format day-first") == true)
        }
        // Read as asked, what is no such day is set aside.
        let (log, report) = try column(["25/12/2022", "12/11/2022"]) { $0.timeFormat = .monthFirst }
        #expect(days(log) == ["2022-12-11"] && report.rejected == ["unreadable time": 1])
        #expect(report.examples.first?.line == 2)
    }

    @Test("what numbers count is decided by the whole column, or by its name, or named as open")
    func numbers() throws {
        #expect(try days(column(["20230101", "20230305"]).log) == ["2023-01-01", "2023-03-05"])
        #expect(try days(column(["44927.4", "44930"]).log) == ["2023-01-01", "2023-01-04"])
        #expect(try days(column(["1", "9"], name: "day").log) == ["1970-01-02", "1970-01-10"])
        #expect(try days(column(["1000", "90000000"], name: "time_ms").log) == ["1970-01-01", "1970-01-02"])
        #expect(try days(column(["0", "86400"]) { $0.timeFormat = .seconds }.log) == ["1970-01-01", "1970-01-02"])
        #expect(try days(column(["0", "2"]) { $0.preferredTimes = .days }.log) == ["1970-01-01", "1970-01-03"])
        // One stray value among many changes nothing, and is kept as what the column is.
        let many = (0..<99).map { "\(1_600_000_000 + $0 * 86_400)" } + ["0"]
        #expect(try column(many).log.time.min() == 0)
        for times in [["-10", "0", "2"], ["0", "364"], ["1672567200", "1672567200000"]] {
            let error = #expect(throws: LogError.self) { try column(times) }
            #expect(error?.description.contains("--time-format") == true, "\(times)")
        }
        let (log, report) = try column(["20230101", "20231301", "20230102"]) { $0.timeFormat = .yyyymmdd }
        #expect(days(log) == ["2023-01-01", "2023-01-02"] && report.examples.first?.line == 3)
        #expect(report.accepted == 2 && log.items.count == 1)
    }

    @Test("a local clock that was put forward or back is named, with the line")
    func changes() throws {
        let times = ["2023-03-26 00:30", "2023-03-26 01:30", "2023-07-01 10:00", "2023-10-29 01:30"]
        let (log, report) = try column(times) { $0.timeZone = TimeZone(identifier: "Europe/London") }
        #expect(
            log.time.map { TimeFormat.words($0) } == [
                "2023-03-26 00:30:00", "2023-03-26 01:30:00", "2023-07-01 09:00:00", "2023-10-29 00:30:00",
            ])
        #expect(report.warnings.contains { $0.contains("line 3") && $0.contains("put forward") })
        #expect(report.warnings.contains { $0.contains("line 5") && $0.contains("put back") })
    }

    @Test("a date and a clock may stand in two columns, and an end makes a duration")
    func twoColumns() throws {
        func read(_ text: String) throws -> EventLog {
            try LogReader.read(bytes: Array(text.utf8), file: "log.csv").log
        }
        let log = try read("Date,Time,UserID,PageID\n2023-01-01,10:00,a,x\n13/01/2023,9:30 PM,b,y\n")
        #expect(log.time.map { TimeFormat.words($0) } == ["2023-01-01 10:00:00", "2023-01-13 21:30:00"])
        let spans = try read(
            "UserID,start_time,end_time,PageID\na,2023-01-01 10:00,2023-01-01 10:05,x\nb,2023-01-01 10:00,,x\n")
        #expect(spans.duration?[0] == 300 && spans.duration?[1].isNaN == true)
        let ended = try read("UserID,endTime,PageID,msPlayed\na,2023-01-01 10:00,x,1500\n")
        #expect(ended.clock == .wall && ended.duration?[0] == 1.5)
        let lengths = try read("UserID,Time,PageID,Duration\na,2023-01-01,x,1:02:03\n")
        #expect(lengths.duration?[0] == 3_723)
    }

    @Test(
        "lengths of time are read, and those beyond ten thousand years or below a microsecond are not",
        arguments: [
            ("7d", 604_800_000_000), ("1.5 h", nil), ("1.5h", 5_400_000_000), ("30s", 30_000_000),
            ("90min", 5_400_000_000), ("2w", 1_209_600_000_000), ("1y", 31_557_600_000_000), ("12", 12_000_000),
            ("10000y", 315_576_000_000_000_000), ("60000y", nil), ("1e300d", nil), ("inf", nil), ("nan", nil),
            ("-1d", nil),
            ("0", nil), ("1e-9s", nil), ("d", nil), ("", nil),
        ] as [(String, Int64?)])
    func spans(text: String, micros: Int64?) { #expect(TimeSpan.parse(text) == micros) }

    @Test("lengths of time of any size have words", arguments: [0, -1e300, 1e300, .infinity, .nan, 9.3e18, 1e14])
    func words(seconds: Double) {
        for clock in [EventLog.Clock.wall, .position] { #expect(!TimeSpan.words(seconds: seconds, clock).isEmpty) }
    }
}
