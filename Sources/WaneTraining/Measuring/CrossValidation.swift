import Foundation
import WaneEvents
import WaneMetrics
import WaneModels
import WanePrediction
import WaneTasks

/// k-fold cross-validation on the training and validation parts; the test part is not touched.
///
/// Over **users**, each fold's people are left out of training and measured on their validation queries. Over
/// **time**, the time before the test part is cut into `k + 2` blocks: each model trains on all blocks before
/// the two that it stops by and is measured on.
public struct CrossValidation: Sendable {
    public enum Kind: String, Sendable, CaseIterable { case users, time }

    public let folds: Int
    public let kind: Kind

    public init(folds: Int, kind: Kind) {
        self.folds = folds
        self.kind = kind
    }

    public struct Result: Sendable {
        public let logLoss: [Double]
        public let mae: [Double]

        /// Mean and standard deviation over folds.
        public var words: String {
            func summary(_ values: [Double]) -> String {
                let mean = values.reduce(0, +) / Double(values.count)
                let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count - 1))
                return String(format: "%.4f ± %.4f", mean, variance.squareRoot())
            }
            return "log loss \(summary(logLoss)), MAE \(summary(mae))"
        }
    }

    /// - Parameter configure: sets progress and interruption of each fold's run.
    public func run(
        _ task: InterestTask, model: ModelOptions, training: TrainingOptions,
        configure: (inout Trainer, Int) -> Void = { _, _ in }, progress: (String) -> Void = { _ in }
    ) throws -> Result {
        guard folds >= 2 else { throw TrainingError.option(name: "folds", value: Double(folds), needs: "at least 2") }
        var losses: [Double] = []
        var errors: [Double] = []
        for fold in 0..<folds {
            let (foldTask, part, seen, held) = try arranged(task, fold, training)
            var run = try InterestTraining(foldTask, model: model, training: training)
            run.users = seen
            configure(&run.trainer, fold)
            let trained = try run.run()
            let queries = try foldTask.queries(
                part, count: training.validationQueries, seed: training.seed, users: held)
            let (chances, degree) = try QueryPredictor(trained, of: foldTask.histories).predict(queries)
            let c = Classification.report(
                chances, queries.didReturn.map(Double.init), threshold: trained.description.threshold)
            let r = Regression.report(degree, queries.degree.map(Double.init))
            losses.append(c.logLoss)
            errors.append(r.mae)
            progress("fold \(fold + 1) of \(folds): log loss \(String(format: "%.4f", c.logLoss))")
        }
        return Result(logLoss: losses, mae: errors)
    }

    typealias People = (@Sendable (UInt32) -> Bool)?

    /// The task of a fold, the part that measures it, and the people of training and of measuring.
    func arranged(
        _ task: InterestTask, _ fold: Int, _ training: TrainingOptions
    ) throws -> (task: InterestTask, part: Part, seen: People, held: People) {
        switch kind {
        case .users:
            let (folds, seed) = (folds, training.seed)
            let inFold: @Sendable (UInt32) -> Bool = { user in
                var generator = SeededGenerator(seed: seed, stream: 9_000 + UInt64(user))
                return Int(generator.next() % UInt64(folds)) == fold
            }
            return (task, .validation, { !inFold($0) }, inFold)
        case .time:
            let times = task.histories.log.time.filter { $0 < task.split.validationEnd }.sorted()
            func cut(_ block: Int) -> Int64 { times[min(times.count - 1, times.count * block / (folds + 2))] }
            let known = times.count * (fold + 1) / (folds + 2)
            var snapshots: [Int64] = (1..<4).map { times[known * $0 / 4] }
            snapshots.append(cut(fold + 1) - 1)
            let split = Split(
                start: task.split.start, trainEnd: cut(fold + 1), validationEnd: cut(fold + 2), end: cut(fold + 3),
                horizon: task.split.horizon, snapshots: snapshots)
            let histories = Histories(task.histories.log, trainEnd: split.trainEnd)
            return (InterestTask(histories, split: split, seed: training.seed), .test, nil, nil)
        }
    }
}
