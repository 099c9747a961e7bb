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
              wane predict models/visits visits.csv --user 17
              wane predict models/visits visits.csv --at "2023-06-01" --format csv > interest.csv
            """)

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @OptionGroup var about: QuestionOptions
    @Option(help: ArgumentHelp("Only the likeliest returns of each person; all when absent.", valueName: "n")) var top:
        Int?
    @Option(help: ArgumentHelp("Only chances of coming back from this one up.", valueName: "chance")) var min: Double?
    @OptionGroup var output: RowOutputOptions

    func run() async throws {
        let console = output.console
        if let top, top < 1 { throw ValidationError("--top \(top): ask for at least one topic") }
        if let min, !(0...1).contains(min) { throw ValidationError("--min \(min): give a chance in 0...1") }
        let bundle = try BundleFolder.read(model, for: [.interest])
        bundle.noteFriends(console, mend: "wane explain reads them")
        let asked = try AskedPeople(bundle, input, user: about.user, at: about.at, answersUnknown: true, console)
        let wanted = try about.topic.map { try asked.topic($0) }
        let rows = PredictionRows(asked: asked, threshold: bundle.description.threshold)
        var printer = RowPrinter(
            output.format, machine: PredictionRows.machine, people: PredictionRows.people, digits: 6)
        var (answered, printed) = (0, 0)
        try asked.forEachPart { people, moments, states in
            if let state = states.first?.state { asked.noteNothingKnown(state, console) }
            let questions = asked.questions(states, at: moments, topic: wanted)
            let answers = try rows.answers(questions, states, people)
            answered += answers.count
            var ofPerson: [Int: Int] = [:]
            // Person by person; of each, the likeliest return first.
            for answer in answers.sorted(by: {
                ($0.user, $1.returnProbability, $0.topic) < ($1.user, $0.returnProbability, $1.topic)
            }) {
                if let min, answer.returnProbability < min { continue }
                if let top, ofPerson[answer.user, default: 0] >= top { continue }
                ofPerson[answer.user, default: 0] += 1
                try printer.print(machine: rows.machine(answer), people: rows.people(answer))
                printed += 1
            }
        }
        guard answered > 0 else { throw asked.nothingToAsk(topic: about.topic) }
        try asked.noteSilent(console)
        if printed == 0 { console.note("note: of \(answered) answers none has a chance of \(min ?? 0) or more") }
        try printer.finish()
        guard output.format == .table, bundle.hasCurves else { return }
        let horizon = TimeSpan.words(bundle.description.split.horizon, bundle.description.clock)
        console.note(
            "returns: chance of a touch within \(horizon); half-life: from the last touch on, the person being around; "
                + "lapse: that chance below \(Render.number(bundle.description.threshold, 2)), from `at` on")
    }
}

/// The rows that `predict` prints.
struct PredictionRows {
    let asked: AskedPeople
    let threshold: Double

    static let machine = [
        "user", "topic", "at", "degree", "return_probability", "returns", "half_life_seconds", "half_life_low_seconds",
        "half_life_high_seconds", "lapse_at", "basis",
    ]
    static let people = ["person", "topic", "at", "degree", "returns", "half-life", "lapse in"]

    struct Answer {
        let user: Int
        let topic: String
        let moment: Int64
        let degree: Double
        let returnProbability: Double
        /// Nothing for what has not begun, which has no half-life and cannot lapse.
        let curve: InterestCurve?
        let basis: Predictor.Basis
    }

    func answers(
        _ questions: [StateQuestion], _ states: [(state: PersonState, user: Int64)], _ users: [Int]
    ) throws -> [Answer] {
        let names = asked.log.log.topics.names
        func answer(
            _ question: StateQuestion, _ p: Double, _ y: Double, _ curve: InterestCurve?, _ basis: Predictor.Basis
        )
            -> Answer
        {
            Answer(
                user: users[question.person], topic: names[Int(question.topic)], moment: question.moment, degree: y,
                returnProbability: p, curve: curve, basis: basis)
        }
        guard asked.predictor.bundle.hasCurves else {
            let met = questions.filter { states[$0.person].state.topic($0.topic) != nil }
            return zip(met, try asked.predictor.degrees(met, of: states)).map { answer($0, $1, $1, nil, .history) }
        }
        return zip(questions, try asked.predictor.curves(questions, of: states, in: asked.log)).map { question, found in
            answer(
                question, found.curve.returnProbability(after: 0), found.curve.degree(after: 0),
                found.basis == .history ? found.curve : nil, found.basis)
        }
    }

    func machine(_ answer: Answer) -> [Cell] {
        let lapse = answer.curve?.lapse(below: threshold)
        // A lapse beyond what a moment can be is none.
        let at = lapse.flatMap { seconds -> String? in
            guard seconds < Double(TimeSpan.longest) / 1e6 else { return nil }
            return asked.machine(answer.moment + Int64(seconds * 1e6), user: answer.user)
        }
        return [
            .text(asked.log.log.users[answer.user]), .text(answer.topic),
            .text(asked.machine(answer.moment, user: answer.user)), .number(answer.degree),
            .number(answer.returnProbability), .flag(answer.returnProbability >= threshold),
            .number(answer.curve?.halfLife),
            .number(answer.curve?.halfLifeInterval?.lowerBound), .number(answer.curve?.halfLifeInterval?.upperBound),
            at.map { .text($0) } ?? .none, .text(answer.basis.rawValue),
        ]
    }

    func people(_ answer: Answer) -> [String] {
        return [
            asked.log.log.users[answer.user],
            answer.basis == .history ? answer.topic : "\(answer.topic) (population)",
            asked.words(answer.moment, user: answer.user), Render.number(answer.degree, 3),
            Render.number(answer.returnProbability, 3),
            answer.curve.map { asked.predictor.bundle.halfLifeWords($0.halfLife) } ?? "-",
            answer.curve.map { asked.predictor.bundle.lapseWords($0.lapse(below: threshold)) } ?? "-",
        ]
    }
}
