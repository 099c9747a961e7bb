import Foundation

/// How the fields of a line are kept apart.
struct Dialect: Sendable, Equatable {
    enum Delimiter: Sendable, Equatable {
        case byte(UInt8)
        /// Any run of blanks, with blanks around the line.
        case blanks
        /// `::`, as in MovieLens 1M.
        case doubleColon

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

    /// The first of a tab, a comma, a semicolon, a bar, `::` and blanks that the first line has; where numbers have decimal commas, the
    /// semicolon, and where columns are named, the one that makes as many fields.
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
        var choices: [UInt8] = [0x09, 0x2C, 0x3B, 0x7C].filter { counts[$0, default: 0] > 0 }
        if choices.starts(with: [0x2C, 0x3B]), Self.hasDecimalCommas(Array(firstLine)) { choices = [0x3B] }
        let fitting = columns.flatMap { columns in choices.first { counts[$0, default: 0] == columns - 1 } }
        if let byte = fitting ?? choices.first {
            delimiter = .byte(byte)
            return
        }
        delimiter = colons > 0 ? .doubleColon : counts[0x20, default: 0] > 0 ? .blanks : .byte(0x2C)
    }

    /// Whether commas stand between digits only, at most one in a field between semicolons, of which there are several.
    private static func hasDecimalCommas(_ line: [UInt8]) -> Bool {
        let fields = line.split(separator: 0x3B, omittingEmptySubsequences: false)
        guard fields.count > 2 else { return false }
        return fields.allSatisfy { field in
            let parts = field.split(separator: 0x2C, omittingEmptySubsequences: false)
            guard parts.count > 1 else { return true }
            func isDigit(_ byte: UInt8?) -> Bool { byte.map { $0 &- 0x30 < 10 } ?? false }
            return parts.count == 2 && isDigit(parts[0].last) && isDigit(parts[1].first)
        }
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
