import Foundation
import WaneBundle
import WaneCurves
import WaneEvents
import WaneExplanation
import WaneModels
import WanePrediction
import WaneState
import WaneTasks

/// A person's events as a model reads them: a fold of what is stored, of which nothing else is kept.
///
/// The answers are those of `wane predict` on the same rows.
struct PersonView: Sendable {
    let name: String
    let asked: AskedLog
    /// After all events.
    private let latest: PersonState
    /// Microseconds: of the last of all that is stored, `.min` where there is nothing. What was shown counts too.
    let lastStored: Int64
    /// What any of the events says.
    private let fields: EventRecord.Fields

    /// - Parameter records: in order of time.
    init(_ name: String, _ records: [EventRecord], for model: LoadedModel) throws {
        self.name = name
        lastStored = records.last?.time ?? .min
        fields = EventRecord.Fields(of: records)
        // Somebody who was only shown things has done nothing yet.
        let empty = EventLog.empty(of: name, clock: .wall, like: model.bundle)
        asked = try model.log(records) ?? AskedLog(empty, for: model.bundle, isPart: true)
        latest = model.predictor.state(of: 0, in: asked)
    }

    private init(
        _ name: String, _ asked: AskedLog, _ latest: PersonState, lastStored: Int64, _ fields: EventRecord.Fields
    ) {
        (self.name, self.asked, self.latest, self.lastStored, self.fields) = (name, asked, latest, lastStored, fields)
    }

    /// The same person after more events, without a look at those before: what reading all of them would give.
    ///
    /// - Parameter records: each later than all that was stored of the person, in any order.
    /// - Returns: nothing where all events have to be read.
    func continued(by records: [EventRecord], for model: LoadedModel) throws -> PersonView? {
        let bundle = model.bundle
        // What was said of their items is in the store, and not here.
        let mayBeSaid =
            bundle.description.topicSource.isGiven
            && records.contains {
                $0.topics.isEmpty
                    && (bundle.vocabulary.items.find($0.item) == nil || !bundle.description.notes.isEmpty)
            }
        // What an event counts without a type, or with one beside weights, hangs on whether any other has those.
        let own = EventRecord.Fields(of: records)
        let countsOtherwise =
            !bundle.reading.eventWeights.isEmpty && (own.types != fields.types || own.weights != fields.weights)
        // An item that was only shown has no topics until something is done with it.
        if mayBeSaid || countsOtherwise || asked.log.exposures != nil { return nil }
        let later: EventLog
        do throws(LogError) {
            later = try EventLog(records, reading: bundle.reading)
        } catch {
            guard case .onlyExposures = error else { throw error }
            return nil
        }
        guard let whole = asked.continued(by: later, for: bundle) else { return nil }
        var state = latest
        whole.apply(asked.log.count..<whole.log.count, of: 0, to: &state)
        var all = fields
        all.join(own)
        return PersonView(name, whole, state, lastStored: records.map(\.time).max() ?? lastStored, all)
    }

    /// Microseconds: of the last event, `.min` where there is none. Questions are about moments that are not before it.
    var lastTime: Int64 { latest.eventCount > 0 ? latest.lastTime : .min }

    private var user: Int64 { asked.userOf[0] }

    /// - Throws: ``PredictionError/unknownTopic(_:known:)`` for one that neither the model nor the person knows.
    private func number(_ topic: String) throws(PredictionError) -> UInt32 {
        guard let number = asked.log.topics.names.find(topic) else { throw .unknownTopic(topic, known: []) }
        return number
    }

    /// Topics that the person has met, or all where they have met none.
    private func topics(_ state: PersonState, _ wanted: String?) throws -> [UInt32] {
        if let wanted { return [try number(wanted)] }
        let met = asked.met(state)
        return met.isEmpty ? asked.knownTopics : met
    }

    // MARK: Answers

    struct Interest: Sendable {
        let topic: String
        let curve: InterestCurve
        let basis: Predictor.Basis
        let explanation: Explanation?
    }

    /// The likeliest return first.
    func interests(at moment: Int64, topic: String?, of model: LoadedModel, explained: Bool = false) throws
        -> [Interest]
    {
        let state = latest
        let questions = try topics(state, topic).map { StateQuestion(person: 0, topic: $0, moment: moment) }
        let curves = try model.predictor.curves(questions, of: [(state, user)], in: asked)
        let explanations: [Explanation?]
        if explained, let explainer = model.explainer {
            explanations = try explainer.explain(questions, of: [(state, user)], in: asked)
        } else {
            explanations = questions.map { _ in nil }
        }
        let names = asked.log.topics.names
        let found = questions.indices.map { index in
            let answer = Interest(
                topic: names[Int(questions[index].topic)], curve: curves[index].curve, basis: curves[index].basis,
                explanation: explanations[index])
            return (answer, answer.curve.returnProbability(after: 0))
        }
        return found.sorted { ($1.1, $0.0.topic) < ($0.1, $1.0.topic) }.map(\.0)
    }

    struct Return: Sendable {
        let topic: String
        let time: Predictor.ReturnTime?
        let basis: Predictor.Basis?
    }

    /// The soonest first.
    func returns(at moment: Int64, topic: String?, of model: LoadedModel) throws -> [Return] {
        let state = latest
        let questions = try topics(state, topic).map { StateQuestion(person: 0, topic: $0, moment: moment) }
        let times = try model.predictor.returnTimes(questions, of: [(state, user)], in: asked)
        let names = asked.log.topics.names
        return zip(questions, times).map {
            Return(topic: names[Int($0.topic)], time: $1?.time, basis: $1?.basis)
        }.sorted { ($0.time?.median ?? .infinity, $0.topic) < ($1.time?.median ?? .infinity, $1.topic) }
    }

    /// The best items, best first.
    ///
    /// - Parameters:
    ///   - candidates: rank these alone; all items of the model when absent.
    ///   - seen: whether items that were met are ranked; as in training when absent.
    ///   - hidden: items that are listed only where they are named.
    func recommendations(
        _ count: Int, among candidates: [String]?, at moment: Int64, seen: SeenItems?, hidden: Set<ExactName> = [],
        of model: LoadedModel
    ) throws -> (items: [Predictor.RankedItem], basis: Predictor.Basis) {
        let rule = seen ?? model.bundle.description.ranking?.seen ?? .kept
        return try model.predictor.top(
            count, for: latest, user: user, at: moment, in: asked, among: candidates,
            excluding: rule == .kept ? [] : asked.itemNames(ofUser: 0, until: moment), hidden: hidden)
    }

    /// Had things been otherwise.
    func counterfactuals(_ topic: String, at moment: Int64, of model: LoadedModel) throws -> [Counterfactual] {
        let number = try number(topic)
        let changes: [Counterfactual.Change] = [.asItIs, .withoutTouches(1), .withoutTouches(5), .withoutDays(7)]
        return try model.predictor.counterfactuals(0, number, at: moment, in: asked, changes)
    }

    /// Moments of the touches of a topic.
    func touches(of topic: String) throws -> [Int64] {
        let number = try number(topic)
        return asked.events(ofUser: 0).filter { asked.log.topics[asked.log.item[$0]].contains(number) }
            .map { asked.log.time[$0] }
    }
}
