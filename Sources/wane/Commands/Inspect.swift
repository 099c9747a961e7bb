import ArgumentParser
import WaneEvents
import WaneState
import WaneTasks

struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what a log holds, and every kind of row that could not be read.",
        discussion: "Example:\n  wane inspect ml-100k.inter --items ml-100k.item")

    @OptionGroup var input: LogOptions
    @OptionGroup var task: TaskOptions
    @OptionGroup var output: OutputOptions

    private struct Answer: Encodable {
        let accepted: Int
        let rejected: [String: Int]
        let unusedColumns: [String]
        let timesReadAs: [String]
        let files: Int
        let horizonSeconds: Double
        let summary: LogSummary
    }

    func run() async throws {
        let console = output.console
        let (log, report) = try input.read(Console(quiet: true))
        let times = RadixSort.sorted(log.time)
        let sorted = log.sortedByUser()
        // A log that is too short for a horizon of its own choice is described all the same.
        let split =
            task.horizon == nil
            ? try? task.makeSplit(sorted, times: times, console) : try task.makeSplit(sorted, times: times, console)
        let topics = TopicChooser.topics(for: sorted, until: split?.trainEnd ?? .max, seed: task.seed)
        // Nothing is learned here, so no event counts more than another.
        let histories = Histories(
            sorted: sorted.with(topics: topics), scale: EngagementScale(source: .none),
            engagement: [Float](repeating: 1, count: sorted.count))
        let horizon = split?.horizon ?? EventLog.second
        let summary = LogSummary(histories, times: times, horizon: horizon, report: report)
        switch output.format {
        case .json:
            StandardOutput.print(
                try Render.json(
                    Answer(
                        accepted: report.accepted, rejected: report.rejected, unusedColumns: report.unusedColumns,
                        timesReadAs: report.times, files: report.files,
                        horizonSeconds: Double(horizon) / 1e6, summary: summary)))
        case .csv:
            var table = Table(["age_seconds", "returned_share", "cases"])
            for point in summary.returnCurve {
                table.rows.append([Render.number(point.ageSeconds, 0), Render.number(point.share, 6), "\(point.cases)"])
            }
            StandardOutput.print(table.csv)
        case .table: show(summary, report, horizon)
        }
    }

    private func show(_ summary: LogSummary, _ report: ReadingReport, _ horizon: Int64) {
        let clock = summary.clock
        var facts = Table(["", ""])
        facts.rows = [
            ["events", "\(summary.events)"],
            ["people", "\(summary.users) (\(summary.usersWithOneEvent) with one event)"],
            ["items", "\(summary.items)"], ["topics", "\(summary.topics) (\(words(summary.topicSource)))"],
            [
                "time",
                clock == .wall
                    ? "\(TimeFormat.words(summary.start.time)) to \(TimeFormat.words(summary.end.time)) UTC (\(TimeSpan.words(summary.end.time - summary.start.time)))"
                    : "order only: the position in each history stands in for time",
            ],
            [
                "engagement from",
                summary.hasWeights
                    ? "weights or ratings" : summary.hasDurations ? "durations" : "nothing: every event counts 1",
            ],
            [
                "events a person",
                summary.eventsPerUser.map(String.init).joined(separator: " / ") + "  (lowest, quartiles, highest)",
            ],
            [
                "time to return",
                summary.returnGapsSeconds.map { TimeSpan.words(seconds: $0, clock) }.joined(separator: " / "),
            ],
        ]
        if !report.times.isEmpty { facts.rows.insert(["times read as", report.times.joined(separator: "; ")], at: 5) }
        if report.exposures > 0 {
            let types = report.exposureTypes.joined(separator: ", ")
            facts.rows.insert(["exposures", "\(report.exposures) (shown, not done: \(types))"], at: 1)
        }
        if report.files > 1 { facts.rows.insert(["files", "\(report.files)"], at: 0) }
        if !report.unusedColumns.isEmpty {
            facts.rows.append(["columns not used", report.unusedColumns.joined(separator: ", ")])
        }
        StandardOutput.print(String(facts.text.drop { $0 == "\n" || $0 == " " }))

        StandardOutput.print("\n" + Colour.bold("Busiest topics"))
        var topics = Table(["topic", "events", "people"])
        topics.rows = summary.busiestTopics.map { [$0.name, "\($0.events)", "\($0.users)"] }
        StandardOutput.print(topics.text)

        if !summary.returnCurve.isEmpty {
            StandardOutput.print(
                "\n"
                    + Colour.bold(
                        "Who comes back to a topic within \(TimeSpan.words(horizon, clock)), by time since the last touch"
                    ))
            var curve = Table(["since", "share", "", "cases"])
            curve.rows = summary.returnCurve.map { point in
                let bar = String(repeating: "█", count: Int((point.share * 40).rounded()))
                return [
                    TimeSpan.words(seconds: point.ageSeconds, clock), Render.number(point.share, 3),
                    bar.padding(toLength: 40, withPad: " ", startingAt: 0), "\(point.cases)",
                ]
            }
            StandardOutput.print(curve.text)
        }
        StandardOutput.print("\n" + Colour.bold("Rows"))
        StandardOutput.print("\(report.accepted) read, \(report.rejectedCount) set aside")
        for (kind, count) in report.rejected.sorted(by: { $0.key < $1.key }) {
            StandardOutput.print("  \(count)  \(kind)")
        }
        for row in report.examples { StandardOutput.print("    \(row)") }
        for warning in summary.warnings { StandardOutput.print("note: \(warning)") }
    }

    private func words(_ source: ItemTopics.Source) -> String {
        switch source {
        case .column: "from the log"
        case .sideFile: "from the side file"
        case .items: "each item its own"
        case .single: "one for all: the log has no items"
        case .coVisitation: "learned from co-visits"
        }
    }
}
