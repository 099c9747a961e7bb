import Foundation
import WaneData
import WaneTraining
import WaneModels

/// What train, compare and demo do alike: train with progress and Ctrl-C, and measure on the test part.
enum Workbench {
    static func train(
        _ task: InterestTask, _ model: ModelOptions, _ training: TrainingOptions, friends: [[UInt32]] = [],
        console: Console, checkpoint: URL? = nil, resume: Bool = false, every seconds: Double = 20
    ) throws -> TrainedModel {
        var run = try InterestTraining(task, model: model, training: training)
        run.friends = friends
        run.trainer.checkpoint = checkpoint
        run.trainer.checkpointSeconds = seconds
        run.trainer.resume = resume
        watch(&run.trainer, as: model.family, console)
        return try run.run()
    }

    /// Shows a run's progress, and lets Ctrl-C end it with its state saved.
    static func watch(_ trainer: inout Trainer, as name: String, _ console: Console) {
        trainer.shouldStop = { Interruption.isAsked }
        trainer.report = TrainingBar(console: console, name: name).show
        Interruption.listen()
    }

    static func compare(
        _ task: InterestTask, _ training: TrainingOptions, _ models: [TrainedModel], friends: [[UInt32]] = [],
        console: Console
    ) throws -> Comparison {
        let test = try task.queries(.test, count: training.testQueries, seed: training.seed)
        let answers = try models.map { model in
            let (returned, degree) = try model.session(task.histories, friends: friends).predict(test)
            return Comparison.Answers(
                name: model.description.family, threshold: model.description.threshold, returned: returned,
                degree: degree)
        }
        return try Comparison(task, options: training, test: test, models: answers) { console.status($0) }
    }
}
