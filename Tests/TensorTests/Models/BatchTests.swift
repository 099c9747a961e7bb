import Foundation
import Testing
import Torch
import WaneEvents
import WaneSimulation
import WaneState
import WaneTasks

@testable import WaneModels

extension UsingTorch {
    @Suite("Batches of histories")
    struct BatchTests {
        private func task() throws -> InterestTask { try Small.task(users: 60) }

        private func batches(
            _ queries: QuerySet, _ task: InterestTask, length: Int, size: Int,
            shuffledBy generator: inout SeededGenerator?
        ) -> [HistoryBatch] {
            HistoryBatch.batches(
                queries, task.histories, historyLength: length, size: size, bySnapshot: false, shuffledBy: &generator)
        }

        @Test("hold every query once, and no more steps than the stretches have")
        func complete() throws {
            let task = try task()
            let queries = try task.queries(.train, count: 3_000, seed: 1)
            var generator: SeededGenerator? = SeededGenerator(seed: 5)
            let batches = batches(queries, task, length: 16, size: 256, shuffledBy: &generator)
            #expect(batches.flatMap(\.queries).sorted() == Array(0..<queries.count))
            for batch in batches { #expect(batch.layout.rowCount == batch.events.count) }
        }

        @Test("by snapshot, no batch holds queries that see different ones")
        func snapshots() throws {
            let task = try task()
            let queries = try task.queries(.train, count: 3_000, seed: 1)
            #expect(Set(queries.snapshot).count > 3)
            var generator: SeededGenerator? = SeededGenerator(seed: 5)
            let batches = HistoryBatch.batches(
                queries, task.histories, historyLength: 16, size: 64, bySnapshot: true, shuffledBy: &generator)
            #expect(batches.flatMap(\.queries).sorted() == Array(0..<queries.count))
            for batch in batches { #expect(batch.queries.allSatisfy { queries.snapshot[$0] == batch.snapshot }) }
        }

        @Test("read for each query the state right after the person's last event", arguments: [4, 16, 1_000])
        func states(length: Int) throws {
            let task = try task()
            let queries = try task.queries(.test, count: 1_000, seed: 1)
            var unshuffled: SeededGenerator?
            for batch in batches(queries, task, length: length, size: 128, shuffledBy: &unshuffled) {
                for (query, state) in zip(batch.queries, batch.states) {
                    #expect(Int(batch.events[Int(state)]) == queries.event[query])
                }
            }
        }

        @Test("calibrating lowers the loss on its queries and moves the biases of the output alone")
        func calibrating() throws {
            var task = try task()
            task = task.rating(Small.rates(task.histories.log.topics.count))
            let queries = try task.queries(.validation, count: 500, seed: 1)
            try Runtime.seed(3)
            let model = try Small.model(task)
            let tensors = try QueryTensors(
                queries, topicRow: model.rows.topicRow, scaling: FeatureScaling(queries.lastEventFeatures),
                horizon: task.split.horizon,
                windows: ReturnWindows.draw(queries, resolution: 1, horizon: task.split.horizon))
            var unshuffled: SeededGenerator?
            let batches = batches(queries, task, length: 64, size: 128, shuffledBy: &unshuffled)
            let before = try model.network.weights()
            let loss = try model.network.calibrate(batches, tensors, model.events)
            #expect(loss.after < loss.before)
            for (name, weight) in try model.network.weights() {
                let same = try weight.values(Float.self) == before[name]?.values(Float.self)
                let isLevel = name == "head.levelOutput.bias" || name == "head.personOutput.bias"
                #expect(same == !isLevel, "\(name)")
            }
        }

        @Test("a prediction does not depend on what else is in the batch")
        func independent() throws {
            var task = try task()
            task = task.rating(Small.rates(task.histories.log.topics.count))
            let queries = try task.queries(.test, count: 200, seed: 1)
            try Runtime.seed(3)
            let model = try Small.model(task) { $0.historyLength = 12 }
            let tensors = try QueryTensors(
                queries, topicRow: model.rows.topicRow, scaling: FeatureScaling(queries.lastEventFeatures),
                horizon: task.split.horizon)
            func predictions(size: Int) throws -> [Float] {
                var unshuffled: SeededGenerator?
                var values = [Float](repeating: 0, count: queries.count)
                for batch in batches(queries, task, length: 12, size: size, shuffledBy: &unshuffled) {
                    let (chances, _) = try withoutGradients {
                        try model.network(batch, tensors, model.events, training: false)
                    }
                    for (value, row) in zip(try chances.values(Float.self), batch.queries) { values[row] = value }
                }
                return values
            }
            // Matrix products of other sizes add in another order.
            for (a, b) in zip(try predictions(size: 1), try predictions(size: 1_000)) { #expect(abs(a - b) < 1e-5) }
        }
    }

    /// Small logs that several suites train on.
    enum Small {
        static func simulated(users: Int, seed: UInt64 = 3) -> Simulator.Result {
            var options = Simulator.Options()
            options.users = users
            options.seed = seed
            options.topics = 6
            return Simulator(options).run()
        }

        static func task(users: Int, seed: UInt64 = 3) throws -> InterestTask {
            try task(simulated(users: users, seed: seed).log)
        }

        static func task(_ log: EventLog) throws -> InterestTask {
            let split = try Split(log)
            return InterestTask(Histories(log, trainEnd: split.trainEnd), split: split, seed: 7)
        }

        /// How often topics are touched again: each about once a day, half as often after a day.
        static func rates(_ topics: Int) -> RateSchema {
            RateSchema(
                topics: (0..<topics).map { [log(86_400), 1.2, 0.1, -log(86_400 + Double($0)), 1.5] }, depth: 0.3)
        }

        /// An untrained network on a task's log.
        static func model(
            _ task: InterestTask, _ change: (inout ModelOptions) -> Void = { _ in }
        ) throws -> (network: InterestModel, rows: LogRows, events: EventTensors) {
            var options = ModelOptions()
            change(&options)
            let vocabulary = ModelVocabulary(task.histories.log, trainEnd: task.split.trainEnd)
            let rows = LogRows(vocabulary, of: task.histories.log)
            return (
                try InterestModel(options, items: vocabulary.itemRows, topics: vocabulary.topicRows, visitPause: 0.003),
                rows,
                EventTensors(task.histories, rows: rows, horizon: task.split.horizon)
            )
        }
    }
}
