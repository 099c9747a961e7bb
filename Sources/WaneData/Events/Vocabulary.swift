/// The names behind 32-bit numbers: each distinct text once, numbered in order of appearance.
///
/// Texts lie end to end in one buffer; a hash table of numbers finds them. A name of up to eight bytes is
/// compared as one integer, which is what makes reading a log fast.
public final class Vocabulary: @unchecked Sendable {
    // Written by one reader, then only read: the reason for `@unchecked`.
    private var bytes: [UInt8] = []
    private var ends: [UInt32] = []
    /// The first eight bytes of each name, zero-filled, with the length of short names folded in.
    private var keys: [UInt64] = []
    private var table: [UInt32]
    private var mask: Int

    public init() {
        table = [UInt32](repeating: .max, count: 1 << 10)
        mask = (1 << 10) - 1
    }

    public convenience init(_ names: some Sequence<String>) {
        self.init()
        for name in names { _ = number(of: name) }
    }

    public var count: Int { ends.count }

    /// The name of a number; empty for a number that was never given.
    public subscript(_ number: Int) -> String {
        guard ends.indices.contains(number) else { return "" }
        return String(decoding: bytes[range(number)], as: UTF8.self)
    }

    public var names: [String] { (0..<count).map { self[$0] } }

    @inline(__always)
    private func range(_ number: Int) -> Range<Int> {
        (number == 0 ? 0 : Int(ends[number - 1]))..<Int(ends[number])
    }

    @inline(__always)
    private static func slot(_ key: UInt64, _ length: Int) -> Int {
        var hash = (key ^ UInt64(truncatingIfNeeded: length)) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 32
        return Int(truncatingIfNeeded: hash & 0x7FFF_FFFF)
    }

    /// The number of a name of one to eight bytes held in `key`, lowest byte first; new names are added.
    @inline(__always)
    func number(key: UInt64, length: Int) -> UInt32 {
        var place = Self.slot(key, length) & mask
        while true {
            let number = table.withUnsafeBufferPointer { $0[place] }
            if number == .max { break }
            if keys.withUnsafeBufferPointer({ $0[Int(number)] }) == key, range(Int(number)).count == length {
                return number
            }
            place = (place &+ 1) & mask
        }
        withUnsafeBytes(of: key.littleEndian) { bytes.append(contentsOf: $0.prefix(length)) }
        return insert(key, at: place)
    }

    /// The number of a name given as bytes; new names are added.
    func number(_ name: UnsafeRawBufferPointer) -> UInt32 {
        let key = Self.key(name)
        if name.count <= 8 { return number(key: key, length: name.count) }
        let (found, place) = search(name, key)
        if let found { return found }
        bytes.append(contentsOf: name)
        return insert(key, at: place)
    }

    public func number(of name: String) -> UInt32 {
        var name = name
        return name.withUTF8 { number(UnsafeRawBufferPointer($0)) }
    }

    /// The number of a name already here.
    public func find(_ name: String) -> UInt32? {
        var name = name
        return name.withUTF8 { search(UnsafeRawBufferPointer($0), Self.key(UnsafeRawBufferPointer($0))).found }
    }

    /// For long names the key mixes all bytes, so that names that share a beginning spread out.
    private static func key(_ name: UnsafeRawBufferPointer) -> UInt64 {
        if name.count <= 8 {
            var key: UInt64 = 0
            for (place, byte) in name.enumerated() { key |= UInt64(byte) << (8 * UInt64(place)) }
            return key
        }
        return name.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    private func search(_ name: UnsafeRawBufferPointer, _ key: UInt64) -> (found: UInt32?, place: Int) {
        var place = Self.slot(key, name.count) & mask
        while table[place] != .max {
            let number = Int(table[place])
            if keys[number] == key, bytes[range(number)].elementsEqual(name) { return (table[place], place) }
            place = (place + 1) & mask
        }
        return (nil, place)
    }

    private func insert(_ key: UInt64, at place: Int) -> UInt32 {
        let number = UInt32(ends.count)
        ends.append(UInt32(bytes.count))
        keys.append(key)
        table[place] = number
        if ends.count * 2 > table.count { rehash() }
        return number
    }

    private func rehash() {
        let size = table.count * 2
        table = [UInt32](repeating: .max, count: size)
        mask = size - 1
        for number in ends.indices {
            var place = Self.slot(keys[number], range(number).count) & mask
            while table[place] != .max { place = (place + 1) & mask }
            table[place] = UInt32(number)
        }
    }
}
