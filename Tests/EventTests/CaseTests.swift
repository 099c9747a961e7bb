import Foundation
import TestSupport
import Testing

@testable import WaneEvents

/// Small files, a folder a kind, each with what is right of it in the folder's `cases.json`.
@Suite("Logs as people have them, one by one")
struct CaseTests {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let read: String
        var folder = ""
        let events: Int?
        let users: Int?
        let items: Int?
        let rejected: Int?
        /// Of all events, in UTC.
        let first: String?
        let last: String?
        /// All of them, in order.
        let topics: [String]?
        /// Seconds; null where a row has none.
        let durations: [Float?]?
        /// Words of one of the notes.
        let note: String?
        /// Words of the error.
        let error: String?
        let options: Options?

        struct Options: Decodable, Sendable {
            let columns: [String]?
            let delimiter: String?
            let map: [String: String]?
            let timeFormat: String?
            let zone: String?
            let durationUnit: Double?
            let decimalComma: Bool?
            let topicSeparator: String?
            let itemsFile: String?
            let userID: String?
            let userFrom: String?
            let strict: Bool?
        }

        enum CodingKeys: String, CodingKey {
            case read, events, users, items, rejected, first, last, topics, durations, note, error, options
        }

        var testDescription: String { folder + "/" + read }
    }

    private static let root = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Cases")

    static func cases() throws -> [Case] {
        try FileManager.default.contentsOfDirectory(atPath: root.path).sorted().flatMap { folder in
            let table = root.appendingPathComponent(folder).appendingPathComponent("cases.json")
            return try JSONDecoder().decode([Case].self, from: Data(contentsOf: table)).map {
                var own = $0
                own.folder = folder
                return own
            }
        }
    }

    @Test("a hundred of them are here")
    func many() throws { #expect(try Self.cases().count > 100) }

    @Test("are read as they should be, on one thread and in pieces", arguments: try cases())
    func asTheyShould(_ c: Case) throws {
        let folder = Self.root.appendingPathComponent(c.folder)
        for threads in [1, 3] {
            var options = ReadingOptions()
            options.threads = threads
            if threads > 1 { options.blockSize = 24 }
            let said = c.options
            options.columns = said?.columns
            options.delimiter = said?.delimiter
            for (role, name) in said?.map ?? [:] {
                options.map[try #require(ColumnRole.allCases.first { "\($0)" == role }, "\(role)")] = name
            }
            options.timeFormat = try said?.timeFormat.map { try #require(TimeFormat(rawValue: $0)) } ?? .auto
            options.timeZone = said?.zone.flatMap { TimeZone(identifier: $0) }
            options.durationUnit = said?.durationUnit
            options.decimalComma = said?.decimalComma ?? false
            options.topicSeparator = said?.topicSeparator
            options.items = said?.itemsFile.map { folder.appendingPathComponent($0).path }
            options.userID = said?.userID
            options.userFrom = try said?.userFrom.map { try #require(UserSource(rawValue: $0)) }
            options.strict = said?.strict ?? false
            check(c, Result { try LogReader.read(folder.appendingPathComponent(c.read).path, options: options) })
        }
    }

    private func check(_ c: Case, _ result: Result<(log: EventLog, report: ReadingReport), any Error>) {
        switch result {
        case .failure(let error):
            #expect(c.error != nil, "\(error)")
            if let words = c.error { #expect("\(error)".contains(words), "\(error)") }
        case .success(let (log, report)):
            #expect(c.error == nil, "\(c.error ?? "") was expected, not \(ReaderTests.rows(log))")
            #expect(c.events == nil || log.count == c.events)
            #expect(report.accepted == log.count)
            #expect(c.users == nil || log.users.count == c.users, "\(log.users.names)")
            #expect(c.items == nil || log.items.count == c.items, "\(log.items.names)")
            #expect(c.rejected == nil || report.rejectedCount == c.rejected, "\(report.examples)")
            if let first = c.first { #expect(log.time.min().map(TimeFormat.words) == first) }
            if let last = c.last { #expect(log.time.max().map(TimeFormat.words) == last) }
            if let topics = c.topics { #expect(log.topics.names.names == topics) }
            if let durations = c.durations {
                #expect(log.duration.map { $0.map { $0.isNaN ? nil : $0 } } == durations)
            }
            if let note = c.note { #expect(report.warnings.contains { $0.contains(note) }, "\(report.warnings)") }
        }
    }
}
