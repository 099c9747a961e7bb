import WaneBundle
import WaneCurves
import WaneEvents
import WaneMetrics
import WanePrediction
import WaneState
import WaneTasks

/// How much a model's answers lose where a part of what it reads is that of other questions (Breiman 2001; Fisher et al. 2019): what
/// it relies on, which is not yet what makes people come back.
public struct Importance: Sendable {
    public let name: String
    /// Nats of log loss a question, mean over several shuffles, with the 95 % interval over people; none for few people.
    public let increase: Double
    public let interval: Evaluation.Interval?
}

/// What a model's answers become along one of the numbers that it reads, all else as it is in each question (Friedman 2001).
public struct PartialDependence: Sendable {
    /// The number: as the model's feature schema has it, times in seconds.
    public let value: Double
    /// The mean chance of coming back, and the median half-life in seconds.
    public let returnProbability: Double
    public let halfLife: Double?
}

extension QueryPredictor {
    /// What a model reads of a question, in groups of what goes together.
    var groups: [(name: String, columns: QueryColumns)] {
        func named(_ matches: (String) -> Bool) -> QueryColumns {
            .features(FeatureSchema.lastEventNames.indices.filter { matches(FeatureSchema.lastEventNames[$0]) })
        }
        var groups: [(name: String, columns: QueryColumns)] = [
            ("time since the last touch", .sinceTopic),
            ("time since the last event", .sinceEvent),
            ("touches of the topic", named { $0.hasPrefix("topic_") || $0.hasPrefix("log_t") && $0.hasSuffix("s") }),
            ("intervals between touches", named { $0.contains("interval") || $0 == "log_staleness" }),
            (
                "activity of the person",
                named {
                    $0.hasPrefix("person_count") || ["log_events", "log_person_visits", "log_topics_met"].contains($0)
                }
            ),
            ("ages", named { $0.hasSuffix("_age") }),
            ("engagement", named { $0.hasSuffix("engagement") || $0 == "recent_degree" }),
            ("popularity", named { $0.hasPrefix("log_popularity") }),
            ("hour and weekday", named { $0.hasPrefix("hour") || $0.hasPrefix("weekday") }),
            ("same topic in a row", named { $0 == "same_topic_run" }),
            ("own rate of the pair", .rate),
            ("topic", .topic),
        ]
        if bundle.stateSchema.hours != nil { groups.append(("the person's own hours", .season)) }
        if bundle.network.queries?.readsHistory == true { groups.append(("history", .history)) }
        // What could not be measured, or moves nothing, is 0 in every question.
        if let record = bundle.description.causes, record.obstacle == nil {
            groups += Cause.allCases.filter { record.evidence[$0].people > 0 && record.schema.moving[$0] }.map {
                ($0.rawValue, .cause($0))
            }
        }
        return groups
    }

    /// From what a model relies on most down.
    ///
    /// - Parameter queries: whose outcome is known.
    /// - Throws: ``PredictionError/noCurves(family:)`` for the textbook recipe, which reads none of this.
    public func importance(
        _ queries: QuerySet, seed: UInt64, shuffles: Int = 3, progress: (String) throws -> Void = { _ in }
    ) throws -> (logLoss: Double, groups: [Importance]) {
        guard bundle.hasCurves else { throw PredictionError.noCurves(family: bundle.description.family) }
        let queries = measured(queries)
        func losses(_ queries: QuerySet) throws -> [Double] {
            zip(try predict(queries).returnProbability, queries.didReturn).map { Classification.logLoss($0, $1 > 0.5) }
        }
        let base = try losses(queries)
        let bootstrap = UserBootstrap(users: queries.user, seed: seed)
        var generator = SeededGenerator(seed: seed, stream: 20)
        let orders = (0..<shuffles).map { _ in (0..<queries.count).shuffled(using: &generator) }
        var found: [Importance] = []
        for group in groups {
            try progress(group.name)
            var increase = [Double](repeating: 0, count: queries.count)
            for order in orders {
                for (row, loss) in try losses(queries.taking(group.columns, from: order)).enumerated() {
                    increase[row] += (loss - base[row]) / Double(shuffles)
                }
            }
            found.append(
                Importance(
                    name: group.name, increase: increase.reduce(0, +) / Double(max(1, queries.count)),
                    interval: bootstrap.interval(of: increase)))
        }
        return (
            base.reduce(0, +) / Double(max(1, queries.count)),
            found.sorted { ($0.increase, $1.name) > ($1.increase, $0.name) }
        )
    }

    /// Names that ``dependence(on:_:places:)`` knows.
    public static let dependenceNames = ["since_topic", "since_event"] + FeatureSchema.lastEventNames

    /// At the quantiles of what the questions have.
    ///
    /// - Returns: nothing for a name that is not known.
    public func dependence(
        on name: String, _ queries: QuerySet, places: Int = 9, progress: (Int) throws -> Void = { _ in }
    ) throws -> [PartialDependence]? {
        guard bundle.hasCurves else { throw PredictionError.noCurves(family: bundle.description.family) }
        let queries = measured(queries)
        let columns: QueryColumns
        let values: [Float]
        switch name {
        case "since_topic": (columns, values) = (.sinceTopic, queries.elapsedSinceTopic)
        case "since_event": (columns, values) = (.sinceEvent, queries.elapsedSinceEvent)
        default:
            guard let place = FeatureSchema.lastEventIndex(name) else { return nil }
            columns = .features([place])
            values = (0..<queries.count).map {
                queries.lastEventFeatures[$0 * FeatureSchema.lastEventCount + place]
            }
        }
        let sorted = values.sorted()
        guard let last = sorted.indices.last else { return [] }
        let grid = (0..<places).map { sorted[last * $0 / max(1, places - 1)] }
        var result: [PartialDependence] = []
        // Many questions alike have one value; each is shown once.
        for (place, value) in grid.enumerated() where place == 0 || value != grid[place - 1] {
            try progress(place)
            let changed = queries.setting(columns, to: value)
            let chances = try predict(changed).returnProbability
            // What does not halve is longer than all that do.
            let halfLives = try curves(changed).map { $0.halfLife ?? .infinity }.sorted()
            let middle = halfLives.isEmpty ? .infinity : halfLives[halfLives.count / 2]
            result.append(
                PartialDependence(
                    value: Double(value), returnProbability: chances.reduce(0, +) / Double(max(1, chances.count)),
                    halfLife: middle.isFinite ? middle : nil))
        }
        return result
    }
}
