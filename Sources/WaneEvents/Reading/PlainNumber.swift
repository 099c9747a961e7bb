/// Numbers as logs have them, without the detour over a text.
enum PlainNumber {
    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]

    /// Digits with a sign and a point, fifteen at most: exactly what the library reads, as both the digits and the power of ten
    /// are exact. Nothing for all others, which are left to it.
    static func parse(_ bytes: UnsafeRawBufferPointer) -> Double? {
        var index = 0
        let count = bytes.count
        guard count > 0, count <= 17 else { return nil }
        let isNegative = bytes[0] == 0x2D
        if isNegative { index = 1 }
        var value: Int64 = 0
        var digits = 0
        var decimals = -1
        while index < count {
            let byte = bytes[index] &- 0x30
            if byte < 10 {
                value = value &* 10 &+ Int64(byte)
                digits &+= 1
                if decimals >= 0 { decimals &+= 1 }
            } else if bytes[index] == 0x2E, decimals < 0 {
                decimals = 0
            } else {
                return nil
            }
            index &+= 1
        }
        guard digits > 0, digits <= 15, decimals != 0 else { return nil }
        let number = decimals > 0 ? Double(value) / powers[decimals] : Double(value)
        return isNegative ? -number : number
    }

    /// A number with a comma before its decimals, whole groups of thousands parted by points: `1.234,5` or `1234,5`. Nothing for
    /// what would be another number to one who writes points: `5.5` is neither.
    static func withComma(_ bytes: UnsafeRawBufferPointer) -> Double? {
        let unsigned = bytes.first == 0x2D ? bytes.dropFirst() : bytes[...]
        let parts = unsigned.split(separator: 0x2C, omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first else { return nil }
        func areDigits(_ part: Slice<UnsafeRawBufferPointer>) -> Bool {
            !part.isEmpty && part.allSatisfy { $0 &- 0x30 < 10 }
        }
        let groups = whole.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard groups.allSatisfy(areDigits), parts.dropFirst().allSatisfy(areDigits),
            groups.dropFirst().allSatisfy({ $0.count == 3 }), groups.count == 1 || groups[0].count <= 3
        else { return nil }
        let text =
            (bytes.first == 0x2D ? [0x2D] : []) + groups.joined() + [0x2E]
            + (parts.count == 2 ? Array(parts[1]) : [0x30])
        return Double(String(decoding: text, as: UTF8.self)).flatMap { abs($0) < 3e38 ? $0 : nil }
    }
}
