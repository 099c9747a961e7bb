import Foundation
import Testing

@testable import WaneEvents

@Suite("Written times")
struct TimeParserTests {
    private func parse(_ text: String, _ format: TimeFormat = .auto, zone: String? = nil) -> TimeParser.Outcome {
        Array(text.utf8).withUnsafeBytes {
            TimeParser(format: format, zone: zone.flatMap(TimeZone.init(identifier:))).parse($0)
        }
    }

    private func micros(_ text: String, _ format: TimeFormat = .auto, zone: String? = nil) -> Int64? {
        if case .time(let time, _) = parse(text, format, zone: zone) { return time }
        return nil
    }

    @Test(
        "are read in every form that logs have",
        arguments: [
            // Seconds from `date -u -d ... +%s`.
            ("2023-01-01 10:00:00", 1_672_567_200_000_000), ("2023-01-01T10:00:00Z", 1_672_567_200_000_000),
            ("2023-01-01T12:00:00+02:00", 1_672_567_200_000_000), ("2023-01-01T05:00:00-0500", 1_672_567_200_000_000),
            ("2023-01-01 10:00:00.25", 1_672_567_200_250_000), ("2023/01/01 10:00", 1_672_567_200_000_000),
            ("2023-01-01 10:00:00 UTC", 1_672_567_200_000_000), ("2023-01-01", 1_672_531_200_000_000),
            ("1672567200", 1_672_567_200_000_000), ("1672567200000", 1_672_567_200_000_000),
            ("1672567200123456", 1_672_567_200_123_456), ("1672567200.5", 1_672_567_200_500_000),
            ("1.6725672e9", 1_672_567_200_000_000), ("-86400", -86_400_000_000), ("0", 0),
            ("1969-12-31 23:59:59", -1_000_000), ("2000-02-29", 951_782_400_000_000),
        ] as [(String, Int64)])
    func forms(text: String, expected: Int64) { #expect(micros(text) == expected) }

    @Test(
        "that are none are refused",
        arguments: [
            "", "yesterday", "2023-13-01", "2023-02-29", "2023-01-32", "2023-01-01 25:00:00", "2023-01-01 10:61:00",
            "2023-01-01 10:00:00 CET", "2023-01-01 10:00:00.", "2023-1-1", "-", "1e", "12:00", "2023-01-01 10:00:00+2",
        ])
    func refused(text: String) { #expect(parse(text) == .unreadable) }

    @Test("beyond the calendar are out of range", arguments: ["99999999999999999999", "999999999999999", "1e300"])
    func range(text: String) { #expect(parse(text, .seconds) == .outOfRange) }

    @Test("without a zone are in the zone asked for, summer and winter")
    func zones() {
        #expect(micros("2023-01-01 11:00:00", zone: "Europe/Berlin") == 1_672_567_200_000_000)
        #expect(micros("2023-07-01 12:00:00", zone: "Europe/Berlin") == micros("2023-07-01 10:00:00"))
        #expect(micros("2023-01-01T10:00:00Z", zone: "Europe/Berlin") == 1_672_567_200_000_000)
    }

    @Test("of eight digits are days where the form says so, else seconds")
    func compact() {
        #expect(micros("19970101", .yyyymmdd) == micros("1997-01-01"))
        #expect(micros("19970101") == 19_970_101_000_000)
        #expect(parse("19971301", .yyyymmdd) == .unreadable)
    }

    @Test("agree with the calendar of Foundation on days of all eras")
    func calendar() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        for day in stride(from: Int64(-140_000), through: 2_900_000, by: 997) where day >= -140_000 {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400)
            let parts = calendar.dateComponents([.year, .month, .day], from: date)
            guard let year = parts.year, year > 1582, year < 9_999, let month = parts.month, let dayOfMonth = parts.day
            else { continue }
            #expect(TimeParser.days(Int64(year), Int64(month), Int64(dayOfMonth)) == day)
        }
    }

    @Test("as words come back as the same moment")
    func words() { #expect(micros(TimeFormat.words(1_672_567_207_000_000)) == 1_672_567_207_000_000) }

    @Test(
        "lengths of time are read, and those beyond ten thousand years or below a microsecond are not",
        arguments: [
            ("7d", 604_800_000_000), ("1.5 h", nil), ("1.5h", 5_400_000_000), ("30s", 30_000_000),
            ("90min", 5_400_000_000),
            ("2w", 1_209_600_000_000), ("1y", 31_557_600_000_000), ("12", 12_000_000),
            ("10000y", 315_576_000_000_000_000),
            ("60000y", nil), ("1e300d", nil), ("inf", nil), ("nan", nil), ("-1d", nil), ("0", nil), ("1e-9s", nil),
            ("d", nil),
            ("", nil),
        ] as [(String, Int64?)])
    func spans(text: String, micros: Int64?) { #expect(TimeSpan.parse(text) == micros) }

    @Test("lengths of time of any size have words", arguments: [0, -1e300, 1e300, .infinity, .nan, 9.3e18, 1e14])
    func words(seconds: Double) {
        for clock in [EventLog.Clock.wall, .position] { #expect(!TimeSpan.words(seconds: seconds, clock).isEmpty) }
    }
}
