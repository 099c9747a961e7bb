/// Why a log as a whole cannot be read.
public enum LogError: Error, Sendable, Equatable, CustomStringConvertible {
    case cannotOpen(file: String, reason: String)
    case cannotRead(file: String, reason: String)
    case empty(file: String)
    case headerOnly(file: String)
    case nothingRead(file: String, rejected: Int, examples: [RejectedRow])
    case onlyExposures(file: String, rows: Int, types: [String])
    case ambiguousTimes(file: String, column: String, what: String, choices: [String])
    case noSuchUser(file: String, name: String)
    case missingColumn(file: String, column: String, found: [String])
    case wrongDelimiter(file: String, expected: String, header: String)
    case unknownColumn(file: String, name: String, found: [String])
    case duplicateColumn(file: String, column: String, names: [String])
    case sameNames(file: String, name: String)
    case noHeader(file: String, fields: [String])
    case lineTooLong(file: String, line: Int, limit: Int)
    case damagedArchive(file: String, reason: String)
    case tooManyRows(file: String)
    case strict(file: String, row: RejectedRow)
    case unsupported(file: String, reason: String)
    case options(String)
    /// The file for rows set aside cannot be written.
    case rejects(OutputError)

    public var description: String {
        switch self {
        case .cannotOpen(let file, let reason): "\(file): cannot be opened: \(reason)"
        case .cannotRead(let file, let reason): "\(file): cannot be read: \(reason)"
        case .empty(let file):
            "\(file): the file is empty; a log begins with a header such as UserID,Time,PageID,Duration"
        case .headerOnly(let file): "\(file): there is a header but no row below it"
        case .nothingRead(let file, let rejected, let examples):
            "\(file): none of its \(rejected) rows could be read:"
                + examples.map { "\n  \($0)" }.joined() + (rejected > examples.count ? "\n  ..." : "")
        case .onlyExposures(let file, let rows, let types):
            "\(file): all of its \(rows) rows are of what people were shown (\(types.joined(separator: ", "))), none of what they "
                + "did; where they are engagement, say how much with --event-weights \(types.first ?? "impression")=1"
        case .ambiguousTimes(let file, let column, let what, let choices):
            "\(file), \(column): \(what); say which with "
                + choices.map { "--time-format \($0)" }.joined(separator: " or ")
        case .noSuchUser(let file, let name): "\(file): the log has no person \"\(name)\""
        case .missingColumn(let file, let column, let found):
            "\(file), header: no column for \(column) among \(found.joined(separator: ", ")); "
                + "name it with --map \(column)=COLUMN"
                + (column == ColumnRole.user.rawValue
                    ? ", or say whose rows they are with --user-id NAME, or with --user-from file where each file is one person's"
                    : "")
        case .wrongDelimiter(let file, let expected, let header):
            "\(file), header: only one column, \"\(header)\", when split at \(expected); "
                + "give the delimiter with --delimiter"
        case .unknownColumn(let file, let name, let found):
            "\(file), header: --map names a column \"\(name)\", but the file has "
                + found.joined(separator: ", ")
        case .duplicateColumn(let file, let column, let names):
            "\(file), header: \(names.joined(separator: " and ")) could both be \(column); "
                + "choose one with --map \(column)=COLUMN"
        case .sameNames(let file, let name):
            "\(file): several columns are called \"\(name)\"; give them names of their own in the file"
        case .noHeader(let file, let fields):
            "\(file), header: \(fields.prefix(6).joined(separator: ", ")) look like data, not like names of columns; say what the "
                + "\(fields.count) columns are, for example --columns \(Self.columns(fields))"
        case .lineTooLong(let file, let line, let limit):
            "\(file), line \(line): longer than \(limit) bytes; is a quote left open?"
        case .damagedArchive(let file, let reason): "\(file): the compressed data is damaged: \(reason)"
        case .tooManyRows(let file): "\(file): more than 4294967295 rows; split the log"
        case .strict(let file, let row): "\(file), \(row); stopped there because of --strict"
        case .unsupported(let file, let reason): "\(file): \(reason)"
        case .options(let text): text
        case .rejects(let error): "--rejects \(error)"
        }
    }

    /// Names for fields without a header, as far as what they hold tells.
    private static func columns(_ fields: [String]) -> String {
        var roles = ["UserID", "PageID", "Duration"][...]
        return fields.map { field in
            let written = Array(field.utf8).withUnsafeBytes { WrittenTime($0) }
            let isTime =
                written.map {
                    $0.number == nil || NumberReading.decide([$0]) != .counts && NumberReading.decide([$0]) != .none
                } ?? false
            return isTime ? "Time" : roles.popFirst() ?? "-"
        }.joined(separator: ",")
    }
}
