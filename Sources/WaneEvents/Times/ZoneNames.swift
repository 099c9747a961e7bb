import Foundation

/// Names of zones: those that mean one thing, and those that are refused with what they may mean.
enum ZoneNames {
    /// Hours ahead of UTC of abbreviations that mean the same everywhere.
    static let offsets: [String: Double] = [
        "Z": 0, "UTC": 0, "GMT": 0, "UT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
        "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
    ]

    /// Abbreviations in use for several zones.
    private static let several: [String: [String]] = [
        "EST": ["America/New_York", "Australia/Sydney"], "EDT": ["America/New_York", "Australia/Sydney"],
        "CST": ["America/Chicago", "Asia/Shanghai", "America/Havana"], "CDT": ["America/Chicago", "America/Havana"],
        "MST": ["America/Denver", "America/Phoenix", "Asia/Kuala_Lumpur"], "MDT": ["America/Denver"],
        "PST": ["America/Los_Angeles", "Asia/Manila"], "PDT": ["America/Los_Angeles"],
        "IST": ["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"], "BST": ["Europe/London", "Asia/Dhaka"],
        "AST": ["America/Halifax", "Asia/Riyadh"], "ADT": ["America/Halifax"], "GST": ["Asia/Dubai"],
        "SST": ["Pacific/Pago_Pago", "Asia/Singapore"], "HST": ["Pacific/Honolulu"],
        "AMT": ["America/Manaus", "Asia/Yerevan"],
        "ECT": ["America/Guayaquil"], "WST": ["Australia/Perth", "Pacific/Apia"], "PKT": ["Asia/Karachi"],
    ]

    /// What an abbreviation may mean; nothing for names that mean one thing or nothing.
    static func meanings(_ name: String) -> [String]? { several[name.uppercased()] }

    /// The zone that a person named.
    ///
    /// - Throws: where no zone has the name, or several have.
    public static func zone(_ name: String) throws(ZoneError) -> TimeZone {
        if let choices = meanings(name) { throw .several(name, choices: choices) }
        if ["UTC", "GMT", "Z"].contains(name.uppercased()) { return .gmt }
        // Other abbreviations are fixed offsets to Foundation, without the summer time of their places.
        let isPlace = name.contains("/") || TimeZone.knownTimeZoneIdentifiers.contains(name)
        if isPlace, let zone = TimeZone(identifier: name) { return zone }
        if let sign = name.first,
            sign == "+" || sign == "-" || name.uppercased().hasPrefix("UTC") || name.uppercased().hasPrefix("GMT"),
            let seconds = offset(name)
        {
            return TimeZone(secondsFromGMT: seconds) ?? .gmt
        }
        throw .unknown(name)
    }

    /// `+02:00`, `UTC+2`, `-0330`.
    private static func offset(_ name: String) -> Int? {
        var rest = name.uppercased()[...]
        if rest.hasPrefix("UTC") || rest.hasPrefix("GMT") { rest = rest.dropFirst(3) }
        guard let sign = rest.popFirst(), sign == "+" || sign == "-" else { return nil }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard rest.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ":") }), (1...2).contains(parts.count) else {
            return nil
        }
        let (hours, minutes): (Int?, Int?) =
            parts.count == 2
            ? (Int(parts[0]), Int(parts[1]))
            : rest.count == 4 ? (Int(rest.prefix(2)), Int(rest.suffix(2))) : (rest.count <= 2 ? Int(rest) : nil, 0)
        guard let hours, let minutes, hours < 19, minutes < 60 else { return nil }
        return (sign == "-" ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }
}

/// Why a name is no zone.
public enum ZoneError: Error, Sendable, Equatable, CustomStringConvertible {
    case unknown(String)
    case several(String, choices: [String])

    public var description: String {
        switch self {
        case .unknown(let name):
            "\(name): no such zone; give a place such as Europe/Berlin, or an offset such as +02:00"
        case .several(let name, let choices):
            "\(name) is the name of several zones, or of half a year of one; give the place: "
                + choices.joined(separator: ", ") + ", or an offset such as +02:00"
        }
    }
}

extension TimeZone {
    /// The zone of a name as people write it: a place, UTC, or an offset; see ``ZoneError``.
    public static func named(_ name: String) throws(ZoneError) -> TimeZone { try ZoneNames.zone(name) }
}
