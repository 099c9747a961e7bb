import Foundation
import Torch
import WaneBaselines
import WaneData
import WaneMetrics
import WaneModels

/// Trains a model of the time until a return on a log's training part, stopping by its validation part.
public struct ReturnTraining {
    public let task: ReturnTask
    public let model: ModelOptions
    public let training: TrainingOptions
    public var trainer: Trainer
    public var friends: [[UInt32]] = []

    public init(_ task: ReturnTask, model: ModelOptions, training: TrainingOptions) throws {
        self.task = task
        self.model = try model.checked()
        self.training = try training.checked()
        trainer = Trainer(self.training)
    }

    public func run() throws -> TrainedReturnModel {
        let interest = task.interest
        let vocabulary = ModelVocabulary(interest.histories, trainEnd: interest.split.trainEnd)
        let questions = try task.questions(.train, count: training.trainQueries, seed: training.seed)
        let validation = try task.questions(.validation, count: training.validationQueries, seed: training.seed)
        let scaling = FeatureScaling(questions.queries.anchored)
        let model = model.knowing(friends: friends)
        try Runtime.seed(training.seed)
        let network = try ReturnModel(model, items: vocabulary.items.count, topics: vocabulary.topics.count)
        let table = try EventTable(
            interest.histories, vocabulary: vocabulary, split: interest.split, family: model.family, friends: friends)
        var job = try ReturnJob(
            task: task, network: network, training: training, table: table, scaling: scaling,
            questions: questions, validation: validation)
        var trainer = trainer
        trainer.task = "return-time/\(model.family)/\(Fingerprint.of(interest.histories.log).sha256)"
        let history = try trainer.run(&job)
        return TrainedReturnModel(
            network: network, table: table, scaling: scaling, task: task, history: history)
    }
}

/// A trained model of the time until a return, at work on its log.
public struct TrainedReturnModel {
    let network: ReturnModel
    let table: EventTable
    let scaling: FeatureScaling
    let task: ReturnTask
    public let history: TrainingHistory

    public var family: String { network.options.family }

    public func predict(_ questions: ReturnQueries, grid: [Double]) throws -> ReturnPredictions {
        let inputs = try QueryInputs(
            questions.queries, table: table, scaling: scaling, horizon: task.interest.split.horizon)
        let answers = try ReturnAnswers(questions)
        var likelihood = [Double](repeating: 0, count: questions.count)
        var median = likelihood
        var survival = [Double](repeating: 0, count: questions.count * grid.count)
        var unshuffled: SeededGenerator?
        let batches = network.queries.batches(
            questions.queries, task.interest.histories, size: 2_048, shuffledBy: &unshuffled)
        for batch in batches {
            let part = try network.predict(batch, inputs, answers, grid: grid)
            for (row, place) in batch.queries.enumerated() {
                likelihood[place] = Double(part.logLikelihood[row])
                median[place] = Double(part.median[row])
                for column in grid.indices {
                    survival[place * grid.count + column] = Double(part.survival[row * grid.count + column])
                }
            }
        }
        return ReturnPredictions(logLikelihood: likelihood, median: median, survival: survival)
    }
}

private struct ReturnJob: Trainable {
    let task: ReturnTask
    let network: ReturnModel
    let training: TrainingOptions
    let queries: QuerySet
    let inputs: QueryInputs
    let answers: ReturnAnswers
    let validation: QueryInputs
    let validationAnswers: ReturnAnswers
    let validationBatches: [HistoryBatch]
    private var batches: [HistoryBatch] = []

    init(
        task: ReturnTask, network: ReturnModel, training: TrainingOptions, table: EventTable,
        scaling: FeatureScaling, questions: ReturnQueries, validation: ReturnQueries
    ) throws {
        self.task = task
        self.network = network
        self.training = training
        let horizon = task.interest.split.horizon
        queries = questions.queries
        inputs = try QueryInputs(questions.queries, table: table, scaling: scaling, horizon: horizon)
        answers = try ReturnAnswers(questions)
        self.validation = try QueryInputs(validation.queries, table: table, scaling: scaling, horizon: horizon)
        validationAnswers = try ReturnAnswers(validation)
        var unshuffled: SeededGenerator?
        validationBatches = network.queries.batches(
            validation.queries, task.interest.histories, size: 4_096, shuffledBy: &unshuffled)
    }

    var parameters: [(name: String, parameter: Parameter)] { network.parameters }

    mutating func begin(epoch: Int) throws -> Int {
        var generator: SeededGenerator? = SeededGenerator(seed: training.seed, stream: 500 + UInt64(epoch))
        batches = network.queries.batches(
            queries, task.interest.histories, size: training.batch, shuffledBy: &generator)
        return batches.count
    }

    func loss(step: Int) throws -> Tensor { try network.loss(batches[step], inputs, answers, training: true) }

    func rows(step: Int) -> Int { batches[step].queries.count }

    func validationLoss() throws -> Double {
        try withoutGradients {
            var (sum, rows) = (0.0, 0)
            for batch in validationBatches {
                let loss = try network.loss(batch, validation, validationAnswers, training: false)
                sum += try loss.item() * Double(batch.queries.count)
                rows += batch.queries.count
            }
            return sum / Double(max(1, rows))
        }
    }
}
