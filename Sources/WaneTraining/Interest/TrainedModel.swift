import Torch
import WaneData
import WaneModels

/// A trained model: what it is, what it knows, and its answers.
public struct TrainedModel {
    public var description: ModelDescription
    public let vocabulary: ModelVocabulary
    let network: Network

    /// The families through the decay head, or the textbook recipe.
    enum Network {
        case interest(InterestModel)
        case basic(LSTMBasic)

        var module: any Module {
            switch self {
            case .interest(let model): model
            case .basic(let model): model
            }
        }
    }

    init(_ description: ModelDescription, vocabulary: ModelVocabulary, network: Network) {
        self.description = description
        self.vocabulary = vocabulary
        self.network = network
    }

    /// A model read back from its parts.
    init(_ description: ModelDescription, vocabulary: ModelVocabulary, weights: [String: Tensor]) throws {
        self.description = description
        self.vocabulary = vocabulary
        if description.family == LSTMBasic.name {
            network = .basic(try LSTMBasic())
        } else {
            let options = try description.model.checked()
            network = .interest(
                try InterestModel(options, items: vocabulary.items.count, topics: vocabulary.topics.count))
        }
        try network.module.load(weights)
    }

    public func weights() throws -> [String: Tensor] { try network.module.weights() }

    public var parameterCount: Int { network.module.parameters.reduce(0) { $0 + $1.parameter.value.count } }

    /// Whether the model says how interest goes on while nothing happens.
    public var hasCurves: Bool {
        if case .interest = network { return true }
        return false
    }

    /// The task on a log, with everything learned in training as it was then.
    public func task(for log: EventLog) throws -> InterestTask {
        let known = Fingerprint.of(log.sortedByUser()) == description.data ? nil : description.engagement
        let histories = Histories(log, trainEnd: description.split.trainEnd, known: known)
        return try InterestTask(
            histories, split: description.split, seed: description.training.seed, median: description.median)
    }

    /// The model set to work on one log.
    ///
    /// - Parameter friends: numbers of each person's friends, for a model trained with social edges.
    public func session(_ histories: Histories, friends: [[UInt32]] = []) throws -> Session {
        try Session(self, histories, friends)
    }

    /// What is made once for a log and used for any number of questions.
    public struct Session {
        let model: TrainedModel
        let histories: Histories
        private let table: EventTable?

        init(_ model: TrainedModel, _ histories: Histories, _ friends: [[UInt32]]) throws {
            self.model = model
            self.histories = histories
            if case .interest = model.network {
                table = try EventTable(
                    histories, vocabulary: model.vocabulary, split: model.description.split,
                    family: model.description.family, friends: friends)
            } else {
                table = nil
            }
        }

        /// The chance of coming back within the horizon and the interest degree, for each query.
        public func predict(_ queries: QuerySet) throws -> (returned: [Double], degree: [Double]) {
            var returned = [Double](repeating: 0, count: queries.count)
            var degree = returned
            switch model.network {
            case .interest(let network):
                try forEachBatch(queries, network) { batch, inputs in
                    let (r, y) = try network(batch, inputs, training: false)
                    for (value, place) in zip(try r.values(Float.self), batch.queries) {
                        returned[place] = Double(value)
                    }
                    for (value, place) in zip(try y.values(Float.self), batch.queries) { degree[place] = Double(value) }
                }
            case .basic(let network):
                let rows = BasicInputs(queries, histories)
                let values = try withoutGradients {
                    try network(rows.scaled(model.description.scaling), training: false).values(Float.self)
                }
                for (place, value) in values.enumerated() {
                    degree[place] = min(1 - 1e-6, max(1e-6, Double(value)))
                    returned[place] = degree[place]
                }
            }
            return (returned, degree)
        }

        /// The curve of each query; none for a model without curves.
        public func curves(_ queries: QuerySet) throws -> [InterestCurve] {
            guard case .interest(let network) = model.network else { return [] }
            var curves = [InterestCurve?](repeating: nil, count: queries.count)
            try forEachBatch(queries, network) { batch, inputs in
                let part = try network.curves(batch, inputs, queries, horizon: model.description.split.horizon)
                for (curve, place) in zip(part, batch.queries) { curves[place] = curve }
            }
            return curves.compactMap(\.self)
        }

        private func forEachBatch(
            _ queries: QuerySet, _ network: InterestModel, _ body: (HistoryBatch, QueryInputs) throws -> Void
        ) throws {
            guard let table, queries.count > 0 else { return }
            try withoutGradients {
                let inputs = try QueryInputs(
                    queries, table: table, scaling: model.description.scaling, horizon: model.description.split.horizon)
                var unshuffled: SeededGenerator?
                let batches = network.queries.batches(
                    queries, histories, size: network.readsHistory ? 4_096 : 8_192, shuffledBy: &unshuffled)
                for batch in batches { try body(batch, inputs) }
            }
        }
    }
}
