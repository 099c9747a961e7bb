import Foundation
import TestSupport
import Testing
import WaneEvents

@testable import WaneStore

/// A store of each kind, empty, that can be opened again.
struct StorePlace {
    enum Kind: String, CaseIterable, Sendable { case sqlite, postgres }

    /// Those that this machine has.
    static var kinds: [Kind] { PostgresServer.obstacle == nil ? Kind.allCases : [.sqlite] }

    let kind: Kind
    let folder: TemporaryFolder
    /// A folder, or a URL.
    let place: String

    init(_ kind: Kind) async throws {
        self.kind = kind
        folder = try TemporaryFolder()
        place = kind == .sqlite ? folder.file("service").path : try await PostgresServer.shared.database()
    }

    func open() async throws(StoreError) -> any ServiceStore {
        switch kind {
        case .sqlite: try SQLiteStore(folder: place)
        case .postgres: try await PostgresStore(url: place)
        }
    }

    static func record(_ user: String, _ hour: Int64, _ item: String = "p", id: String? = nil) -> EventRecord {
        EventRecord(
            id: id, user: user, time: 1_735_787_045_000_000 + hour * 3_600_000_000, item: item, topics: ["x", "y"],
            duration: 1.5, type: "view", weight: 0.5)
    }
}

@Suite("Events in each kind of store")
struct EventStoreTests {
    @Test("what has a receipt is there after opening again, once, in order of time", arguments: StorePlace.kinds)
    func append(_ kind: StorePlace.Kind) async throws {
        let place = try await StorePlace(kind)
        let store = try await place.open()
        let events = [
            StorePlace.record("a", 3, id: "1"), StorePlace.record("b", 1, id: "2"), StorePlace.record("a", 1, id: "3"),
        ]
        #expect(try await store.append([events]) == [[.accepted, .accepted, .accepted]])
        #expect(
            try await store.append([[events[0]], [StorePlace.record("a", 2, id: "4")]]) == [[.duplicate], [.accepted]])
        try await store.close()
        let again = try await place.open()
        var expected = [StorePlace.record("a", 1), StorePlace.record("a", 2), StorePlace.record("a", 3)]
        #expect(try await again.events(of: "a") == expected)
        #expect(try await again.events(of: "nobody").isEmpty)
        #expect(try await again.count() == 4)
        #expect(try await again.faults().isEmpty)
        #expect(try await again.users(after: nil, limit: 10) == ["a", "b"])
        #expect(try await again.users(after: "a", limit: 10) == ["b"])
        // One without anything but the least, and names of all kinds.
        let bare = EventRecord(user: "ü/%😀\"'", time: 5_000_000_000_000_000, item: "", topics: [])
        #expect(try await again.append([[bare]]) == [[.accepted]])
        expected = [bare]
        #expect(try await again.events(of: bare.user) == expected)
    }

    @Test("an id that another event has is refused, and the one stored stays", arguments: StorePlace.kinds)
    func conflict(_ kind: StorePlace.Kind) async throws {
        let place = try await StorePlace(kind)
        let store = try await place.open()
        _ = try await store.append([[StorePlace.record("a", 1, id: "1")]])
        #expect(
            try await store.append([[StorePlace.record("a", 2, id: "1"), StorePlace.record("b", 1, id: "1")]]) == [
                [.conflict, .conflict]
            ])
        #expect(try await store.events(of: "a") == [StorePlace.record("a", 1)])
        #expect(try await store.count() == 1)
    }

    @Test(
        "without ids a sending repeated is stored once, and equal events of one sending are as many",
        arguments: StorePlace.kinds)
    func withoutIDs(_ kind: StorePlace.Kind) async throws {
        let place = try await StorePlace(kind)
        let store = try await place.open()
        let sending = [StorePlace.record("a", 1), StorePlace.record("a", 1), StorePlace.record("a", 2)]
        #expect(try await store.append([sending]) == [[.accepted, .accepted, .accepted]])
        #expect(try await store.append([sending]) == [[.duplicate, .duplicate, .duplicate]])
        #expect(try await store.events(of: "a").count == 3)
        // Named by the sender in the same way, they are the same events.
        var namer = EventNamer()
        var named = sending
        for index in named.indices { named[index].id = namer.id(of: named[index]) }
        #expect(try await store.append([named]) == [[.duplicate, .duplicate, .duplicate]])
        #expect(Set(named.compactMap(\.id)).count == 3)
    }

    @Test(
        "many who send at once share writes, and each has the receipts of its own events", arguments: StorePlace.kinds)
    func groups(_ kind: StorePlace.Kind) async throws {
        let place = try await StorePlace(kind)
        let store = try await place.open()
        let writer = EventWriter(store)
        let receipts = try await withThrowingTaskGroup(of: (Int, [Receipt]).self) { group in
            for sender in 0..<40 {
                group.addTask {
                    let own = (0...sender).map {
                        StorePlace.record("u\(sender)", Int64($0), id: "\(sender % 20)-\($0)")
                    }
                    return (sender, try await writer.append(own))
                }
            }
            return try await group.reduce(into: [Int: [Receipt]]()) { $0[$1.0] = $1.1 }
        }
        #expect(receipts.allSatisfy { $0.value.count == $0.key + 1 })
        let accepted = receipts.values.flatMap { $0 }.count { $0 == .accepted }
        #expect(try await store.count() == accepted)
        #expect(await writer.queued == 0)
    }

    @Test("where too many events wait, more are refused and not stored", arguments: StorePlace.kinds)
    func busy(_ kind: StorePlace.Kind) async throws {
        let place = try await StorePlace(kind)
        let store = try await place.open()
        let writer = EventWriter(store, limit: 10)
        let all = try await withThrowingTaskGroup(of: Int.self) { group in
            for sender in 0..<30 {
                group.addTask {
                    do throws(StoreError) {
                        return try await writer.append((0..<8).map { StorePlace.record("u\(sender)", $0) }).count
                    } catch {
                        #expect(error == .busy)
                        return 0
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(try await store.count() == all && all >= 8)
    }

    @Test("keys and labels are there after opening again, the secret is not", arguments: StorePlace.kinds)
    func keys(_ kind: StorePlace.Kind) async throws {
        let place = try await StorePlace(kind)
        let store = try await place.open()
        let (key, secret) = StoredKey.make(role: .read, name: "desk")
        try await store.add(key)
        try await store.move([
            ModelLabel(task: "interest", .champion): "abc", ModelLabel(task: "interest", .previous): "def",
        ])
        try await store.move([ModelLabel(task: "interest", .previous): nil as String?])
        try await store.close()
        let again = try await place.open()
        #expect(try await again.keys() == [key])
        #expect(secret.utf8.count == StoredKey.secretLength && key.isMade(from: StoredKey.hash(secret)))
        #expect(!key.isMade(from: StoredKey.hash(secret + "0")) && !key.isMade(from: Data()))
        #expect(try await again.labels() == [ModelLabel(task: "interest", .champion): "abc"])
        try await again.close()
        let reopened = try await place.open()
        #expect(try await reopened.removeKey(prefix: "none") == .lastAdmin)
        #expect(try await reopened.removeKey(prefix: key.prefix) == .removed)
        #expect(try await reopened.keys().isEmpty)
    }
    @Test(
        "names of all kinds are kept byte by byte, and lists of topics longer than an index takes",
        arguments: StorePlace.kinds)
    func names(_ kind: StorePlace.Kind) async throws {
        let place = try await StorePlace(kind)
        let store = try await place.open()
        let names = [
            "Jos\u{E9}", "Jose\u{301}", "{a,\"b\"}", "NULL", "\\x41", "'; DROP TABLE events; --", "%s", "\u{1F600}",
            " a ",
        ]
        let long = (0..<64).map { String(repeating: "t", count: 500) + "\($0)" }
        let records = names.enumerated().map { place, name in
            EventRecord(user: name, time: Int64(place) * 1_000_000, item: name, topics: long, type: name)
        }
        #expect(try await store.append([records]).flatMap { $0 }.allSatisfy { $0 == .accepted })
        for record in records { #expect(try await store.events(of: record.user) == [record]) }
        #expect(try await store.users(after: nil, limit: 100).map(ExactName.init) == names.map(ExactName.init).sorted())
        #expect(try await store.faults().isEmpty)
    }

    @Test("numbers come back to the last bit", arguments: StorePlace.kinds)
    func numbers(_ kind: StorePlace.Kind) async throws {
        let store = try await StorePlace(kind).open()
        let values = [0.1, 1e-300, 1.7976931348623157e308, 5e-324, 0]
        let records = values.enumerated().map {
            EventRecord(
                user: "a", time: Int64($0) + (1 << 52), item: "p", duration: $1, weight: $0 == 2 ? nil : $1.nextUp)
        }
        _ = try await store.append([records])
        #expect(try await store.events(of: "a") == records)
    }

    @Test(
        "one who is erased is gone, others keep theirs, and who comes back is somebody new", arguments: StorePlace.kinds
    )
    func erase(_ kind: StorePlace.Kind) async throws {
        let store = try await StorePlace(kind).open()
        _ = try await store.append([(0..<2_000).map { StorePlace.record($0 % 2 == 0 ? "a" : "b", Int64($0)) }])
        #expect(try await store.erase(user: "a") == 1_000)
        #expect(try await store.erase(user: "a") == 0)
        #expect(try await store.events(of: "a").isEmpty)
        #expect(try await store.events(of: "b").count == 1_000)
        #expect(try await store.count() == 1_000)
        #expect(try await store.append([[StorePlace.record("a", 1)]]) == [[.accepted]])
        #expect(try await store.events(of: "a").count == 1)
        #expect(try await store.users(after: nil, limit: 10) == ["a", "b"])
        #expect(try await store.faults().isEmpty)
    }

    @Test("events of a person are in one order, whichever came first", arguments: StorePlace.kinds)
    func order(_ kind: StorePlace.Kind) async throws {
        let records = (0..<40).map { StorePlace.record("a", Int64($0 / 8), "p\($0)", id: "\($0)") }
        var found: [[EventRecord]] = []
        for order in [records, records.reversed()] {
            let store = try await StorePlace(kind).open()
            for record in order { _ = try await store.append([[record]]) }
            found.append(try await store.events(of: "a"))
        }
        #expect(found[0] == found[1])
    }

    @Test(
        "people come in parts, all events of each, and by chance, and fields are those that events have",
        arguments: StorePlace.kinds)
    func parts(_ kind: StorePlace.Kind) async throws {
        let store = try await StorePlace(kind).open()
        #expect(try await store.fields() == EventRecord.Fields())
        #expect(try await store.people(after: nil, limit: 5).last == nil)
        #expect(try await store.newest(upTo: .max) == nil)
        #expect(try await store.events(ofSomePeople: 5).isEmpty)
        let bare = (0..<3).map { EventRecord(user: "p\($0)", time: Int64(9 - $0) * 1_000_000, item: "i") }
        _ = try await store.append([bare])
        #expect(try await store.fields() == EventRecord.Fields(of: bare))
        let full = (0..<30).map { StorePlace.record("q\($0 % 6)", Int64(30 - $0)) }
        _ = try await store.append([full])
        #expect(try await store.fields() == EventRecord.Fields(of: full))
        let all = (bare + full).sorted { (ExactName($0.user), $0.time) < (ExactName($1.user), $1.time) }
        var (found, last): ([EventRecord], String?) = ([], nil)
        while true {
            let part = try await store.people(after: last, limit: 2)
            guard let name = part.last else { break }
            #expect(Set(part.records.map(\.user)).isSubset(of: part.arrived.map(\.name)) && part.arrived.count <= 2)
            found += part.records
            last = name
        }
        #expect(found == all)
        #expect(try await store.newest(upTo: .max) == all.map(\.time).max())
        #expect(try await store.newest(upTo: 8_000_000) == 8_000_000)
        #expect(try await store.events(ofSomePeople: 100) == all)
        let some = try await store.events(ofSomePeople: 4)
        let names = Set(some.map(\.user))
        #expect(names.count == 4 && some == all.filter { names.contains($0.user) })
    }

    @Test("reports are kept by kind, the newest first", arguments: StorePlace.kinds)
    func reports(_ kind: StorePlace.Kind) async throws {
        let place = try await StorePlace(kind)
        let store = try await place.open()
        let reports = (0..<5).map { StoredReport(.check, time: Int64($0 % 3), body: "{\"n\":\($0)}") }
        for report in reports { try await store.add(report) }
        try await store.add(StoredReport(.learning, time: 9, body: "{}"))
        try await store.close()
        let again = try await place.open()
        #expect(try await again.reports(.check, limit: 4) == [reports[2], reports[4], reports[1], reports[3]])
        #expect(try await again.reports(.learning, limit: 9).count == 1)
    }

    @Test(
        "people of whom nothing was stored end no list, and when somebody came is kept from the first time",
        arguments: StorePlace.kinds)
    func arrivals(_ kind: StorePlace.Kind) async throws {
        let store = try await StorePlace(kind).open()
        _ = try await store.append([Sending([StorePlace.record("m", 1, id: "1")], arrived: 7)])
        // Nothing of these is stored: their ids are taken.
        let conflicts = (0..<5).map { StorePlace.record("!\($0)", 2, id: "1") }
        #expect(try await store.append([Sending(conflicts, arrived: 8)])[0].allSatisfy { $0 == .conflict })
        _ = try await store.append([
            Sending([StorePlace.record("m", 3, id: "2"), StorePlace.record("z", 3, id: "3")], arrived: 9)
        ])
        _ = try await store.append([Sending([StorePlace.record("z", 4, id: "4")])])
        var (found, last): ([EventRecord], String?) = ([], nil)
        var arrived: [String: Int64] = [:]
        while true {
            let part = try await store.people(after: last, limit: 2)
            guard let name = part.last else { break }
            found += part.records
            for own in part.arrived { arrived[own.name] = own.time }
            last = name
        }
        #expect(found.map(\.user) == ["m", "m", "z", "z"])
        #expect(arrived["m"] == 7 && arrived["z"] == 9)
    }

    @Test(
        "a champion is replaced only while it is the one that was known, and by all or none of its labels",
        arguments: StorePlace.kinds)
    func promotion(_ kind: StorePlace.Kind) async throws {
        let store = try await StorePlace(kind).open()
        #expect(try await store.promote("a", task: "interest", over: nil))
        try await store.move([ModelLabel(task: "interest", .challenger): "b"])
        #expect(try await !store.promote("b", task: "interest", over: "x"))
        #expect(try await !store.promote("b", task: "interest", over: nil))
        #expect(try await store.promote("b", task: "interest", over: "a"))
        #expect(
            try await store.labels() == [
                ModelLabel(task: "interest", .champion): "b", ModelLabel(task: "interest", .previous): "a",
            ])
        #expect(try await store.promote("c", task: "ranking", over: nil))
        #expect(try await store.labels().count == 3)
    }

    @Test(
        "what is said of items is there after opening again, the last word of each; events that say no topics have their item's",
        arguments: StorePlace.kinds)
    func items(_ kind: StorePlace.Kind) async throws {
        let place = try await StorePlace(kind)
        let store = try await place.open()
        var silent = StorePlace.record("a", 1, "new")
        silent.topics = []
        let loud = StorePlace.record("a", 2, "new")
        _ = try await store.append([[silent, loud]])
        #expect(try await store.item("new") == ItemRecord(item: "new"))
        #expect(try await store.item("none") == nil)
        let evil = "ü/%😀\"'"
        // Of what there are no events, nothing that is stored changes; nor by what can be had.
        #expect(
            try await !store.put([
                ItemChange(item: evil, topics: ["b", "a", "b"], isAvailable: false),
                ItemChange(item: "gone", isAvailable: false),
            ]))
        #expect(try await !store.put([ItemChange(item: "new", isAvailable: true)]))
        let first = try await store.itemsRevision()
        #expect(
            try await store.put([
                ItemChange(item: "new", topics: ["old"]), ItemChange(item: "new", topics: ["z", "y"]),
            ]))
        #expect(try await !store.put([ItemChange(item: "new", topics: ["y", "z"])]))
        #expect(try await !store.put([]))
        let second = try await store.itemsRevision()
        if kind == .postgres { #expect(second.all > first.all && second.topics == first.topics + 1) }
        try await store.close()
        let again = try await place.open()
        #expect(try await again.item("new") == ItemRecord(item: "new", topics: ["y", "z"]))
        #expect(try await again.item(evil) == ItemRecord(item: evil, topics: ["a", "b"], isAvailable: false))
        #expect(try await Set(again.unavailableItems()) == ["gone", evil])
        var expected = silent
        expected.topics = ["y", "z"]
        #expect(try await again.events(of: "a") == [expected, loud])
        #expect(try await again.events(of: "a", asSent: true) == [silent, loud])
        #expect(try await again.people(after: nil, limit: 10).records == [expected, loud])
        #expect(try await again.faults().isEmpty)
        // What is not said stays; an empty list takes topics away.
        #expect(
            try await again.put([ItemChange(item: "gone", isAvailable: true), ItemChange(item: "new", topics: [])]))
        #expect(try await !again.put([ItemChange(item: evil, isAvailable: true)]))
        #expect(try await again.unavailableItems().isEmpty)
        #expect(try await again.item(evil)?.topics == ["a", "b"])
        #expect(try await again.events(of: "a") == [silent, loud])
        try await again.close()
    }

    @Test("events know of topics that only items have", arguments: StorePlace.kinds)
    func fieldsOfItems(_ kind: StorePlace.Kind) async throws {
        let store = try await StorePlace(kind).open()
        _ = try await store.append([[EventRecord(user: "a", time: 1_735_787_045_000_000, item: "i")]])
        #expect(try await !store.fields().topics)
        _ = try await store.put([ItemChange(item: "i", topics: ["t"])])
        #expect(try await store.fields().topics)
    }

    @Test("how far a stream was read is stored with its events, and alone", arguments: StorePlace.kinds)
    func places(_ kind: StorePlace.Kind) async throws {
        let place = try await StorePlace(kind)
        let store = try await place.open()
        #expect(try await store.places(of: "s").isEmpty)
        _ = try await store.append([
            Sending(
                [StorePlace.record("a", 1)],
                places: [.init(stream: "s", part: 0, next: 7), .init(stream: "s", part: 3, next: 1 << 40)]),
            Sending([], places: [.init(stream: "other", part: 0, next: 2)]),
        ])
        #expect(try await store.append([Sending([], places: [.init(stream: "s", part: 0, next: 9)])]) == [[]])
        try await store.close()
        let again = try await place.open()
        #expect(try await again.places(of: "s") == [0: 9, 3: 1 << 40])
        #expect(try await again.places(of: "other") == [0: 2])
        #expect(try await again.count() == 1)
        try await again.close()
    }
}
