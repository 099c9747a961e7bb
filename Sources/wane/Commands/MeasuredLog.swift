import ArgumentParser
import WaneBundle
import WaneEvents
import WanePrediction
import WaneTasks

/// A saved model of interest and a log with parts to measure it on: questions whose answers are known, each from a time that the
/// model was not trained on where the log has one.
struct MeasuredLog {
    let task: InterestTask
    let predictor: QueryPredictor
    let asked: AskedLog

    /// - Parameters:
    ///   - friends: a file of friendships.
    ///   - start, end: what `--from` and `--to` said; `hasWindow` whether the command has them.
    init(
        _ bundle: ModelBundle, _ input: LogOptions, friends: String?, from start: String?, to end: String?,
        hasWindow: Bool = true, _ console: Console
    ) throws {
        bundle.noteDoubts(console)
        let (log, _) = try input.read(console, over: bundle.reading)
        let asked = try AskedLog(log, for: bundle)
        if let words = asked.coverage.words { console.note("note: \(words)") }
        let split = try Self.window(asked, bundle, input, from: start, to: end, hasWindow)
        let own = bundle.description.split
        if split.validationEnd < own.validationEnd, split.end > own.start {
            console.note(
                "warning: the window begins before \(TimeFormat.words(own.validationEnd)), up to when the model was trained and "
                    + "levelled; if this is a log of the same people, its figures are too good")
        }
        console.status("arranging histories")
        var edges = SocialEdges.none
        if let friends {
            edges = try SocialEdges.read(friends, users: asked.log.users, until: nil)
            if let words = edges.report.words { console.note("note: \(words)") }
        }
        let histories = Histories(sorted: asked.log, scale: bundle.scale, engagement: asked.engagement).knowing(edges)
        if edges.isEmpty { bundle.noteFriends(console, mend: "give them with --friends FILE") }
        task = InterestTask(
            histories, split: split, seed: bundle.description.training.seed,
            typicalEngagement: bundle.description.typicalEngagement, popularity: asked.popularity)
        self.asked = asked.knowing(edges, scale: bundle.scale)
        predictor = QueryPredictor(bundle, asked, histories)
    }

    /// The parts to measure with: the model's own, or a window with what comes before it for the baselines.
    private static func window(
        _ asked: AskedLog, _ bundle: ModelBundle, _ input: LogOptions, from start: String?, to end: String?,
        _ hasWindow: Bool
    ) throws -> Split {
        let own = bundle.description.split
        guard let span = asked.log.span else { throw ValidationError("the log has no events") }
        func moment(_ text: String?, _ name: String) throws -> Int64? {
            try text.map { text in
                guard bundle.description.clock == .wall,
                    let moment = try input.moment(text, over: bundle.reading)
                else { throw ValidationError("--\(name) \(text): give a time such as 2023-01-01 10:00:00") }
                return moment
            }
        }
        let (from, to) = (try moment(start, "from"), try moment(end, "to"))
        if let from, let to, from >= to { throw ValidationError("--from \(start ?? ""): that is not before --to") }
        if let from, from >= span.upperBound {
            throw ValidationError(
                "--from \(start ?? ""): that is after the log's last event, \(TimeFormat.words(span.upperBound))")
        }
        if let from, from <= span.lowerBound {
            throw ValidationError(
                "--from \(start ?? ""): nothing lies before it, and the baselines learn from what does; the log begins at "
                    + TimeFormat.words(span.lowerBound))
        }
        if let to, to <= span.lowerBound {
            throw ValidationError(
                "--to \(end ?? ""): that is before the log's first event, \(TimeFormat.words(span.lowerBound))")
        }
        if from == nil, to == nil, span.contains(own.validationEnd), span.lowerBound < own.trainEnd {
            return Split(
                start: own.start, trainEnd: own.trainEnd, validationEnd: own.validationEnd,
                end: max(own.end, own.validationEnd), horizon: own.horizon, snapshots: own.snapshots, random: own.random
            )
        }
        let first = max(from ?? max(own.validationEnd, span.lowerBound), span.lowerBound)
        let last = min(to ?? span.upperBound, span.upperBound)
        let words = { (span: Int64) in TimeSpan.words(max(0, span), bundle.description.clock) }
        guard last - first > own.horizon else {
            throw ValidationError(
                "the window is \(words(last - first)) long, and the model's horizon \(words(own.horizon)); give "
                    + (hasWindow ? "an earlier --from, a later --to or " : "") + "a longer log")
        }
        // Baselines learn from what comes before the window, three parts of it, and are levelled on the fourth; where
        // nothing comes before, from the window's own first quarter, which is then measured no more.
        let before = first - span.lowerBound
        let room = 4 * own.horizon
        let begin =
            before > room ? first : span.lowerBound + min((last - span.lowerBound) / 2, max(room, (last - first) / 4))
        let trainEnd = span.lowerBound + (begin - span.lowerBound) / 4 * 3
        for (name, length) in [
            ("the baselines to be fitted to", trainEnd - span.lowerBound),
            ("their chances to be calibrated on", begin - trainEnd), ("the window", last - begin),
        ]
        where length <= own.horizon {
            throw ValidationError(
                "the log leaves \(words(length)) for \(name), less than the model's horizon of \(words(own.horizon)); give a "
                    + "longer log" + (hasWindow ? " or a later --from" : ""))
        }
        return Split(
            start: span.lowerBound, trainEnd: trainEnd, validationEnd: begin, end: last, horizon: own.horizon)
    }
}
