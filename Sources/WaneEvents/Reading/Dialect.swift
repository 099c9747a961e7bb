import Foundation

/// How the fields of a line are kept apart.
struct Dialect: Sendable, Equatable {
    enum Delimiter: Sendable, Equatable {
        case byte(UInt8)
        /// Any run of blanks, with blanks around the line.
        case blanks
        /// `::`, as in MovieLens 1M.
        case doubleColon

        /// As it stands in a file.
        var text: String {
            switch self {
            case .byte(let byte): String(UnicodeScalar(byte))
            case .blanks: " "
            case .doubleColon: "::"
            }
        }

        var words: String {
            switch self {
            case .byte(0x09): "tabs"
            case .byte(let byte): "\"\(Character(UnicodeScalar(byte)))\""
            case .blanks: "blanks"
            case .doubleColon: "\"::\""
            }
        }
    }

    let delimiter: Delimiter

    /// - Parameter named: what the person asked for, such as `,`, `tab`, `blanks` or `::`.
    init(named: String) throws(LogError) {
        switch named.lowercased() {
        case "tab", "\t", "\\t": delimiter = .byte(0x09)
        case "blank", "blanks", "space", " ": delimiter = .blanks
        case "::": delimiter = .doubleColon
        default:
            guard let byte = named.utf8.first, named.utf8.count == 1, byte != 0x22, byte >= 0x20 else {
                throw .options("--delimiter \(named): give one character, tab, blanks or ::")
            }
            delimiter = .byte(byte)
        }
    }

    /// The first of a tab, a comma, a semicolon, a bar, `::` and blanks that the first line has; of the first four, where columns are
    /// named, the first that makes as many fields, such as a semicolon beside decimal commas.
    init(firstLine: some Collection<UInt8>, columns: Int? = nil) {
        var counts: [UInt8: Int] = [:]
        var quoted = false
        var colons = 0
        var previous: UInt8 = 0
        for byte in firstLine {
            if byte == 0x22 { quoted.toggle() }
            if !quoted {
                counts[byte, default: 0] += 1
                if byte == 0x3A, previous == 0x3A { colons += 1 }
            }
            previous = byte
        }
        let choices: [UInt8] = [0x09, 0x2C, 0x3B, 0x7C].filter { counts[$0, default: 0] > 0 }
        let last = Array(firstLine.suffix(1)).first
        let fitting = choices.first { byte in
            // A last delimiter opens a field with nothing in it.
            let count = counts[byte, default: 0] - (last == byte ? 1 : 0)
            // What the first field holds of another is what stands between fields.
            let first = firstLine.prefix { $0 != byte }
            return count + 1 == columns && !choices.contains(where: first.contains)
        }
        if let byte = fitting ?? choices.first {
            delimiter = .byte(byte)
            return
        }
        delimiter = colons > 0 ? .doubleColon : counts[0x20, default: 0] > 0 ? .blanks : .byte(0x2C)
    }

    /// The fields of one line, without the quotes around them; a field with a line break in it ends with the line.
    func fields(_ line: [UInt8]) -> [String] {
        let text = String(decoding: line, as: UTF8.self)
        switch delimiter {
        case .blanks: return text.split { $0 == " " || $0 == "\t" }.map(String.init)
        case .doubleColon: return text.components(separatedBy: "::")
        case .byte(let byte):
            var isQuoted = false
            let fields = line.split(omittingEmptySubsequences: false) { other in
                if other == 0x22 { isQuoted.toggle() }
                return other == byte && !isQuoted
            }
            return fields.map {
                String(decoding: $0, as: UTF8.self).trimmingCharacters(in: CharacterSet(charactersIn: " \""))
            }
        }
    }
}
