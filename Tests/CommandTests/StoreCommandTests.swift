import Foundation
import TestSupport
import Testing
import WaneEvents
import WaneStore

@Suite("Backup, restore, doctor")
struct StoreCommandTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func records(_ range: Range<Int>) -> [EventRecord] {
        range.map {
            EventRecord(
                id: "\($0)", user: "u\($0 % 50)", time: Int64($0 + 1) * 1_000_000, item: "p\($0 % 9)", topics: ["t"])
        }
    }

    @Test(
        "a backup made while events come in has all that was acknowledged before it, and restores to the same answers")
    func backup() async throws {
        let (data, backup, again) = (folder.file("a").path, folder.file("b").path, folder.file("c").path)
        let store = try SQLiteStore(folder: data)
        _ = try await store.append([Self.records(0..<5_000)])
        // The service has the folder, and writes on.
        async let more: Void = {
            for start in stride(from: 5_000, to: 9_000, by: 100) {
                _ = try await store.append([Self.records(start..<start + 100)])
            }
        }()
        let made = try Command.run(["store", "backup", "--data", data, "--output", backup])
        #expect(made.status == 0, "\(made.errors)")
        try await more
        #expect(
            try Command.run(["store", "backup", "--data", data, "--output", backup]).errors.contains("is there already")
        )
        #expect(try Command.run(["store", "verify", "--data", backup]).status == 0)
        #expect(try Command.run(["store", "restore", backup, "--data", again]).status == 0)
        let restored = try SQLiteStore(folder: again)
        let count = try await restored.count()
        #expect((5_000...9_000).contains(count))
        // What was stored first is there first: nothing in between is missing.
        var times: [Int64] = []
        for user in try await restored.users(after: nil, limit: 100) {
            times += try await restored.events(of: user).map(\.time)
        }
        #expect(times.sorted() == (0..<count).map { Int64($0 + 1) * 1_000_000 })
        #expect(try await restored.faults().isEmpty)
        // A running service can be looked at.
        let looked = try Command.run(["doctor", "--data", data])
        #expect(looked.status == 0 && looked.output.contains("9000 events, each what was written"), "\(looked.output)")
        #expect(try Command.run(["store", "verify", "--data", data]).status == 0)
    }

    @Test("bits that flipped in a backup or a store are found, never a crash, and such a backup is not restored")
    func flips() async throws {
        let (data, backup) = (folder.file("a").path, folder.file("b").path)
        let store = try SQLiteStore(folder: data)
        _ = try await store.append([Self.records(0..<2_000)])
        try await store.close()
        #expect(try Command.run(["store", "backup", "--data", data, "--output", backup]).status == 0)
        let path = backup + "/events.sqlite"
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        var generator = SeededGenerator(seed: 5)
        var found = 0
        let tries = 12
        for number in 0..<tries {
            var damaged = whole
            // Beyond the first page, in what holds rows.
            for _ in 0..<40 {
                let place = 4_096 + Int(generator.uniform() * Double(whole.count - 4_096))
                damaged[place] ^= 1 << UInt8(generator.uniform() * 8)
            }
            try damaged.write(to: URL(fileURLWithPath: path))
            let looked = try Command.run(["store", "verify", "--data", backup])
            #expect([0, 1].contains(looked.status), "\(looked.status) \(looked.errors)")
            if looked.status == 1 {
                found += 1
                let restored = try Command.run(["store", "restore", backup, "--data", folder.file("r\(number)").path])
                #expect(restored.status == 1 && !FileManager.default.fileExists(atPath: folder.file("r\(number)").path))
            } else {
                // Where nothing is said, nothing that is read has changed.
                #expect(
                    try Command.run(["store", "restore", backup, "--data", folder.file("r\(number)").path]).status == 0)
                let restored = try SQLiteStore(folder: folder.file("r\(number)").path)
                for user in 0..<50 {
                    let expected = Self.records(0..<2_000).filter { $0.user == "u\(user)" }.map(\.time)
                    #expect(try await restored.events(of: "u\(user)").map(\.time) == expected)
                }
            }
        }
        #expect(found > tries / 2)
        let doctor = try Command.run(["doctor", "--data", folder.file("nowhere").path])
        #expect(doctor.status == 1 && doctor.output.contains("BAD"))
    }
}
