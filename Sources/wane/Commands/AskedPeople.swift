import ArgumentParser
import Foundation
import Torch
import WaneBundle
import WaneEvents
import WaneModels
import WanePrediction
import WaneState
import WaneTasks

/// A model, a log read as its own was, and the people in it that a question is about.
struct AskedPeople: Sendable {
    let predictor: Predictor
    /// The only person asked about, where it is one.
    let user: String?
    /// Nothing where the log has no row of the only person asked about.
    var log: AskedLog
    /// Whether the only person asked about has no row in the log.
    let isUnknown: Bool
    /// The last moment of the whole log, also where one person's rows are kept.
    private let end: Int64?
    /// What `--at` said, and the moment that it is where it is one for everybody.
    private let at: String?
    private let typed: Int64?

    /// - Parameters:
    ///   - user: the only person whose rows are read; everybody's when absent.
    ///   - at: the moment asked about: `end` needs everybody's rows.
    ///   - answersUnknown: whether somebody of whom nothing is known is answered from the population.
    init(
        _ bundle: ModelBundle, _ input: LogOptions, user: String?, at: String?, answersUnknown: Bool = false,
        _ console: Console
    ) throws {
        self.user = user
        self.at = at
        // Blocks of one person are too small for a second thread.
        try Runtime.setThreads(1)
        bundle.noteDoubts(console)
        predictor = Predictor(bundle)
        var last: Int64?
        do {
            var (read, _) = try input.read(
                console, over: bundle.reading, onlyUser: at == Self.endOfLog ? nil : user)
            // Without the few events that lie far from all others: a wrong clock is no end of a log.
            if read.count > 0, user == nil || at == Self.endOfLog {
                let span = LogSpan(read)
                last = span.end
                for note in span.notes { console.note("note: \(note)") }
            } else {
                last = read.span?.upperBound
            }
            if let user, at == Self.endOfLog {
                guard let own = read.only(user) else { throw LogError.noSuchUser(file: input.log, name: user) }
                read = own
            }
            log = try AskedLog(read, for: bundle)
            isUnknown = false
            if user == nil, let words = log.coverage.words { console.note("note: \(words)") }
        } catch let error as LogError where answersUnknown {
            guard let user, let words = error.words(ofUnknown: user) else { throw error }
            console.note("note: \(words); the answer is the population's\(input.likeName(user, over: bundle.reading))")
            log = try AskedLog(.empty(of: user, clock: bundle.description.clock, like: bundle), for: bundle)
            isUnknown = true
        }
        end = last
        // Read once, not for each person; in a log of positions it is each person's own.
        var typed: Int64?
        if let at, at != Self.endOfLog, log.log.clock == .wall {
            typed = try input.moment(at, over: bundle.reading)
            guard typed != nil else {
                throw ValidationError("--at \(at): give a time such as 2023-01-01 10:00:00, or end for the log's end")
            }
        }
        self.typed = typed
        if let typed { bundle.noteFar(typed, console) }
    }

    /// What `--at` says for the last moment of the log.
    private static let endOfLog = "end"

    /// The moment asked about: what `--at` said, or the end of the person's own history.
    func moment(user: Int) throws -> Int64 {
        let events = log.events(ofUser: user)
        let last = events.last.map { log.log.time[$0] } ?? predictor.bundle.popularity.until
        guard let at else { return last }
        if at == Self.endOfLog { return end ?? last }
        if let typed { return typed }
        if events.isEmpty { return last }
        guard let position = Int64(at), position > 0, position < 1 << 40 else {
            throw ValidationError(
                "--at \(at): the log has order only; give a position such as 12, or end for the log's end")
        }
        return log.moment(ofPosition: position, user: user)
    }

    /// A moment for machines: RFC 3339, or a position.
    func machine(_ moment: Int64, user: Int) -> String {
        log.log.clock == .wall
            ? TimeFormat.rfc3339(moment) : log.events(ofUser: user).isEmpty ? "" : log.words(moment, user: user)
    }

    /// Seconds from each touch of a topic by the only person asked about up to a moment.
    func touches(of topic: UInt32, until moment: Int64) -> [Double] {
        log.events(ofUser: 0).filter { log.log.time[$0] <= moment && log.log.topics[log.log.item[$0]].contains(topic) }
            .map { Double(moment - log.log.time[$0]) / 1e6 }
    }

    func words(_ moment: Int64, user: Int) -> String {
        log.events(ofUser: user).isEmpty ? "-" : log.words(moment, user: user)
    }

    /// What is asked about people: each of their topics, or one. Of one person, who has no event by then, all that the
    /// model knows.
    ///
    /// - Parameter topic: the only topic asked about; of one person also where they have not met it.
    func questions(
        _ states: [(state: PersonState, user: Int64)], at moments: [Int64], topic: UInt32?
    ) -> [StateQuestion] {
        var questions: [StateQuestion] = []
        for (person, moment) in moments.enumerated() {
            let met = met(states[person].state, topic)
            // What nothing is known of is asked about where the model says something of it.
            let isAnswered = user != nil && predictor.bundle.population != nil
            let all =
                met.isEmpty && isAnswered ? log.knownTopics : met
            let topics = topic.map { isAnswered || met.contains($0) ? [$0] : [] } ?? all
            questions += topics.map { StateQuestion(person: person, topic: $0, moment: moment) }
        }
        return questions
    }

    /// The topics that a person has met: see ``AskedLog/met(_:)``; what no topic is known of too where one is asked for.
    func met(_ state: PersonState, _ topic: UInt32?) -> [UInt32] {
        topic == nil ? log.met(state) : state.topics.map(\.topic).sorted()
    }

    /// Says what the answers leave out, where no topic is asked for.
    func noteWithoutTopic(_ topic: String?, _ console: Console) {
        guard topic == nil, let words = log.wordsWithoutTopic else { return }
        console.note(
            "note: \(words), but for people who met nothing else; --topic \"\(ItemTopics.unknownName)\" asks about them"
        )
    }

    /// Says that the answer about the only person is the population's, where they have no event by then.
    func noteNothingKnown(_ state: PersonState, _ console: Console) {
        guard let user, !isUnknown, state.eventCount == 0, predictor.bundle.population != nil else { return }
        console.note("note: \(user) has no event by then; the answer is the population's")
    }

    /// Why there is no answer at all.
    func nothingToAsk(user only: String? = nil, topic: String?) -> PredictionError {
        guard let user = user ?? only else { return topic.map { .nobodyMet(topic: $0) } ?? .nobodyYet }
        return topic.map { .notMet(user: user, topic: $0) } ?? .noEventYet(user: user)
    }

    /// The number of a topic by its name.
    func topic(_ name: String) throws -> UInt32 {
        guard let topic = log.log.topics.names.find(name) else {
            throw PredictionError.unknownTopic(name, known: predictor.bundle.vocabulary.topics.names)
        }
        return topic
    }

    /// The same with what people's friends do, from a file; said where the model knows of friends and none are given.
    func knowing(_ friends: String?, _ console: Console) throws -> AskedPeople {
        let bundle = predictor.bundle
        guard let friends else {
            bundle.noteFriends(console, mend: "give them with --friends FILE")
            return self
        }
        var other = self
        if bundle.description.causes == nil {
            console.note(
                "note: \(bundle.description.family) reads what friends did from its own folder: \(friends) is not used")
            return self
        }
        if bundle.description.causes?.evidence[.social].people == 0 {
            console.note(
                "note: the model was trained without friends: what they do counts as nothing; train with --friends FILE"
            )
        }
        let edges = try SocialEdges.read(friends, users: log.log.users, until: nil)
        if let words = edges.report.words { console.note("note: \(words)") }
        other.log = log.knowing(edges, scale: bundle.scale)
        return other
    }

    /// The number of a person by their name, in a log of everybody's rows.
    func person(_ name: String, in file: String) throws -> Int {
        guard let person = log.log.users.find(name) else { throw LogError.noSuchUser(file: file, name: name) }
        return Int(person)
    }

    /// Some people, each with their state as of the moment asked about.
    struct Part {
        let people: [Int]
        let moments: [Int64]
        let states: [(state: PersonState, user: Int64)]
    }

    private static let peopleAtOnce = 256

    /// Answers about everybody, some people at a time on each core, handed on in the order of people.
    ///
    /// - Parameters:
    ///   - only: one person, where others' rows are there for what friends do.
    ///   - answer: called by several threads.
    func forEachPart<Answer: Sendable>(
        _ only: Int? = nil, _ answer: @Sendable (Part) throws -> Answer, use: (Answer) throws -> Void
    ) throws {
        let everybody = only.map { $0..<$0 + 1 } ?? 0..<log.userCount
        let parts = stride(from: everybody.lowerBound, to: everybody.upperBound, by: Self.peopleAtOnce).map {
            $0..<min(everybody.upperBound, $0 + Self.peopleAtOnce)
        }
        try AllCores.inOrder(parts) { people in
            let moments = try people.map { try moment(user: $0) }
            return try answer(Part(people: Array(people), moments: moments, states: states(people, at: moments)))
        } use: { _, answer in
            try use(answer)
        }
    }

    /// How many people have no event by the moment asked about, of whom nothing was printed.
    func noteSilent(_ console: Console) throws {
        guard user == nil, at != nil else { return }
        var silent = 0
        for person in 0..<log.userCount {
            let moment = try moment(user: person)
            if let first = log.events(ofUser: person).first, log.log.time[first] > moment { silent += 1 }
        }
        if silent > 0 {
            console.note("note: \(silent) of \(log.userCount) people have no event by then; nothing is printed of them")
        }
    }

    /// States of some people at moments of their own, with their numbers among those whose friends are known.
    func states(_ users: some Collection<Int>, at moments: [Int64]) -> [(state: PersonState, user: Int64)] {
        let states = log.states(of: Array(users), until: moments, predictor.bundle.stateSchema(log.rows))
        return zip(states, users).map { ($0, log.userOf[$1]) }
    }
}

extension LogError {
    /// Why a log says nothing of a person who was asked about; nothing for all other errors.
    fileprivate func words(ofUnknown user: String) -> String? {
        switch self {
        case .noSuchUser(_, let name): "the log has no person \"\(name)\""
        case .onlyExposures: "\(user) was only shown things"
        default: nil
        }
    }
}

extension ModelBundle {
    /// Says that a moment lies so long after the model's log that nothing was seen of such silences.
    func noteFar(_ moment: Int64, _ console: Console) {
        let after = moment - description.split.end
        guard description.clock == .wall, after > description.split.end - description.split.start else { return }
        console.note(
            "note: the moment asked about lies \(TimeSpan.words(after)) after the model's log, longer than that log: nothing in it shows "
                + "what comes after such a time, and without later events the answers say little")
    }

    /// Says what is missing in the model, and that its half-lives mean little where its own log shows no decay.
    func noteDoubts(_ console: Console) {
        for note in description.notes { console.note("note: \(note)") }
        for doubt in description.doubts { console.note("note: of the model's own log: \(doubt)") }
        if description.halfLives?.isShown == false, description.halfLives?.fadingTopics != 0 {
            console.note(
                "note: on its own log this model's chances are no better than those of rates that do not decay: its half-lives, found in "
                    + "the times between touches, are not borne out by them"
            )
        }
    }

    /// Says that what friends do counts as nothing, where the model was trained with some.
    func noteFriends(_ console: Console, mend: String) {
        guard let record = description.causes, record.evidence[.social].people > 0 else { return }
        console.note("note: the model was trained with friends, and what they do counts as nothing here; \(mend)")
    }
}
