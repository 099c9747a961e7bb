import ArgumentParser
import Foundation
import Torch
import WaneBundle
import WaneEvents
import WaneModels
import WanePrediction
import WaneReport
import WaneSimulation
import WaneState
import WaneTasks
import WaneTraining

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "From a simulated log with planted half-lives to a measured decay curve, in one go.",
        discussion: "Example:\n  wane demo --output demo")

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the log, the model and the report go.", valueName: "folder"))
    var output = "demo"
    @Option(help: "The seed.") var seed: UInt64 = 7
    @Option(help: ArgumentHelp("People to simulate.", valueName: "n")) var users = 1_500
    @Option(help: ArgumentHelp("The most epochs.", valueName: "n")) var epochs = 30

    func run() async throws {
        let console = Console(quiet: false)
        let folder = URL(fileURLWithPath: output)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)

        var options = Simulator.Options()
        options.seed = seed
        options.users = users
        let simulated = Simulator(options).run()
        let path = folder.appendingPathComponent("visits.csv").path
        try LogWriter.csv(simulated.log, to: path)
        StandardOutput.print("1. A simulated log with planted half-lives: \(path) (\(simulated.log.count) events)")

        // Everything from here on knows only what was read back, as of a user's own log.
        let (log, reading) = try LogReader.read(path)
        StandardOutput.print("2. Read back: \(reading.accepted) rows, \(reading.rejectedCount) set aside")
        guard log.count == simulated.log.count else { throw CommandError("the log read back differs") }

        let task = try Self.task(log, seed: seed)
        var training = TrainingOptions()
        training.seed = seed
        training.epochs = epochs
        try Runtime.setThreads(1)
        // One person in five is seen by no training, so that what is recovered of them is not learned by heart.
        let seed = seed
        let isHeldOut: @Sendable (UInt32) -> Bool = { user in
            var generator = SeededGenerator(seed: seed, stream: 70_000 + UInt64(user))
            return generator.next() % 5 == 0
        }
        StandardOutput.print(
            "3. Training the flagship on queries of the first 60 % of the time, without a fifth of the people")
        var flagship = ModelOptions()
        flagship.family = "wane"
        var run = try InterestTraining(task, model: flagship, training: training)
        run.users = { !isHeldOut($0) }
        InterestRun.watch(&run.trainer, as: flagship.family, console)
        var model = try run.run()
        let comparison = try InterestRun.compare(task, training.record, [model], console: console)
        StandardOutput.print("\n4. Measured on the last 20 % of the time, beside the baselines\n")
        try ComparisonTable.print(comparison, .table, clock: .wall)

        let recovery = try Recovery(model, task, isHeldOut: isHeldOut, simulated: simulated, seed: seed)
        StandardOutput.print("\n5. On people that no training saw: \(recovery.words)\n")
        var table = Table(["topic", "planted", "recovered", "ratio"])
        for row in recovery.topics {
            table.rows.append([
                row.topic, TimeSpan.words(seconds: row.planted), TimeSpan.words(seconds: row.recovered),
                Render.number(row.recovered / row.planted, 2),
            ])
        }
        StandardOutput.print(table.text)

        let modelFolder = folder.appendingPathComponent("model").path
        model.description.halfLives?.isShown = comparison.decay?.isWin
        _ = try SavingOptions.write(
            model, metrics: comparison, card: ModelCard.text(model, comparison), to: modelFolder)
        let summary = LogSummary(task.histories, horizon: task.split.horizon, report: reading)
        var page = ReportPage(
            title: "a simulated log", summary: summary, comparison: comparison, models: [model], task: task)
        page.recovery = recovery
        try ReportParts.add(to: &page, [model], comparison, task, console)
        let report = folder.appendingPathComponent("report.html")
        try OutputFile.write(page.html(), to: report.path)

        StandardOutput.print("\n6. One person's curve, from the saved model and that person's events alone\n")
        let curve = try Curve.parse([modelFolder, path, "--user", "user-1", "--quiet"])
        try await curve.run()
        StandardOutput.print("\nReport: \(report.path)\nModel:  \(modelFolder)")
    }

    private static func task(_ log: EventLog, seed: UInt64) throws -> InterestTask {
        let sorted = log.sortedByUser()
        let split = try Split(sorted)
        return InterestTask(Histories(sorted, trainEnd: split.trainEnd), split: split, seed: seed)
    }
}
