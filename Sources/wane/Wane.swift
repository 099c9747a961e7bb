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
              wane train visits.csv --model lstm --output models/visits
              wane curve models/visits visits.csv --user 17 --topic News

            Exit status: 0 fine, 1 failed, 64 wrong usage, 130 interrupted.
            """,
        version: CodeVersion.current,
        subcommands: [
            Inspect.self, Train.self, Evaluate.self, Compare.self, Predict.self, Curve.self, Topics.self, Explain.self,
            Causes.self,
            Rank.self,
            Return.self,
            SearchCommand.self, Sparse.self,
            Simulate.self,
            Models.self, Bench.self, Demo.self,
        ])
    /// As the library's own, with a status of its own for work that a person stopped.
    static func main() async {
        do {
            var command = try parseAsRoot()
            try OverwriteGuard.check(Array(CommandLine.arguments.dropFirst()))
            try (command as? any Answering)?.answerFile.map(StandardOutput.redirect)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            try StandardOutput.finish()
        } catch let error as TrainingError {
            guard case .interrupted = error else {
                StandardOutput.discard()
                exit(withError: error)
            }
            Console(quiet: false).note("\(error)")
            StandardOutput.discard()
            Foundation.exit(130)
        } catch {
            StandardOutput.discard()
            exit(withError: error)
        }
    }
}
