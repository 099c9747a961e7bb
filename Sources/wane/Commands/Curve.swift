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
        discussion: "Example:\n  wane curve models/visits visits.csv --user user-17 --topic topic-3 --svg curve.svg")

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The person.", valueName: "id")) var user: String
    @Option(help: ArgumentHelp("The topic; that of the highest interest at the moment when absent.", valueName: "name"))
    var topic: String?
    @Option(
        help: ArgumentHelp(
            "The moment; the person's last event when absent, `end` for the log's end.", valueName: "time"))
    var at: String?
    @Option(
        help: ArgumentHelp(
            "How far ahead; three half-lives and the lapse when absent, as far as the log goes.", valueName: "time"))
    var ahead: String?
    @Option(help: ArgumentHelp("Write the curve as an SVG picture too.", valueName: "file")) var svg: String?
    @OptionGroup var output: RowOutputOptions

    func run() async throws {
        let console = output.console
        try OutputFile.prepare(svg)
        let bundle = try BundleFolder.read(model, for: [.interest])
        bundle.noteFriends(console, mend: "wane explain reads them")
        guard bundle.hasCurves else { throw PredictionError.noCurves(family: bundle.description.family) }
        let asked = try AskedPeople(bundle, input, user: user, at: at, answersUnknown: true, console)
        let moment = try asked.moment(user: 0)
        let states = asked.states([0], at: [moment])
        let state = states[0].state
        let number: UInt32
        if let topic {
            number = try asked.topic(topic)
        } else {
            let met = asked.questions(states, at: [moment], topic: nil).filter { state.topic($0.topic) != nil }
            let chances = try asked.predictor.curves(met, of: states, in: asked.log).map {
                $0.curve.returnProbability(after: 0)
            }
            guard let best = met.indices.max(by: { (chances[$0], met[$1].topic) < (chances[$1], met[$0].topic) }) else {
                throw CommandError(
                    "nothing is known of \(user) by then; name a --topic for the population's curve, or give a later --at"
                )
            }
            number = met[best].topic
        }
        let question = StateQuestion(person: 0, topic: number, moment: moment)
        let (curve, basis) = try asked.predictor.curves([question], of: states, in: asked.log)[0]
        let name = asked.log.log.topics.names[Int(number)]
        if basis == .population, !asked.isUnknown {
            console.note(
                "note: \(user) has not met \"\(name)\" by then; the curve is the population's chance of a first touch")
        }
        let threshold = bundle.description.threshold
        let enough = CurveDrawing.enough(curve, threshold: threshold, span: bundle.logSpan)
        guard let span = ahead.map({ TimeSpan.parse($0) }) ?? Int64(enough * 1e6) else {
            throw ValidationError("--ahead: give a time such as 30d")
        }
        guard span > 0 else { throw ValidationError("--ahead: give a time above 0, such as 30d") }
        let words = state.eventCount > 0 ? asked.log.words(moment, user: 0) : "now"
        let drawing = CurveDrawing(
            user: user, topic: basis == .population ? "\(name) (population)" : name, curve: curve,
            threshold: threshold, ahead: Double(span) / 1e6, clock: bundle.description.clock, moment: words,
            touches: asked.touches(of: number, until: moment),
            halfLife: basis == .history ? bundle.halfLifeWords(curve.halfLife) : "-",
            model: "\(bundle.description.family), seed \(bundle.description.training.seed)", span: bundle.logSpan,
            isPopulation: basis == .population)
        if let svg {
            try OutputFile.write(drawing.svg(), to: svg)
            console.note("wrote \(svg)")
        }
        let interval = bundle.halfLifeWords(curve.halfLifeInterval)
        let halfLife = bundle.halfLifeWords(curve.halfLife) + (interval.isEmpty ? "" : " (80 %: \(interval))")
        try CurvePrinting.print(
            drawing, output.format, at: asked.machine(moment, user: 0), basis: basis, halfLife: halfLife)
    }
}

/// A curve on standard output.
enum CurvePrinting {
    static let machine = [
        "user", "topic", "at", "elapsed_seconds", "interest", "return_probability", "degree", "basis",
    ]

    static func print(
        _ drawing: CurveDrawing, _ format: RowOutputOptions.Format, at: String, basis: Predictor.Basis,
        halfLife: String
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
            : seconds.map { $0 > drawing.span ? ModelBundle.beyondLog : "in " + TimeSpan.words(seconds: $0, clock) }
        let what = basis == .history ? "coming back" : "a first touch"
        var facts = "as for people in general who have had none for so long"
        if basis == .history {
            facts =
                "last touch \(TimeSpan.words(seconds: curve.elapsedSinceTopic, clock)) before; "
                + "degree \(Render.number(curve.degree(after: 0), 2)), "
                + (curve.halfLife == nil ? "interest \(halfLife)" : "half-life \(halfLife)")
                + " from that touch on, while the "
                + "person is around; the chance lapses \(lapse ?? "never") (falls below \(Render.number(drawing.threshold, 2)))"
        }
        StandardOutput.print(
            """
            \(Colour.bold("\(drawing.user) and \(drawing.topic)")): chance of \(what) within \
            \(TimeSpan.words(seconds: curve.horizon, clock)), from \(drawing.moment) on
            \(facts)

            """)
        let values = drawing.points.map(\.returnProbability)
        let highest = values.max() ?? 1
        let top = [0.03, 0.06, 0.09, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9].first { $0 >= highest } ?? 1
        let labels = (0...3).map { third in
            TerminalPlot.Mark(
                share: Double(third) / 3,
                words: third == 0 ? "now" : "+" + TimeSpan.words(seconds: drawing.ahead * Double(third) / 3, clock))
        }
        var marks: [TerminalPlot.Mark] = []
        if let after = drawing.halfLifeAfter, after >= 0 {
            marks.append(
                .init(share: after / drawing.ahead, words: "half-life: \(drawing.halfLife) from the last touch"))
        }
        if let after = drawing.lapseAfter {
            marks.append(
                .init(share: after / drawing.ahead, words: "lapses in \(TimeSpan.words(seconds: after, clock))"))
        }
        StandardOutput.print(TerminalPlot().draw(values, top: top, labels: labels, marks: marks))
    }
}
