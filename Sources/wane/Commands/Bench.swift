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

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times reading and training on this machine; `make bench` sets peers beside it.",
        discussion: "Example:\n  wane bench read visits.csv\n  wane bench lstm-basic --threads 1",
        subcommands: [Read.self, LSTMBasicBench.self, NextItemBench.self, Growth.self, States.self])

    struct Read: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Times the reading of a log.")
        @OptionGroup var input: LogOptions
        @Option(help: ArgumentHelp("Times to read it.", valueName: "n")) var runs = 3
        @Option(help: ArgumentHelp("Threads.", valueName: "n")) var threads = 1

        struct Answer: Encodable {
            let rows: Int
            let seconds: Double
            let rowsPerSecond: Double
            /// The process's peak, and what of it exceeds its size before reading.
            let peakBytes: Int
            let peakBytesPerEvent: Double
        }

        func run() async throws {
            let before = Memory.peak()
            var best = Double.infinity
            var rows = 0
            var options = try input.options()
            options.threads = max(1, threads)
            for _ in 0..<max(1, runs) {
                let start = ContinuousClock.now
                let (log, _) = try LogReader.read(input.logs, options: options)
                best = min(best, start.duration(to: .now) / .seconds(1))
                rows = log.count
            }
            let peak = Memory.peak()
            StandardOutput.print(
                try Render.json(
                    Answer(
                        rows: rows, seconds: best, rowsPerSecond: Double(rows) / best, peakBytes: peak,
                        peakBytesPerEvent: Double(peak - before) / Double(max(1, rows)))))
        }
    }

    struct LSTMBasicBench: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "lstm-basic",
            abstract: "Times the textbook recipe: 80,000 rows of four features, batches of 32.")
        @Option(help: ArgumentHelp("Training rows.", valueName: "n")) var rows = 80_000
        @Option(help: ArgumentHelp("Epochs.", valueName: "n")) var epochs = 2
        @Option(help: ArgumentHelp("Threads.", valueName: "n")) var threads = 1

        struct Answer: Encodable {
            let torch: String
            let threads: Int
            let rows: Int
            let examplesPerSecond: Double
            let finalLoss: Double
        }

        func run() async throws {
            try Runtime.setThreads(threads)
            var generator = SeededGenerator(seed: 1)
            let inputs = (0..<rows * 4).map { _ in Float(generator.normal()) }
            let labels = (0..<rows).map { row in Float(0.3 * Double(inputs[row * 4 + 3]) + 0.1 * generator.normal()) }
            var options = TrainingOptions()
            options.epochs = epochs
            options.patience = epochs
            options.learningRate = 1e-3
            options.optimizer = .adam()
            options.batch = 32
            options.warmup = 0
            options.averaging = 0
            options.clip = .greatestFiniteMagnitude
            try Runtime.seed(1)
            let network = try LSTMBasic()
            let result = try BasicBench.run(network, inputs: inputs, labels: labels, options: options)
            StandardOutput.print(
                try Render.json(
                    Answer(
                        torch: try Runtime.version, threads: try Runtime.threads, rows: rows,
                        examplesPerSecond: result.examplesPerSecond, finalLoss: result.finalLoss)))
        }
    }
}

extension Bench {
    struct NextItemBench: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "next-item",
            abstract: "Times training steps of a model of the next item on drawn histories.",
            discussion: "Example:\n  wane bench next-item --family attention --items 10000")
        @Option(help: ArgumentHelp("The family: see `wane models`.", valueName: "name")) var family = "attention"
        @Option(help: ArgumentHelp("Items.", valueName: "n")) var items = 10_000
        @Option(help: ArgumentHelp("Events of a history.", valueName: "n")) var length = 50
        @Option(help: ArgumentHelp("Histories in a step.", valueName: "n")) var batch = 128
        @Option(help: ArgumentHelp("Steps that are timed.", valueName: "n")) var steps = 20
        @Option(help: ArgumentHelp("Threads.", valueName: "n")) var threads = 2
        @Flag(help: "Multiply in bfloat16 in the loss.") var bf16 = false

        struct Answer: Encodable {
            let torch: String
            let threads: Int
            let sequencesPerSecond: Double
            let slowestStepSeconds: Double
            let finalLoss: Double
            let peakBytes: Int
        }

        func run() async throws {
            for (name, value) in [("items", items), ("length", length), ("batch", batch), ("steps", steps)]
            where value < 1 {
                throw ValidationError("--\(name) \(value): give at least 1")
            }
            try Runtime.setThreads(threads)
            let result = try StepBench.run(
                family: family, items: items, length: length, batch: batch, users: 4 * batch, steps: steps,
                bfloat16: bf16)
            StandardOutput.print(
                try Render.json(
                    Answer(
                        torch: try Runtime.version, threads: try Runtime.threads,
                        sequencesPerSecond: result.sequencesPerSecond, slowestStepSeconds: result.slowestStep,
                        finalLoss: result.finalLoss, peakBytes: Memory.peak())))
        }
    }
}

extension Bench {
    struct Growth: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Times an epoch of models of the next item as items, histories and people grow.",
            discussion: "Example:\n  wane bench growth --families attention,gru,lightgcn --svg cost.svg")
        @Option(help: ArgumentHelp("Families, separated by commas.", valueName: "names"))
        var families = "gru,cnn,attention,lightgcn,hybrid"
        @Option(help: ArgumentHelp("Threads.", valueName: "n")) var threads = 2
        @Option(help: ArgumentHelp("Write a chart as an SVG picture.", valueName: "file")) var svg: String?

        struct Row: Encodable {
            let family: String
            let grown: String
            let items: Int
            let length: Int
            let users: Int
            let secondsPerEpoch: Double
            /// Of the base.
            let ratio: Double
        }

        func run() async throws {
            try Runtime.setThreads(threads)
            let cases = [
                ("base", 1_000, 25, 512), ("items x10", 10_000, 25, 512), ("history x4", 1_000, 100, 512),
                ("users x10", 1_000, 25, 5_120), ("items, history", 10_000, 100, 512),
            ]
            var rows: [Row] = []
            for family in families.split(separator: ",").map(String.init) {
                var base = 0.0
                for (name, items, length, users) in cases {
                    let steps = users / 128
                    let result = try StepBench.run(
                        family: family, items: items, length: length, batch: 128, users: users, steps: steps,
                        bfloat16: false)
                    let seconds = Double(users) / result.sequencesPerSecond
                    if name == "base" { base = seconds }
                    rows.append(
                        Row(
                            family: family, grown: name, items: items, length: length, users: users,
                            secondsPerEpoch: seconds, ratio: seconds / base))
                }
            }
            if let svg {
                let series = families.split(separator: ",").map(String.init).map { family in
                    let own = rows.filter { $0.family == family }
                    return LineChart.Series(
                        name: family, points: own.enumerated().map { (Double($0.offset), $0.element.ratio) }, dots: true
                    )
                }
                let chart = LineChart(
                    title: "Seconds of an epoch as work grows", series: series, xLabel: "", yLabel: "times the base",
                    horizontal: .names(cases.map { $0.0 }))
                try OutputFile.write(chart.standalone(), to: svg)
            }
            var table = Table(["family", "grown", "items", "history", "users", "seconds an epoch", "of the base"])
            table.rows = rows.map {
                [
                    $0.family, $0.grown, "\($0.items)", "\($0.length)", "\($0.users)",
                    Render.number($0.secondsPerEpoch, 3), Render.number($0.ratio, 2),
                ]
            }
            StandardOutput.print(table.text)
        }
    }
}

extension Bench {
    struct States: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "states",
            abstract: "Times a person's state and the curves of a person with twenty topics, on one core.",
            discussion: "Example:\n  wane bench states --families mlp,lstm,attention")
        @Option(help: ArgumentHelp("Families, separated by commas.", valueName: "names")) var families =
            "mlp,lstm,gru,attention,hybrid,din"
        @Option(help: ArgumentHelp("Events that are applied.", valueName: "n")) var events = 1_000_000

        struct Answer: Encodable {
            let torch: String
            let applyMicroseconds: Double
            let stateBytes: Int
            let topics: Int
            /// The median over a hundred questions.
            let curvesMilliseconds: [String: Double]
            let liveCurvesMilliseconds: [String: Double]
        }

        func run() async throws {
            guard (1...100_000_000).contains(events) else { throw ValidationError("--events \(events): give 1 to 1e8") }
            try Runtime.setThreads(1)
            var options = Simulator.Options()
            (options.users, options.topics, options.days) = (300, 24, 365)
            let log = Simulator(options).run().log
            let split = try Split(log)
            let task = InterestTask(Histories(log, trainEnd: split.trainEnd), split: split, seed: 1)
            var state = PersonState(task.schema.keeping(256))
            let histories = task.histories
            var applied = 0
            let start = ContinuousClock.now
            while applied < events {
                state.reset()
                for index in 0..<min(events - applied, log.count) {
                    state.apply(histories.event(index), topics: histories.log.topics[histories.log.item[index]])
                }
                applied += min(events - applied, log.count)
            }
            let apply = start.duration(to: .now) / .microseconds(1) / Double(events)

            var training = TrainingOptions()
            (training.epochs, training.trainQueries, training.validationQueries) = (1, 2_000, 1_000)
            var times: [String: Double] = [:]
            var liveTimes: [String: Double] = [:]
            var bytes = 0
            for family in try FamilyList.parse(families) {
                var model = ModelOptions()
                model.family = family
                let bundle = try InterestTraining(task, model: model, training: training).run()
                let predictor = Predictor(bundle)
                let asked = try AskedLog(log, for: bundle)
                // Twenty topics of the busiest person, who may have met some of them only by this.
                let user =
                    (0..<asked.userCount).max { asked.events(ofUser: $0).count < asked.events(ofUser: $1).count } ?? 0
                var person = predictor.state(of: user, in: asked)
                for topic in 0..<UInt32(asked.log.topics.count) where person.topics.count < 20 {
                    guard person.topic(topic) == nil else { continue }
                    person.apply(StateEvent(time: person.lastTime + 1, item: 0, engagement: 0.5), topics: [topic][...])
                }
                let questions = person.topics.prefix(20).map {
                    StateQuestion(person: 0, topic: $0.topic, moment: person.lastTime + 1)
                }
                bytes = max(bytes, person.byteCount)
                var samples: [Double] = []
                for number in 0..<110 {
                    let start = ContinuousClock.now
                    let curves = try predictor.curves(questions, of: [(person, -1)], in: asked)
                    guard curves.count == questions.count else { break }
                    // The first few warm caches up.
                    if number >= 10 { samples.append(start.duration(to: .now) / .milliseconds(1)) }
                }
                times[family] = samples.sorted()[samples.count / 2]
                // The same of a person whose encoder was moved on with every event.
                var live = LivePerson(predictor, in: asked)
                for index in asked.events(ofUser: user).suffix(300) {
                    try live.apply(asked.event(index), topics: asked.log.topics[asked.log.item[index]])
                }
                samples = []
                let topics = live.state.topics.prefix(20).map(\.topic)
                for _ in 0..<100 {
                    let start = ContinuousClock.now
                    _ = try live.curves(topics, at: live.state.lastTime + 1)
                    samples.append(start.duration(to: .now) / .milliseconds(1))
                }
                liveTimes[family] = samples.sorted()[samples.count / 2]
            }
            StandardOutput.print(
                try Render.json(
                    Answer(
                        torch: try Runtime.version, applyMicroseconds: apply, stateBytes: bytes, topics: 20,
                        curvesMilliseconds: times, liveCurvesMilliseconds: liveTimes)))
        }
    }
}

/// What the system says of this process's memory.
enum Memory {
    /// The highest resident size of this program so far, in bytes; 0 where the system does not tell. Read from
    /// the kernel's own account: that of `getrusage` begins with the parent's.
    static func peak() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1_024
    }
}
