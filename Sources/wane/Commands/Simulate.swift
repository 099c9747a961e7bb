import ArgumentParser
import Foundation
import WaneEvents
import WaneSimulation

struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes a log whose half-lives are known.",
        discussion: "Example:\n  wane simulate --users 800 --days 120 --output visits.csv --truth truth.json")

    @Option(help: ArgumentHelp("People.", valueName: "n")) var users = 800
    @Option(help: ArgumentHelp("Topics.", valueName: "n")) var topics = 12
    @Option(help: ArgumentHelp("Days.", valueName: "n")) var days = 120.0
    @Option(help: "The seed.") var seed: UInt64 = 1
    @Option(name: .shortAndLong, help: ArgumentHelp("The log; - for standard output.", valueName: "file")) var output =
        "-"
    @Option(help: ArgumentHelp("Write what was planted as JSON.", valueName: "file")) var truth: String?
    @Flag(name: .shortAndLong, help: "No notes on standard error.") var quiet = false

    func validate() throws {
        guard users > 0, topics > 0, days > 0, users <= 10_000_000, topics <= 10_000, days <= 36_500 else {
            throw ValidationError("--users, --topics and --days: give numbers above 0 (days up to 36500)")
        }
    }

    func run() async throws {
        try OutputFile.prepare(output)
        try OutputFile.prepare(truth)
        var options = Simulator.Options()
        (options.users, options.topics, options.days, options.seed) = (users, topics, days, seed)
        let result = Simulator(options).run()
        try LogWriter.csv(result.log, to: output)
        if let truth { try OutputFile.write(Render.json(result.topics), to: truth) }
        Console(quiet: quiet).note("\(result.log.count) events of \(users) people in \(topics) topics")
    }
}
