import ArgumentParser
import Foundation
import WaneBundle
import WaneCurves
import WaneEvents
import WaneExplanation
import WanePrediction

struct Causes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says which causes a log shows, beside placebos: whom they move, how far, and in which topics.",
        discussion: "Example:\n  wane causes models/visits visits.csv")

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("Friendships, where the model was trained with some.", valueName: "file"))
    var friends: String?
    @OptionGroup var output: RowOutputOptions

    static let machine =
        [
            "cause", "shown", "people", "people_moved", "touches", "multiplier", "gain_nats", "placebo_nats",
            "sensitivity",
            "sensitivity_deviation", "placebo_sensitivity", "largest_departure_share",
        ] + Cause.allCases.map { "with_\($0.rawValue)" } + ["topics"]

    func run() async throws {
        let console = output.console
        let bundle = try BundleFolder.read(model, for: [.interest])
        var asked = try AskedPeople(bundle, input, user: nil, at: nil, console)
        let explainer = try Explainer(asked.predictor)
        if let obstacle = explainer.obstacle { console.note("note: causes are not told apart: \(obstacle)") }
        asked = try asked.knowing(friends, console)
        Interruption.listen()
        let people = asked.log.userCount
        let summaries = try explainer.summaries(asked.log) { done in
            try Interruption.check()
            console.status("walked through \(done) of \(people) people")
        }
        console.clearStatus()
        // What could not be tested is not what was tested and not found.
        func isTold(_ summary: CauseSummary) -> Bool { explainer.obstacle == nil && summary.evidence.people > 0 }
        var printer = RowPrinter(
            output.format, machine: Self.machine,
            people: ["cause", "shown", "met by", "moves", "half-life", "nats", "placebo", "stands out", "most in"])
        for summary in summaries {
            let evidence = summary.evidence
            try printer.print(
                machine: [
                    .text(summary.cause.rawValue), isTold(summary) ? .flag(evidence.isShown) : .none,
                    .whole(summary.people),
                    .whole(summary.moved),
                    .whole(summary.touches),
                ]
                    + [
                        summary.multiplier, evidence.gain, evidence.placebo, evidence.mean, evidence.deviation,
                        evidence.placeboMean, summary.largestDeparture,
                    ].map { isTold(summary) ? .number($0) : .none }
                    + Cause.allCases.map { $0 == summary.cause ? .none : .number(summary.together[$0]) }
                    + [.text(summary.topics.joined(separator: " | "))],
                people: [
                    summary.cause.rawValue, isTold(summary) ? evidence.isShown ? "yes" : "no" : "not measured",
                ]
                    + (isTold(summary)
                        ? [
                            "\(summary.people)", "\(summary.moved)", "×" + Render.number(summary.multiplier, 2),
                            Render.number(evidence.gain, 0), Render.number(evidence.placebo, 0),
                            Render.number(100 * summary.largestDeparture, 0) + " %",
                            summary.topics.joined(separator: ", "),
                        ] : [String](repeating: "-", count: 7)))
        }
        try printer.finish()
        guard output.format == .table else { return }
        let pairs = summaries.flatMap { summary in
            Cause.allCases.filter { summary.cause < $0 && summary.together[$0] > 0.5 }.map {
                "\(summary.cause.rawValue) and \($0.rawValue)"
            }
        }
        for pair in pairs { console.note("note: \(pair) go together: read them as one") }
        console.note(
            "met by: people in that circumstance at some touch; moves: those of them whose half-lives surely change with it; "
                + "half-life: times so much at such touches, in the mean; most in: the topics where most")
        console.note(
            "nats: by how much people's sensitivities explain the model's log better than none; placebo: the same with the "
                + "circumstances of others; stands out: how often it is the largest departure from what is usual, which is no effect yet"
        )
    }
}
