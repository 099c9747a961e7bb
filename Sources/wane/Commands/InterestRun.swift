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

    static func compare(
        _ task: InterestTask, _ record: TrainingRecord, _ models: [ModelBundle], console: Console,
        checkpoint: URL? = nil
    ) throws -> InterestComparison {
        let asked = models.map { ($0.description.family, QueryPredictor($0, of: task.histories)) }
        return try compare(task, record, asked, console: console, checkpoint: checkpoint)
    }

    static func compare(
        _ task: InterestTask, _ record: TrainingRecord, _ models: [(name: String, predictor: QueryPredictor)],
        console: Console, checkpoint: URL? = nil
    ) throws -> InterestComparison {
        let result = try InterestComparison(task, record, models: models) { text in
            if Interruption.isAsked { throw TrainingError.interrupted(checkpoint: checkpoint?.path) }
            console.status(text)
        }
        console.clearStatus()
        return result
    }
}
