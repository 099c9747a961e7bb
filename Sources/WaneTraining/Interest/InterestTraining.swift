import Foundation
import Torch
import WaneData
import WaneMetrics
import WaneModels

/// Trains a model of the interest task on a log.
public struct InterestTraining {
    public let task: InterestTask
    public let model: ModelOptions
    public let training: TrainingOptions
    /// Set by the caller: checkpoint, interruption, progress.
    public var trainer: Trainer
    /// People that training may see; everyone when absent.
    public var users: (@Sendable (UInt32) -> Bool)?
    /// Numbers of each person's friends; empty without social edges.
    public var friends: [[UInt32]] = []

    public init(_ task: InterestTask, model: ModelOptions, training: TrainingOptions) throws {
        self.task = task
        self.model = model.family == LSTMBasic.name ? model : try model.checked()
        self.training = try training.checked()
        trainer = Trainer(self.training)
    }

    public func run() throws -> TrainedModel {
        let vocabulary = ModelVocabulary(task.histories, trainEnd: task.split.trainEnd)
        let validation = try task.queries(
            .validation, count: training.validationQueries, seed: training.seed, users: users)
        // Weights come from the same generator as dropout, seeded here and saved with checkpoints.
        try Runtime.seed(training.seed)
        var trained =
            model.family == LSTMBasic.name
            ? try trainBasic(vocabulary, validation) : try trainInterest(vocabulary, validation)
        let (returned, _) = try trained.session(task.histories, friends: friends).predict(validation)
        trained.description.threshold = Classification.bestThreshold(returned, validation.returned.map(Double.init))
        return trained
    }

    private func trainInterest(_ vocabulary: ModelVocabulary, _ validation: QuerySet) throws -> TrainedModel {
        let first = try task.trainingQueries(epoch: 0, count: training.trainQueries, seed: training.seed, users: users)
        let scaling = FeatureScaling(first.anchored)
        let model = model.knowing(friends: friends)
        let network = try InterestModel(model, items: vocabulary.items.count, topics: vocabulary.topics.count)
        let table = try EventTable(
            task.histories, vocabulary: vocabulary, split: task.split, family: model.family, friends: friends)
        var unshuffled: SeededGenerator?
        var job = InterestJob(
            task: task, network: network, training: training, users: users, table: table, scaling: scaling,
            validation: try QueryInputs(validation, table: table, scaling: scaling, horizon: task.split.horizon),
            validationBatches: network.queries.batches(validation, task.histories, size: 4_096, shuffledBy: &unshuffled)
        )
        let description = description(scaling, model)
        let history = try run(&job, description)
        try network.calibrate(job.validationBatches, job.validation)
        return finished(description, history, vocabulary, .interest(network))
    }

    private func trainBasic(_ vocabulary: ModelVocabulary, _ validation: QuerySet) throws -> TrainedModel {
        let queries = try task.queries(.train, count: training.trainQueries, seed: training.seed, users: users)
        let inputs = BasicInputs(queries, task.histories)
        let scaling = FeatureScaling(inputs.values, width: BasicInputs.width)
        let network = try LSTMBasic()
        var job = BasicJob(
            network: network, batch: training.batch, seed: training.seed, inputs: try inputs.scaled(scaling),
            labels: try Tensor(queries.degree),
            validationInputs: try BasicInputs(validation, task.histories).scaled(scaling),
            validationLabels: try Tensor(validation.degree))
        let description = description(scaling, model)
        let history = try run(&job, description)
        return finished(description, history, vocabulary, .basic(network))
    }

    private func run(_ job: inout some Trainable, _ description: ModelDescription) throws -> TrainingHistory {
        var trainer = trainer
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        trainer.task = Fingerprint.sha256(try encoder.encode(description))
        return try trainer.run(&job)
    }

    private func description(_ scaling: FeatureScaling, _ model: ModelOptions) -> ModelDescription {
        ModelDescription(
            family: model.family, model: model, training: training, split: task.split, median: task.median,
            clock: task.histories.log.clock, topicSource: task.histories.log.topics.source,
            engagement: task.histories.engagement.scale, engagementSource: task.histories.engagement.source,
            scaling: scaling, threshold: 0.5, history: TrainingHistory(), data: Fingerprint.of(task.histories.log))
    }

    private func finished(
        _ description: ModelDescription, _ history: TrainingHistory, _ vocabulary: ModelVocabulary,
        _ network: TrainedModel.Network
    ) -> TrainedModel {
        var description = description
        description.history = history
        return TrainedModel(description, vocabulary: vocabulary, network: network)
    }
}

/// A model with the decay head on fresh queries each epoch.
private struct InterestJob: Trainable {
    let task: InterestTask
    let network: InterestModel
    let training: TrainingOptions
    let users: (@Sendable (UInt32) -> Bool)?
    let table: EventTable
    let scaling: FeatureScaling
    let validation: QueryInputs
    let validationBatches: [HistoryBatch]
    private var inputs: QueryInputs?
    private var batches: [HistoryBatch] = []

    init(
        task: InterestTask, network: InterestModel, training: TrainingOptions,
        users: (@Sendable (UInt32) -> Bool)?, table: EventTable, scaling: FeatureScaling,
        validation: QueryInputs, validationBatches: [HistoryBatch]
    ) {
        self.task = task
        self.network = network
        self.training = training
        self.users = users
        self.table = table
        self.scaling = scaling
        self.validation = validation
        self.validationBatches = validationBatches
    }

    var parameters: [(name: String, parameter: Parameter)] { network.parameters }

    mutating func begin(epoch: Int) throws -> Int {
        let queries = try task.trainingQueries(
            epoch: epoch, count: training.trainQueries, seed: training.seed, users: users)
        inputs = try QueryInputs(queries, table: table, scaling: scaling, horizon: task.split.horizon)
        var generator: SeededGenerator? = SeededGenerator(seed: training.seed, stream: 500 + UInt64(epoch))
        batches = network.queries.batches(queries, task.histories, size: training.batch, shuffledBy: &generator)
        return batches.count
    }

    func loss(step: Int) throws -> Tensor {
        guard let inputs else { throw TorchError(operation: "loss", message: "no epoch has begun") }
        return try network.loss(batches[step], inputs, training: true)
    }

    func rows(step: Int) -> Int { batches[step].queries.count }

    func validationLoss() throws -> Double {
        try withoutGradients {
            var (sum, rows) = (0.0, 0)
            for batch in validationBatches {
                sum += try network.loss(batch, validation, training: false).item() * Double(batch.queries.count)
                rows += batch.queries.count
            }
            return sum / Double(max(1, rows))
        }
    }
}

/// The textbook recipe: rows shuffled each epoch, mean squared error.
struct BasicJob: Trainable {
    let network: LSTMBasic
    let batch: Int
    let seed: UInt64
    let inputs: Tensor
    let labels: Tensor
    let validationInputs: Tensor
    let validationLabels: Tensor
    private var shuffledInputs: Tensor?
    private var shuffledLabels: Tensor?
    private let count: Int

    init(
        network: LSTMBasic, batch: Int, seed: UInt64, inputs: Tensor, labels: Tensor, validationInputs: Tensor,
        validationLabels: Tensor
    ) {
        self.network = network
        self.batch = batch
        self.seed = seed
        self.inputs = inputs
        self.labels = labels
        self.validationInputs = validationInputs
        self.validationLabels = validationLabels
        count = labels.count
    }

    var parameters: [(name: String, parameter: Parameter)] { network.parameters }

    mutating func begin(epoch: Int) throws -> Int {
        var generator = SeededGenerator(seed: seed, stream: 500 + UInt64(epoch))
        let order = try Tensor((0..<Int64(count)).shuffled(using: &generator))
        shuffledInputs = try inputs.rows(order)
        shuffledLabels = try labels.rows(order)
        return (count + batch - 1) / batch
    }

    private func range(_ step: Int) -> Range<Int> { step * batch..<min(count, (step + 1) * batch) }

    func rows(step: Int) -> Int { range(step).count }

    func loss(step: Int) throws -> Tensor {
        guard let shuffledInputs, let shuffledLabels else {
            throw TorchError(operation: "loss", message: "no epoch has begun")
        }
        let rows = range(step)
        return try Loss.meanSquaredError(
            network(shuffledInputs.slice(0, rows), training: true), shuffledLabels.slice(0, rows))
    }

    func validationLoss() throws -> Double {
        try withoutGradients {
            try Loss.meanSquaredError(network(validationInputs, training: false), validationLabels).item()
        }
    }
}
