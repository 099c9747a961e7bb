import Foundation

/// A value on its way to the server, in the server's binary form: numbers big-endian, lists as arrays of one dimension.
enum PostgresValue: Sendable {
    case int(Int64)
    case text(String)
    case bytes(Data)
    case ints([Int64?])
    case texts([String])
    case byteLists([Data])
    case doubles([Double?])

    /// The server's number of the type.
    var type: UInt32 {
        switch self {
        case .int: Element.int8
        case .text: Element.text
        case .bytes: Element.bytea
        case .ints: 1016
        case .texts: 1009
        case .byteLists: 1001
        case .doubles: 1022
        }
    }

    private enum Element {
        static let (bytea, int8, text, float8): (UInt32, UInt32, UInt32, UInt32) = (17, 20, 25, 701)
    }

    var encoded: [UInt8] {
        switch self {
        case .int(let value): Self.bigEndian(value)
        case .text(let text): Array(text.utf8)
        case .bytes(let data): Array(data)
        case .ints(let list): Self.array(list, of: Element.int8) { $0.map { Self.bigEndian($0) } }
        case .texts(let list): Self.array(list, of: Element.text) { Array($0.utf8) }
        case .byteLists(let list): Self.array(list, of: Element.bytea) { Array($0) }
        case .doubles(let list): Self.array(list, of: Element.float8) { $0.map { Self.bigEndian($0.bitPattern) } }
        }
    }

    private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static func array<Value>(
        _ list: [Value], of element: UInt32, _ encode: (Value) -> [UInt8]?
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20 + 16 * list.count)
        bytes += bigEndian(Int32(list.isEmpty ? 0 : 1))
        bytes += bigEndian(Int32(1))
        bytes += bigEndian(element)
        guard !list.isEmpty else { return bytes }
        bytes += bigEndian(Int32(list.count))
        bytes += bigEndian(Int32(1))
        for value in list {
            guard let own = encode(value) else {
                bytes += bigEndian(Int32(-1))
                continue
            }
            bytes += bigEndian(Int32(own.count))
            bytes += own
        }
        return bytes
    }
}
