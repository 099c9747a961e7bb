import ArgumentParser
import Foundation
import Torch
import WaneData
import WaneInsight
import WaneModels
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
        print("1. A simulated log with planted half-lives: \(path) (\(simulated.log.count) events)")

        // Read back as a user's log would be.
        let (read, reading) = try LogReader.read(path)
        print("2. Read back: \(reading.accepted) rows, \(reading.rejectedCount) set aside")
        guard read.count == simulated.log.count else { throw ValidationError("the log read back differs") }

        let task = try Self.task(simulated.log, seed: seed)
        var training = TrainingOptions()
        training.seed = seed
        training.epochs = epochs
        try Runtime.setThreads(ProcessInfo.processInfo.activeProcessorCount)
        print("3. Training an LSTM on queries of the first 60 % of the time")
        let model = try Workbench.train(task, ModelOptions(), training, console: console)
        let comparison = try Workbench.compare(task, training, [model], console: console)
        console.clearStatus()
        print("\n4. Measured on the last 20 % of the time, beside the baselines\n")
        try ComparisonTable.print(comparison, .table, clock: .wall)

        let recovery = try Recovery(model, task, simulated: simulated, seed: seed)
        print("\n5. \(recovery.words)\n")
        var table = Table(["topic", "planted", "recovered", "ratio"])
        for row in recovery.topics {
            table.rows.append([
                row.topic, TimeSpan.words(seconds: row.planted), TimeSpan.words(seconds: row.recovered),
                Render.number(row.recovered / row.planted, 2),
            ])
        }
        print(table.text)

        let modelFolder = folder.appendingPathComponent("model").path
        try ModelFolder.write(
            model, metrics: Data(try Render.json(comparison).utf8),
            card: ModelCard.text(model, comparison, clock: .wall), to: modelFolder)
        let summary = LogSummary(task.histories, horizon: task.split.horizon, report: reading)
        var page = ReportPage(
            title: "a simulated log", summary: summary, comparison: comparison, models: [model], task: task)
        page.recovery = recovery
        let report = folder.appendingPathComponent("report.html")
        try Data(page.html().utf8).write(to: report)

        print("\n6. One person's curve\n")
        let asking = Asking(task: task)
        let person = try asking.user("user-1")
        let pair = try asking.busiestPair(of: person)
        let moment = try asking.moment(nil, user: person)
        let queries = task.queries(at: [(pair, moment)])
        if let curve = try model.session(task.histories).curves(queries).first {
            let drawing = CurveDrawing(
                user: "user-1", topic: task.histories.log.topics.names[Int(task.histories.pairTopic[pair])],
                curve: curve, threshold: model.description.threshold, ahead: Double(task.split.horizon) * 4 / 1e6,
                clock: .wall, moment: task.histories.words(moment, user: person))
            try CurvePrinting.print(drawing, .table)
        }
        print("\nReport: \(report.path)\nModel:  \(modelFolder)")
    }

    private static func task(_ log: EventLog, seed: UInt64) throws -> InterestTask {
        let sorted = log.sortedByUser()
        let split = try Split(sorted)
        return try InterestTask(Histories(sorted, trainEnd: split.trainEnd), split: split, seed: seed)
    }
}
