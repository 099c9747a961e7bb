import ArgumentParser
import Foundation
import WaneEvents
import WaneStore

/// How to read a log: shared by every command that takes one.
struct LogOptions: ParsableArguments {
    @Argument(
        help:
            "The log: CSV, TSV, JSON Lines or arrays, RecBole or MovieLens, plain or through gzip or zstd; Parquet, Arrow, Feather; several files, a folder or a 'pattern*' are one log, also of s3://bucket; - for standard input; postgres://host/database or sqlite:FILE with --sql."
    )
    var logs: [String]

    /// What messages and titles call the log.
    var log: String { logs.map(SQLTable.title).joined(separator: ", ") }

    @Option(
        help: ArgumentHelp(
            "What to read of a database, such as \"select user_id, time, page from visits\"; its columns are those of a file.",
            valueName: "query"))
    var sql: String?

    @Option(
        help: ArgumentHelp(
            "A side file of items with their topics: RecBole .item, movies.csv, any table.", valueName: "file"))
    var items: String?

    @Option(
        help: ArgumentHelp(
            "Which column is what, such as UserID=customer; ROLE= for none; may be given several times.",
            valueName: "role=column"))
    var map: [String] = []

    @Option(
        help: ArgumentHelp("The columns of a file without a header, in order, separated by commas.", valueName: "names")
    )
    var columns: String?

    @Option(help: ArgumentHelp("What stands between fields: a character, tab, blanks or ::.", valueName: "text"))
    var delimiter: String?

    @Option(
        help: ArgumentHelp(
            "How times are written: \(TimeFormat.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "form")
    )
    var timeFormat: TimeFormat?

    @Option(help: ArgumentHelp("The person whose rows these are, where no column says.", valueName: "name"))
    var userID: String?

    @Option(help: "Take the person from the name of each file, or of its folder.") var userFrom: UserSource?

    @Option(help: ArgumentHelp("The zone of times that name none, such as Europe/Berlin.", valueName: "zone"))
    var timeZone: String?

    @Option(
        help: ArgumentHelp(
            "The unit of durations: s, ms, min or h; what the column's name says when absent.", valueName: "unit"))
    var durationUnit: DurationUnit?

    @Flag(inversion: .prefixedNo, help: "Durations and weights are texts such as 1.234,5.")
    var decimalComma: Bool?

    @Option(help: ArgumentHelp("What stands between several topics of one row.", valueName: "text"))
    var topicSeparator: String?

    @Option(help: ArgumentHelp("Engagement by type of event, such as view=0.2,buy=1.", valueName: "type=weight,..."))
    var eventWeights: String?

    @Flag(help: "Stop at the first row that cannot be read.")
    var strict = false

    @Option(help: ArgumentHelp("Keep every row set aside in this file.", valueName: "file"))
    var rejects: String?

    enum DurationUnit: String, ExpressibleByArgument, CaseIterable {
        case s, ms, min, h

        var seconds: Double {
            switch self {
            case .s: 1
            case .ms: 0.001
            case .min: 60
            case .h: 3_600
            }
        }
    }

    /// How to read the log.
    ///
    /// - Parameter base: how the log that a model was trained on was read; flags given here go before it.
    func options(over base: ReadingOptions = ReadingOptions()) throws -> ReadingOptions {
        var options = base
        (options.preferredMap, options.map) = (base.map, [:])
        for pair in map {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, let role = ColumnRole.canonical(parts[0]) else {
                let known = ColumnRole.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--map \(pair): give ROLE=COLUMN, with one of the roles \(known)")
            }
            if let other = options.map[role], other != parts[1] {
                throw ValidationError("--map \(pair): \(role.rawValue) is \(other.isEmpty ? "none" : other) already")
            }
            options.map[role] = parts[1]
        }
        if let columns {
            options.columns = columns.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        options.delimiter = delimiter ?? base.delimiter
        options.timeFormat = timeFormat ?? base.timeFormat
        if let timeZone {
            do throws(ZoneError) { options.timeZone = try TimeZone.named(timeZone) } catch {
                throw ValidationError("--time-zone \(error)")
            }
        }
        guard userID == nil || userFrom == nil else {
            throw ValidationError("--user-id and --user-from: give one of them")
        }
        options.userID = userID
        (options.preferredUserFrom, options.userFrom) = (userID == nil ? base.userFrom : nil, userFrom)
        options.durationUnit = durationUnit?.seconds ?? base.durationUnit
        options.decimalComma = decimalComma ?? base.decimalComma
        options.topicSeparator = topicSeparator ?? base.topicSeparator
        options.mayLackEventTypes = eventWeights == nil
        for pair in eventWeights?.split(separator: ",") ?? [] {
            let parts = pair.split(separator: "=")
            guard parts.count == 2, let weight = Float(parts[1]), weight.isFinite else {
                throw ValidationError("--event-weights \(pair): give TYPE=WEIGHT")
            }
            options.eventWeights[String(parts[0])] = weight
        }
        options.strict = strict
        options.rejects = rejects
        options.items = items
        return options
    }

    /// How the log was read, to be kept with a model so that a later one is read alike.
    func options(of report: ReadingReport) throws -> ReadingOptions {
        var options = try options()
        options.preferredTimes = report.preferredTimes
        return options
    }

    /// A moment as a person typed it, in the zone and the form of the log's own times; nothing for what is none.
    func moment(_ text: String, over base: ReadingOptions) throws -> Int64? {
        let options = try options(over: base)
        return TimeFormat.moment(
            text, zone: options.timeZone,
            preferred: options.timeFormat == .auto ? options.preferredTimes : options.timeFormat)
    }

    /// A name of the log that differs from another by accents, case, or how its letters are put together alone, in words; nothing where there is
    /// none, and of what can be read once only.
    func likeName(_ name: String, over base: ReadingOptions) -> String {
        guard !logs.contains("-"), let (log, _) = try? read(Console(quiet: true), over: base) else { return "" }
        func folded(_ text: String) -> String {
            text.folding(options: [.caseInsensitive, .diacriticInsensitive, .widthInsensitive], locale: nil)
                .trimmingCharacters(in: .whitespaces)
        }
        let own = folded(name)
        guard let like = log.users.names.first(where: { folded($0) == own }) else { return "" }
        return like == name
            ? "; is \"\(like)\" meant, whose letters are put together otherwise?" : "; is \"\(like)\" meant?"
    }

    /// Reads the log with progress on standard error.
    ///
    /// - Parameters:
    ///   - base: how a model's own log was read.
    ///   - onlyUser: keep this person's rows only.
    func read(
        _ console: Console, over base: ReadingOptions = ReadingOptions(), onlyUser: String? = nil
    ) throws -> (log: EventLog, report: ReadingReport) {
        var options = try options(over: base)
        options.onlyUser = onlyUser
        func show(_ rows: Int) { console.status("read \(rows) rows") }
        let result: (log: EventLog, report: ReadingReport)
        if logs.contains(where: SQLTable.isDatabase) {
            guard logs.count == 1 else {
                throw ValidationError("\(log): a database is a log of its own; join tables in --sql")
            }
            guard let sql else {
                throw ValidationError("\(log) is a database: say what to read with --sql \"select ... from ...\"")
            }
            result = try LogReader.read(
                try SQLTable.open(logs[0], sql: sql), file: log, options: options, progress: show)
        } else {
            guard sql == nil else {
                throw ValidationError("--sql: \(log) is no database; give postgres://... or sqlite:FILE")
            }
            result = try LogReader.read(logs, options: options, progress: show)
        }
        console.clearStatus()
        let report = result.report
        for warning in report.warnings { console.note("note: \(warning)") }
        if report.rejectedCount > 0 {
            console.note("\(report.rejectedCount) rows set aside of \(report.rejectedCount + report.accepted):")
            for row in report.examples { console.note("  \(row)") }
            if report.rejectedCount > report.examples.count { console.note("  ... (--rejects FILE keeps them all)") }
        }
        return result
    }
}

extension TimeFormat: ExpressibleByArgument {}
extension UserSource: ExpressibleByArgument {}
