import Torch
import WaneBaselines
import WaneEvents
import WaneModels
import WaneState
import WaneTasks

/// A trained model with everything that was learned or counted, so that a person's few events are enough to answer:
/// it needs neither the log it came from nor any code that trains.
public struct ModelBundle {
    public var description: BundleDescription
    public let vocabulary: ModelVocabulary
    /// What engagement is measured against; items by their numbers in the vocabulary.
    public let scale: EngagementScale
    /// What was known of everybody when training ended; topics by their numbers in the vocabulary.
    public let popularity: Popularity
    public let network: Network
    /// Item vectors as the graph left them, for families with a graph.
    public let smoothed: SmoothedItems?
    /// The people whose friends are known, in the order of `smoothed.friends`; empty for all other models.
    public let people: Vocabulary
    /// How the log was read, so that a later one is read alike.
    public var reading: ReadingOptions
    /// What answers about people and topics that have not met.
    public var population: Population?
    /// Classical rankers that the model is blended with; none for a model alone.
    public var members: [BlendMember] = []

    /// What answers, by task.
    public enum Network {
        case interest(InterestModel)
        /// The textbook recipe: a degree, no curve.
        case basic(LSTMBasic)
        case ranking(RankingModel)
        case returns(ReturnModel)
        case cohort(CohortModel, CohortClassic)

        public var module: any Module {
            switch self {
            case .interest(let model): model
            case .basic(let model): model
            case .ranking(let model): model
            case .returns(let model): model
            case .cohort(let model, _): model
            }
        }

        /// What encodes queries, for the tasks that have queries.
        public var queries: QueryEncoder? {
            switch self {
            case .interest(let model): model.queries
            case .returns(let model): model.queries
            case .cohort(let model, _): model.queries
            case .basic, .ranking: nil
            }
        }
    }

    public init(
        description: BundleDescription, vocabulary: ModelVocabulary, scale: EngagementScale, popularity: Popularity,
        network: Network, smoothed: SmoothedItems? = nil, people: Vocabulary = Vocabulary(),
        reading: ReadingOptions = ReadingOptions()
    ) {
        self.description = description
        self.vocabulary = vocabulary
        self.scale = scale
        self.popularity = popularity
        self.network = network
        self.smoothed = smoothed
        self.people = people
        self.reading = reading
    }

    public var task: BundleTask { description.task }
    public func weights() throws -> [String: Tensor] { try network.module.weights() }
    public var parameterCount: Int { network.module.parameters.reduce(0) { $0 + $1.parameter.value.count } }

    /// Whether the model says how interest goes on while nothing happens.
    public var hasCurves: Bool { if case .interest = network { true } else { false } }

    /// Puts the numbers of each weight into another order, in place: what is left of an explanation then was never the model's.
    public func randomizeWeights(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed, stream: 25)
        for (_, parameter) in network.module.parameters {
            let values: [Float] = try parameter.value.values()
            let mixed = try Tensor(values.shuffled(using: &generator), shape: parameter.value.shape)
            try withoutGradients { try parameter.value.overwrite(with: mixed) }
        }
    }

    /// Whether what a person met before the window is read too.
    private var remembers: Bool {
        description.options.repeats || ModelFamilies.readsCompanions(description.family)
    }

    /// What a person's state is made with.
    public var stateSchema: StateSchema {
        let length =
            switch network {
            case .ranking:
                max(
                    (description.ranking?.window ?? 0) + (remembers ? OwnItems.memory : 0),
                    members.isEmpty ? 0 : BlendMember.historyLength)
            case .basic: 1
            default: network.queries?.readsHistory == true ? description.options.historyLength : 0
            }
        return StateSchema(
            horizon: description.split.horizon, clock: description.clock,
            typicalEngagement: description.typicalEngagement, windowLength: length
        ).following(description.halfLives?.hours ?? description.hours)
    }

    /// The same for a log with these numbers of topics: causes are measured by them.
    public func stateSchema(_ rows: LogRows) -> StateSchema {
        stateSchema.measuring(description.causes?.schema.renumbered(rows.topicRow))
            .rating(description.halfLives?.rates?.renumbered(rows.topicRow))
    }
}

/// The questions that a model answers.
public enum BundleTask: String, Sendable, Codable, CaseIterable {
    case interest, ranking, `return`, cohort

    /// The command that asks such a model.
    public var command: String {
        switch self {
        case .interest: "wane predict"
        case .ranking: "wane rank"
        case .return, .cohort: "wane return predict"
        }
    }
}

/// What a model is, beside its weights and what it counted.
public struct BundleDescription: Sendable, Equatable {
    public var task: BundleTask
    /// The family's name, `lstm-basic` included.
    public var family: String
    public var options: ModelOptions
    public var training: TrainingRecord
    public var split: Split
    public var clock: EventLog.Clock
    public var topicSource: ItemTopics.Source
    /// `m` of the interest degree.
    public var typicalEngagement: Double
    public var scaling: FeatureScaling
    /// The threshold for "comes back" that had the best F1 on the validation part.
    public var threshold = 0.5
    public var history = TrainingHistory()
    public var data: DataFingerprint
    public var code = CodeVersion.current
    /// What half-lives are read with; of the interest task's curves.
    public var halfLives: HalfLifeRecord?
    /// How inputs and chances were spread over the validation questions; nothing in models of before this was kept.
    public var inputs: InputProfile?
    /// Everybody's shares of the 24 hours, UTC, where a model of return times follows people's hours.
    public var hours: [Double]?
    /// What moves half-lives, of families that tell causes apart.
    public var causes: CauseRecord?
    public var ranking: RankingRecord?
    public var cohort: CohortRecord?
    /// The weight of the model's own score in a blend.
    public var blendWeight: Double?
    /// Why the model's own test part does not show that there was anything to learn, in sentences.
    public var doubts: [String] = []
    /// What is missing in a model that an older version wrote, in words for people.
    public var notes: [String] = []

    public init(
        task: BundleTask, family: String, options: ModelOptions, training: TrainingRecord, split: Split,
        clock: EventLog.Clock, topicSource: ItemTopics.Source, typicalEngagement: Double, scaling: FeatureScaling,
        data: DataFingerprint
    ) {
        self.task = task
        self.family = family
        self.options = options
        self.training = training
        self.split = split
        self.clock = clock
        self.topicSource = topicSource
        self.typicalEngagement = typicalEngagement
        self.scaling = scaling
        self.data = data
    }
}

/// How a model was trained, as far as later questions depend on it, and in words for the rest.
public struct TrainingRecord: Sendable, Equatable, Codable {
    public var seed: UInt64
    /// Queries drawn for an epoch, for validation and for the test.
    public var trainQueries: Int
    public var validationQueries: Int
    public var testQueries: Int
    /// Every setting by its name, as text.
    public var settings: [String: String]

    public init(
        seed: UInt64, trainQueries: Int, validationQueries: Int, testQueries: Int, settings: [String: String]
    ) {
        self.seed = seed
        self.trainQueries = trainQueries
        self.validationQueries = validationQueries
        self.testQueries = testQueries
        self.settings = settings
    }
}

/// The course of a run, kept with the model.
public struct TrainingHistory: Codable, Sendable, Equatable {
    public var trainLoss: [Double] = []
    public var validationLoss: [Double] = []
    public var bestEpoch = 0
    public var bestLoss = Double.greatestFiniteMagnitude
    /// What `validationLoss` is; of rankers' folders that do not say, `1 - NDCG@10`.
    public var measure: String?
    /// Spent in training, over all interruptions; of this run only, not kept with the model: the same run gives the same file.
    public var seconds: Double?

    private enum CodingKeys: String, CodingKey { case trainLoss, validationLoss, bestEpoch, bestLoss, measure }

    public init() {}
}

extension BundleDescription {
    /// The pause that ends a visit, in horizons.
    public var visitPause: Double { Double(StateSchema.visitPause(clock)) / Double(split.horizon) }
}

/// What half-lives are read with.
public struct HalfLifeRecord: Sendable, Equatable, Codable {
    /// Deviation of each topic row's log half-life as far as the data leave it open.
    public var topicSpread: [Double]
    /// Microseconds: what the log's times resolve. What is shorter is not known.
    public var resolution: Int64
    /// The share of people who had likely left for good by the end of training. Models without it are older, and their half-lives
    /// took leaving for fading.
    public var left: Double?
    /// Everybody's shares of the 24 hours, UTC, where the model follows people's hours.
    public var hours: [Double]?
    /// Whether the model was better on its own log's test part than rates that do not decay; nothing where that was not measured.
    public var isShown: Bool?
    /// How many topics fade; nothing in models of before this was counted.
    public var fadingTopics: Int?
    /// How often the topics of each row are touched again; nothing in models of before this was followed.
    public var rates: RateSchema?

    public init(
        topicSpread: [Double], resolution: Int64, left: Double, hours: [Double]?, fadingTopics: Int, rates: RateSchema?
    ) {
        (self.left, self.hours, self.fadingTopics, self.rates) = (left, hours, fadingTopics, rates)
        self.topicSpread = topicSpread
        self.resolution = resolution
    }

    /// Of a topic's row.
    public func spread(_ row: Int) -> Double {
        topicSpread.indices.contains(row) ? topicSpread[row] : 1
    }
}

/// What a model of the next item was trained to guess.
public struct RankingRecord: Sendable, Equatable, Codable {
    public var rule: RankingProtocol
    public var seen: SeenItems
    /// Events of a history that are read.
    public var window: Int
    public var loss: RankingLoss

    public init(rule: RankingProtocol, seen: SeenItems, window: Int, loss: RankingLoss) {
        self.rule = rule
        self.seen = seen
        self.window = window
        self.loss = loss
    }
}

/// What a model of a cohort was asked, and the classical models that it corrects.
public struct CohortRecord: Sendable, Equatable {
    /// Microseconds: the end of what was known, and how far ahead was asked.
    public var knownUntil: Int64
    public var ahead: Int64
    public var classic: CohortClassic

    public init(knownUntil: Int64, ahead: Int64, classic: CohortClassic) {
        self.knownUntil = knownUntil
        self.ahead = ahead
        self.classic = classic
    }
}

/// What tells one log from another.
public struct DataFingerprint: Codable, Sendable, Equatable {
    public let events: Int
    public let users: Int
    public let items: Int
    public let topics: Int
    /// Of all columns in order, the names of users, items and topics, and the topics of each item.
    public let sha256: String

    public init(events: Int, users: Int, items: Int, topics: Int, sha256: String) {
        self.events = events
        self.users = users
        self.items = items
        self.topics = topics
        self.sha256 = sha256
    }
}

public enum CodeVersion {
    public static let current = "0.2.0"
}
