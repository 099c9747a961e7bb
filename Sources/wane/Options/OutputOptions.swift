import ArgumentParser
import Foundation

/// How a command that also trains prints what it measured; `--output` says where the model goes.
struct PrintingOptions: ParsableArguments {
    @Option(help: "Tables for people, or json or csv for machines.")
    var format: ReportFormat = .table

    @Flag(name: .shortAndLong, help: "No progress and no notes on standard error.")
    var quiet = false

    var console: Console { Console(quiet: quiet) }
}

/// How answers are printed that are no rows.
struct OutputOptions: ParsableArguments {
    @Option(
        name: .customLong("format"),
        help:
            "Tables for people, or json or csv for machines; when absent what the output file's name ends with, else table."
    )
    var typed: ReportFormat?
    @OptionGroup var answer: AnswerOptions

    @Flag(name: .shortAndLong, help: "No progress and no notes on standard error.")
    var quiet = false

    var format: ReportFormat { typed ?? answer.ending() ?? .table }
    var console: Console { Console(quiet: quiet) }

    func validate() throws { if typed == nil { try answer.checkEnding(ReportFormat.self) } }
}

enum ReportFormat: String, ExpressibleByArgument, CaseIterable { case table, json, csv }

/// How answers are printed that are rows.
struct RowOutputOptions: ParsableArguments {
    @Option(
        name: .customLong("format"),
        help:
            "Tables for people, or json, csv or parquet for machines; when absent what the output file's name ends with, else table."
    )
    var typed: Format?
    @OptionGroup var answer: AnswerOptions

    @Flag(name: .shortAndLong, help: "No progress and no notes on standard error.")
    var quiet = false

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, csv, parquet }

    var format: Format { typed ?? answer.ending() ?? .table }
    var console: Console { Console(quiet: quiet) }

    func validate() throws {
        if typed == nil { try answer.checkEnding(Format.self) }
        if format == .parquet, answer.output == nil, isatty(STDOUT_FILENO) == 1 {
            throw ValidationError(
                "--format parquet writes a file's bytes: send them into one with --output answers.parquet")
        }
    }
}
