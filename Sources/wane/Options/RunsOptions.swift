import ArgumentParser
import Foundation
import WaneBundle
import WaneTraining

/// Where a command that trains several models keeps the state of each, so that it goes on after an interruption.
struct RunsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Keep the state of every training run in this folder: interrupted, the same command goes on from there.",
            valueName: "folder"))
    var runs: String?

    /// Finds out before the work whether the folder takes files.
    func prepare() throws {
        guard let runs else { return }
        try BundleFolder.prepare(runs + "/run")
    }

    /// Lets a run keep its state under a name of its own, and go on from what is there.
    func keep(_ trainer: inout Trainer, _ name: String) {
        guard let runs else { return }
        trainer.checkpoint = URL(fileURLWithPath: runs).appendingPathComponent("\(name).checkpoint")
        trainer.resume = true
        trainer.again = .sameCommand
    }

    /// An interruption between runs: what has been trained stays.
    func checkInterruption() throws {
        if Interruption.isAsked { throw TrainingError.interrupted(checkpoint: runs, again: .sameCommand) }
    }

    /// Gives up the states of runs whose results have been printed, and the folder where nothing else is in it.
    func remove(_ trainers: [Trainer]) {
        guard let runs else { return }
        for trainer in trainers { trainer.removeCheckpoint() }
        rmdir(runs)
    }
}
