import Foundation
import Testing

@testable import WaneEvents

@Suite("Cases that fuzzing found stay mended")
struct FuzzCorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fuzz/Corpus")

    static func cases(_ target: String) -> [URL] {
        let files = try? FileManager.default.contentsOfDirectory(
            at: folder.appendingPathComponent(target), includingPropertiesForKeys: nil)
        return files ?? []
    }

    private func rows(_ bytes: [UInt8], fast: Bool) throws -> [String] {
        let reader = DelimitedReader(MemorySource(bytes), file: "log")
        let dialect = Dialect(firstLine: try reader.firstLine())
        _ = try reader.nextRecord(dialect)
        let schema = try Schema(names: reader.texts, map: [:], file: "log")
        reader.skipRecord()
        let builder = try RowBuilder(schema: schema, options: ReadingOptions(), file: "log", expectedRows: 16)
        try reader.readRows(dialect, into: builder, fast: fast)
        return ReaderTests.rows(try builder.finish().0)
    }

    @Test("delimited: both paths read the same", arguments: cases("delimited"))
    func delimited(file: URL) throws {
        // The first byte is the fuzzer's choice of options; here the file is read without any.
        let bytes = Array(try Data(contentsOf: file).dropFirst())
        let (fast, general) = (try? rows(bytes, fast: true), try? rows(bytes, fast: false))
        #expect(fast == general)
    }

    @Test("JSON Lines: read or refused, without a crash", arguments: cases("jsonlines"))
    func jsonLines(file: URL) throws {
        if let (log, report) = try? LogReader.read(bytes: Array(Data(contentsOf: file)), file: "log.jsonl") {
            #expect(report.accepted == log.count)
        }
    }

    @Test("Parquet and Arrow: read or refused, without a crash", arguments: cases("arrow"))
    func arrow(file: URL) throws {
        if let (log, report) = try? LogReader.read(file.path) { #expect(report.accepted == log.count && log.count > 0) }
    }

    @Test("files of items: read or refused, each topic once", arguments: cases("items"))
    func items(file: URL) throws {
        let items = Vocabulary(["a", "b", "1", "2"])
        let contents = try? ItemFile.read(
            MemorySource(Array(Data(contentsOf: file))), file: "items", for: items, options: ReadingOptions())
        for item in 0..<UInt32(contents?.topics.itemCount ?? 0) {
            let own = contents.map { Array($0.topics[item]) } ?? []
            #expect(own == Array(Set(own)).sorted())
        }
    }

    @Test("a row with more fields than the header is set aside whole; a last delimiter alone is none")
    func extraFields() throws {
        let text = "UserID,Time,PageID\n1,2023-01-01,p,5\n1,2023-01-02,q,\n1,2023-01-03,http://a/b,c\n"
        let (log, report) = try LogReader.read(bytes: Array(text.utf8), file: "log")
        #expect(log.items.names == ["q"] && report.rejected == ["too many fields": 2])
    }
}
