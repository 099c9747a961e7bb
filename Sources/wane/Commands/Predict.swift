import ArgumentParser
import Foundation
import WaneBundle
import WaneCurves
import WaneEvents
import WaneModels
import WanePrediction
import WaneState
import WaneTasks

struct Predict: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says how interested people are in their topics at a moment, and until when.",
        discussion: """
            A model stands alone: the log may be the one it was trained on, a later one, or a person's few events.

            Examples:
              wane predict models/visits visits.csv --user user-17
              wane predict models/visits visits.csv --at "2023-06-01" --format csv > interest.csv
              wane predict models/visits visits.csv --queries questions.csv --format csv > answers.csv
            """)

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @OptionGroup var about: QuestionOptions
    @Option(help: ArgumentHelp("Only the likeliest returns of each person; all when absent.", valueName: "n")) var top:
        Int?
    @Option(help: ArgumentHelp("Only chances of coming back from this one up.", valueName: "chance")) var min: Double?
    @Option(
        help: ArgumentHelp(
            "Questions in a file, with columns user, topic, at, answered in its order.", valueName: "file"))
    var queries: String?
    @OptionGroup var output: RowOutputOptions

    func validate() throws {
        try about.validate(queries: queries)
        if queries != nil, let said = top != nil ? "--top" : min != nil ? "--min" : nil {
            throw ValidationError("\(said) and --queries: each question of the file has its row")
        }
    }

    func run() async throws {
        let console = output.console
        if let top, top < 1 { throw ValidationError("--top \(top): ask for at least one topic") }
        if let min, !(0...1).contains(min) { throw ValidationError("--min \(min): give a chance in 0...1") }
        let bundle = try BundleFolder.read(model, for: [.interest])
        bundle.noteFriends(console, mend: "wane explain reads them")
        let asked = try AskedPeople(bundle, input, user: about.user, at: about.at, answersUnknown: true, console)
        let rows = PredictionRows(asked: asked, threshold: bundle.description.threshold)
        var printer = RowPrinter(
            output.format, machine: PredictionRows.machine, people: PredictionRows.people, digits: 6)
        if let queries {
            try answerFile(queries, rows, &printer, console)
        } else {
            try answerPeople(rows, &printer, console)
        }
        try printer.finish()
        guard output.format == .table, bundle.hasCurves else { return }
        let horizon = TimeSpan.words(bundle.description.split.horizon, bundle.description.clock)
        console.note(
            "chance: of a touch within \(horizon); half-life: from the last touch on, the person being around; "
                + "lapse: chance below \(Render.number(bundle.description.threshold, 2)), from `at` on"
                + (queries == nil ? about.legend : ""))
    }
}

extension Predict {
    /// Each person's topics, the likeliest return first.
    private func answerPeople(_ rows: PredictionRows, _ printer: inout RowPrinter, _ console: Console) throws {
        let asked = rows.asked
        let wanted = try about.topic.map { try asked.topic($0) }
        asked.noteWithoutTopic(about.topic, console)
        let encoder = printer.encoder
        let (top, min) = (top, min)
        var (answered, printed) = (0, 0)
        try asked.forEachPart { part in
            if let state = part.states.first?.state { asked.noteNothingKnown(state, console) }
            let questions = asked.questions(part.states, at: part.moments, topic: wanted)
            let answers = zip(questions, try rows.answers(questions, part.states)).compactMap { question, answer in
                answer.map { (question: question, answer: $0) }
            }
            var encoded = EncodedRows()
            var ofPerson: [Int: Int] = [:]
            let names = asked.log.log.topics.names
            for (question, answer) in answers.sorted(by: {
                ($0.question.person, $1.answer.returnProbability, names[Int($0.question.topic)])
                    < ($1.question.person, $0.answer.returnProbability, names[Int($1.question.topic)])
            }) {
                if let min, answer.returnProbability < min { continue }
                if let top, ofPerson[question.person, default: 0] >= top { continue }
                ofPerson[question.person, default: 0] += 1
                let asked = LogQuestion(
                    user: part.people[question.person], topic: question.topic, moment: question.moment)
                encoder.append(rows.machine(asked, answer), people: rows.people(asked, answer), to: &encoded)
            }
            return (count: answers.count, rows: encoded)
        } use: { part in
            answered += part.count
            printed += part.rows.count
            try printer.print(part.rows)
        }
        guard answered > 0 else { throw asked.nothingToAsk(topic: about.topic) }
        try asked.noteSilent(console)
        if printed == 0 { console.note("note: of \(answered) answers none has a chance of \(min ?? 0) or more") }
    }

    /// A row for each question of a file, answered or not, in its order: who asks can lay both side by side.
    private func answerFile(
        _ path: String, _ rows: PredictionRows, _ printer: inout RowPrinter, _ console: Console
    ) throws {
        let asked = rows.asked
        console.status("reading \(path)")
        let file = try QuestionFile(path, asked, input)
        let bundle = asked.predictor.bundle
        let answersStrangers = bundle.population != nil && bundle.hasCurves
        if !answersStrangers {
            if let words = file.words(path) { console.note("note: \(words)") }
        } else {
            if file.strangers > 0 {
                console.note(
                    "note: \(file.strangers) rows of \(path) name people whom the log does not have; the answer is the population's"
                )
            }
            if file.withoutTopic > 0 {
                console.note(
                    "note: \(file.withoutTopic) rows of \(path) name topics that neither the log nor the model has; their rows are empty"
                )
            }
        }
        let questions = file.rows.compactMap(\.question)
        let start = ContinuousClock.now
        let answers: [PredictionRows.Answer?] = try asked.predictor.answers(questions, in: asked.log) { done in
            let seconds = Double((ContinuousClock.now - start).components.seconds)
            let left = seconds / Double(done) * Double(questions.count - done)
            console.status("\(done) of \(questions.count) questions answered, \(Int(left)) s left")
        } _: { part in
            try rows.answers(part.questions, part.states)
        }.map { $0 ?? nil }
        console.clearStatus()
        let unmet = answers.count { $0?.basis == .population }
        if unmet > 0 {
            console.note(
                "note: in \(unmet) of \(answers.count) questions the person had not met the topic by then; the answer is the "
                    + "population's")
        }
        let none = answers.count { $0 == nil }
        if none > 0 {
            console.note(
                "note: in \(none) of \(answers.count) questions the person had not met the topic by then; their rows are empty"
            )
        }
        var next = answers.makeIterator()
        let answered = file.rows.map { row in
            row.question.flatMap { question in (next.next() ?? nil).map { (question, $0) } }
        }
        let encoder = printer.encoder
        let parts = stride(from: 0, to: answered.count, by: 4_096).map { $0..<Swift.min(answered.count, $0 + 4_096) }
        try AllCores.inOrder(parts) { part in
            var encoded = EncodedRows()
            for place in part {
                if let (question, answer) = answered[place] {
                    encoder.append(rows.machine(question, answer), people: rows.people(question, answer), to: &encoded)
                } else if answersStrangers, let topic = file.rows[place].topicOfStranger {
                    let row = rows.ofStranger(file.rows[place].user, topic, at: file.rows[place].moment)
                    encoder.append(row.machine, people: row.people, to: &encoded)
                } else {
                    let row = file.rows[place].unanswered(
                        machine: PredictionRows.machine.count, people: PredictionRows.people.count)
                    encoder.append(row.machine, people: row.people, to: &encoded)
                }
            }
            return encoded
        } use: { _, encoded in
            try printer.print(encoded)
        }
    }
}

/// The rows that `predict` prints.
struct PredictionRows: Sendable {
    let asked: AskedPeople
    let threshold: Double

    static let machine = [
        "user", "topic", "at", "degree", "return_probability", "returns", "half_life_seconds", "half_life_low_seconds",
        "half_life_high_seconds", "half_life_bound", "lapse_at", "lapse_bound", "basis",
    ]
    static let people = ["person", "topic", "at", "degree", "chance", "half-life", "lapse in"]

    struct Answer: Sendable {
        let degree: Double
        let returnProbability: Double
        /// Nothing for what has not begun, which has no half-life and cannot lapse.
        let curve: InterestCurve?
        let basis: Predictor.Basis
    }

    /// Answers, in the order of the questions; none where the person has not met the topic and the model says nothing of others.
    func answers(_ questions: [StateQuestion], _ states: [(state: PersonState, user: Int64)]) throws -> [Answer?] {
        guard asked.predictor.bundle.hasCurves else {
            return zip(questions, try asked.predictor.degrees(questions, of: states)).map { question, degree in
                states[question.person].state.topic(question.topic).map { _ in
                    Answer(degree: degree, returnProbability: degree, curve: nil, basis: .history)
                }
            }
        }
        return try asked.predictor.curves(questions, of: states, in: asked.log).map { found in
            Answer(
                degree: found.curve.degree(after: 0), returnProbability: found.curve.returnProbability(after: 0),
                curve: found.basis == .history ? found.curve : nil, basis: found.basis)
        }
    }

    /// What is said of somebody of whom the log has nothing.
    func ofStranger(_ user: String, _ topic: UInt32, at moment: Int64) -> (machine: [Cell], people: [String]) {
        let curve = asked.predictor.populationCurve(
            topicRow: asked.log.rows.topicRow[Int(topic)], elapsed: 0)
        let answer = Answer(
            degree: curve.degree(after: 0), returnProbability: curve.returnProbability(after: 0), curve: nil,
            basis: .population)
        let name = asked.log.log.topics.names[Int(topic)]
        return (
            machine(user, name, moment, at: TimeFormat.rfc3339(moment), lapseAt: nil, answer),
            people(user, name, at: TimeFormat.words(moment), answer)
        )
    }

    func machine(_ question: LogQuestion, _ answer: Answer) -> [Cell] {
        let bundle = asked.predictor.bundle
        let lapse = answer.curve.flatMap { bundle.lapse($0) }
        return machine(
            asked.log.log.users[question.user], asked.log.log.topics.names[Int(question.topic)], question.moment,
            at: asked.machine(question.moment, user: question.user),
            lapseAt: bundle.lapseMoment(lapse, from: question.moment).map { asked.machine($0, user: question.user) },
            answer)
    }

    private func machine(
        _ user: String, _ topic: String, _ moment: Int64, at: String, lapseAt: String?, _ answer: Answer
    ) -> [Cell] {
        let bundle = asked.predictor.bundle
        let lapse = answer.curve.flatMap { bundle.lapse($0) }
        return [
            .text(user), .text(topic), .text(at), .number(answer.degree),
            .number(answer.returnProbability), .flag(answer.returnProbability >= threshold),
            .number(answer.curve?.halfLife),
            .number(answer.curve?.halfLifeInterval?.lowerBound), .number(answer.curve?.halfLifeInterval?.upperBound),
            answer.curve.map { .text(bundle.halfLifeBound($0.halfLife).rawValue) } ?? .none,
            lapseAt.map { .text($0) } ?? .none,
            answer.curve.map { _ in .text(bundle.lapseBound(lapse).rawValue) } ?? .none,
            .text(answer.basis.rawValue),
        ]
    }

    func people(_ question: LogQuestion, _ answer: Answer) -> [String] {
        people(
            asked.log.log.users[question.user], asked.log.log.topics.names[Int(question.topic)],
            at: asked.words(question.moment, user: question.user), answer)
    }

    private func people(_ user: String, _ topic: String, at: String, _ answer: Answer) -> [String] {
        [
            user, answer.basis == .history ? topic : "\(topic) (population)", at, Render.number(answer.degree, 3),
            Render.number(answer.returnProbability, 3),
            answer.curve.map { asked.predictor.bundle.halfLifeWords($0.halfLife) } ?? "-",
            answer.curve.map { asked.predictor.bundle.lapseWords($0.lapse(below: threshold)) } ?? "-",
        ]
    }
}
