import Torch
import WaneModels

/// The textbook recipe on given rows, timed: what a benchmark runs.
public enum BasicBench {
    public static func run(
        _ network: LSTMBasic, inputs: [Float], labels: [Float], options: TrainingOptions
    ) throws -> (examplesPerSecond: Double, finalLoss: Double) {
        let x = try Tensor(inputs, shape: [labels.count, BasicInputs.width])
        let y = try Tensor(labels)
        var job = BasicJob(
            network: network, batch: options.batch, seed: options.seed, inputs: x, labels: y,
            validationInputs: try x.slice(0, 0..<min(1_000, labels.count)),
            validationLabels: try y.slice(0, 0..<min(1_000, labels.count)))
        var trainer = Trainer(options)
        var rate = 0.0
        trainer.report = { rate = $0.rowsPerSecond }
        let history = try trainer.run(&job)
        return (rate, history.trainLoss.last ?? .nan)
    }
}
