import Foundation
import Torch
import WaneBundle
import WaneEvents
import WaneModels
import WanePrediction
import WaneTasks

/// Trains a model of the time until a return on a log's training part, stopping by its validation part.
///
/// Half of the training questions are asked right after a touch, as the measures are; the other half later in the
/// silence, as people are asked about in use.
public struct ReturnTraining {
    public let task: ReturnTask
    public let model: ModelOptions
    public let training: TrainingOptions
    public var trainer: Trainer
    public var friends = SocialEdges.none
    /// How the log was read, kept with the model.
    public var reading = ReadingOptions()

    public init(_ task: ReturnTask, model: ModelOptions, training: TrainingOptions) throws {
        self.task = task
        self.model = try model.checked()
        self.training = try training.checked()
        trainer = Trainer(self.training)
    }

    public func run() throws -> ModelBundle {
        let (histories, split) = (task.interest.histories, task.interest.split)
        let hours = histories.hours(until: split.trainEnd)
        let interest = task.interest.following(hours)
        let task = ReturnTask(interest)
        let vocabulary = ModelVocabulary(histories.log, trainEnd: split.trainEnd)
        let questions = try task.questions(.train, count: training.trainQueries, seed: training.seed, later: true)
        let validation = try task.questions(
            .validation, count: training.validationQueries, seed: training.seed, later: true)
        let scaling = FeatureScaling(questions.queries.lastEventFeatures)
        let model = model.enablingSocial(for: friends)
        try Runtime.seed(training.seed)
        let network = try ReturnModel(
            model, items: vocabulary.itemRows, topics: vocabulary.topicRows, followsHours: hours != nil)
        let inputs = try TrainingInputs(interest, vocabulary, network.queries, friends)
        let events = inputs.events
        func tensors(_ questions: ReturnQueries) throws -> (queries: QueryTensors, answers: ReturnAnswers) {
            (
                try QueryTensors(
                    questions.queries, topicRow: inputs.rows.topicRow, scaling: scaling, horizon: split.horizon),
                try ReturnAnswers(
                    questions, questions.queries, horizon: split.horizon,
                    pause: Double(interest.schema.visitPause) / Double(split.horizon))
            )
        }
        let (own, held) = (try tensors(questions), try tensors(validation))
        var unshuffled: SeededGenerator?
        let validationBatches = network.queries.batches(
            validation.queries, histories, size: 4_096, shuffledBy: &unshuffled)
        let training = training
        var job = TrainingJob<HistoryBatch>(parameters: network.parameters) { epoch in
            var generator: SeededGenerator? = SeededGenerator(seed: training.seed, stream: 500 + UInt64(epoch))
            return network.queries.batches(
                questions.queries, histories, size: training.batch, shuffledBy: &generator)
        } rowCount: {
            $0.queries.count
        } batchLoss: { batch, _, _ in
            try network.loss(batch, own.queries, events, own.answers, training: true)
        } validate: { _ in
            try TrainingJob<HistoryBatch>.mean(validationBatches, rowCount: { $0.queries.count }) { batch in
                try network.loss(batch, held.queries, events, held.answers, training: false)
            }
        }
        let data = Fingerprint.of(histories.log)
        var trainer = trainer
        trainer.task = try RunIdentity(
            "return", model, split, data: data, more: [Fingerprint.of(friends)]
        ).text
        var description = BundleDescription(
            task: .return, family: model.family, options: model, training: training.record, split: split,
            clock: histories.log.clock, topicSource: histories.log.topics.source,
            typicalEngagement: interest.typicalEngagement, scaling: scaling, data: data)
        description.hours = hours
        description.history = try trainer.run(&job)
        var bundle = try inputs.bundle(description, .returns(network), reading: reading)
        bundle.population = .firstTouches(
            FirstTouches(
                histories, trainEnd: split.trainEnd, horizon: split.horizon, topicRow: inputs.rows.topicRow,
                topicRows: vocabulary.topicRows, degreeOfReturn: 0))
        return bundle
    }
}
