import ArgumentParser
import Foundation
import WaneBundle
import WaneCurves
import WaneEvents
import WaneModels
import WanePrediction
import WaneReport
import WaneState
import WaneTasks

struct Curve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draws how one person's interest in a topic goes on while nothing happens.",
        discussion: "Example:\n  wane curve models/visits visits.csv --user 17 --topic News --svg curve.svg")

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The person.", valueName: "id")) var user: String
    @Option(help: ArgumentHelp("The topic; the one touched most when absent.", valueName: "name")) var topic: String?
    @Option(
        help: ArgumentHelp(
            "The moment; the person's last event when absent, `end` for the log's end.", valueName: "time"))
    var at: String?
    @Option(
        help: ArgumentHelp("How far ahead; eight half-lives when absent, four horizons at most.", valueName: "time"))
    var ahead: String?
    @Option(help: ArgumentHelp("Write the curve as an SVG picture too.", valueName: "file")) var svg: String?
    @OptionGroup var output: RowOutputOptions

    func run() async throws {
        let console = output.console
        try OutputFile.prepare(svg)
        let bundle = try BundleFolder.read(model, for: [.interest])
        guard bundle.hasCurves else { throw PredictionError.noCurves(family: bundle.description.family) }
        let asked = try AskedPeople(bundle, input, user: user, at: at, answersUnknown: true, console)
        let moment = try asked.moment(user: 0)
        let states = asked.states([0], at: [moment])
        let state = states[0].state
        let number: UInt32
        if let topic {
            number = try asked.topic(topic)
        } else {
            guard let busiest = state.topics.max(by: { ($0.touches, $1.topic) < ($1.touches, $0.topic) }) else {
                throw ValidationError(
                    "nothing is known of \(user) by then; name a --topic for the population's curve, or give a later --at"
                )
            }
            number = busiest.topic
        }
        let question = StateQuestion(person: 0, topic: number, moment: moment)
        let (curve, basis) = try asked.predictor.curves([question], of: states, in: asked.log)[0]
        let name = asked.log.log.topics.names[Int(number)]
        if basis == .population, !asked.isUnknown {
            console.note(
                "note: \(user) has not met \"\(name)\" by then; the curve is the population's chance of a first touch")
        }
        let horizon = Double(bundle.description.split.horizon) / 1e6
        let enough = min(horizon * 4, max((curve.halfLife ?? horizon) * 8, 60))
        guard let span = ahead.map({ TimeSpan.parse($0) }) ?? Int64(enough * 1e6) else {
            throw ValidationError("--ahead: give a time such as 30d")
        }
        let words = state.eventCount > 0 ? asked.log.words(moment, user: 0) : "now"
        let drawing = CurveDrawing(
            user: user, topic: basis == .population ? "\(name) (population)" : name, curve: curve,
            threshold: bundle.description.threshold, ahead: Double(span) / 1e6, clock: bundle.description.clock,
            moment: words)
        if let svg {
            try OutputFile.write(drawing.svg(), to: svg)
            console.note("wrote \(svg)")
        }
        let interval = bundle.halfLifeWords(curve.halfLifeInterval)
        let halfLife = bundle.halfLifeWords(curve.halfLife) + (interval.isEmpty ? "" : " (80 %: \(interval))")
        try CurvePrinting.print(
            drawing, output.format, at: asked.machine(moment, user: 0), basis: basis, halfLife: halfLife,
            span: bundle.logSpan)
    }
}

/// A curve on standard output.
enum CurvePrinting {
    static let machine = [
        "user", "topic", "at", "elapsed_seconds", "interest", "return_probability", "degree", "basis",
    ]

    /// - Parameter span: seconds that the model's log covers.
    static func print(
        _ drawing: CurveDrawing, _ format: RowOutputOptions.Format, at: String, basis: Predictor.Basis,
        halfLife: String, span: Double
    ) throws {
        let (curve, clock) = (drawing.curve, drawing.clock)
        guard format == .table else {
            var printer = RowPrinter(format, machine: machine, people: [])
            for point in drawing.points {
                try printer.print(
                    machine: [
                        .text(drawing.user), .text(drawing.topic), .text(at), .number(point.elapsed),
                        .number(curve.interest(after: point.elapsed)), .number(point.returnProbability),
                        .number(point.degree), .text(basis.rawValue),
                    ], people: [])
            }
            return try printer.finish()
        }
        let seconds = curve.lapse(below: drawing.threshold)
        let lapse =
            seconds == 0
            ? "already"
            : seconds.map { $0 > span ? ModelBundle.beyondLog : "in " + TimeSpan.words(seconds: $0, clock) }
        let what = basis == .history ? "coming back" : "a first touch"
        var facts = "as for people in general who have had none for so long"
        if basis == .history {
            facts =
                "last touch \(TimeSpan.words(seconds: curve.elapsedSinceTopic, clock)) before; "
                + "degree \(Render.number(curve.degree(after: 0), 2)), half-life \(halfLife), "
                + "lapses \(lapse ?? "never") (below \(Render.number(drawing.threshold, 2)))"
        }
        StandardOutput.print(
            """
            \(Colour.bold("\(drawing.user) and \(drawing.topic)")): chance of \(what) within \
            \(TimeSpan.words(seconds: curve.horizon, clock)), from \(drawing.moment) on
            \(facts)

            """)
        let values = drawing.points.map(\.returnProbability)
        let top = max(0.1, ((values.max() ?? 1) * 10).rounded(.up) / 10)
        StandardOutput.print(
            TerminalPlot().draw(
                values, top: top, left: "now", right: "+" + TimeSpan.words(seconds: drawing.ahead, clock)))
    }
}
