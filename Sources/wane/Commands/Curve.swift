import ArgumentParser
import Foundation
import WaneData
import WaneInsight
import WaneModels
import WaneTraining

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
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let trained = try ModelFolder.read(model)
        guard trained.hasCurves else {
            throw ValidationError(
                "\(trained.description.family) says nothing about what comes after; train another family")
        }
        let (log, _) = try input.read(console)
        let asking = Asking(task: try Workplace(trained, log, console).task)
        let person = try asking.user(user)
        let pair = try topic.map { try asking.pair(user: person, topic: $0) } ?? asking.busiestPair(of: person)
        let moment = try asking.moment(at, user: person)
        let queries = asking.task.queries(at: [(pair, moment)])
        guard let curve = try trained.session(asking.histories).curves(queries).first else {
            throw ValidationError("\(user) has not met the topic by then; give a later --at")
        }
        let enough = min(Double(asking.task.split.horizon) * 4, max(curve.halfLife * 8e6, Double(EventLog.second) * 60))
        guard let span = ahead.map({ TimeSpan.parse($0) }) ?? Int64(enough) else {
            throw ValidationError("--ahead: give a time such as 30d")
        }
        let name = asking.histories.log.topics.names[Int(asking.histories.pairTopic[pair])]
        let drawing = CurveDrawing(
            user: user, topic: name, curve: curve, threshold: trained.description.threshold,
            ahead: Double(span) / 1e6, clock: log.clock, moment: asking.histories.words(moment, user: person))
        if let svg {
            try Data(drawing.svg().utf8).write(to: URL(fileURLWithPath: svg))
            console.note("wrote \(svg)")
        }
        try CurvePrinting.print(drawing, output.format)
    }
}

/// A curve on standard output.
enum CurvePrinting {
    private struct Answer: Encodable {
        let user: String
        let topic: String
        let halfLifeSeconds: Double
        let lapseSeconds: Double?
        let points: [CurveDrawing.Point]
        let curve: InterestCurve
    }

    static func print(_ drawing: CurveDrawing, _ format: OutputOptions.Format) throws {
        let (curve, clock) = (drawing.curve, drawing.clock)
        switch format {
        case .json:
            Swift.print(
                try Render.json(
                    Answer(
                        user: drawing.user, topic: drawing.topic, halfLifeSeconds: curve.halfLife,
                        lapseSeconds: curve.lapse(below: drawing.threshold), points: drawing.points, curve: curve)))
        case .csv:
            var table = Table(["elapsed_seconds", "degree", "return_chance"])
            for point in drawing.points {
                table.rows.append([
                    Render.number(point.elapsed, 1), Render.number(point.degree, 6),
                    Render.number(point.returnChance, 6),
                ])
            }
            Swift.print(table.csv)
        case .table:
            let lapse = curve.lapse(below: drawing.threshold).map {
                $0 == 0 ? "already" : "in " + TimeSpan.words(seconds: $0, clock)
            }
            Swift.print(
                """
                \(Colour.bold("\(drawing.user) and \(drawing.topic)")): chance of coming back within \
                \(TimeSpan.words(seconds: curve.horizon, clock)), from \(drawing.moment) on
                last touch \(TimeSpan.words(seconds: curve.gap, clock)) before; \
                interest \(Render.number(curve.degree(after: 0), 2)), \
                half-life \(TimeSpan.words(seconds: curve.halfLife, clock)), \
                lapses \(lapse ?? "never") (below \(Render.number(drawing.threshold, 2)))

                """)
            let values = drawing.points.map(\.returnChance)
            let top = max(0.1, ((values.max() ?? 1) * 10).rounded(.up) / 10)
            Swift.print(
                TerminalPlot().draw(
                    values, top: top, left: "now", right: "+" + TimeSpan.words(seconds: drawing.ahead, clock)))
        }
    }
}
