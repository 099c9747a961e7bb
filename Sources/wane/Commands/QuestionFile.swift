import ArgumentParser
import WaneEvents
import WanePrediction

/// Questions from a file: `user, topic, at`, in any dialect and any form of times that logs have, also as
/// `--export-queries` writes them.
struct QuestionFile {
    struct Row {
        let user: String
        let topic: String
        let moment: Int64
        /// Nothing where the log does not have the person or the topic.
        let question: LogQuestion?
    }

    private(set) var rows: [Row] = []
    /// Rows that could not be read or asked, in words.
    let words: String?

    init(_ path: String, _ asked: AskedPeople, _ input: LogOptions) throws {
        guard asked.predictor.bundle.description.clock == .wall else {
            throw ValidationError("--queries: the log has order only; ask with --user, --topic and --at POSITION")
        }
        var options = ReadingOptions()
        options.map = [.user: "user", .item: "topic", .time: "at"]
        // Moments are read as those of the log are.
        let own = try input.options(over: asked.predictor.bundle.reading)
        (options.timeZone, options.timeFormat, options.strict) = (own.timeZone, own.timeFormat, own.strict)
        options.preferredTimes = own.preferredTimes
        let (read, report) = try Self.read(path, options)
        for row in 0..<read.count {
            let (user, topic) = (read.users[Int(read.user[row])], read.items[Int(read.item[row])])
            var question: LogQuestion?
            if let person = asked.log.log.users.find(user), let known = asked.log.log.topics.names.find(topic) {
                question = LogQuestion(user: Int(person), topic: known, moment: read.time[row])
            }
            rows.append(Row(user: user, topic: topic, moment: read.time[row], question: question))
        }
        let unknown = rows.count { $0.question == nil }
        var parts: [String] = []
        if report.rejectedCount > 0 {
            let first = report.examples.prefix(3).map(\.description).joined(separator: "; ")
            parts.append("\(report.rejectedCount) rows of \(path) cannot be read (\(first))")
        }
        if unknown > 0 {
            parts.append(
                "\(unknown) rows of \(path) name people or topics that the log does not have; their rows are empty")
        }
        words = parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    /// The file with its moments under `at`, or under `moment` as exported queries have them.
    private static func read(_ path: String, _ options: ReadingOptions) throws -> (EventLog, ReadingReport) {
        do { return try LogReader.read(path, options: options) } catch {
            var other = options
            other.map[.time] = "moment"
            if let found = try? LogReader.read(path, options: other) { return found }
            throw CommandError(
                "\(path): a file of questions has a header with the columns user, topic and at, in any order; \(error)")
        }
    }
}
