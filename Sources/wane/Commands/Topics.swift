import ArgumentParser
import Foundation
import Torch
import WaneBundle
import WaneEvents
import WanePrediction
import WaneReport
import WaneTasks
import WaneTraining

struct Topics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says of each topic how long interest lasts, how many are interested now, and who is about to go.",
        discussion: "Example:\n  wane topics models/visits visits.csv --report topics.html")

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The moment; the log's end when absent.", valueName: "time")) var at: String?
    @Option(help: ArgumentHelp("How many topics; all when absent.", valueName: "n")) var top: Int?
    @Option(help: ArgumentHelp("Write the table as an HTML page.", valueName: "file")) var report: String?
    @OptionGroup var output: RowOutputOptions

    static let machine = [
        "topic", "people", "half_life_seconds", "half_life_low_seconds", "half_life_high_seconds", "half_life_bound",
        "interested_now", "trend_per_period", "lapsing", "main_cause",
    ]

    func run() async throws {
        let console = output.console
        if let top, top < 1 { throw ValidationError("--top \(top): ask for at least one topic") }
        try OutputFile.prepare(report)
        try Runtime.setThreads(1)
        let bundle = try BundleFolder.read(model, for: [.interest])
        guard bundle.hasCurves else { throw PredictionError.noCurves(family: bundle.description.family) }
        bundle.noteDoubts(console)
        bundle.noteFriends(console, mend: "wane causes reads them")
        let (read, _) = try input.read(console, over: bundle.reading)
        let log = try AskedLog(read, for: bundle)
        for words in [log.coverage.words, log.wordsWithoutTopic].compactMap(\.self) { console.note("note: \(words)") }
        // Without the few events that lie far from all others: a wrong clock is no end of a log.
        let span = LogSpan(log.log)
        for note in span.notes { console.note("note: \(note)") }
        var moment = span.end
        if let at {
            guard log.log.clock == .wall, let given = try input.moment(at, over: bundle.reading) else {
                throw ValidationError("--at \(at): give a time such as 2023-01-01 10:00:00")
            }
            guard log.log.span.map({ given >= $0.lowerBound }) == true else {
                throw CommandError("--at \(at): that is before the log's first event; give a later moment")
            }
            moment = given
            bundle.noteFar(moment, console)
        }
        Interruption.listen()
        let all = try Predictor(bundle).topicSummaries(log, at: moment) { people in
            try Interruption.check()
            console.status("asked about \(people) of \(log.userCount) people")
        }
        console.clearStatus()
        let topics = Array(all.prefix(top ?? all.count))
        let clock = bundle.description.clock
        let horizon = TimeSpan.words(bundle.description.split.horizon, clock)
        if let report {
            let page = TopicsPage(
                title: URL(fileURLWithPath: input.log).lastPathComponent, topics: topics,
                moment: clock == .wall ? TimeFormat.words(moment) + " UTC" : "each person's last event",
                horizon: horizon, bundle: bundle)
            try OutputFile.write(page.html(), to: report)
            console.note("wrote \(report)")
        }
        var printer = RowPrinter(
            output.format, machine: Self.machine,
            people: ["topic", "people", "half-life", "eight of ten", "interested", "trend", "lapsing"])
        for topic in topics {
            try printer.print(
                machine: [
                    .text(topic.topic), .whole(topic.people), .number(topic.halfLife), .number(topic.halfLifeLow),
                    .number(topic.halfLifeHigh), .text(bundle.halfLifeBound(topic.halfLife).rawValue),
                    .whole(topic.interestedNow), .number(topic.trendPerPeriod),
                    .whole(topic.lapsing), topic.mainCause.map { .text($0.rawValue) } ?? .none,
                ], people: TopicsPage.cells(topic, bundle))
        }
        try printer.finish()
        if output.format == .table {
            console.note(
                "interested: chance of coming back within \(horizon) at or above \(Render.number(bundle.description.threshold, 2)); "
                    + "trend: against a \(horizon) before; lapsing: below it within \(horizon) if nothing happens")
        }
    }
}
