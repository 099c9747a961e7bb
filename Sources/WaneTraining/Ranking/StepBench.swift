import Torch
import WaneBaselines
import WaneEvents
import WaneTasks
import WaneModels

/// Training steps of a model of the next item on drawn histories of full length: what a benchmark runs.
public enum StepBench {
    public struct Result: Sendable {
        public let sequencesPerSecond: Double
        public let slowestStep: Double
        public let finalLoss: Double
    }

    /// - Parameters:
    ///   - length: events of each history; one more is drawn, so that every place has an answer.
    ///   - users: histories that are drawn; steps go round them.
    public static func run(
        family: String, items: Int, length: Int, batch: Int, users: Int, steps: Int, bfloat16: Bool,
        seed: UInt64 = 1
    ) throws -> Result {
        var generator = SeededGenerator(seed: seed)
        let (user, item, time) = (ColumnBuilder<UInt32>(), ColumnBuilder<UInt32>(), ColumnBuilder<Int64>())
        let histories = max(batch, users)
        let groups = histories / batch
        for person in 0..<histories {
            var moment: Int64 = 0
            for _ in 0...length {
                user.append(UInt32(person))
                item.append(UInt32(generator.uniform() * Double(items)))
                moment += Int64(generator.uniform() * 86_400e6)
                time.append(moment)
            }
        }
        let names = Vocabulary((0..<items).map(String.init))
        let log = EventLog(
            users: Vocabulary((0..<histories).map(String.init)), items: names, user: user.finish(), item: item.finish(),
            time: time.finish(),
            topics: ItemTopics(names: Vocabulary(), byItem: [], source: .single))
        var options = RankingOptions.model(family)
        options.historyLength = length
        options.historyDropout = 0.2
        try Runtime.seed(seed)
        let known = (0..<histories).map { $0 * (length + 1)..<($0 + 1) * (length + 1) }
        let counted =
            ModelFamilies.readsCompanions(family) ? known.map { range in range.map { log.item[$0] + 1 } } : nil
        let model = try RankingModel(
            options.checked(), items: items, companions: counted.map { ItemCompanions($0, rows: items + 1) })
        var loss = RankingLoss()
        loss.bfloat16 = bfloat16
        var optimizer = try Optimizer(.adamW(), model.parameters)
        let rows = (0..<items).map { Int64($0 + 1) }
        let graph =
            model.usesGraph
            ? try InteractionGraph(log, known: known, itemRow: rows, itemRows: items + 1, friends: []) : nil
        var (slowest, final) = (0.0, 0.0)
        var start = ContinuousClock.now
        // Three steps to warm up.
        for step in -3..<steps {
            if step == 0 { start = .now }
            let before = ContinuousClock.now
            let first = (step + 3) % groups * batch
            let data = RankingBatch(
                (first..<first + batch).map { person in
                    RankingBatch.Stretch(
                        known[person].dropLast(), log, itemRow: rows, counted: counted?[person])
                })
            let value = try model.loss(data, loss, sample: nil, graph: graph)
            try optimizer.clearGradients()
            try value.backward()
            try optimizer.step(learningRate: 1e-3)
            final = try value.item()
            if step >= 0 { slowest = max(slowest, before.duration(to: .now) / .seconds(1)) }
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        return Result(
            sequencesPerSecond: Double(batch * steps) / seconds, slowestStep: slowest, finalLoss: final)
    }
}
