import Foundation
import Torch
import WaneBundle

/// Takes steps until validation stops getting better, and leaves the model with its best weights.
///
/// The checkpoint stays when training is done: it is the caller's to remove, once what was trained is safely where it
/// is to be. A finished run that is resumed takes no step and ends with the same weights.
public struct Trainer {
    public let options: TrainingOptions
    /// Where the run's state is kept; nothing is kept when absent.
    public var checkpoint: URL?
    /// Seconds between checkpoints within an epoch.
    public var checkpointSeconds = 20.0
    /// Take up the run that `checkpoint` holds, where there is one.
    public var resume = false
    /// What a person whose run was interrupted is told to do.
    public var again = TrainingError.Again.withResume
    /// Names the data and the model, so that another run's checkpoint is refused.
    public var task = ""
    /// Asked before each step; true ends the run with its state saved.
    public var shouldStop: () -> Bool = { false }
    public var report: (TrainingProgress) -> Void = { _ in }

    public init(_ options: TrainingOptions) { self.options = options }

    /// Ends what follows training (calibration, measuring) where a person asked to: the checkpoint holds all of it that
    /// took long.
    public func checkInterruption() throws(TrainingError) {
        guard shouldStop() else { return }
        let isKept = checkpoint.map { FileManager.default.fileExists(atPath: $0.path) } ?? false
        throw .interrupted(checkpoint: isKept ? checkpoint?.path : nil, again: again)
    }

    /// Called when what was trained is in its place.
    public func removeCheckpoint() {
        if let checkpoint { try? FileManager.default.removeItem(at: checkpoint) }
    }

    public func run(_ trainable: inout some Trainable) throws -> TrainingHistory {
        let parameters = trainable.parameters
        var optimizer = try Optimizer(options.optimizer, parameters)
        var average = options.averaging > 0 ? try WeightAverage(decay: options.averaging, parameters) : nil
        var state = Checkpoint.Place()
        state.options = options
        state.task = task
        var best = try snapshot(parameters)
        try Runtime.seed(options.seed)
        if resume, let checkpoint, FileManager.default.fileExists(atPath: checkpoint.path) {
            let saved = try Checkpoint(reading: checkpoint)
            guard saved.place.options == options else {
                throw TrainingError.checkpointDiffers(file: checkpoint.path, what: "set of options")
            }
            guard saved.place.task == task else {
                throw TrainingError.checkpointDiffers(file: checkpoint.path, what: "model or log")
            }
            try restore(saved.weights, parameters)
            try optimizer.load(saved.optimizer)
            try average?.load(saved.average)
            try Runtime.setRandomState(saved.random)
            (state, best) = (saved.place, saved.best)
        }

        let secondsBefore = state.seconds
        let stepsBefore = state.totalSteps
        let started = ContinuousClock.now
        func save() throws {
            state.seconds = secondsBefore + started.duration(to: .now) / .seconds(1)
            guard let checkpoint else { return }
            try Checkpoint(
                place: state, weights: try snapshot(parameters), best: best, optimizer: try optimizer.state(),
                average: try average?.state() ?? [:], random: try Runtime.randomState()
            ).write(to: checkpoint)
        }

        var lastSave = started
        var rowsDone = 0
        while state.epoch < options.epochs, state.epoch - state.history.bestEpoch < options.patience || state.epoch == 0
        {
            let steps = try trainable.begin(epoch: state.epoch)
            while state.step < steps {
                if shouldStop() {
                    try save()
                    throw TrainingError.interrupted(checkpoint: checkpoint?.path, again: again)
                }
                let loss = try step(trainable, state, steps, &optimizer, parameters)
                try average?.update()
                let rows = trainable.rows(step: state.step)
                state.lossSum += loss * Double(rows)
                state.lossRows += rows
                state.step += 1
                state.totalSteps += 1
                rowsDone += rows
                if checkpoint != nil, lastSave.duration(to: .now) > .seconds(checkpointSeconds) {
                    try save()
                    lastSave = .now
                }
                report(progress(trainable, state, steps, started, since: stepsBefore, rowsDone, validation: nil))
            }
            let current = trainable
            let measure = { (validation: try current.validationLoss(), weights: try snapshot(parameters)) }
            let (validation, weights) = try average.map { try $0.applied(measure) } ?? measure()
            guard validation.isFinite else {
                throw TrainingError.notFinite(what: "the validation loss", epoch: state.epoch + 1, step: state.step)
            }
            report(progress(trainable, state, steps, started, since: stepsBefore, rowsDone, validation: validation))
            state.history.trainLoss.append(state.lossSum / Double(max(1, state.lossRows)))
            state.history.validationLoss.append(validation)
            state.epoch += 1
            if validation < state.history.bestLoss {
                state.history.bestLoss = validation
                state.history.bestEpoch = state.epoch
                best = weights
            }
            (state.step, state.lossSum, state.lossRows) = (0, 0, 0)
            try save()
            lastSave = .now
        }
        try restore(best, parameters)
        state.history.measure = trainable.measure
        state.history.seconds = rowsDone > 0 ? secondsBefore + started.duration(to: .now) / .seconds(1) : secondsBefore
        return state.history
    }

    /// One step; returns its loss.
    private func step(
        _ trainable: some Trainable, _ state: Checkpoint.Place, _ steps: Int, _ optimizer: inout Optimizer,
        _ parameters: [(name: String, parameter: Parameter)]
    ) throws -> Double {
        var loss = try trainable.loss(step: state.step)
        let value = try loss.item()
        guard value.isFinite else {
            throw TrainingError.notFinite(what: "the loss", epoch: state.epoch + 1, step: state.step + 1)
        }
        if options.l1 > 0 {
            for (_, parameter) in parameters { loss = try loss + parameter.value.magnitude().sum() * options.l1 }
        }
        try optimizer.clearGradients()
        try loss.backward()
        let norm = try optimizer.clipGradients(to: options.clip)
        guard norm.isFinite else {
            let name =
                try parameters.first { try $0.parameter.value.gradient()?.allFinite() == false }?.name ?? "weights"
            throw TrainingError.notFinite(what: "the gradient of \(name)", epoch: state.epoch + 1, step: state.step + 1)
        }
        let factor = options.schedule.factor(
            step: state.totalSteps, of: options.epochs * steps, warmup: options.warmup)
        try optimizer.step(learningRate: options.learningRate * factor)
        return value
    }

    private func progress(
        _ trainable: some Trainable, _ state: Checkpoint.Place, _ steps: Int, _ started: ContinuousClock.Instant,
        since before: Int, _ rows: Int, validation: Double?
    ) -> TrainingProgress {
        let seconds = started.duration(to: .now) / .seconds(1)
        let done = Double(state.totalSteps - before)
        let left = Double(options.epochs * steps - state.totalSteps)
        return TrainingProgress(
            epoch: state.epoch + 1, epochs: options.epochs, step: state.step, steps: steps,
            loss: state.lossSum / Double(max(1, state.lossRows)), rowsPerSecond: Double(rows) / max(seconds, 1e-9),
            secondsLeft: done > 0 ? seconds / done * left : 0, measure: trainable.measure, validationLoss: validation)
    }

    private func snapshot(_ parameters: [(name: String, parameter: Parameter)]) throws -> [String: Tensor] {
        var copy: [String: Tensor] = [:]
        for (name, parameter) in parameters { copy[name] = try parameter.value.copied() }
        return copy
    }

    private func restore(_ weights: [String: Tensor], _ parameters: [(name: String, parameter: Parameter)]) throws {
        for (name, parameter) in parameters {
            guard let weight = weights[name] else {
                throw TorchError(operation: "restore", message: "no weight named \(name)")
            }
            try parameter.value.overwrite(with: weight)
        }
    }
}
