import Foundation
import TestSupport
import Testing

@testable import WaneEvents

@Suite("Logs in drawn dialects")
struct DialectTests {
    struct File: Decodable {
        struct Case: Decodable {
            struct Options: Decodable {
                let zone: String?
                let format: String?
            }
            let form: String
            let text: String
            let options: Options
            let rows: [[Value]]
            let rejected: Int
        }
        let seed: Int
        let cases: [Case]
    }

    enum Value: Decodable, Equatable {
        case text(String)
        case number(Double)
        case none

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .none
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    /// The fixture, or another file of `dialects.py`: `WANE_DIALECTS=/tmp/dialects.json swift test --filter DialectTests`.
    private func file() throws -> File {
        guard let path = ProcessInfo.processInfo.environment["WANE_DIALECTS"] else {
            return try Fixture.json("dialects.json")
        }
        return try JSONDecoder().decode(File.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }

    @Test("are read row by row as they were drawn, whatever delimiter, form of time, zone, order and quotes")
    func asDrawn() throws {
        let file = try file()
        print("\(file.cases.count) files drawn from seed \(file.seed)")
        #expect(file.cases.count > 250)
        for (number, c) in file.cases.enumerated() {
            var options = ReadingOptions()
            options.timeZone = c.options.zone.flatMap { TimeZone(identifier: $0) }
            // Where a file is too short to show which is the day, it is said; the hint is of no effect else.
            options.preferredTimes = c.options.format.flatMap { TimeFormat(rawValue: $0) }
            let what = "file \(number), \(c.form): \(c.text)"
            do {
                let (log, report) = try LogReader.read(bytes: Array(c.text.utf8), file: "log", options: options)
                #expect(report.rejectedCount == c.rejected, "\(what)")
                let rows = (0..<log.count).map { row -> [Value] in
                    func number(_ column: Column<Float>?) -> Value {
                        guard let value = column?[row], !value.isNaN else { return .none }
                        return .number(Double(value))
                    }
                    return [
                        .text(log.users[Int(log.user[row])]), .text(log.items[Int(log.item[row])]),
                        .number(Double(log.time[row])), number(log.duration), number(log.weight),
                    ]
                }
                #expect(rows == c.rows, "\(what)")
                // In pieces shorter than most rows, and in pieces of a few.
                options.threads = 3
                options.blockSize = number % 2 == 0 ? 40 : 200
                let parts = try LogReader.read(bytes: Array(c.text.utf8), file: "log", options: options)
                #expect(ReaderTests.rows(parts.log) == ReaderTests.rows(log), "\(what)")
                #expect(parts.report == report, "\(what)")
            } catch { Issue.record("\(error): \(what)") }
        }
    }
}
