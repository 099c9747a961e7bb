/// Sorting by the digits of whole numbers, lowest first: millions in a tenth of the time that comparing takes.
public enum RadixSort {
    /// Below this, comparing is as fast.
    private static let few = 1 << 10

    /// - Complexity: O(n) time for each byte in which the numbers differ, and as much memory again.
    public static func sort(_ numbers: inout [UInt64]) { sort(&numbers) { $0 } }

    /// Elements by a number of each; those of equal numbers stay in their order.
    @inline(__always)
    static func sort<Element>(_ elements: inout [Element], _ key: (Element) -> UInt64) {
        guard elements.count > few else { return elements.sort { key($0) < key($1) } }
        var counts = [Int](repeating: 0, count: 8 * 256)
        counts.withUnsafeMutableBufferPointer { counts in
            for element in elements {
                let number = key(element)
                for byte in 0..<8 { counts[byte << 8 | digit(number, byte)] &+= 1 }
            }
        }
        var other = elements
        for byte in 0..<8 {
            var next = Array(counts[byte << 8..<(byte + 1) << 8])
            if next.contains(elements.count) { continue }
            var sum = 0
            for digit in next.indices { (next[digit], sum) = (sum, sum + next[digit]) }
            next.withUnsafeMutableBufferPointer { next in
                other.withUnsafeMutableBufferPointer { other in
                    elements.withUnsafeBufferPointer { elements in
                        for element in elements {
                            let digit = digit(key(element), byte)
                            other[next[digit]] = element
                            next[digit] &+= 1
                        }
                    }
                }
            }
            swap(&elements, &other)
        }
    }

    @inline(__always)
    private static func digit(_ number: UInt64, _ byte: Int) -> Int {
        Int(truncatingIfNeeded: (number >> (8 &* UInt64(byte))) & 0xFF)
    }

    /// The column's numbers in order.
    public static func sorted(_ numbers: Column<Int64>) -> [Int64] {
        // Most logs were written as time went on.
        if (1..<max(1, numbers.count)).allSatisfy({ numbers[$0 - 1] <= numbers[$0] }) { return Array(numbers) }
        // The sign's bit turned, the order of bits is that of the numbers.
        var bits = numbers.map { UInt64(bitPattern: $0) ^ 1 << 63 }
        sort(&bits)
        return bits.map { Int64(bitPattern: $0 ^ 1 << 63) }
    }
}
