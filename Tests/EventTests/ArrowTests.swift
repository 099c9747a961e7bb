import Foundation
import TestSupport
import Testing

@testable import WaneEvents

@Suite("Parquet and Arrow")
struct ArrowTests {
    private static let folder = Fixture.folder.appendingPathComponent("tables")

    /// Tables that lie beside the CSV of the same table.
    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".arrow") }.map { String($0.dropLast(6)) }.sorted()
    }()

    /// All that can be seen of a reading; files by their name alone.
    private func outcome(_ path: String, _ change: (inout ReadingOptions) -> Void = { _ in }) -> [String] {
        var options = ReadingOptions()
        change(&options)
        do {
            let (log, report) = try LogReader.read(path, options: options)
            return ReaderTests.rows(log) + [
                "\(log.users.names) \(log.items.names) \(log.topics.names.names) \(log.eventTypes.names)",
                "\(report.accepted) \(report.passedOver) \(report.rejected.sorted { $0.key < $1.key })",
                "\(report.examples) \(report.warnings) \(report.unusedColumns)",
            ]
        } catch { return ["\(error)".replacing(path, with: "FILE")] }
    }

    @Test("are read as the CSV of the same table: each type, nulls, zones, dictionaries, lists, columns in columns")
    func asCSV() {
        #expect(Self.names.count > 20)
        for name in Self.names {
            let csv = outcome(Self.folder.appendingPathComponent(name + ".csv").path)
            for kind in ["parquet", "arrow", "arrows"] {
                for threads in [1, 2] {
                    let path = Self.folder.appendingPathComponent("\(name).\(kind)").path
                    #expect(outcome(path) { $0.threads = threads } == csv, "\(name).\(kind), \(threads) threads")
                }
            }
        }
    }

    @Test("one person's rows, a zone and a second role of a column are as in CSV too")
    func options() {
        for (name, change) in [
            ("texts", { $0.onlyUser = "user 2" }), ("nulls", { $0.onlyUser = "user 1" }),
            ("local_ms", { $0.timeZone = TimeZone(identifier: "Europe/Berlin") }),
            ("texts", { $0.map = [.topic: "PageID"] }), ("texts", { $0.map = [.duration: ""] }),
            ("nested", { $0.map = [.topic: "user.country"] }), ("counts", { $0.strict = true }),
            ("milliseconds", { $0.timeFormat = .milliseconds }), ("lists", { $0.userID = "me" }),
        ] as [(String, (inout ReadingOptions) -> Void)] {
            let paths = ["csv", "parquet", "arrow"].map { Self.folder.appendingPathComponent("\(name).\($0)").path }
            let outcomes = paths.map { outcome($0, change) }
            #expect(outcomes[0] == outcomes[1] && outcomes[0] == outcomes[2], "\(name): \(outcomes)")
        }
    }

    @Test("a folder of files whose folders say what their rows are of is one log")
    func partitioned() throws {
        let csv = Self.folder.appendingPathComponent("partitioned.csv").path
        let folder = Self.folder.appendingPathComponent("partitioned").path
        for role in [ColumnRole.topic, .eventType, .user] {
            for column in ["country", "year"] {
                let (a, b) = (
                    outcome(csv) { $0.map = [role: column] }, outcome(folder) { $0.map = [role: column] }
                )
                #expect(a.dropLast() == b.dropLast() && a.count > 20, "\(role): \(a) \(b)")
            }
        }
    }

    @Test("what is no table, or cut, or has no columns of a log, is said with the file's name")
    func faults() throws {
        let folder = try TemporaryFolder()
        let whole = try Data(contentsOf: Self.folder.appendingPathComponent("texts.parquet"))
        for (name, data) in [
            ("cut.parquet", whole.prefix(whole.count / 2)), ("short.parquet", whole.prefix(5)),
            ("cut.arrow", try Data(contentsOf: Self.folder.appendingPathComponent("texts.arrow")).prefix(300)),
            ("cut.arrows", try Data(contentsOf: Self.folder.appendingPathComponent("texts.arrows")).prefix(900)),
        ] {
            try data.write(to: folder.file(name))
            let error = #expect(throws: LogError.self, "\(name)") { try LogReader.read(folder.file(name).path) }
            #expect(error?.description.contains(name) == true)
        }
        let maps = Self.folder.appendingPathComponent("maps.parquet").path
        #expect(try LogReader.read(maps).report.unusedColumns == ["extra"])
        var options = ReadingOptions()
        options.map = [.topic: "extra"]
        let error = #expect(throws: LogError.self) { try LogReader.read(maps, options: options) }
        #expect(error?.description.contains("extra") == true)
        options = ReadingOptions()
        options.columns = ["UserID", "PageID"]
        #expect(throws: LogError.self) { try LogReader.read(maps, options: options) }
    }

    @Test(
        "what no text can hold is set aside or refused: times beyond the calendar, numbers of no text; UUIDs are written as such"
    )
    func beyondText() throws {
        for name in ["far_local", "far_zoned"] {
            for kind in ["parquet", "stream"] {
                let (log, report) = try LogReader.read(Self.folder.appendingPathComponent("\(name).\(kind)").path)
                #expect(
                    log.count == 2 && report.rejected == ["time out of range": 3], "\(name).\(kind): \(report.rejected)"
                )
            }
        }
        for index in [-5, 2, 100_000_000] {
            let path = Self.folder.appendingPathComponent("index_\(index).stream").path
            let error = #expect(throws: LogError.self) { try LogReader.read(path) }
            #expect(error?.description.contains("ndex") == true, "\(String(describing: error))")
        }
        let (log, _) = try LogReader.read(Self.folder.appendingPathComponent("uuids.parquet").path)
        #expect(log.users.names == ["00010203-0405-0607-0809-0a0b0c0d0e0f", "10111213-1415-1617-1819-1a1b1c1d1e1f"])
    }

    @Test("a side file of items may be a table")
    func items() throws {
        let folder = try TemporaryFolder()
        let log = try folder.write("log.csv", "user,time,item\n1,2023-01-01,d\n1,2023-01-02,\"a,b\"\n")
        var options = ReadingOptions()
        options.items = Self.folder.appendingPathComponent("texts.parquet").path
        let (read, _) = try LogReader.read(log, options: options)
        #expect(read.topics.names.names == ["x", "y"])
    }

    @Test("an object store's files, folders and patterns are logs as those of a disk are")
    func objectStore() throws {
        guard let store = try ObjectStore(folder: Self.folder) else {
            print("moto is not on this machine (pip install 'moto[server]'): object stores are not tested")
            return
        }
        defer { store.stop() }
        func local(_ name: String) -> String { Self.folder.appendingPathComponent(name).path }
        for name in ["texts.parquet", "texts.arrow", "texts.arrows", "texts.csv", "partitioned"] {
            let (a, b) = (
                outcome(local(name)) { $0.map = [.topic: name == "partitioned" ? "country" : "PageID"] },
                outcome(store.uri(name)) { $0.map = [.topic: name == "partitioned" ? "country" : "PageID"] }
            )
            #expect(a == b && a.count > 20, "\(name): \(a) \(b)")
        }
        #expect(try LogReader.read(store.uri("local_*.parquet")).report.files == 4)
        for (name, words) in [("delta", "Delta Lake"), ("outer", "there is a folder in it")] {
            let error = #expect(throws: LogError.self) { try LogReader.read(store.uri(name)) }
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        }
        for name in ["nothing.csv", "nothing_*.csv"] {
            let error = #expect(throws: LogError.self) { try LogReader.read(store.uri(name)) }
            #expect(error?.description.contains("nothing") == true)
        }
    }
}

/// A store on loopback that speaks S3's language, with the files of a folder in it.
private struct ObjectStore {
    private let process: Process
    private let port: Int

    init?(folder: URL) throws {
        let probe = Process()
        probe.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        probe.arguments = ["python3", "-c", "import boto3, moto.server"]
        probe.standardError = FileHandle.nullDevice
        try probe.run()
        probe.waitUntilExit()
        guard probe.terminationStatus == 0 else { return nil }
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c",
            """
            import os, sys, pathlib, threading, boto3
            from moto.server import ThreadedMotoServer
            server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
            server.start()
            host, port = server.get_host_and_port()
            store = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
                                 aws_access_key_id="a", aws_secret_access_key="b")
            store.create_bucket(Bucket="logs")
            folder = pathlib.Path(sys.argv[1])
            for file in folder.rglob("*"):
                if file.is_file(): store.upload_file(str(file), "logs", str(file.relative_to(folder)))
            for key in ["delta/_delta_log/0.json", "delta/part-0.csv"]: store.put_object(Bucket="logs", Key=key, Body=b"user,item\\na,x\\n")
            store.put_object(Bucket="logs", Key="outer/inner/log.csv", Body=b"user,item\\na,x\\n")
            print(port, flush=True)
            sys.stdin.read()
            """, folder.path,
        ]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line = ""
        while !line.hasSuffix("\n") {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { break }
            line += String(decoding: data, as: UTF8.self)
        }
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            process.terminate()
            return nil
        }
        self.port = port
    }

    func stop() { process.terminate() }

    func uri(_ name: String) -> String {
        "s3://a:b@logs/\(name)?scheme=http&endpoint_override=127.0.0.1:\(port)&region=us-east-1"
    }
}
