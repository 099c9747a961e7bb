import ArgumentParser
import Foundation
import WaneBundle
import WaneCurves
import WaneEvents
import WaneExplanation
import WanePrediction
import WaneReport
import WaneState
import WaneTasks

struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Says why: which causes move a half-life, what an answer is due to, and whether that is true of the model.",
        discussion: """
            Causes (fatigue, overload, habit, friends) are what models by wane tell apart; all else is answered by every family of
            the interest task.

            Example:
              wane explain models/visits visits.csv --user user-17 --topic topic-3
              wane explain models/visits visits.csv --user user-17 --topic topic-3 --what-if
            """)

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @OptionGroup var about: QuestionOptions
    @Option(help: ArgumentHelp("Friendships, where the model was trained with some.", valueName: "file"))
    var friends: String?
    @Option(
        help: ArgumentHelp(
            "Questions in a file, with columns user, topic, at, answered in its order.", valueName: "file"))
    var queries: String?
    @Flag(exclusivity: .exclusive) var kind: Kind = .causes
    @Option(
        help: ArgumentHelp(
            "With --what-if: had friends been as active as at that moment.", valueName: "time"))
    var friendsAsOf: String?
    @Option(
        help: ArgumentHelp(
            "What answers become along one number that the model reads, such as since_topic.", valueName: "name"))
    var dependence: String?
    @Option(help: ArgumentHelp("Draw the causes of one person and topic as an SVG picture too.", valueName: "file"))
    var svg: String?
    @OptionGroup var output: RowOutputOptions

    /// What is explained, and by what.
    enum Kind: String, EnumerableFlag {
        case causes, whatIf, events, features, importance, check

        static func name(for value: Kind) -> NameSpecification {
            value == .whatIf ? .customLong("what-if") : .customLong(value.rawValue)
        }

        static func help(for value: Kind) -> ArgumentHelp? {
            switch value {
            case .causes: "What each cause multiplies half-lives by (models by wane)."
            case .whatIf:
                "What the model would say without the last touches or days, or in an ordinary week; of one person."
            case .events: "What each of a person's last events does to the answer."
            case .features: "What the answer is due to, by integrated gradients; of one person."
            case .importance: "What the model relies on: the loss where a part of what it reads is that of others."
            case .check:
                "Whether explanations are true of the model: tests that pass or fail; five models are trained for it, which takes minutes."
            }
        }

        /// Whether it is about one person, or about the model as a whole.
        var isOfPerson: Bool { self == .whatIf || self == .events || self == .features }
        var isOfModel: Bool { self == .importance || self == .check }
        var flag: String { self == .whatIf ? "--what-if" : "--" + rawValue }
    }

    static let machine =
        ["user", "topic", "at", "base_half_life_seconds", "half_life_seconds"] + Cause.allCases.map(\.rawValue) + [
            "rest"
        ]
        + Cause.allCases.map { "\($0.rawValue)_credited" } + ["main_cause", "not_shown"]
        + Cause.allCases.flatMap { ["\($0.rawValue)_low", "\($0.rawValue)_high"] }
        + ["half_life_low_seconds", "half_life_high_seconds", "largest_departure"]

    func validate() throws {
        try about.validate(queries: queries)
        if queries != nil, kind != .causes || dependence != nil {
            throw ValidationError("--queries: a file of questions is answered with --causes")
        }
        if dependence != nil, kind != .causes {
            throw ValidationError("--dependence and \(kind.flag): ask for one of them")
        }
        if friendsAsOf != nil {
            guard kind == .whatIf else { throw ValidationError("--friends-as-of: that is asked with --what-if") }
            guard friends != nil else { throw ValidationError("--friends-as-of: give the friends with --friends FILE") }
        }
        if svg != nil, kind != .causes || dependence != nil {
            throw ValidationError(
                "--svg: it draws causes alone; \(dependence == nil ? kind.flag : "--dependence") is printed")
        }
        if svg != nil, about.user == nil || about.topic == nil {
            throw ValidationError(
                "--svg: name one person and one topic, with --user and --topic, for a picture of causes")
        }
        if kind.isOfPerson, about.user == nil {
            throw ValidationError("\(kind.flag): name the person with --user")
        }
        if kind.isOfModel || dependence != nil,
            let other = [("--user", about.user), ("--topic", about.topic), ("--at", about.at)].first(where: {
                $0.1 != nil
            })
        {
            throw ValidationError(
                "\(other.0) and \(dependence == nil ? kind.flag : "--dependence"): that is about the model as a whole")
        }
    }

    func run() async throws {
        let console = output.console
        let bundle = try BundleFolder.read(model, for: [.interest])
        if let dependence {
            try ModelExplanation(self, bundle).printDependence(on: dependence)
            return
        }
        switch kind {
        case .causes: try explainCauses(bundle, console)
        case .whatIf, .events, .features: try PersonExplanation(self, bundle).print()
        case .importance: try ModelExplanation(self, bundle).printImportance()
        case .check: try ModelExplanation(self, bundle).printCheck()
        }
    }

    private func explainCauses(_ bundle: ModelBundle, _ console: Console) throws {
        try OutputFile.prepare(svg)
        // Other people's rows say what friends do.
        let all = friends != nil || queries != nil
        var asked = try AskedPeople(bundle, input, user: all ? nil : about.user, at: about.at, console)
        let explainer = try Explainer(asked.predictor)
        asked = try asked.knowing(friends, console)
        if let obstacle = explainer.obstacle { console.note("note: causes are not told apart: \(obstacle)") }
        var printer = RowPrinter(
            output.format, machine: Self.machine,
            people: ["person", "topic", "at", "ordinary", "half-life"] + Cause.allCases.map(\.rawValue) + ["main cause"]
        )
        var words: [String] = []
        var answered = 0
        func print(_ query: LogQuestion, _ found: Explanation?, _ name: String) throws {
            guard let found else { return }
            answered += 1
            try printer.print(
                machine: machine(query, found, name, asked), people: people(query, found, name, asked))
            if let svg {
                let chart = CauseChart(
                    title:
                        "\(asked.log.log.users[query.user]): \(name), \(asked.words(query.moment, user: query.user))",
                    found, ordinary: bundle.halfLifeWords(found.baseHalfLife),
                    halfLife: bundle.halfLifeWords(found.curve.halfLife))
                try OutputFile.write(chart.standalone(), to: svg)
                console.note("wrote \(svg)")
            }
            guard about.user != nil, output.format == .table else { return }
            words += Cause.allCases.compactMap { found.words($0, topic: name) }.map { "\(name): \($0)" }
        }
        let names = asked.log.log.topics.names
        if let queries {
            let questions = try QuestionFile(queries, asked, input)
            if let words = questions.words(queries) { console.note("note: \(words)") }
            let answers = try explainer.explain(questions.rows.compactMap(\.question), in: asked.log)
            let unmet = answers.count { $0 == nil }
            if unmet > 0 {
                console.note(
                    "note: of \(unmet) of \(answers.count) questions the person had not met the topic by then; their rows are empty"
                )
            }
            var next = answers.makeIterator()
            // A row for each question, answered or not: who asks can lay both side by side.
            for row in questions.rows {
                if let query = row.question, let found = next.next() ?? nil {
                    try print(query, found, row.topic)
                } else {
                    let empty = row.unanswered(machine: Self.machine.count, people: 10)
                    try printer.print(machine: empty.machine, people: empty.people)
                }
            }
        } else {
            let wanted = try about.topic.map { try asked.topic($0) }
            asked.noteWithoutTopic(about.topic, console)
            let only = all ? try about.user.map { try asked.person($0, in: input.log) } : nil
            let known = asked
            try asked.forEachPart(only) { part in
                let met = known.questions(part.states, at: part.moments, topic: wanted).filter {
                    part.states[$0.person].state.topic($0.topic) != nil
                }
                let questions = met.map { question in
                    LogQuestion(user: part.people[question.person], topic: question.topic, moment: question.moment)
                }
                return zip(questions, try explainer.explain(met, of: part.states, in: known.log)).map { ($0, $1) }
            } use: { answers in
                for (query, found) in answers { try print(query, found, names[Int(query.topic)]) }
            }
        }
        guard answered > 0 || queries != nil else {
            console.clearStatus()
            throw asked.nothingToAsk(user: about.user, topic: about.topic)
        }
        try printer.finish()
        guard output.format == .table else { return }
        for line in words { console.note(line) }
        let record = bundle.description.causes
        // What was not measured is not what was looked for and not found.
        let hidden = Cause.allCases.filter { cause in
            guard let record, record.obstacle == nil else { return false }
            return record.evidence[cause].people > 0 && !record.evidence[cause].isShown
        }.map(\.rawValue)
        if !hidden.isEmpty { console.note("not shown by this log: \(hidden.joined(separator: ", "))") }
        console.note("half-life = ordinary times all causes; a cause is what goes together with shorter or longer ones")
    }

    private func machine(
        _ query: LogQuestion, _ found: Explanation, _ topic: String, _ asked: AskedPeople
    ) -> [Cell] {
        [
            .text(asked.log.log.users[query.user]), .text(topic), .text(asked.machine(query.moment, user: query.user)),
            .number(found.baseHalfLife), .number(found.curve.halfLife),
        ] + Cause.allCases.map { .number(found.multiplier($0).value) } + [.number(1)]
            + Cause.allCases.map { .number(found.credited($0)) } + [
                .text(found.mainCause?.rawValue ?? "none"),
                .text(found.notShown.map(\.rawValue).joined(separator: " ")),
            ] + Cause.allCases.flatMap { [Cell.number(found.multiplier($0).low), .number(found.multiplier($0).high)] }
            + [
                .number(found.curve.halfLifeInterval?.lowerBound), .number(found.curve.halfLifeInterval?.upperBound),
                .text(found.largestDeparture?.rawValue ?? "none"),
            ]
    }

    private func people(
        _ query: LogQuestion, _ found: Explanation, _ topic: String, _ asked: AskedPeople
    ) -> [String] {
        let bundle = asked.predictor.bundle
        return [
            asked.log.log.users[query.user], topic, asked.words(query.moment, user: query.user),
            bundle.halfLifeWords(found.baseHalfLife), bundle.halfLifeWords(found.curve.halfLife),
        ]
            + Cause.allCases.map { cause in
                // What the log does not show is no multiplier, whatever the circumstance was.
                found.effects.measures.values[cause] == 0 || found.notShown.contains(cause)
                    ? "-" : "×" + Render.number(found.multiplier(cause).value, 2)
            } + [found.mainCause?.rawValue ?? "-"]
    }
}
