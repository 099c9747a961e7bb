import Torch
import WaneEvents
import WaneModels
import WanePrediction

/// The textbook recipe: rows shuffled each epoch, mean squared error; timed on given rows for a benchmark.
public enum BasicBench {
    public static func run(
        _ network: LSTMBasic, inputs: [Float], labels: [Float], options: TrainingOptions
    ) throws -> (examplesPerSecond: Double, finalLoss: Double) {
        let x = try Tensor(inputs, shape: [labels.count, BasicInputs.width])
        let y = try Tensor(labels)
        let held = 0..<min(1_000, labels.count)
        var job = try Self.job(
            network, inputs: x, labels: y, validationInputs: x.slice(0, held), validationLabels: y.slice(0, held),
            batch: options.batch, seed: options.seed)
        var trainer = Trainer(options)
        var rate = 0.0
        trainer.report = { rate = $0.rowsPerSecond }
        let history = try trainer.run(&job)
        return (rate, history.trainLoss.last ?? .nan)
    }

    typealias Batch = (inputs: Tensor, labels: Tensor)

    static func job(
        _ network: LSTMBasic, inputs: Tensor, labels: Tensor, validationInputs: Tensor, validationLabels: Tensor,
        batch: Int, seed: UInt64
    ) throws -> TrainingJob<Batch> {
        let count = labels.count
        return TrainingJob<Batch>(parameters: network.parameters) { epoch in
            var generator = SeededGenerator(seed: seed, stream: 500 + UInt64(epoch))
            let order = try Tensor((0..<Int64(count)).shuffled(using: &generator))
            let (x, y) = (try inputs.rows(order), try labels.rows(order))
            return try stride(from: 0, to: count, by: batch).map { start in
                let rows = start..<min(count, start + batch)
                return (try x.slice(0, rows), try y.slice(0, rows))
            }
        } rowCount: {
            $0.labels.count
        } batchLoss: { batch, _, _ in
            try Loss.meanSquaredError(network(batch.inputs, training: true), batch.labels)
        } validate: { _ in
            try withoutGradients {
                try Loss.meanSquaredError(network(validationInputs, training: false), validationLabels).item()
            }
        }
    }
}
