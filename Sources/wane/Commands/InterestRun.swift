import Foundation
import WaneBundle
import WaneEvents
import WaneModels
import WanePrediction
import WaneTasks
import WaneTraining

/// What train, compare and demo do alike: train with progress and Ctrl-C, and measure on the test part.
enum InterestRun {
    /// Shows a run's progress, and lets Ctrl-C end it with its state saved.
    static func watch(_ trainer: inout Trainer, as name: String, _ console: Console) {
        trainer.shouldStop = { Interruption.isAsked }
        trainer.report = TrainingBar(console: console, name: name).show
        Interruption.listen()
    }

    /// - Parameter check: asked between steps; throws where the work is to end.
    static func compare(
        _ task: InterestTask, _ record: TrainingRecord, _ models: [ModelBundle], console: Console,
        check: () throws -> Void = Interruption.check
    ) throws -> InterestComparison {
        let asked = models.map { ($0.description.family, QueryPredictor($0, of: task.histories)) }
        return try compare(task, record, asked, console: console, check: check)
    }

    static func compare(
        _ task: InterestTask, _ record: TrainingRecord, _ models: [(name: String, predictor: QueryPredictor)],
        console: Console, check: () throws -> Void = Interruption.check
    ) throws -> InterestComparison {
        let result = try InterestComparison(task, record, models: models) { text in
            try check()
            console.status(text)
        }
        console.clearStatus()
        return result
    }
}
