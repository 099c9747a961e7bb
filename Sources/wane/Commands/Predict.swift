import ArgumentParser
import Foundation
import WaneData
import WaneModels
import WaneTraining

struct Predict: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says how interested people are in their topics at a moment, and until when.",
        discussion: """
            Examples:
              wane predict models/visits visits.csv --user 17
              wane predict models/visits visits.csv --at "2023-06-01" --format csv > interest.csv
            """)

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("One person; everyone when absent.", valueName: "id")) var user: String?
    @Option(help: ArgumentHelp("One topic; all that the person has met when absent.", valueName: "name")) var topic:
        String?
    @Option(
        help: ArgumentHelp(
            "The moment; the person's last event when absent, `end` for the log's end.", valueName: "time"))
    var at: String?
    @OptionGroup var output: OutputOptions

    private struct Answer: Encodable {
        let user: String
        let topic: String
        let at: String
        let degree: Double
        let returnChance: Double
        let returns: Bool
        let halfLifeSeconds: Double?
        let lapseSeconds: Double?
    }

    func run() async throws {
        let console = output.console
        let trained = try ModelFolder.read(model)
        let (log, _) = try input.read(console)
        let asking = Asking(task: try Workplace(trained, log, console).task)
        let histories = asking.histories
        var places: [(pair: Int, moment: Int64)] = []
        let users = try user.map { [try asking.user($0)] } ?? Array(0..<histories.userCount)
        let wanted = topic.flatMap { histories.log.topics.names.find($0) }
        if let topic, wanted == nil { throw ValidationError("the log has no topic \"\(topic)\"") }
        for user in users {
            let moment = try asking.moment(at, user: user)
            for pair in histories.userPairs[user]..<histories.userPairs[user + 1] {
                if let wanted, histories.pairTopic[pair] != wanted { continue }
                places.append((pair, moment))
            }
        }
        if let topic, let user, places.isEmpty { _ = try asking.pair(user: asking.user(user), topic: topic) }
        let queries = asking.task.queries(at: places)
        guard queries.count > 0 else {
            throw ValidationError("nobody has met a topic by then; give a later --at")
        }
        let session = try trained.session(histories)
        let (returned, degree) = try session.predict(queries)
        let curves = try session.curves(queries)
        var answers: [Answer] = []
        for row in 0..<queries.count {
            let curve = curves.isEmpty ? nil : curves[row]
            answers.append(
                Answer(
                    user: histories.log.users[Int(queries.user[row])],
                    topic: histories.log.topics.names[Int(queries.topic[row])],
                    at: histories.words(queries.moment[row], user: Int(queries.user[row])),
                    degree: degree[row], returnChance: returned[row],
                    returns: returned[row] >= trained.description.threshold, halfLifeSeconds: curve?.halfLife,
                    lapseSeconds: curve?.lapse(below: trained.description.threshold)))
        }
        if user != nil { answers.sort { $0.returnChance > $1.returnChance } }
        switch output.format {
        case .json: print(try Render.json(answers))
        case .csv, .table:
            let people = output.format == .table
            var table = Table(
                people
                    ? ["person", "topic", "at", "degree", "returns", "half-life", "lapse in"]
                    : [
                        "user", "topic", "at", "degree", "return_chance", "returns", "half_life_seconds",
                        "lapse_seconds",
                    ])
            for answer in answers {
                let start = [answer.user, answer.topic, answer.at, Render.number(answer.degree, people ? 3 : 6)]
                let clock = histories.log.clock
                if people {
                    table.rows.append(
                        start + [
                            Render.number(answer.returnChance, 3),
                            answer.halfLifeSeconds.map { TimeSpan.words(seconds: $0, clock) } ?? "-",
                            answer.lapseSeconds.map { $0 == 0 ? "now" : TimeSpan.words(seconds: $0, clock) } ?? "never",
                        ])
                } else {
                    table.rows.append(
                        start + [
                            Render.number(answer.returnChance, 6), answer.returns ? "1" : "0",
                            answer.halfLifeSeconds.map { Render.number($0, 1) } ?? "",
                            answer.lapseSeconds.map { Render.number($0, 1) } ?? "",
                        ])
                }
            }
            print(people ? table.text : table.csv)
        }
    }
}
