import ArgumentParser
import Foundation
import WaneBundle
import WaneMetrics
import WaneTraining

/// Where a command that trains one model puts it, and how it goes on after an interruption.
struct SavingOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: ArgumentHelp("The model's folder.", valueName: "folder")) var output: String
    @Flag(help: "Go on where an interrupted run of the same command stopped.") var resume = false

    /// Finds out before the work whether the folder can take the model.
    func prepare() throws { try BundleFolder.prepare(output) }

    /// Lets a run keep its state beside the model's place while it goes on.
    func keep(_ trainer: inout Trainer, every seconds: Double = 20) {
        trainer.checkpoint = URL(fileURLWithPath: output + ".checkpoint")
        trainer.checkpointSeconds = seconds
        trainer.resume = resume
    }

    /// Puts the model into place; only then is the run's state given up.
    ///
    /// - Returns: what is to be said of it, below the table.
    func save(
        _ bundle: ModelBundle, metrics: some Encodable & Doubted, card: String, _ trainer: Trainer
    ) throws -> String {
        let note = try Self.write(bundle, metrics: metrics, card: card, to: output)
        trainer.removeCheckpoint()
        return note
    }

    /// What was measured against the model stays with it.
    ///
    /// - Returns: what is to be said of it, that a model was there before included.
    static func write(
        _ bundle: ModelBundle, metrics: some Encodable & Doubted, card: String, to path: String
    ) throws -> String {
        var bundle = bundle
        bundle.description.doubts = metrics.doubts.map(\.words)
        let before = try? BundleFolder.description(at: path)
        try BundleFolder.write(bundle, metrics: Data(try Render.json(metrics).utf8), card: card, to: path)
        return "saved \(path) (\(bundle.parameterCount) weights)"
            + (before.map { "; it replaces the \($0.family) that was there" } ?? "")
    }
}
