import WaneEvents
import WaneTasks
import WaneTraining

/// Draws a run's progress: a bar on a terminal, a line an epoch elsewhere.
struct TrainingBar {
    let console: Console
    let name: String

    func show(_ progress: TrainingProgress) {
        let rate = Int(progress.rowsPerSecond)
        if let validation = progress.validationLoss {
            console.note(
                "\(name): epoch \(progress.epoch)/\(progress.epochs)  loss \(Render.number(progress.loss))"
                    + "  validation \(progress.measure) \(Render.number(validation))  \(rate) rows/s\(left(progress))")
        } else {
            let filled = progress.step * 20 / max(1, progress.steps)
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
            console.status(
                "\(name): epoch \(progress.epoch)/\(progress.epochs) [\(bar)] loss \(Render.number(progress.loss))"
                    + "  \(rate) rows/s\(left(progress))")
        }
    }

    /// Training may stop before its last epoch, when validation does not get better.
    private func left(_ progress: TrainingProgress) -> String {
        guard progress.secondsLeft >= 1 else { return "" }
        return "  at most \(TimeSpan.words(seconds: progress.secondsLeft)) left"
    }
}
