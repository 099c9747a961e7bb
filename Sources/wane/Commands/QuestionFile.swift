import ArgumentParser
import WaneEvents
import WanePrediction

/// Questions from a file: `user, topic, at`, in any dialect and any form of times that logs have, also as `--export-queries` writes them, or
/// with people and times under what the log calls them.
struct QuestionFile {
    struct Row {
        let user: String
        let topic: String
        let moment: Int64
        /// Nothing where the log does not have the person or the topic.
        let question: LogQuestion?
        /// The topic's number where it is the person that the log does not have.
        let topicOfStranger: UInt32?

        /// A row without an answer, with so many columns for machines and for people.
        func unanswered(machine: Int, people: Int) -> (machine: [Cell], people: [String]) {
            (
                [.text(user), .text(topic), .text(TimeFormat.rfc3339(moment))]
                    + [Cell](repeating: .none, count: machine - 3),
                [user, topic, TimeFormat.words(moment), "no answer"] + [String](repeating: "-", count: people - 4)
            )
        }
    }

    private(set) var rows: [Row] = []
    /// How many rows name a person whom the log does not have, and how many a topic that neither it nor the model has.
    var strangers: Int { rows.count { $0.topicOfStranger != nil } }
    var withoutTopic: Int { rows.count { $0.question == nil && $0.topicOfStranger == nil } }
    /// Rows about people or topics that the log does not have, in words.
    func words(_ path: String) -> String? {
        let unknown = strangers + withoutTopic
        return unknown == 0
            ? nil : "\(unknown) rows of \(path) name people or topics that the log does not have; their rows are empty"
    }

    init(_ path: String, _ asked: AskedPeople, _ input: LogOptions) throws {
        guard asked.predictor.bundle.description.clock == .wall else {
            throw ValidationError("--queries: the log has order only; ask with --user, --topic and --at POSITION")
        }
        var options = ReadingOptions()
        // A question is these three; columns beside them, such as labels and features, are nobody's business here.
        for role in ColumnRole.allCases { options.map[role] = "" }
        (options.map[.user], options.map[.item], options.map[.time]) = ("user", "topic", "at")
        // Moments are read as those of the log are; each question is to have its row, so that one that cannot be read is an error.
        let own = try input.options(over: asked.predictor.bundle.reading)
        (options.timeZone, options.timeFormat, options.preferredTimes) = (
            own.timeZone, own.timeFormat, own.preferredTimes
        )
        options.strict = true
        let read = try Self.read(path, options)
        for row in 0..<read.count {
            let (user, topic) = (read.users[Int(read.user[row])], read.items[Int(read.item[row])])
            let known = asked.log.log.topics.names.find(topic)
            let person = asked.log.log.users.find(user)
            let question = known.flatMap { topic in
                person.map { LogQuestion(user: Int($0), topic: topic, moment: read.time[row]) }
            }
            rows.append(
                Row(
                    user: user, topic: topic, moment: read.time[row], question: question,
                    topicOfStranger: person == nil ? known : nil))
        }
    }

    /// The file with its moments under `at`, or under `moment` as exported queries have them, or under what a log would have them; as the
    /// log's are written, or as calendar texts.
    private static func read(_ path: String, _ options: ReadingOptions) throws -> EventLog {
        var failure: (any Error)?
        for (user, time) in [
            ("user", "at"), ("user", "moment"), (nil, "at"), (nil, "moment"), ("user", nil), (nil, nil),
        ] {
            for format in [options.timeFormat, .auto] {
                var options = options
                (options.map[.user], options.map[.time], options.timeFormat) = (user, time, format)
                do {
                    let log = try LogReader.read(path, options: options).log
                    guard log.clock == .wall else { continue }
                    return log
                } catch LogError.strict(let file, let row) {
                    failure =
                        failure
                        ?? CommandError("\(file), \(row); each question is to have its row: mend it, or leave it out")
                } catch LogError.unknownColumn {
                    continue
                } catch LogError.missingColumn {
                    continue
                } catch {
                    failure = failure ?? error
                }
            }
            // Its columns are there: others are not looked for.
            if let failure { throw failure }
        }
        throw CommandError(
            "\(path): a file of questions has a header with the columns user, topic and at, in any order; people and times may also be "
                + "called as in logs")
    }
}
