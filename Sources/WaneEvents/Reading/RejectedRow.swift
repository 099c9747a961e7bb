/// Why a row of a log was set aside. Carries what a person needs to find and mend it.
public struct RejectedRow: Error, Sendable, Equatable {
    public enum Reason: Sendable, Equatable {
        case missingValue
        case missingFields(found: Int, needed: Int)
        case noAccessLogLine
        case unreadableTime(String)
        case timeOutOfRange(String)
        case unreadableNumber(String)
        case noDecimalComma(String)
        case unreadableDuration(String)
        case tooManyFields(found: Int, header: Int, blanks: Bool)
        case negativeDuration(Double)
        case enormousDuration(Double)
        case labelOutOfRange(Double)
        case invalidUTF8
        case unclosedQuote
        case textAfterQuote
        case notAnObject(String)
        case duplicateEvent(String)

        /// The kind of trouble, for counting.
        public var kind: String {
            switch self {
            case .missingValue: "missing value"
            case .missingFields: "too few fields"
            case .noAccessLogLine: "no line of an access log"
            case .unreadableTime: "unreadable time"
            case .timeOutOfRange: "time out of range"
            case .unreadableNumber, .noDecimalComma: "unreadable number"
            case .unreadableDuration: "unreadable duration"
            case .tooManyFields: "too many fields"
            case .negativeDuration: "negative duration"
            case .enormousDuration: "enormous duration"
            case .labelOutOfRange: "label out of range"
            case .invalidUTF8: "invalid UTF-8"
            case .unclosedQuote: "unclosed quote"
            case .textAfterQuote: "text after a quote"
            case .notAnObject: "not a JSON object"
            case .duplicateEvent: "duplicate event"
            }
        }
    }

    public let line: Int
    /// The column's name in the file; empty where the row as a whole is wrong.
    public let column: String
    public let reason: Reason
    /// The file, where the log has several.
    public var file: String?

    public init(line: Int, column: String, reason: Reason, file: String? = nil) {
        self.file = file
        self.line = line
        self.column = column
        self.reason = reason
    }
}

extension RejectedRow: CustomStringConvertible {
    private static func timeAdvice(_ text: String) -> String {
        for part in text.split(whereSeparator: { !$0.isLetter }) {
            if let choices = ZoneNames.meanings(String(part)) {
                return
                    "\(part) is the name of several zones (\(choices.joined(separator: ", "))); write the offset, such as "
                    + "-05:00, or leave the name out and give --time-zone PLACE"
            }
        }
        return "use 2023-01-01 10:00:00, RFC 3339 or epoch seconds, or name the form with --time-format"
    }

    public var description: String {
        let place = (file.map { "\($0), " } ?? "") + "line \(line)"
        let index = column.isEmpty ? place : "\(place), \(column)"
        return switch reason {
        case .missingValue: "\(index): no value"
        case .missingFields(let found, let needed):
            "\(index): \(found) fields where at least \(needed) are needed"
        case .noAccessLogLine:
            "\(index): not as the lines of an access log are: host ident user [time] \"request\" status bytes"
        case .tooManyFields(let found, let header, let blanks):
            "\(index): \(found) fields where the header has \(header); "
                + (blanks
                    ? "divided by blanks, a date and its clock are two: name both, as in --columns UserID,Date,Clock,PageID"
                    : "is a field that holds the delimiter not in quotes?")
        case .unreadableTime(let text):
            "\(index): cannot read \"\(text)\" as a time; " + Self.timeAdvice(text)
        case .noDecimalComma(let text):
            "\(index): cannot read \"\(text)\" as a number with a decimal comma, such as 1.234,5; --no-decimal-comma reads decimal "
                + "points"
        case .unreadableDuration(let text):
            "\(index): cannot read \"\(text)\" as a duration; give a number or h:mm:ss"
                + (text.filter { $0 == ":" }.count == 1
                    ? " (two parts could be hours and minutes, or minutes and seconds)" : "")
                + (text.contains(",") ? " (a comma in it is a decimal point with --decimal-comma)" : "")
        case .timeOutOfRange(let text): "\(index): the time \"\(text)\" lies outside the years 1 to 9999"
        case .unreadableNumber(let text):
            "\(index): cannot read \"\(text)\" as a number"
                + (text.contains(",")
                    ? "; a comma in it is a decimal point with --decimal-comma, between thousands it is not read" : "")
        case .negativeDuration(let seconds): "\(index): a duration of \(seconds) s; durations start at 0"
        case .enormousDuration(let seconds):
            "\(index): a duration of \(seconds) s is more than a year; are the durations in milliseconds? "
                + "then use --duration-unit ms"
        case .labelOutOfRange(let value): "\(index): an interest degree of \(value); it lies in 0...1"
        case .invalidUTF8: "\(index): bytes that are not UTF-8; convert the file, for example with iconv"
        case .unclosedQuote: "\(index): a quoted field that never ends"
        case .textAfterQuote: "\(index): text between a closing quote and the next delimiter"
        case .notAnObject(let why): "\(index): not a JSON object: \(why)"
        case .duplicateEvent(let id): "\(index): event \"\(id)\" was read before"
        }
    }
}

/// What became of the rows of a log: how many were read, and how many set aside for each reason.
public struct ReadingReport: Sendable, Equatable {
    /// Rows that became events.
    public internal(set) var accepted = 0
    /// Rows of other people, where one person's were asked for.
    public internal(set) var passedOver = 0
    /// Rows set aside, by kind of reason.
    public internal(set) var rejected: [String: Int] = [:]
    /// The first few rows that were set aside.
    public internal(set) var examples: [RejectedRow] = []
    /// What a person should know although no row was set aside.
    public internal(set) var warnings: [String] = []
    /// Columns of the file that nothing uses.
    public internal(set) var unusedColumns: [String] = []
    /// How many files the log is of.
    public internal(set) var files = 1
    /// Rows that say what people were shown, not what they did, and the types that they are of: see ``Exposures``.
    public internal(set) var exposures = 0
    public internal(set) var exposureTypes: [String] = []
    /// How the times were read, in words.
    public internal(set) var times: [String] = []
    /// The form of times to prefer where a later log leaves it open.
    public internal(set) var preferredTimes: TimeFormat?

    static let exampleLimit = 5

    public var rejectedCount: Int { rejected.values.reduce(0, +) }

    mutating func note(_ row: RejectedRow) {
        rejected[row.reason.kind, default: 0] += 1
        if examples.count < Self.exampleLimit { examples.append(row) }
    }
}
