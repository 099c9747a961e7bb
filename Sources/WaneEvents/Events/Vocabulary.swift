#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The names behind 32-bit numbers: each distinct text once.
///
/// A frozen value, made by a ``VocabularyBuilder``. Texts lie end to end in one buffer; a hash table of numbers
/// finds them.
public struct Vocabulary: Sendable {
    private let table: NameTable

    fileprivate init(_ table: NameTable) { self.table = table }

    public init() { table = NameTable() }

    public init(_ texts: some Sequence<String>) {
        let builder = VocabularyBuilder()
        for text in texts { _ = builder.number(of: text) }
        self = builder.finish()
    }

    public var count: Int { table.count }

    /// The name of a number; empty for a number that was never given.
    public subscript(_ number: Int) -> String { table[number] }

    /// All names, in the order of their numbers.
    public var names: [String] { (0..<count).map { table[$0] } }

    /// A number for each name that follows from its bytes alone (FNV-1a; Fowler, Noll and Vo 1991), on any machine and in any
    /// log: for orders that must mean nothing.
    func fingerprints() -> [UInt64] { table.fingerprints() }

    /// The number of a name, where it has one.
    public func find(_ name: String) -> UInt32? { table.find(name) }
}

/// Numbers names as they come. One reader fills it and then takes the frozen ``Vocabulary``.
public final class VocabularyBuilder {
    private var names = NameTable()

    public init() {}

    /// Goes on from a vocabulary: its names keep their numbers.
    public init(_ vocabulary: Vocabulary) {
        for name in vocabulary.names { _ = number(of: name) }
    }

    public var count: Int { names.count }
    public subscript(_ number: Int) -> String { names[number] }

    /// The number of a name of one to eight bytes held in `key`, lowest byte first; new names are added.
    @inline(__always)
    func number(key: UInt64, length: Int) -> UInt32 {
        names.areCounts ? names.number(countOrOther: key, length) : names.number(key: key, length: length)
    }

    /// The number of a name given as bytes; new names are added.
    func number(_ name: UnsafeRawBufferPointer) -> UInt32 { names.number(name) }

    /// The number of a name; a new one is added.
    public func number(of name: String) -> UInt32 {
        var name = name
        return name.withUTF8 { names.number(UnsafeRawBufferPointer($0)) }
    }

    func withName<Result>(_ number: UInt32, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        names.withName(Int(number), body)
    }

    /// The number of a name given as bytes, where it has one.
    func find(_ name: UnsafeRawBufferPointer) -> UInt32? { names.find(name) }

    /// The numbers of texts that lie end to end, `.max` for those without one.
    func find(
        _ bytes: UnsafeRawPointer, _ offsets: UnsafePointer<Int32>, count: Int,
        into numbers: UnsafeMutablePointer<UInt32>
    ) {
        names.find(bytes, offsets, count: count, into: numbers)
    }

    /// The number here of a name that has a number elsewhere; a new one is added.
    func number(of number: UInt32, in other: VocabularyBuilder) -> UInt32 {
        other.names.withName(Int(number)) { names.number($0) }
    }

    public func find(_ name: String) -> UInt32? { names.find(name) }

    /// The vocabulary so far, in order of appearance.
    public func finish() -> Vocabulary { Vocabulary(names) }

    /// The vocabulary in the order of the names themselves, and the place of each number in it: whatever the order in which
    /// they came, the same.
    ///
    /// - Complexity: O(n log n)
    func finishInOrder() -> (vocabulary: Vocabulary, places: [UInt32]) {
        let order = names.order()
        var places = [UInt32](repeating: 0, count: order.count)
        for (place, number) in order.enumerated() { places[Int(number)] = UInt32(place) }
        return (Vocabulary(names.numbered(order)), places)
    }
}

/// Names by number and numbers by name.
///
/// Logs name thousands of people in turns, so what a search reads is mostly not in a cache: it reads one place for a name of
/// up to eight bytes, which is compared as one integer, and two for a longer one. The hash is keyed anew in each table: names
/// come from outside, and with a known hash somebody could send a million that collide.
private struct NameTable: Sendable {
    private var bytes: [UInt8] = []
    private var names: [Name] = []
    private var table: [Slot]
    private var bits: UInt64
    /// Odd: the high bits of a product with it are a universal hash (Dietzfelbinger et al. 1997).
    private let multiplier: UInt64
    private let secret: UInt64
    /// The numbers of names that are counts, by their values, as far as they have been asked for; `.max` elsewhere. Ids that are
    /// counts are mostly dense, and four bytes a name stay in a cache where a place of the hash table does not.
    private var counts: [UInt32] = []
    /// Whether every name that has been asked for is a count.
    private(set) var areCounts = true

    /// Where a name lies in `bytes`.
    private struct Name: Sendable {
        let start: UInt32
        let length: UInt32
    }

    /// A place of the hash table.
    private struct Slot: Sendable {
        /// The bytes of a name of up to eight, zero-filled; of a longer one a hash of all bytes, its last bits the length.
        var key: UInt64 = 0
        /// Where a long name lies; of a short one its length, counted down from the end.
        var start: UInt32 = 0
        /// None in an empty place.
        var number: UInt32 = .max
    }

    /// Bits of a long name's key that are its length.
    private static let lengthMask: UInt64 = 0xFFFF
    /// No long name starts here or later.
    private static let starts = UInt32.max - 8

    init() {
        // Small: a service holds a few tables a person.
        bits = 4
        table = [Slot](repeating: Slot(), count: 1 << 4)
        multiplier = UInt64.random(in: 0...UInt64.max) | 1
        secret = UInt64.random(in: 0...UInt64.max) | 1
    }

    var count: Int { names.count }

    subscript(_ number: Int) -> String {
        guard names.indices.contains(number) else { return "" }
        return String(decoding: bytes[range(number)], as: UTF8.self)
    }

    @inline(__always)
    private func range(_ number: Int) -> Range<Int> {
        let name = names[number]
        return Int(name.start)..<Int(name.start) &+ Int(name.length)
    }

    @inline(__always)
    private func place(_ key: UInt64, _ start: UInt32) -> Int {
        // A short name's bytes above its length are zero: the length tells "a" from "a\0".
        let length = UInt64(start >= Self.starts ? UInt32.max &- start : 0)
        let mixed = (key ^ length &* 0x9E37_79B9_7F4A_7C15) &* multiplier
        return Int(truncatingIfNeeded: mixed >> (64 &- bits))
    }

    /// The number of a name of up to eight bytes held in `key`, lowest byte first; a new one is added.
    @inline(__always)
    mutating func number(key: UInt64, length: Int) -> UInt32 {
        let (found, index) = search(key: key, length: length)
        if found != .max { return found }
        withUnsafeBytes(of: key.littleEndian) { bytes.append(contentsOf: $0.prefix(length)) }
        return insert(key, length, at: index)
    }

    /// The value of a name of up to eight digits without a leading zero; nothing for another name.
    @inline(__always)
    static func count(_ key: UInt64, _ length: Int) -> UInt32? {
        let zeros: UInt64 = 0x3030_3030_3030_3030
        guard length > 0, key & 0xFF != 0x30 || length == 1 else { return nil }
        // The digits at the high end, zeros before them.
        let unused = UInt64(64 &- 8 &* length)
        let digits = key &<< unused | (zeros & ((1 &<< unused) &- 1))
        let values = digits &- zeros
        guard (values | (values &+ 0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 == 0 else { return nil }
        // Pairs, then fours, then all eight (Lemire, "Quickly parsing eight digits", 2018).
        let pairs = values &* 10 &+ values &>> 8
        let low = (pairs & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
        let high = (pairs &>> 16 & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
        return UInt32(truncatingIfNeeded: (low &+ high) &>> 32)
    }

    /// The number of a name that may be a count's; a new one is added.
    @inline(never)
    mutating func number(countOrOther key: UInt64, _ length: Int) -> UInt32 {
        guard let value = Self.count(key, length) else {
            areCounts = false
            return number(key: key, length: length)
        }
        let index = Int(value)
        if index < counts.count {
            let known = counts.withUnsafeBufferPointer { $0[index] }
            if known != .max { return known }
        }
        let number = number(key: key, length: length)
        // Only where many of the places are used: counts that are spread wide are found by their hash.
        if index >= counts.count, index < 4 * names.count + 1_024 {
            let room = 1 << (UInt.bitWidth - UInt(index).leadingZeroBitCount)
            counts.append(contentsOf: repeatElement(.max, count: room - counts.count))
        }
        if index < counts.count { counts[index] = number }
        return number
    }

    @inline(__always)
    private func search(key: UInt64, length: Int) -> (found: UInt32, index: Int) {
        let mask = table.count &- 1
        let start = UInt32.max &- UInt32(truncatingIfNeeded: length)
        var index = place(key, start)
        return table.withUnsafeBufferPointer { table in
            while true {
                let slot = table[index]
                if slot.number == .max || (slot.key == key && slot.start == start) { return (slot.number, index) }
                index = (index &+ 1) & mask
            }
        }
    }

    mutating func number(_ name: UnsafeRawBufferPointer) -> UInt32 {
        let key = key(name)
        if name.count <= 8 { return number(key: key, length: name.count) }
        let (found, index) = search(name, key)
        if found != .max { return found }
        bytes.append(contentsOf: name)
        return insert(key, name.count, at: index)
    }

    func find(_ name: UnsafeRawBufferPointer) -> UInt32? {
        let key = key(name)
        let found = name.count <= 8 ? search(key: key, length: name.count).found : search(name, key).found
        return found == .max ? nil : found
    }

    /// The numbers of texts that lie end to end, `.max` for those without: what one text waits for in memory, others wait for
    /// at the same time.
    func find(
        _ bytes: UnsafeRawPointer, _ offsets: UnsafePointer<Int32>, count: Int,
        into numbers: UnsafeMutablePointer<UInt32>
    ) {
        let block = 32
        func text(_ index: Int) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(
                start: bytes + Int(offsets[index]), count: Int(offsets[index &+ 1] &- offsets[index]))
        }
        withUnsafeTemporaryAllocation(of: (key: UInt64, slot: Slot).self, capacity: block) { looked in
            for first in stride(from: 0, to: count, by: block) {
                let last = min(count, first &+ block)
                for index in first..<last {
                    let name = text(index)
                    let key = key(name)
                    let start = name.count <= 8 ? UInt32.max &- UInt32(truncatingIfNeeded: name.count) : 0
                    let slot = table.withUnsafeBufferPointer { $0[place(key, start)] }
                    looked.initializeElement(at: index &- first, to: (key, slot))
                }
                for index in first..<last {
                    let (name, (key, slot)) = (text(index), looked[index &- first])
                    let isFound = self.bytes.withUnsafeBytes { own -> Bool in
                        guard slot.number != .max, slot.key == key else { return false }
                        if name.count <= 8 { return slot.start == UInt32.max &- UInt32(truncatingIfNeeded: name.count) }
                        guard slot.start < Self.starts, key & Self.lengthMask < Self.lengthMask,
                            let base = own.baseAddress, let other = name.baseAddress
                        else { return false }
                        return Self.isSame(base + Int(slot.start), other, name.count)
                    }
                    numbers[index] = isFound ? slot.number : find(name) ?? .max
                }
            }
        }
    }

    func find(_ name: String) -> UInt32? {
        var name = name
        return name.withUTF8 { find(UnsafeRawBufferPointer($0)) }
    }

    /// Words of eight bytes folded into a product twice as wide, as wyhash does (Wang Yi, public domain).
    @inline(__always)
    private func key(_ name: UnsafeRawBufferPointer) -> UInt64 {
        guard let base = name.baseAddress else { return 0 }
        if name.count <= 8 {
            var word: UInt64 = 0
            for index in 0..<name.count { word |= UInt64(name[index]) << (8 &* UInt64(index)) }
            return word
        }
        var hash = secret
        var start = 0
        while start &+ 8 < name.count {
            let (high, low) = (hash ^ Self.word(base + start)).multipliedFullWidth(by: multiplier)
            hash = high ^ low
            start &+= 8
        }
        // The last eight bytes, some of them a second time.
        let (high, low) = (hash ^ Self.word(base + (name.count &- 8))).multipliedFullWidth(by: multiplier)
        return (high ^ low) & ~Self.lengthMask | min(Self.lengthMask, UInt64(truncatingIfNeeded: name.count))
    }

    @inline(__always)
    private static func word(_ at: UnsafeRawPointer) -> UInt64 {
        UInt64(littleEndian: at.loadUnaligned(as: UInt64.self))
    }

    /// Whether two names of the same length, more than eight bytes, are one.
    @inline(__always)
    private static func isSame(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ length: Int) -> Bool {
        guard length <= 16 else { return memcmp(a, b, length) == 0 }
        return word(a) == word(b) && word(a + (length &- 8)) == word(b + (length &- 8))
    }

    @inline(__always)
    private func search(_ name: UnsafeRawBufferPointer, _ key: UInt64) -> (found: UInt32, index: Int) {
        guard let other = name.baseAddress else { return search(key: 0, length: 0) }
        let mask = table.count &- 1
        var index = place(key, 0)
        return table.withUnsafeBufferPointer { table in
            bytes.withUnsafeBytes { bytes in
                while true {
                    let slot = table[index]
                    guard slot.number != .max, let base = bytes.baseAddress else { return (slot.number, index) }
                    if slot.key == key, slot.start < Self.starts,
                        // A key says the length of all but enormous names.
                        key & Self.lengthMask < Self.lengthMask || names[Int(slot.number)].length == name.count,
                        Self.isSame(base + Int(slot.start), other, name.count)
                    {
                        return (slot.number, index)
                    }
                    index = (index &+ 1) & mask
                }
            }
        }
    }

    private mutating func insert(_ key: UInt64, _ length: Int, at index: Int) -> UInt32 {
        let number = UInt32(names.count)
        let start = UInt32(bytes.count - length)
        precondition(start < Self.starts, "more than 4 GB of names")
        names.append(Name(start: start, length: UInt32(length)))
        table[index] = Slot(key: key, start: length <= 8 ? .max - UInt32(length) : start, number: number)
        if names.count * 2 > table.count { grow() }
        return number
    }

    private mutating func grow() {
        bits += 1
        let old = table
        table = [Slot](repeating: Slot(), count: 1 << Int(bits))
        for slot in old where slot.number != .max { put(slot) }
    }

    private mutating func put(_ slot: Slot) {
        var index = place(slot.key, slot.start >= Self.starts ? slot.start : 0)
        while table[index].number != .max { index = (index + 1) & (table.count - 1) }
        table[index] = slot
    }

    func withName<Result>(_ number: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range(number)])) }
    }

    func fingerprints() -> [UInt64] {
        bytes.withUnsafeBytes { bytes in
            names.indices.map { number in
                bytes[range(number)].reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
            }
        }
    }

    /// Numbers in the order of their names: counts first, by how many digits they have and then by those, then texts, byte by
    /// byte.
    func order() -> [UInt32] {
        struct Key {
            /// How many digits a count has, more than any for a text; then the first seven bytes, highest first.
            let start: UInt64
            let number: UInt32
        }
        return bytes.withUnsafeBytes { bytes in
            func text(_ number: UInt32) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(rebasing: bytes[range(Int(number))])
            }
            var keys = names.indices.map { number -> Key in
                let name = text(UInt32(number))
                let isCount = !name.isEmpty && name.allSatisfy { $0 &- 0x30 < 10 }
                var start = isCount ? UInt64(min(name.count, 254)) : 255
                for index in 0..<7 { start = start << 8 | (index < name.count ? UInt64(name[index]) : 0) }
                return Key(start: start, number: UInt32(number))
            }
            RadixSort.sort(&keys) { $0.start }
            // What begins alike is told apart by the rest.
            var first = 0
            while first < keys.count {
                var next = first + 1
                while next < keys.count, keys[next].start == keys[first].start { next += 1 }
                if next > first + 1 {
                    let isCount = keys[first].start >> 56 < 255
                    keys[first..<next].sort { a, b in
                        let (a, b) = (text(a.number), text(b.number))
                        return isCount && a.count != b.count ? a.count < b.count : a.lexicographicallyPrecedes(b)
                    }
                }
                first = next
            }
            return keys.map(\.number)
        }
    }

    /// The same names under other numbers: the first of `order` becomes 0.
    func numbered(_ order: [UInt32]) -> NameTable {
        if order.enumerated().allSatisfy({ $0.offset == Int($0.element) }) { return self }
        var other = self
        other.bytes.removeAll(keepingCapacity: true)
        other.names.removeAll(keepingCapacity: true)
        other.counts = []
        other.table = [Slot](repeating: Slot(), count: table.count)
        bytes.withUnsafeBytes { bytes in
            for number in order { _ = other.number(UnsafeRawBufferPointer(rebasing: bytes[range(Int(number))])) }
        }
        return other
    }
}
