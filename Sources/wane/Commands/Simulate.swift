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
    @Option(
        help: ArgumentHelp(
            "Write what was planted: topics as JSON, whose half-lives are those of one visit of ordinary depth, which depth and "
                + "repetition multiply; with --mechanism, half-lives and causes of the topics that people like as CSV.",
            valueName: "file"
        ))
    var truth: String?
    @Option(
        help: ArgumentHelp(
            "Plant causes too: rate (each topic is visited at a rate of its own) or choice (people visit and choose).",
            valueName: "name"))
    var mechanism: CausedLog.Mechanism?
    @Option(
        help: ArgumentHelp(
            "How strongly causes act: 1 as planted, 0 for a twin with the same circumstances and no effect.",
            valueName: "x"))
    var effect: Double?
    @Option(
        help: ArgumentHelp("A day from which on all half-lives are others; without --mechanism.", valueName: "day"))
    var shiftDay: Double?
    @Option(help: ArgumentHelp("What half-lives are multiplied by from then on; .5 when absent.", valueName: "x"))
    var shift: Double?
    @Option(help: ArgumentHelp("How often people visit, against the usual; with --mechanism.", valueName: "x"))
    var activity: Double?
    @Option(help: ArgumentHelp("Write who looks at whom; with --mechanism.", valueName: "file")) var friendsOutput:
        String?
    @Flag(name: .shortAndLong, help: "No notes on standard error.") var quiet = false

    func validate() throws {
        guard users > 0, topics > 0, days > 0, users <= 10_000_000, topics <= 10_000, days <= 36_500 else {
            throw ValidationError("--users, --topics and --days: give numbers above 0 (days up to 36500)")
        }
        let others = [
            ("--effect", effect != nil), ("--activity", activity != nil), ("--friends-output", friendsOutput != nil),
        ]
        if mechanism == nil, let option = others.first(where: \.1)?.0 {
            throw ValidationError("\(option) needs --mechanism rate or --mechanism choice")
        }
        let ending = URL(fileURLWithPath: output).pathExtension.lowercased()
        guard ["", "csv", "txt"].contains(ending) else {
            throw ValidationError("--output \(output): the log is written as CSV; give a name that ends in .csv")
        }
        if mechanism != nil, shiftDay != nil || shift != nil {
            throw ValidationError("--shift-day and --shift: not with --mechanism")
        }
        if shift != nil, shiftDay == nil { throw ValidationError("--shift needs --shift-day") }
        guard (0...days).contains(shiftDay ?? 0), (0.01...100).contains(shift ?? 1) else {
            throw ValidationError("--shift-day: give a day of the log; --shift: a number from 0.01 to 100")
        }
        guard (0...3).contains(effect ?? 1) else { throw ValidationError("--effect: give a number from 0 to 3") }
        guard (0.01...100).contains(activity ?? 1) else {
            throw ValidationError("--activity: give a number from 0.01 to 100")
        }
    }

    func run() async throws {
        try OutputFile.prepare(output)
        try OutputFile.prepare(truth)
        try OutputFile.prepare(friendsOutput)
        if let mechanism { return try simulate(mechanism) }
        var options = Simulator.Options()
        (options.users, options.topics, options.days, options.seed) = (users, topics, days, seed)
        options.shift = shiftDay.map { ($0, shift ?? 0.5) }
        let result = Simulator(options).run()
        try LogWriter.csv(result.log, to: output)
        if let truth { try OutputFile.write(Render.json(result.topics), to: truth) }
        Console(quiet: quiet).note("\(result.log.count) events of \(users) people in \(topics) topics")
    }

    private func simulate(_ mechanism: CausedLog.Mechanism) throws {
        var options = Scenario.Options()
        (options.users, options.topics, options.days, options.seed) = (users, topics, days, seed)
        (options.effect, options.activity) = (effect ?? 1, activity ?? 1)
        let result = CausedLog(options, mechanism: mechanism)
        try LogWriter.csv(result.log, to: output)
        if let truth { try TruthWriter.write(result, to: truth) }
        if let friendsOutput { try TruthWriter.writeFriends(result, to: friendsOutput) }
        Console(quiet: quiet).note("\(result.log.count) events of \(users) people in \(topics) topics")
    }
}

extension CausedLog.Mechanism: ExpressibleByArgument {}
