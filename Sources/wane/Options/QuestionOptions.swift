import ArgumentParser

/// About whom, about what and as of when a saved model is asked.
struct QuestionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("One person; everyone when absent.", valueName: "id")) var user: String?
    @Option(help: ArgumentHelp("One topic; all that the person has met when absent.", valueName: "name")) var topic:
        String?
    @Option(
        help: ArgumentHelp(
            "The moment; the person's last event when absent, `end` for the log's end.", valueName: "time"))
    var at: String?

    /// Which moment answers are of where none was said, for the end of a legend.
    var legend: String { at == nil ? "; at: each person's last event, --at end for the log's" : "" }

    /// A file of questions says itself what these say of one.
    func validate(queries: String?) throws {
        let said = [("--user", user), ("--topic", topic), ("--at", at)].first { $0.1 != nil }
        if queries != nil, let said {
            throw ValidationError("\(said.0) and --queries: the file says about whom, what and when")
        }
    }
}
