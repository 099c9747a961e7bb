import ArgumentParser
import Foundation
import WaneBundle
import WaneCurves
import WaneEvents
import WaneExplanation
import WanePrediction
import WaneState

/// What the answers about one person are due to: had something been otherwise, by event, and by what the model reads.
struct PersonExplanation {
    private let command: Explain
    private let asked: AskedPeople
    private let person: Int
    private let console: Console

    init(_ command: Explain, _ bundle: ModelBundle) throws {
        self.command = command
        console = command.output.console
        guard bundle.hasCurves else { throw PredictionError.noCurves(family: bundle.description.family) }
        let name = command.about.user ?? ""
        // Other people's rows say what friends do.
        let only = command.friends == nil ? name : nil
        let own = try AskedPeople(bundle, command.input, user: only, at: command.about.at, console)
        asked = try own.knowing(command.friends, console)
        person = try asked.person(name, in: command.input.log)
    }

    /// The person's questions: one topic, or all that they have met by then.
    private func questions() throws -> (topics: [UInt32], moment: Int64) {
        let moment = try asked.moment(user: person)
        let state = asked.predictor.state(of: person, in: asked.log, until: moment)
        let wanted = try command.about.topic.map { try asked.topic($0) }
        let met = asked.met(state, wanted)
        asked.noteWithoutTopic(command.about.topic, console)
        let topics = wanted.map { met.contains($0) ? [$0] : [] } ?? met
        guard !topics.isEmpty else {
            throw asked.nothingToAsk(user: command.about.user, topic: command.about.topic)
        }
        return (topics, moment)
    }

    func print() throws {
        let (topics, moment) = try questions()
        switch command.kind {
        case .whatIf: try printWhatIf(topics, moment)
        case .events: try printEvents(topics, moment)
        default: try printFeatures(topics, moment)
        }
    }

    private func name(_ topic: UInt32) -> String { asked.log.log.topics.names[Int(topic)] }
    private func first(_ topic: UInt32, _ moment: Int64) -> [Cell] {
        [
            .text(asked.log.log.users[person]), .text(name(topic)), .text(asked.machine(moment, user: person)),
        ]
    }

    // MARK: What if

    static let whatIf = [
        "user", "topic", "at", "change", "half_life_seconds", "return_probability", "degree", "basis",
    ]

    private func printWhatIf(_ topics: [UInt32], _ moment: Int64) throws {
        var changes: [Counterfactual.Change] = [
            .asItIs, .withoutTouches(1), .withoutTouches(5), .withoutDays(7), .withoutDays(30),
        ]
        // A cause that the log does not show is not credited with what an answer would be without it.
        if let record = asked.predictor.bundle.description.causes {
            if let obstacle = record.obstacle { console.note("note: causes are not told apart: \(obstacle)") }
            changes += Cause.allCases.filter { record.evidence[$0].isShown }.map { .ordinary($0) }
        }
        if let text = command.friendsAsOf {
            guard let other = try command.input.moment(text, over: asked.predictor.bundle.reading) else {
                throw ValidationError("--friends-as-of \(text): give a time such as 2023-03-01")
            }
            guard other <= moment else {
                throw ValidationError(
                    "--friends-as-of \(text): that is after the moment asked about, and nothing later is read")
            }
            guard asked.predictor.bundle.description.causes != nil else {
                throw ValidationError("--friends-as-of: this model reads nothing of what friends do; wane does")
            }
            if let start = asked.log.log.span?.lowerBound, other < start {
                throw ValidationError(
                    "--friends-as-of \(text): that is before the log begins, \(TimeFormat.words(start))")
            }
            changes.append(.friendsAsOf(other))
            if asked.predictor.bundle.description.causes?.evidence[.social].isShown != true {
                console.note("note: that friends move half-lives is not shown by the model's log")
            }
        }
        var printer = RowPrinter(
            command.output.format, machine: Self.whatIf,
            people: ["topic", "had it been", "half-life", "comes back", "degree"])
        let bundle = asked.predictor.bundle
        for topic in topics {
            let answers = try asked.predictor.counterfactuals(person, topic, at: moment, in: asked.log, changes)
            if let last = changes.last, case .friendsAsOf = last, !answers.contains(where: { $0.change == last }) {
                console.note(
                    "note: \(name(topic)) was last touched in the person's first ten days, in which what friends do counts as nothing"
                )
            }
            for answer in answers {
                let isKnown = answer.basis == .history
                let (chance, degree) = (answer.curve.returnProbability(after: 0), answer.curve.degree(after: 0))
                try printer.print(
                    machine: first(topic, moment) + [
                        .text(words(answer.change)), .number(isKnown ? answer.curve.halfLife : nil), .number(chance),
                        .number(degree), .text(answer.basis.rawValue),
                    ],
                    people: [
                        name(topic), words(answer.change),
                        isKnown ? bundle.halfLifeWords(answer.curve.halfLife) : "not met (population)",
                        Render.number(chance, 3), Render.number(degree, 3),
                    ])
            }
        }
        try printer.finish()
    }

    private func words(_ change: Counterfactual.Change) -> String {
        switch change {
        case .asItIs: "as it is"
        case .withoutTouches(1): "without the topic's last touch"
        case .withoutTouches(let count): "without the topic's last \(count) touches"
        case .withoutDays(let days):
            "without any event of the last \(days) \(asked.log.log.clock == .wall ? "days" : "positions")"
        case .ordinary(let cause): "without \(cause.rawValue)"
        case .friendsAsOf(let moment): "friends as of \(asked.log.log.clock == .wall ? TimeFormat.rfc3339(moment) : "")"
        }
    }

    // MARK: Events

    static let events = [
        "user", "topic", "at", "event_at", "item", "touches_topic", "left_out", "gradient", "attention",
    ]

    private func printEvents(_ topics: [UInt32], _ moment: Int64) throws {
        var printer = RowPrinter(
            command.output.format, machine: Self.events,
            people: ["topic", "event", "item", "left out", "gradient", "attention"])
        let log = asked.log.log
        for topic in topics {
            for credit in try asked.predictor.eventCredits(person, topic, at: moment, in: asked.log) {
                let item = log.items[Int(log.item[credit.event])]
                let touches = log.topics[log.item[credit.event]].contains(topic)
                let at = log.time[credit.event]
                try printer.print(
                    machine: first(topic, moment) + [
                        .text(asked.machine(at, user: person)), .text(item), .flag(touches), .number(credit.leftOut),
                        .number(credit.gradient), .number(credit.attention),
                    ],
                    people: [
                        name(topic), asked.words(at, user: person), item + (touches ? "" : " (another topic)"),
                        Render.signed(credit.leftOut, 2), credit.gradient.map { Render.signed($0, 2) } ?? "-",
                        credit.attention.map { Render.number($0, 2) } ?? "-",
                    ])
            }
        }
        try printer.finish()
        guard command.output.format == .table else { return }
        console.note(
            "left out: by how many logits the chance of coming back is higher with the event than without it; gradient: its share of "
                + "the integrated gradients; attention: what a family with attention attends to, which is no explanation by itself"
        )
    }

    // MARK: Features

    private func words(_ value: Double, of input: String) -> String {
        input.hasPrefix("since_")
            ? TimeSpan.words(Int64(value * 1e6), asked.log.log.clock) : Render.number(value, 2)
    }

    static let features = [
        "user", "topic", "at", "input", "value", "credit", "ordinary_probability", "return_probability",
    ]

    /// How much of the horizon counts in the person's own hours, as a share of it.
    private func ownHours(_ state: PersonState, _ moment: Int64) -> Double {
        let (from, horizon) = (Double(moment) / 1e6, Double(state.schema.horizon) / 1e6)
        return state.rhythm.map { $0.length(from: from, to: from + horizon) / horizon } ?? 1
    }

    private func printFeatures(_ topics: [UInt32], _ moment: Int64) throws {
        var printer = RowPrinter(
            command.output.format, machine: Self.features, people: ["topic", "input", "value", "credit"])
        let state = asked.predictor.state(of: person, in: asked.log, until: moment)
        let user = asked.log.userOf[person]
        var notes: [String] = []
        for topic in topics {
            guard
                let found = try asked.predictor.attribution(topic, at: moment, of: state, user: user, in: asked.log),
                let own = state.topic(topic)
            else { continue }
            let credits = found.credits
            var values = [Float](repeating: 0, count: FeatureSchema.lastEventCount)
            values.withUnsafeMutableBufferPointer { values in
                guard let base = values.baseAddress else { return }
                state.writeFeatures(of: own, popularity: asked.log.popularity, to: base)
            }
            var rows: [(input: String, value: Double?, credit: Double)] = [
                ("since_topic", Double(moment - own.lastTime) / 1e6, credits.sinceTopic),
                ("since_event", Double(moment - state.lastTime) / 1e6, credits.sinceEvent),
                ("own_hours", ownHours(state, moment), credits.season),
                ("own_rate", state.rate(of: topic).map(exp), credits.rate),
            ]
            rows += FeatureSchema.lastEventNames.indices.map {
                (FeatureSchema.lastEventNames[$0], Double(values[$0]), credits.features[$0])
            }
            if let causes = credits.causes {
                let measures = state.measures(of: topic)
                rows += Cause.allCases.map { cause in
                    (cause.rawValue, measures.map { Double($0.values[cause]) }, causes[cause])
                }
            }
            if !credits.events.isEmpty { rows.append(("events", nil, credits.events.reduce(0, +))) }
            rows.sort { (abs($0.credit), $1.input) > (abs($1.credit), $0.input) }
            // People read what matters; machines get all.
            let shown = command.output.format == .table ? Array(rows.prefix(12)) : rows
            func probability(_ logit: Double) -> Double { 1 / (1 + exp(-logit)) }
            for row in shown {
                try printer.print(
                    machine: first(topic, moment) + [
                        .text(row.input), .number(row.value), .number(row.credit),
                        .number(probability(credits.ordinary)), .number(probability(credits.actual)),
                    ],
                    people: [
                        name(topic), row.input, row.value.map { words($0, of: row.input) } ?? "-",
                        Render.signed(row.credit, 3),
                    ])
            }
            func chance(_ logit: Double) -> String { Render.number(probability(logit), 3) }
            notes.append(
                "\(name(topic)): an ordinary question \(chance(credits.ordinary)), this one \(chance(credits.actual)); "
                    + "credits, in logits, add up to within \(Render.number(100 * (credits.completenessError ?? .nan), 2)) %"
            )
        }
        try printer.finish()
        guard command.output.format == .table else { return }
        for note in notes { console.note(note) }
    }
}
