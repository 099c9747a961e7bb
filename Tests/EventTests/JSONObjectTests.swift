import Foundation
import TestSupport
import Testing

@testable import WaneEvents

@Suite("JSON objects as columns")
struct JSONObjectTests {
    /// What the reader makes of a text: the values by key, or nothing where it refuses.
    private func read(_ text: [UInt8], _ object: JSONObject) -> [String: String]? {
        text.withUnsafeBytes { bytes -> [String: String]? in
            guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
            do throws(JSONObject.Fault) { try object.read(bytes) } catch { return nil }
            var values: [String: String] = [:]
            object.withBytes { own in
                for (number, key) in object.keys.enumerated() {
                    if let value = object.value(number, own, of: bytes) {
                        values[key] = String(decoding: value, as: UTF8.self)
                    }
                }
            }
            return values
        }
    }

    /// A drawn object: its text, and the columns that it is.
    private func draw(_ generator: inout SeededGenerator) -> (text: String, columns: [String: String]) {
        func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: 0..<choices.count, using: &generator)] }
        var columns: [String: String] = [:]
        func scalar() -> (text: String, value: String?) {
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: return pick([("\"plain\"", "plain"), ("\"\"", ""), ("\"é😀\"", "é😀"), ("\"a b,c\"", "a b,c")])
            case 1:
                return pick([
                    ("\"q\\\"q\"", "q\"q"), ("\"\\u00e9\\ud83d\\ude00\"", "é😀"), ("\"t\\tn\\n\\/\\\\\"", "t\tn\n/\\"),
                    ("\"\\b\\f\\r\"", "\u{8}\u{C}\r"),
                ])
            case 2: return pick([("0", "0"), ("-12", "-12"), ("3.25", "3.25"), ("1e9", "1e9"), ("-0.5E-3", "-0.5E-3")])
            case 3: return pick([("true", "true"), ("false", "false")])
            case 4: return ("null", nil)
            default:
                return pick([
                    ("[]", ""), ("[1,\"a\"]", "1\u{1F}a"), ("[\"x\\ty\", [2]]", "x\ty\u{1F}2"), ("[null]", ""),
                ])
            }
        }
        func object(_ prefix: String, _ depth: Int) -> String {
            var parts: [String] = []
            for name in ["user", "time", "item", "a\\u0062"].shuffled(using: &generator).prefix(3) {
                let key = prefix + (name == "a\\u0062" ? "ab" : name)
                if depth < 2, Int.random(in: 0..<6, using: &generator) == 0 {
                    parts.append("\"\(name)\" : \(object(key + ".", depth + 1))")
                } else {
                    let (text, value) = scalar()
                    columns[key] = value
                    parts.append("\"\(name)\":\(pick(["", " "]))\(text)")
                }
            }
            return pick(["{", "{ ", "{\t"]) + parts.joined(separator: pick([",", ", "])) + "}"
        }
        return (object("", 0), columns)
    }

    @Test("drawn objects are read as they were drawn, one after another by one reader")
    func drawn() {
        var generator = SeededGenerator(seed: 8)
        let object = JSONObject()
        for _ in 0..<3_000 {
            let (text, columns) = draw(&generator)
            #expect(read(Array(text.utf8), object) == columns, "\(text)")
        }
    }

    @Test("what Foundation refuses is refused, and what it takes is taken, wherever a byte is changed")
    func refusals() throws {
        var generator = SeededGenerator(seed: 9)
        let object = JSONObject()
        var refused = 0
        for _ in 0..<4_000 {
            var text = Array(draw(&generator).text.utf8)
            let place = Int.random(in: 0..<text.count, using: &generator)
            let bytes = Array("{}[]\",:\\0aeE+-.u \ntfn/".utf8)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: text[place] = bytes[Int.random(in: 0..<bytes.count, using: &generator)]
            case 1: text.remove(at: place)
            default: text.insert(bytes[Int.random(in: 0..<bytes.count, using: &generator)], at: place)
            }
            let other = (try? JSONSerialization.jsonObject(with: Data(text))) as? [String: Any]
            let own = read(text, object)
            if own == nil { refused += 1 }
            // Foundation lets a comma stand before a closing bracket, which RFC 8259 does not.
            let hasLastComma = String(decoding: text, as: UTF8.self).contains(/,\s*[\]}]/)
            #expect(
                (own == nil) == (other == nil) || (own == nil && hasLastComma),
                "\(String(decoding: text, as: UTF8.self))")
        }
        #expect(refused > 1_000)
    }
}
