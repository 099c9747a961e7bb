import WaneEvents

/// Where events are kept: the truth of a service, of which states and curves are caches.
///
/// Whatever ``append(_:)`` has returned a receipt for is there after any crash of the process, and of the machine.
public protocol EventStore: Sendable {
    /// Stores lists of events, all or none, and returns once they are durable: a receipt for each event, in their order.
    ///
    /// - Parameter lists: each with when it came, in microseconds: 0 from whom the operator trusts. A person's first one is kept.
    func append(_ lists: [Sending]) async throws(StoreError) -> [[Receipt]]

    /// What is read next of each part of a stream, as stored with the events before it.
    func places(of stream: String) async throws(StoreError) -> [Int32: Int64]

    /// A person's events in order of time; none for a person who is not known.
    ///
    /// - Parameter asSent: without the topics that were said of their items.
    /// - Throws: ``StoreError/damaged(_:)`` where a row is not what was written.
    func events(of user: String, asSent: Bool) async throws(StoreError) -> [EventRecord]

    /// Another number once another process may have changed what is stored of a person; always the same where no other can.
    func revision(of user: String) async throws(StoreError) -> Int64

    /// Names of people in order, after one of them.
    func users(after name: String?, limit: Int) async throws(StoreError) -> [String]

    /// The people who come next after a name, with all events of each.
    func people(after name: String?, limit: Int) async throws(StoreError) -> PeoplePart

    /// The time of the newest event up to a moment, in microseconds; nothing where there is none.
    func newest(upTo moment: Int64) async throws(StoreError) -> Int64?

    /// Events of some people drawn by chance, at most `count` of them, in the order of people and then of time.
    func events(ofSomePeople count: Int) async throws(StoreError) -> [EventRecord]

    /// Which fields any event has.
    func fields() async throws(StoreError) -> EventRecord.Fields

    /// Removes a person and all their events; says how many those were.
    func erase(user: String) async throws(StoreError) -> Int

    /// Events that are stored.
    func count() async throws(StoreError) -> Int

    /// Looks at every row; nothing where all are what was written.
    func faults() async throws(StoreError) -> [String]

    /// Whether it can be written now.
    func check() async throws(StoreError)

    func close() async throws(StoreError)
}

/// Events that came together.
public struct Sending: Sendable {
    public let records: [EventRecord]
    /// Microseconds since 1970; 0 from whom the operator trusts.
    public let arrived: Int64
    /// How far a stream has been read with these, stored together with them.
    public let places: [StreamPlace]

    public init(_ records: [EventRecord], arrived: Int64 = 0, places: [StreamPlace] = []) {
        (self.records, self.arrived, self.places) = (records, arrived, places)
    }
}

/// What is read next of a part of a stream of events.
public struct StreamPlace: Sendable, Equatable {
    public let stream: String
    public let part: Int32
    public let next: Int64

    public init(stream: String, part: Int32, next: Int64) {
        (self.stream, self.part, self.next) = (stream, part, next)
    }
}

/// Some people in the order of their names.
public struct PeoplePart: Sendable {
    /// Of each when their first event came in, 0 for those whom the operator trusts: people without events are among them.
    public var arrived: [(name: String, time: Int64)] = []
    /// In the order of people and then of time.
    public var records: [EventRecord] = []

    /// Whom to go on after; nothing where there is nobody.
    public var last: String? { arrived.last?.name }
}

extension EventStore {
    public func events(of user: String) async throws(StoreError) -> [EventRecord] {
        try await events(of: user, asSent: false)
    }

    public func append(_ lists: [[EventRecord]]) async throws(StoreError) -> [[Receipt]] {
        try await append(lists.map { Sending($0) })
    }
}

/// Numbers from 1 to the last, each once: all where they are no more than asked for.
func drawnNumbers(_ count: Int, upTo last: Int64) -> [Int64] {
    guard last > Int64(count) else { return last > 0 ? Array(1...last) : [] }
    var drawn: Set<Int64> = []
    while drawn.count < count { drawn.insert(Int64.random(in: 1...last)) }
    return drawn.sorted()
}

/// What became of an event.
public enum Receipt: String, Sendable, Equatable {
    case accepted
    /// It was stored before.
    case duplicate
    /// Another event was stored under its id.
    case conflict
}

public enum StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another program has it.
    case inUse(path: String)
    case cannotOpen(path: String, reason: String)
    /// A program of a later version wrote it.
    case newer(path: String)
    /// No room on the disk.
    case full
    /// More is waiting to be written than is held.
    case busy
    case damaged(String)
    case failed(String)

    public var description: String {
        switch self {
        case .inUse(let path): "\(path) is in use by another wane; stop it, or give another folder"
        case .cannotOpen(let path, let reason): "\(path) cannot be opened: \(reason)"
        case .newer(let path): "\(path) was written by a later version of wane; use that one"
        case .full: "there is no room on the disk; nothing of this request was stored"
        case .busy: "more events are waiting to be stored than are held; send this request again"
        case .damaged(let what): "what is stored is not what was written: \(what)"
        case .failed(let reason): "the store failed: \(reason)"
        }
    }
}
