import ArgumentParser
import Foundation

/// How answers are printed.
struct OutputOptions: ParsableArguments {
    @Option(help: "Tables for people, or json or csv for machines.")
    var format: Format = .table

    @Flag(name: .shortAndLong, help: "No progress and no notes on standard error.")
    var quiet = false

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, csv }

    var console: Console { Console(quiet: quiet) }
}

/// How answers that are rows are printed.
struct RowOutputOptions: ParsableArguments {
    @Option(help: "Tables for people, or json, csv or parquet for machines.")
    var format: Format = .table
    @OptionGroup var answer: AnswerOptions

    @Flag(name: .shortAndLong, help: "No progress and no notes on standard error.")
    var quiet = false

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, csv, parquet }

    var console: Console { Console(quiet: quiet) }

    func validate() throws {
        if format == .parquet, answer.output == nil, isatty(STDOUT_FILENO) == 1 {
            throw ValidationError(
                "--format parquet writes a file's bytes: send them into one with --output answers.parquet")
        }
    }
}
