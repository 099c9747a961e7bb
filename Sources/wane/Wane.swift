import ArgumentParser
import Foundation
import WaneBundle
import WaneTraining

@main
struct Wane: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wane",
        abstract: "Learns how people's interest fades and comes back, and answers how much, when and for how long.",
        discussion: """
            Example:
              wane inspect visits.csv
              wane train visits.csv --output models/visits
              wane curve models/visits visits.csv --user user-17 --topic topic-3

            Exit status: 0 fine, 1 failed, 64 wrong usage, 130 interrupted.
            """,
        version: CodeVersion.current,
        subcommands: [
            Inspect.self, Train.self, Evaluate.self, Compare.self, Predict.self, Curve.self, Topics.self, Explain.self,
            Causes.self,
            Rank.self,
            Return.self,
            SearchCommand.self, Sparse.self, Update.self, StoreCommand.self, Doctor.self,
            Simulate.self,
            Serve.self, Ingest.self, Key.self,
            Models.self, Bench.self, Demo.self,
        ])

    /// As the library's own, with a status of its own for work that a person stopped.
    static func main() async {
        var name = "wane"
        do {
            let arguments = CommandWords.normalized(Array(CommandLine.arguments.dropFirst()))
            // Handed on once, to run.
            nonisolated(unsafe) let command = try parseAsRoot()
            name = Self.name(of: type(of: command)) ?? name
            try RepetitionGuard.check(arguments)
            try OverwriteGuard.check(arguments)
            try (command as? any Answering)?.answerFile.map(StandardOutput.redirect)
            try await run(command)
            try StandardOutput.finish()
        } catch let error as TrainingError {
            guard case .interrupted = error else {
                StandardOutput.discard()
                exit(withError: error)
            }
            Console(quiet: false).note("\(error)")
            StandardOutput.discard()
            Foundation.exit(130)
        } catch let error as ValidationError where name != "wane" {
            // What was found wrong after parsing: the library would show the usage of the root.
            Console(quiet: false).note("Error: \(error.message)\n  See '\(name) --help' for more information.")
            StandardOutput.discard()
            Foundation.exit(ExitCode.validationFailure.rawValue)
        } catch {
            StandardOutput.discard()
            exit(withError: error)
        }
    }

    private static func run(_ command: sending any ParsableCommand) async throws {
        if var command = command as? any AsyncParsableCommand { return try await command.run() }
        var command = command
        try command.run()
    }

    /// A command as people type it.
    private static func name(
        of command: any ParsableCommand.Type, among all: [any ParsableCommand.Type] = [Wane.self]
    ) -> String? {
        for one in all {
            let own = one._commandName
            if one == command { return own }
            if let below = name(of: command, among: one.configuration.subcommands) { return own + " " + below }
        }
        return nil
    }
}
