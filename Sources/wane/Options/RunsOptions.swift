import ArgumentParser
import Foundation
import WaneEvents
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
        guard !runs.isEmpty else { throw ValidationError("--runs: give the name of a folder") }
        try OutputFile.prepare(URL(fileURLWithPath: runs).appendingPathComponent(".try-\(getpid())").path)
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

    /// Gives up the states of runs, once all of the answer has gone out.
    func remove(_ trainers: [Trainer]) throws {
        guard runs != nil else { return }
        try StandardOutput.check()
        for trainer in trainers { trainer.removeCheckpoint() }
    }
}
