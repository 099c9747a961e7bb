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
        run.trainer.shouldStop = { Interruption.isAsked }
        let bar = TrainingBar(console: console, name: model.family)
        run.trainer.report = bar.show
        Interruption.listen()
        return try run.run()
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
