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
}
