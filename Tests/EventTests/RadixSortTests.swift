import Testing

@testable import WaneEvents

@Suite("Sorting by digits")
struct RadixSortTests {
    @Test("gives what comparing gives: few and many, negative, equal, at both ends", arguments: [0, 1, 100, 10_000])
    func asComparing(count: Int) {
        var generator = SeededGenerator(seed: 3)
        for range in [Int64.min...Int64.max, -5...5, 1_600_000_000_000_000...1_600_100_000_000_000, 7...7] {
            let numbers = (0..<count).map { _ in Int64.random(in: range, using: &generator) }
            #expect(RadixSort.sorted(Column(numbers)) == numbers.sorted())
            var bits = numbers.map { UInt64(bitPattern: $0) }
            RadixSort.sort(&bits)
            #expect(bits == numbers.map { UInt64(bitPattern: $0) }.sorted())
        }
    }
}
