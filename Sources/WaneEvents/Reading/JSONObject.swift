/// One JSON object as columns: keys with their values as bytes, lists of plain values joined, objects inside flattened
/// with a point between names.
///
/// A strict reader of RFC 8259, apart from that of two equal keys the last one holds. It keeps its memory from object to
/// object.
final class JSONObject {
    private(set) var keys: [String] = []
    private var numbers: [String: Int] = [:]
    /// Where each key's value lies: in the text itself, or in `bytes` where it had to be put together; nothing where it has none.
    private var bytes: [UInt8] = []
    private var values: [Value] = []
    private struct Value {
        var start = 0
        var end = 0
        var place = Place.none
        var kind = Kind.text
        enum Place: UInt8 { case none, text, bytes }
    }
    /// What a value is written as.
    enum Kind: UInt8 { case text, number, flag, list }
    private var text: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    private var at = 0
    private var scratch: [UInt8] = []
    private var key: [UInt8] = []
    /// The number of the key that stood at a place of the last object: objects of one file are mostly alike.
    private var order: [(name: [UInt8], number: Int)] = []
    private var placeInOrder = 0

    /// Keys whose value was a list with an object in it, so far.
    private(set) var objectLists: Set<String> = []
    private var hasObjects = false

    static let deepest = 32

    enum Fault: Error, Equatable {
        case notAnObject
        case syntax(at: Int)
        case tooDeep
        case encoding

        var words: String {
            switch self {
            case .notAnObject: "it is another kind of value"
            case .syntax(let at): "it does not parse at byte \(at + 1)"
            case .tooDeep: "it is nested more than \(JSONObject.deepest) deep"
            case .encoding: "bytes that are not UTF-8"
            }
        }
    }

    init() {}

    /// Goes on from keys that are known: they keep their numbers.
    init(keys: [String]) {
        self.keys = keys
        values = keys.map { _ in Value() }
        for (number, key) in keys.enumerated() where numbers[key] == nil { numbers[key] = number }
    }

    /// Reads an object that takes all of `line`, blanks aside. One that is faulty brings no keys.
    func read(_ line: UnsafeRawBufferPointer) throws(Fault) {
        let known = keys.count
        do throws(Fault) { try readKeys(line) } catch {
            if keys.count > known {
                for key in keys[known...] { numbers[key] = nil }
                keys.removeLast(keys.count - known)
                values.removeLast(values.count - known)
                order.removeAll()
            }
            throw error
        }
    }

    private func readKeys(_ line: UnsafeRawBufferPointer) throws(Fault) {
        text = line
        at = 0
        bytes.removeAll(keepingCapacity: true)
        for index in values.indices { values[index].place = .none }
        placeInOrder = 0
        skipBlanks()
        guard at < text.count, text[at] == 0x7B else {
            // Any other value must parse too, or it is no JSON at all.
            throw at < text.count && [0x5B, 0x22, 0x74, 0x66, 0x6E, 0x2D].contains(text[at]) || digit(at)
                ? .notAnObject : .syntax(at: at)
        }
        try object(prefix: [], depth: 0)
        skipBlanks()
        if at != text.count { throw .syntax(at: at) }
    }

    /// The bytes of a key's value, while the object's text is held; nothing where the object has none, or null.
    func value(_ key: Int, _ bytes: UnsafeRawBufferPointer, of text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer?
    {
        guard key < values.count else { return nil }
        let value = values[key]
        switch value.place {
        case .none: return nil
        case .text: return UnsafeRawBufferPointer(rebasing: text[value.start..<value.end])
        case .bytes: return UnsafeRawBufferPointer(rebasing: bytes[value.start..<value.end])
        }
    }

    /// What a key's value is written as; nothing where it has none, or null.
    func kind(_ key: Int) -> Kind? {
        key < values.count && values[key].place != .none ? values[key].kind : nil
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { bytes.withUnsafeBytes(body) }

    private func digit(_ index: Int) -> Bool { index < text.count && text[index] &- 0x30 < 10 }

    private func skipBlanks() {
        while at < text.count, text[at] == 0x20 || text[at] == 0x09 || text[at] == 0x0A || text[at] == 0x0D { at += 1 }
    }

    private func take(_ byte: UInt8) -> Bool {
        guard at < text.count, text[at] == byte else { return false }
        at += 1
        return true
    }

    /// Whether a key only says the type of the one value in its object, as in MongoDB's exports: `{"$date": ...}`.
    private func isWrapper(_ key: [UInt8], in prefix: [UInt8]) -> Bool {
        !prefix.isEmpty && key.first == 0x24 && Self.wrappers.contains(String(decoding: key, as: UTF8.self))
    }

    private static let wrappers: Set<String> = [
        "$date", "$oid", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal",
    ]

    /// - Parameter isColumns: off for an object that is checked and passed over.
    private func object(prefix: [UInt8], depth: Int, isColumns: Bool = true) throws(Fault) {
        if depth > Self.deepest { throw .tooDeep }
        at += 1
        skipBlanks()
        if take(0x7D) { return }
        while true {
            skipBlanks()
            guard take(0x22) else { throw .syntax(at: at) }
            let plain = try string()
            // Mostly the key that stood here in the object before.
            var known = -1
            if let plain, isColumns, prefix.isEmpty, placeInOrder < order.count,
                text.holds(order[placeInOrder].name, at: plain)
            {
                known = order[placeInOrder].number
                placeInOrder += 1
            } else {
                key.removeAll(keepingCapacity: true)
                if let plain { key.append(contentsOf: text[plain]) } else { key.append(contentsOf: scratch) }
            }
            skipBlanks()
            guard take(0x3A) else { throw .syntax(at: at) }
            skipBlanks()
            if at < text.count, text[at] == 0x7B {
                if known >= 0 { key = order[placeInOrder - 1].name }
                let inside = isWrapper(key, in: prefix) ? prefix : prefix + key + [0x2E]
                try object(prefix: inside, depth: depth + 1, isColumns: isColumns)
            } else if !isColumns {
                if try scalar() == nil { _ = try list(depth: depth) }
            } else {
                let number =
                    known >= 0
                    ? known
                    : prefix.isEmpty
                        ? number(of: key)
                        : number(of: isWrapper(key, in: prefix) ? prefix.dropLast() : prefix + key)
                let isWrapped = known < 0 && isWrapper(key, in: prefix) && key.starts(with: Array("$number".utf8))
                if var own = try scalar() {
                    if isWrapped { own.kind = .number }
                    values[number] = own
                } else {
                    hasObjects = false
                    values[number] = try list(depth: depth)
                    if hasObjects { objectLists.insert(keys[number]) }
                }
            }
            skipBlanks()
            if take(0x2C) { continue }
            guard take(0x7D) else { throw .syntax(at: at) }
            return
        }
    }

    private func number(of name: [UInt8]) -> Int {
        defer { placeInOrder += 1 }
        if placeInOrder < order.count, order[placeInOrder].name == name { return order[placeInOrder].number }
        let text = String(decoding: name, as: UTF8.self)
        let number = numbers[text] ?? keys.count
        if number == keys.count {
            numbers[text] = number
            keys.append(text)
            values.append(Value())
        }
        if placeInOrder < order.count {
            order[placeInOrder] = (name, number)
        } else {
            order.append((name, number))
        }
        return number
    }

    /// A value that is no list and no object, where it lies; nothing for those two.
    private func scalar() throws(Fault) -> Value? {
        guard at < text.count else { throw .syntax(at: at) }
        switch text[at] {
        case 0x22:
            at += 1
            if let plain = try string() { return Value(start: plain.lowerBound, end: plain.upperBound, place: .text) }
            let start = bytes.count
            bytes.append(contentsOf: scratch)
            return Value(start: start, end: bytes.count, place: .bytes)
        case 0x5B, 0x7B: return nil
        case 0x6E:
            try word("null")
            return Value()
        default:
            let start = at
            let isNumber = text[at] != 0x74 && text[at] != 0x66
            switch text[at] {
            case 0x74: try word("true")
            case 0x66: try word("false")
            default: try number()
            }
            return Value(start: start, end: at, place: .text, kind: isNumber ? .number : .flag)
        }
    }

    /// A list, its parts put together.
    private func list(depth: Int) throws(Fault) -> Value {
        let start = bytes.count
        _ = try value(depth: depth)
        return Value(start: start, end: bytes.count, place: .bytes, kind: .list)
    }

    /// One value that is no object, into `bytes`; false for null.
    private func value(depth: Int) throws(Fault) -> Bool {
        if let own = try scalar() {
            if own.place == .text { bytes.append(contentsOf: text[own.start..<own.end]) }
            return own.place != .none
        }
        switch text[at] {
        case 0x5B:
            if depth > Self.deepest { throw .tooDeep }
            at += 1
            skipBlanks()
            if take(0x5D) { return true }
            var isFirst = true
            while true {
                skipBlanks()
                if !isFirst { bytes.append(RowBuilder.listSeparator) }
                isFirst = false
                if at < text.count, text[at] == 0x7B {
                    // An object in a list is no column: it is checked and passed over.
                    hasObjects = true
                    let end = bytes.count
                    try object(prefix: [], depth: depth + 1, isColumns: false)
                    bytes.removeLast(bytes.count - end)
                } else {
                    _ = try value(depth: depth + 1)
                }
                skipBlanks()
                if take(0x2C) { continue }
                guard take(0x5D) else { throw .syntax(at: at) }
                return true
            }
        default: throw .syntax(at: at)
        }
    }

    private func word(_ word: StaticString) throws(Fault) {
        let count = word.utf8CodeUnitCount
        guard at + count <= text.count,
            text[at..<at + count].elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: count))
        else { throw .syntax(at: at) }
        at += count
    }

    private func number() throws(Fault) {
        _ = take(0x2D)
        guard digit(at) else { throw .syntax(at: at) }
        if text[at] == 0x30 { at += 1 } else { while digit(at) { at += 1 } }
        if take(0x2E) {
            guard digit(at) else { throw .syntax(at: at) }
            while digit(at) { at += 1 }
        }
        if at < text.count, text[at] | 0x20 == 0x65 {
            at += 1
            if at < text.count, text[at] == 0x2B || text[at] == 0x2D { at += 1 }
            guard digit(at) else { throw .syntax(at: at) }
            while digit(at) { at += 1 }
        }
    }

    /// What stands between quotes, after the first of them: where it lies in the text, or, where it had escapes, in
    /// `scratch`.
    private func string() throws(Fault) -> Range<Int>? {
        let begin = at
        var isPlain = true
        while true {
            let start = at
            while at < text.count, text[at] != 0x22, text[at] != 0x5C {
                if text[at] < 0x20 { throw .syntax(at: at) }
                at += 1
            }
            guard at < text.count else { throw .syntax(at: at) }
            if isPlain, text[at] == 0x22 {
                at += 1
                return begin..<at - 1
            }
            if isPlain { scratch.removeAll(keepingCapacity: true) }
            isPlain = false
            scratch.append(contentsOf: text[start..<at])
            if take(0x22) { return nil }
            at += 1
            guard at < text.count else { throw .syntax(at: at) }
            let escaped = text[at]
            at += 1
            switch escaped {
            case 0x22, 0x5C, 0x2F: scratch.append(escaped)
            case 0x62: scratch.append(0x08)
            case 0x66: scratch.append(0x0C)
            case 0x6E: scratch.append(0x0A)
            case 0x72: scratch.append(0x0D)
            case 0x74: scratch.append(0x09)
            case 0x75: scratch.append(contentsOf: try unicode())
            default: throw .syntax(at: at - 1)
            }
        }
    }

    private func unicode() throws(Fault) -> String.UTF8View {
        var value = try fourDigits()
        if (0xD800..<0xDC00).contains(value) {
            guard at + 6 <= text.count, text[at] == 0x5C, text[at + 1] == 0x75 else { throw .encoding }
            at += 2
            let low = try fourDigits()
            guard (0xDC00..<0xE000).contains(low) else { throw .encoding }
            value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw .encoding }
        return String(Character(scalar)).utf8
    }

    private func fourDigits() throws(Fault) -> UInt32 {
        guard at + 4 <= text.count else { throw .syntax(at: at) }
        var value: UInt32 = 0
        for byte in text[at..<at + 4] {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x37
            case 0x61...0x66: digit = byte - 0x57
            default: throw .syntax(at: at)
            }
            value = value << 4 | UInt32(digit)
        }
        at += 4
        return value
    }
}
