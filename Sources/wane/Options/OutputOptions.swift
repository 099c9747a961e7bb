import ArgumentParser

/// How answers are printed.
struct OutputOptions: ParsableArguments {
    @Option(help: "Tables for people, or json or csv for machines.")
    var format: Format = .table

    @Flag(name: .shortAndLong, help: "No progress and no notes on standard error.")
    var quiet = false

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, csv }

    var console: Console { Console(quiet: quiet) }
}
