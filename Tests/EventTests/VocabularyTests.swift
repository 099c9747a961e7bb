import Testing

@testable import WaneEvents

@Suite("Vocabularies")
struct VocabularyTests {
    /// Names of all lengths, many of which begin alike, some with zero bytes, some enormous.
    private func names(_ generator: inout SeededGenerator) -> [String] {
        let letters = ["a", "b", "\0", "é", "7", "0"]
        var names = (0..<3_000).map { _ in
            (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                letters[Int.random(in: 0..<letters.count, using: &generator)]
            }.joined()
        }
        names += (0..<500).map { _ in "the same beginning " + String(Int.random(in: 0..<400, using: &generator)) }
        names += (0..<2_000).map { _ in String(Int.random(in: 0..<1_500, using: &generator)) }
        names += (0..<50).map { _ in String(repeating: "0", count: Int.random(in: 0..<20, using: &generator)) + "7" }
        for length in [65_533, 65_534, 65_535, 65_536, 70_000] {
            names.append(String(repeating: "x", count: length))
            names.append(String(repeating: "x", count: length - 1) + "y")
        }
        return names.shuffled(using: &generator)
    }

    @Test(
        "give a short name the same number whether it comes as bytes, as one word or as a count",
        arguments: [1, 40_000, 99_999_999])
    func counts(largest: Int) {
        var generator = SeededGenerator(seed: UInt64(largest))
        var names = (0..<4_000).map { _ in String(Int.random(in: 0...largest, using: &generator)) }
        names += [
            "0", "00", "000", "07", "7", "00000007", "99999999", "12345678", "1", "-1", "+1", "1 ", " 1", "1.", "1\0",
            ":", "/", "a", "1a2b",
        ]
        names += (0..<500).map { String($0) }
        // With other names among them, and without.
        for names in [names.filter { $0.allSatisfy(\.isNumber) }, names.shuffled(using: &generator)] {
            let builder = VocabularyBuilder()
            var known: [String: UInt32] = [:]
            for name in names {
                var word: UInt64 = 0
                for (place, byte) in name.utf8.enumerated() { word |= UInt64(byte) << (8 * UInt64(place)) }
                let asBytes = Bool.random(using: &generator)
                let number =
                    asBytes ? builder.number(of: name) : builder.number(key: word, length: name.utf8.count)
                #expect(number == known[name] ?? UInt32(known.count), "\(name)")
                known[name] = number
            }
            let (ordered, places) = builder.finishInOrder()
            for (name, number) in known {
                #expect(builder.find(name) == number && builder[Int(number)] == name)
                #expect(ordered.find(name) == places[Int(number)])
            }
        }
    }

    @Test("give each distinct name one number, and find it again, alone and many at once")
    func numbers() {
        var generator = SeededGenerator(seed: 6)
        let names = names(&generator)
        let builder = VocabularyBuilder()
        var known: [[UInt8]: UInt32] = [:]
        for name in names {
            let number = builder.number(of: name)
            let bytes = Array(name.utf8)
            #expect(known[bytes] == nil ? number == known.count : number == known[bytes])
            known[bytes] = number
        }
        let vocabulary = builder.finish()
        #expect(vocabulary.count == known.count && vocabulary.find("nobody's name") == nil)
        let asked = names + ["nobody's name", "x", String(repeating: "x", count: 65_537)]
        var bytes: [UInt8] = []
        var offsets: [Int32] = [0]
        for name in asked {
            bytes += Array(name.utf8)
            offsets.append(Int32(bytes.count))
        }
        var found = [UInt32](repeating: 0, count: asked.count)
        bytes.withUnsafeBytes { builder.find($0.baseAddress!, offsets, count: asked.count, into: &found) }
        for (name, number) in zip(asked, found) {
            let right = known[Array(name.utf8)]
            #expect(number == right ?? .max && vocabulary.find(name) == right)
            if let right { #expect(Array(vocabulary[Int(right)].utf8) == Array(name.utf8)) }
        }
    }

    @Test("in order have counts first, by their digits, then texts, byte by byte, however the names came")
    func order() {
        var generator = SeededGenerator(seed: 7)
        let names = names(&generator)
        func ordered(_ names: [String]) -> (Vocabulary, [String]) {
            let builder = VocabularyBuilder()
            let numbers = names.map { builder.number(of: $0) }
            let (vocabulary, places) = builder.finishInOrder()
            for (name, number) in zip(names, numbers) {
                #expect(vocabulary.find(name) == places[Int(number)])
            }
            return (vocabulary, vocabulary.names)
        }
        let (_, found) = ordered(names)
        func key(_ name: String) -> (Int, [UInt8]) {
            let bytes = Array(name.utf8)
            let isCount = !bytes.isEmpty && bytes.allSatisfy { $0 &- 0x30 < 10 }
            return (isCount ? bytes.count : .max, bytes)
        }
        let distinct = Set(names.map { Array($0.utf8) }).map { String(decoding: $0, as: UTF8.self) }
        let right = distinct.sorted { a, b in
            let (x, y) = (key(a), key(b))
            return x.0 != y.0 ? x.0 < y.0 : x.1.lexicographicallyPrecedes(y.1)
        }
        #expect(found.map { Array($0.utf8) } == right.map { Array($0.utf8) })
        #expect(ordered(names.reversed()).1 == found)
    }
}
