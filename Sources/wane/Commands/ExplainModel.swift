import ArgumentParser
import Foundation
import WaneBundle
import WaneEvents
import WaneExplanation
import WaneMetrics
import WaneModels
import WanePrediction
import WaneState
import WaneTasks
import WaneTraining

/// What a model relies on as a whole, and whether what is said of its answers is true of it.
struct ModelExplanation {
    private let command: Explain
    private let console: Console
    private let measured: MeasuredLog
    private let bundle: ModelBundle
    private let queries: QuerySet
    private let seed: UInt64

    /// About how many questions of the test part are asked.
    private static let questions = 10_000

    init(_ command: Explain, _ bundle: ModelBundle) throws {
        self.command = command
        self.bundle = bundle
        console = command.output.console
        guard bundle.hasCurves else { throw PredictionError.noCurves(family: bundle.description.family) }
        measured = try MeasuredLog(
            bundle, command.input, friends: command.friends, from: nil, to: nil, hasWindow: false,
            console)
        seed = bundle.description.training.seed
        console.status("drawing questions of the test part")
        queries = try measured.task.queries(.test, count: Self.questions, seed: seed)
        Interruption.listen()
        guard queries.count > 0 else {
            throw CommandError("the log's test part has no question to ask; give a longer log")
        }
    }

    private func progress(_ text: String) throws {
        try Interruption.check()
        console.status(text)
    }

    // MARK: Importance

    static let importance = ["input", "log_loss_increase", "low", "high"]

    func printImportance() throws {
        let found = try measured.predictor.importance(queries, seed: seed, progress: progress)
        console.clearStatus()
        var printer = RowPrinter(
            command.output.format, machine: Self.importance, people: ["input", "log loss", "95 % interval"])
        for group in found.groups {
            try printer.print(
                machine: [
                    .text(group.name), .number(group.increase), .number(group.interval?.low),
                    .number(group.interval?.high),
                ],
                people: [group.name, Render.signed(group.increase, 4), words(group.interval)])
        }
        try printer.finish()
        guard command.output.format == .table else { return }
        console.note(
            "log loss \(Render.number(found.logLoss, 4)) on \(queries.count) questions of the test part; each line: how much worse where "
                + "that input is another question's. What the model relies on is not yet what makes people come back")
    }

    private func words(_ interval: Evaluation.Interval?) -> String {
        interval.map { "\(Render.signed($0.low, 4)) to \(Render.signed($0.high, 4))" } ?? "-"
    }

    // MARK: Dependence

    static let dependence = ["input", "value", "return_probability", "half_life_seconds"]

    func printDependence(on name: String) throws {
        guard
            let found = try measured.predictor.dependence(
                on: name, queries, progress: { try progress("value \($0 + 1)") })
        else {
            throw ValidationError(
                "--dependence \(name): the model reads \(QueryPredictor.dependenceNames.joined(separator: ", "))")
        }
        console.clearStatus()
        var printer = RowPrinter(
            command.output.format, machine: Self.dependence, people: [name, "comes back", "half-life, median"])
        for place in found {
            try printer.print(
                machine: [
                    .text(name), .number(place.value), .number(place.returnProbability), .number(place.halfLife),
                ],
                people: [
                    name.hasPrefix("since_")
                        ? TimeSpan.words(Int64(place.value * 1e6), measured.asked.log.clock)
                        : Render.number(place.value, 3), Render.number(place.returnProbability, 3),
                    bundle.halfLifeWords(place.halfLife),
                ])
        }
        try printer.finish()
    }

    // MARK: Faithfulness

    static let check = ["test", "value", "low", "high", "limit", "passes"]

    /// Questions and epochs of the models that are trained anew.
    private static let retrainingQueries = 20_000
    private static let retrainingEpochs = 6

    func printCheck() throws {
        let predictor = measured.predictor
        let other = try BundleFolder.read(command.model, for: [.interest])
        try other.randomizeWeights(seed: seed)
        let randomized = QueryPredictor(other, measured.asked, measured.task.histories)
        var tests = try predictor.faithfulness(queries, randomized: randomized, seed: seed, progress: progress)
        tests += try eventTests()
        tests += try retrainedTests(predictor)
        console.clearStatus()
        var printer = RowPrinter(
            command.output.format, machine: Self.check, people: ["test", "found", "95 % interval", "has to be", ""])
        for test in tests {
            try printer.print(
                machine: [
                    .text(test.name), .number(test.value), .number(test.interval?.low), .number(test.interval?.high),
                    .text(test.limit), test.passes.map { .flag($0) } ?? .none,
                ],
                people: [
                    test.name, Render.number(test.value, 3),
                    test.interval.map { "\(Render.signed($0.low, 3)) to \(Render.signed($0.high, 3))" } ?? "-",
                    test.limit, words(test.passes),
                ])
        }
        try printer.finish()
        if command.output.format == .table, tests.contains(where: { $0.passes == false }) {
            console.note(
                "a test that fails: what wane explain says in that way is not to be relied on for this model; a model of more questions or "
                    + "epochs, or another family, may pass")
        }
        try keep(tests)
    }

    private func words(_ passes: Bool?) -> String { passes.map { $0 ? "passes" : "FAILS" } ?? "not measured" }

    /// In the model's card, for who reads that.
    private func keep(_ tests: [FaithfulnessTest]) throws {
        guard bundle.description.notes.isEmpty else {
            return console.note("note: the model was written by an older version; its card stays as it is")
        }
        var text =
            "Whether what `wane explain` says of an answer is true of the model, on \(queries.count) questions of a log of "
        text += "\(measured.asked.log.count) events.\n\n| test | found | has to be | |\n| --- | --- | --- | --- |\n"
        for test in tests {
            text += "| \(test.name) | \(Render.number(test.value, 3)) | \(test.limit) | \(words(test.passes)) |\n"
        }
        do { try BundleFolder.setCardSection("Faithfulness", text, of: command.model) } catch let error as StorageError
        {
            return console.note("note: the model's card stays as it is: \(error.reason)")
        }
        console.note("written into \(command.model)/card.md")
    }

    private func eventTests() throws -> [FaithfulnessTest] {
        let log = measured.asked
        var people: Set<UInt32> = []
        var questions: [(user: Int, topic: UInt32, moment: Int64)] = []
        for row in 0..<queries.count where questions.count < 100 && people.insert(queries.user[row]).inserted {
            questions.append((Int(queries.user[row]), queries.topic[row], queries.moment[row]))
        }
        return try Predictor(bundle).eventDeletion(questions, in: log, seed: seed) {
            try progress("deletion of events: question \($0 + 1) of \(questions.count)")
        }
    }

    private func retrainedTests(_ predictor: QueryPredictor) throws -> [FaithfulnessTest] {
        func trained(_ name: String, seed: UInt64, _ ablation: InterestTraining.Ablation = .init()) throws
            -> QueryPredictor
        {
            try progress("training a model \(name)")
            var options = TrainingOptions()
            options.trainQueries = Self.retrainingQueries
            options.validationQueries = Self.retrainingQueries / 2
            options.epochs = Self.retrainingEpochs
            options.seed = seed
            var training = try InterestTraining(measured.task, model: bundle.description.options, training: options)
            training.ablation = ablation
            // A model without a part is set beside others without it.
            let parts = bundle.description.training.settings["without"]?.split(separator: ",") ?? []
            training.ablation.without = Set(parts.compactMap { ModelPart(rawValue: String($0)) })
            training.trainer.shouldStop = { Interruption.isAsked }
            return QueryPredictor(try training.run(), of: measured.task.histories)
        }
        func without(_ features: [Int]) -> InterestTraining.Ablation {
            var ablation = InterestTraining.Ablation()
            ablation.features = features
            return ablation
        }
        var shuffled = InterestTraining.Ablation()
        shuffled.shufflesOutcomes = true
        let order = try predictor.featuresByCredit(queries, seed: seed)
        let count = order.count / 3
        var generator = SeededGenerator(seed: seed, stream: 24)
        let largest = Array(order.prefix(count))
        let random = Array(order.dropFirst(count).shuffled(using: &generator).prefix(count))
        let models = RetrainedModels(
            seeds: (
                try trained("from one seed", seed: seed &+ 1), try trained("from another seed", seed: seed &+ 2)
            ), shuffled: try trained("from shuffled outcomes", seed: seed, shuffled),
            withoutLargest: (
                try trained("without the features credited most", seed: seed, without(largest)), largest
            ),
            withoutRandom: (try trained("without random features", seed: seed, without(random)), random))
        return try predictor.faithfulness(queries, retrained: models, seed: seed)
    }
}
