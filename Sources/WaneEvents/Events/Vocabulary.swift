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
    func number(key: UInt64, length: Int) -> UInt32 { names.number(key: key, length: length) }

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
/// A name of up to eight bytes is compared as one integer, which is what makes reading a log fast. The hash is
/// keyed anew in each table: names come from outside, and with a known hash somebody could send a million that
/// collide.
private struct NameTable: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [UInt32] = []
    /// The first eight bytes of each short name, zero-filled; a hash of all bytes of a long one.
    private var keys: [UInt64] = []
    private var table: [UInt32]
    private var bits: UInt64
    /// Odd: the high bits of a product with it are a universal hash (Dietzfelbinger et al. 1997).
    private let multiplier: UInt64
    private let secret: UInt64

    init() {
        bits = 10
        table = [UInt32](repeating: .max, count: 1 << 10)
        multiplier = UInt64.random(in: 0...UInt64.max) | 1
        secret = UInt64.random(in: 0...UInt64.max) | 1
    }

    var count: Int { ends.count }

    subscript(_ number: Int) -> String {
        guard ends.indices.contains(number) else { return "" }
        return String(decoding: bytes[range(number)], as: UTF8.self)
    }

    @inline(__always)
    private func range(_ number: Int) -> Range<Int> {
        (number == 0 ? 0 : Int(ends[number - 1]))..<Int(ends[number])
    }

    @inline(__always)
    private func slot(_ key: UInt64, _ length: Int) -> Int {
        // A short name's bytes above its length are zero: the length tells "a" from "a\0".
        let mixed = (key ^ UInt64(truncatingIfNeeded: length) &* 0x9E37_79B9_7F4A_7C15) &* multiplier
        return Int(truncatingIfNeeded: mixed >> (64 &- bits))
    }

    @inline(__always)
    mutating func number(key: UInt64, length: Int) -> UInt32 {
        let mask = table.count &- 1
        var index = slot(key, length)
        while true {
            let number = table.withUnsafeBufferPointer { $0[index] }
            if number == .max { break }
            if keys.withUnsafeBufferPointer({ $0[Int(number)] }) == key, range(Int(number)).count == length {
                return number
            }
            index = (index &+ 1) & mask
        }
        withUnsafeBytes(of: key.littleEndian) { bytes.append(contentsOf: $0.prefix(length)) }
        return insert(key, at: index)
    }

    mutating func number(_ name: UnsafeRawBufferPointer) -> UInt32 {
        let key = key(name)
        if name.count <= 8 { return number(key: key, length: name.count) }
        let (found, index) = search(name, key)
        if let found { return found }
        bytes.append(contentsOf: name)
        return insert(key, at: index)
    }

    func find(_ name: String) -> UInt32? {
        var name = name
        return name.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            return search(bytes, key(bytes)).found
        }
    }

    /// Words of eight bytes folded into a product twice as wide, as wyhash does (Wang Yi, public domain).
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
            let (high, low) = (hash ^ UInt64(littleEndian: base.loadUnaligned(fromByteOffset: start, as: UInt64.self)))
                .multipliedFullWidth(by: multiplier)
            hash = high ^ low
            start &+= 8
        }
        // The last eight bytes, some of them a second time: the length is part of the place in the table.
        let tail = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: name.count &- 8, as: UInt64.self))
        let (high, low) = (hash ^ tail).multipliedFullWidth(by: multiplier)
        return high ^ low
    }

    @inline(__always)
    private func isName(_ number: Int, _ name: UnsafeRawBufferPointer) -> Bool {
        let own = range(number)
        guard own.count == name.count else { return false }
        guard let other = name.baseAddress, !own.isEmpty else { return true }
        return bytes.withUnsafeBytes { bytes in
            bytes.baseAddress.map { memcmp($0 + own.lowerBound, other, own.count) == 0 } ?? false
        }
    }

    private func search(_ name: UnsafeRawBufferPointer, _ key: UInt64) -> (found: UInt32?, index: Int) {
        let mask = table.count - 1
        var index = slot(key, name.count)
        while table[index] != .max {
            let number = Int(table[index])
            if keys[number] == key, isName(number, name) { return (table[index], index) }
            index = (index + 1) & mask
        }
        return (nil, index)
    }

    func withName<Result>(_ number: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range(number)])) }
    }

    func fingerprints() -> [UInt64] {
        bytes.withUnsafeBytes { bytes in
            ends.indices.map { number in
                bytes[range(number)].reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
            }
        }
    }

    /// Numbers in the order of their names: counts first, by their value, then texts, byte by byte.
    func order() -> [UInt32] {
        struct Key {
            /// How many digits a count has; more than any for a text.
            let digits: UInt32
            /// The first eight bytes, highest first.
            let start: UInt64
            let number: UInt32
        }
        return bytes.withUnsafeBytes { bytes in
            func text(_ number: UInt32) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(rebasing: bytes[range(Int(number))])
            }
            func follows(_ a: Key, _ b: Key) -> Bool {
                if a.digits != b.digits { return a.digits > b.digits }
                if a.start != b.start { return a.start > b.start }
                return text(b.number).lexicographicallyPrecedes(text(a.number))
            }
            var keys = ends.indices.map { number -> Key in
                let name = text(UInt32(number))
                var start: UInt64 = 0
                for index in 0..<8 { start = start << 8 | (index < name.count ? UInt64(name[index]) : 0) }
                let isCount = !name.isEmpty && name.allSatisfy { $0 &- 0x30 < 10 }
                return Key(digits: isCount ? UInt32(name.count) : .max, start: start, number: UInt32(number))
            }
            // Logs are mostly written in some order of their own.
            if zip(keys, keys.dropFirst()).contains(where: follows) { keys.sort { follows($1, $0) } }
            return keys.map(\.number)
        }
    }

    /// The same names under other numbers: the first of `order` becomes 0.
    func numbered(_ order: [UInt32]) -> NameTable {
        if order.enumerated().allSatisfy({ $0.offset == Int($0.element) }) { return self }
        var other = self
        other.bytes.removeAll(keepingCapacity: true)
        for (place, number) in order.enumerated() {
            other.bytes.append(contentsOf: bytes[range(Int(number))])
            other.ends[place] = UInt32(other.bytes.count)
            other.keys[place] = keys[Int(number)]
        }
        other.fillTable()
        return other
    }

    private mutating func insert(_ key: UInt64, at index: Int) -> UInt32 {
        let number = UInt32(ends.count)
        ends.append(UInt32(bytes.count))
        keys.append(key)
        table[index] = number
        if ends.count * 2 > table.count { rehash() }
        return number
    }

    private mutating func rehash() {
        bits += 1
        fillTable()
    }

    private mutating func fillTable() {
        table = [UInt32](repeating: .max, count: 1 << Int(bits))
        let mask = table.count - 1
        for number in ends.indices {
            var index = slot(keys[number], range(number).count)
            while table[index] != .max { index = (index + 1) & mask }
            table[index] = UInt32(number)
        }
    }
}
