import Testing
import Torch
import WaneData

@testable import WaneModels

extension UsingTorch {
    @Suite("Batches of histories")
    struct BatchTests {
        private func task() throws -> InterestTask { try Small.task(users: 60) }

        @Test("hold every query once, and no more steps than the stretches have")
        func complete() throws {
            let task = try task()
            let queries = try task.queries(.train, count: 3_000, seed: 1)
            var generator: SeededGenerator? = SeededGenerator(seed: 5)
            let batches = HistoryBatch.batches(
                queries, task.histories, historyLength: 16, size: 256, shuffledBy: &generator)
            #expect(batches.flatMap(\.queries).sorted() == Array(0..<queries.count))
            for batch in batches { #expect(batch.layout.rowCount == batch.events.count) }
        }

        @Test("read for each query the state right after the person's last event", arguments: [4, 16, 1_000])
        func states(length: Int) throws {
            let task = try task()
            let queries = try task.queries(.test, count: 1_000, seed: 1)
            var unshuffled: SeededGenerator?
            for batch in HistoryBatch.batches(
                queries, task.histories, historyLength: length, size: 128, shuffledBy: &unshuffled)
            {
                for (query, state) in zip(batch.queries, batch.states) {
                    #expect(Int(batch.events[Int(state)]) == queries.event[query])
                }
            }
        }

        @Test("calibrating lowers the loss on its queries and moves the biases of the output alone")
        func calibrating() throws {
            let task = try task()
            let queries = try task.queries(.validation, count: 500, seed: 1)
            try Runtime.seed(3)
            let vocabulary = ModelVocabulary(task.histories, trainEnd: task.split.trainEnd)
            let model = try InterestModel(
                ModelOptions(), items: vocabulary.items.count, topics: vocabulary.topics.count)
            let table = try EventTable(task.histories, vocabulary: vocabulary, horizon: task.split.horizon)
            let inputs = try QueryInputs(
                queries, table: table, scaling: FeatureScaling(queries.anchored), horizon: task.split.horizon)
            var unshuffled: SeededGenerator?
            let batches = HistoryBatch.batches(
                queries, task.histories, historyLength: 64, size: 128, shuffledBy: &unshuffled)
            let before = try model.weights()
            let loss = try model.calibrate(batches, inputs)
            #expect(loss.after < loss.before)
            for (name, weight) in try model.weights() {
                let same = try weight.values(Float.self) == before[name]?.values(Float.self)
                #expect(same == (name != "head.output.bias"), "\(name)")
            }
        }

        @Test("a prediction does not depend on what else is in the batch")
        func independent() throws {
            let task = try task()
            let queries = try task.queries(.test, count: 200, seed: 1)
            try Runtime.seed(3)
            var options = ModelOptions()
            options.historyLength = 12
            let vocabulary = ModelVocabulary(task.histories, trainEnd: task.split.trainEnd)
            let model = try InterestModel(options, items: vocabulary.items.count, topics: vocabulary.topics.count)
            let table = try EventTable(task.histories, vocabulary: vocabulary, horizon: task.split.horizon)
            let inputs = try QueryInputs(
                queries, table: table, scaling: FeatureScaling(queries.anchored), horizon: task.split.horizon)
            func predictions(size: Int) throws -> [Float] {
                var unshuffled: SeededGenerator?
                var values = [Float](repeating: 0, count: queries.count)
                for batch in HistoryBatch.batches(
                    queries, task.histories, historyLength: 12, size: size, shuffledBy: &unshuffled)
                {
                    let (returned, _) = try withoutGradients { try model(batch, inputs, training: false) }
                    for (value, place) in zip(try returned.values(Float.self), batch.queries) { values[place] = value }
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
            let log = simulated(users: users, seed: seed).log
            let split = try Split(log)
            return try InterestTask(Histories(log, trainEnd: split.trainEnd), split: split, seed: 7)
        }
    }
}
