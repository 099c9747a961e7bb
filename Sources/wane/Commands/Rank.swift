import ArgumentParser
import Foundation
import WaneBaselines
import WaneData
import WaneInsight
import WaneModels
import WaneTraining

struct Rank: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ranks what a person wants next: trains, compares and asks models of the next item.",
        discussion: """
            Example:
              wane rank train visits.csv --model attention --output models/next
              wane rank models/next visits.csv --user 17 --top 10
              wane rank compare visits.csv --models attention,hybrid --blend
            """,
        subcommands: [RankItems.self, RankTrain.self, RankCompare.self], defaultSubcommand: RankItems.self)
}

/// Trains and measures models of the next item, with progress.
enum RankingBench {
    static func train(
        _ task: RankingTask, _ model: ModelOptions, _ training: TrainingOptions, _ ranking: RankingOptions,
        friends: [[UInt32]], console: Console, checkpoint: URL? = nil, resume: Bool = false, refit: Bool = false
    ) throws -> (model: TrainedRanker, seconds: Double) {
        var run = try RankingTraining(task, model: model, training: training, ranking: ranking)
        run.friends = friends
        run.refit = refit
        run.trainer.checkpoint = checkpoint
        run.trainer.resume = resume
        Workbench.watch(&run.trainer, as: model.family, console)
        let start = ContinuousClock.now
        let trained = try run.run()
        return (trained, start.duration(to: .now) / .seconds(1))
    }

    static func baselines(_ task: RankingTask, only: [String]? = nil) -> [RankingBaselineKind] {
        let all = RankingBaselineKind.classical(task.log) + RankingBaselineKind.ease(task.itemCount)
        return only.map { names in all.filter { names.contains($0.name) } } ?? all
    }
}

struct RankTrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Trains a model of the next item and saves it.",
        discussion: "Example:\n  wane rank train visits.csv --model attention --output models/next")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The family: see `wane models`.", valueName: "name")) var model = "attention"
    @Option(name: .shortAndLong, help: ArgumentHelp("The model's folder.", valueName: "folder")) var output: String
    @Flag(help: "Go on where an interrupted run of the same command stopped.") var resume = false
    @OptionGroup var task: RankingTaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var printing: OutputOptions

    func run() async throws {
        let console = printing.console
        let options = try task.options()
        let (modelOptions, trainingOptions) = try await training.resolved(
            family: model, seed: task.seed, model: RankingOptions.model(model), training: RankingOptions.training)
        let (log, _) = try input.read(console)
        let ranking = try task.task(log)
        let friends = try task.friends(ranking, console)
        let (trained, seconds) = try RankingBench.train(
            ranking, modelOptions, trainingOptions, options, friends: friends, console: console,
            checkpoint: URL(fileURLWithPath: output + ".checkpoint"), resume: resume)
        var comparison = RankingComparison(ranking)
        try comparison.add(
            model, isModel: true, seconds: seconds, trained.session(ranking, before: .validation, friends: friends),
            ranking, seed: task.seed)
        for name in ["popularity", "item-kNN, decayed"] {
            guard let kind = RankingBench.baselines(ranking, only: [name]).first,
                let baseline = try RankingEvaluation.tuned(kind, ranking, seed: task.seed)
            else { continue }
            try comparison.add(
                name, setting: baseline.name, isModel: false, seconds: 0, baseline.fitted(ranking, before: .test),
                ranking, seed: task.seed)
        }
        try ModelFolder.write(
            trained, metrics: Data(try Render.json(comparison).utf8), card: ModelCard.text(trained, comparison),
            to: output)
        try RankingTable.print(comparison, printing.format)
        console.note("saved \(output) (\(trained.parameterCount) weights)")
    }
}

struct RankCompare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Sets models of the next item beside the classical ones on the same questions.",
        discussion: "Example:\n  wane rank compare visits.csv --models attention,hybrid --blend --seeds 3")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("Families, separated by commas, or all; none for baselines alone.", valueName: "names"))
    var models = "attention"
    @Option(
        help: ArgumentHelp("Train each family this many times, with seeds that follow one another.", valueName: "n"))
    var seeds = 1
    @Option(help: ArgumentHelp("Draw NDCG@10 with intervals as an SVG picture.", valueName: "file")) var svg: String?
    @Flag(help: "Add a blend of each model with the classical ones, its weights fitted on validation.")
    var blend = false
    @Flag(help: "Train anew on training and validation for as many epochs as validation chose, before the test.")
    var refit = false
    @OptionGroup var task: RankingTaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let options = try task.options()
        let families = try FamilyList.parse(models)
        let (log, _) = try input.read(console)
        let ranking = try task.task(log)
        let friends = try task.friends(ranking, console)
        var comparison = RankingComparison(ranking)
        var classical: [any RankingBaseline] = []
        for kind in RankingBench.baselines(ranking) {
            console.status("fitting \(kind.name)")
            let start = ContinuousClock.now
            guard let baseline = try RankingEvaluation.tuned(kind, ranking, seed: task.seed) else { continue }
            let fitted = try baseline.fitted(ranking, before: .test)
            let seconds = start.duration(to: .now) / .seconds(1)
            classical.append(baseline)
            try comparison.add(
                kind.name, setting: baseline.name, isModel: false, seconds: seconds, fitted, ranking, seed: task.seed)
        }
        for family in families {
            for number in 0..<max(1, seeds) {
                try await compare(family, number, ranking, options, friends, classical, &comparison, console)
            }
        }
        console.clearStatus()
        if let svg {
            let chart = IntervalChart(
                title: "NDCG@10 with 95 % intervals over people",
                rows: comparison.rows.map { row in
                    let interval = row.report.intervals["ndcg@10"]
                    return IntervalChart.Row(
                        name: row.name, value: row.report.ndcg[10] ?? .nan, low: interval?.low, high: interval?.high,
                        isStrong: row.isModel)
                })
            try Data(chart.svg(standalone: true).utf8).write(to: URL(fileURLWithPath: svg))
            console.note("wrote \(svg)")
        }
        try RankingTable.print(comparison, output.format)
    }

    private func compare(
        _ family: String, _ number: Int, _ ranking: RankingTask, _ options: RankingOptions, _ friends: [[UInt32]],
        _ classical: [any RankingBaseline], _ comparison: inout RankingComparison, _ console: Console
    ) async throws {
        var (model, training) = try await training.resolved(
            family: family, seed: task.seed + UInt64(number), model: RankingOptions.model(family),
            training: RankingOptions.training)
        var name = seeds > 1 ? "\(family), seed \(training.seed)" : family
        var (trained, seconds) = try RankingBench.train(
            ranking, model, training, options, friends: friends, console: console)
        let before = try trained.session(ranking, before: .validation, friends: friends)
        try comparison.add(name, isModel: true, seconds: seconds, before, ranking, seed: task.seed)
        var session = before
        if refit {
            training.epochs = max(1, trained.description.history.bestEpoch)
            let again = try RankingBench.train(
                ranking, model, training, options, friends: friends, console: console, refit: true)
            trained = again.model
            seconds += again.seconds
            name += ", refit"
            session = try trained.session(ranking, before: .test, friends: friends)
            try comparison.add(name, isModel: true, seconds: seconds, session, ranking, seed: task.seed)
        }
        guard blend else { return }
        console.status("blending \(name)")
        let parts = try classical.map { try $0.fitted(ranking, before: .validation) }
        let weights = try RankingBlend.weights(parts + [before], ranking, questions: 4_000, seed: training.seed)
        let after = try classical.map { try $0.fitted(ranking, before: .test) }
        let words = zip(classical.map(\.name) + [family], weights).map { "\($0) \(Render.number($1, 2))" }
        try comparison.add(
            "blend with \(name)", setting: words.joined(separator: "; "), isModel: true, seconds: seconds,
            RankingBlend(after + [session], weights: weights, items: ranking.itemCount), ranking, seed: task.seed)
    }
}

struct RankItems: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "items", abstract: "The items a person wants next, best first.",
        discussion: "Example:\n  wane rank models/next visits.csv --user 17 --top 10")

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The person.", valueName: "id")) var user: String
    @Option(help: ArgumentHelp("How many items; all there are when fewer.", valueName: "n")) var top = 10
    @Option(help: ArgumentHelp("Rank these items only, separated by commas.", valueName: "ids")) var candidates: String?
    @Option(help: ArgumentHelp("The moment; the person's last event when absent.", valueName: "time")) var at: String?
    @Option(help: "Whether items already seen are ranked; as in training when absent.") var seen: SeenItems?
    @Option(help: ArgumentHelp("Friendships: UserID,FriendID[,Time].", valueName: "file")) var friends: String?
    @OptionGroup var output: OutputOptions

    private struct Answer: Encodable {
        let user: String
        let items: [Item]
        struct Item: Encodable {
            let rank: Int
            let item: String
            let score: Float
            let topics: [String]
        }
    }

    func run() async throws {
        let console = output.console
        guard top >= 1 else { throw RankingError.count(top) }
        let trained = try ModelFolder.ranker(model)
        let (log, _) = try input.read(console)
        let asked = try RankingQuestion(log, user: user, at: at, candidates: candidates)
        let social = try SocialOptions.read(friends, log: log, until: nil, console)
        let session = try trained.session(asked.log, friends: social)
        let list = try session.top(
            top, asked.query, among: asked.candidates, seen: seen ?? trained.description.seen)
        if list.count < top { console.note("note: only \(list.count) items are left to rank") }
        let sorted = asked.log
        let answer = Answer(
            user: user,
            items: list.enumerated().map { place, entry in
                Answer.Item(
                    rank: place + 1, item: sorted.items[Int(entry.item)], score: entry.score,
                    topics: sorted.topics[entry.item].map { sorted.topics.names[Int($0)] })
            })
        if output.format == .json { return print(try Render.json(answer)) }
        var table = Table(["rank", "item", "score", "topics"])
        table.rows = answer.items.map {
            ["\($0.rank)", $0.item, Render.number(Double($0.score), 3), $0.topics.joined(separator: "|")]
        }
        print(output.format == .csv ? table.csv : table.text)
    }
}

/// A question to a ranker, checked.
struct RankingQuestion {
    let log: EventLog
    let query: RankingQuery
    let candidates: [UInt32]?

    init(_ log: EventLog, user name: String, at text: String?, candidates list: String?) throws {
        let log = log.sortedByUser()
        guard let user = log.users.find(name) else { throw RankingError.unknownUser(name) }
        let starts = log.userStarts()
        let start = starts[Int(user)]
        var end = starts[Int(user) + 1]
        var moment = log.time[end - 1]
        if let text {
            guard let given = TimeFormat.moment(text) else {
                throw ValidationError("--at \(text): give a time such as 2023-01-01 10:00:00")
            }
            moment = given
            while end > start, log.time[end - 1] > moment { end -= 1 }
            guard end > start else {
                throw ValidationError("\(name) has no event by \(text); give a later --at")
            }
        }
        self.log = log
        query = RankingQuery(user: user, history: start..<end, moment: moment)
        candidates = try list.map { list in
            let names = list.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            guard !names.isEmpty else { throw RankingError.noCandidates }
            let unknown = names.filter { log.items.find($0) == nil }
            guard unknown.isEmpty else { throw RankingError.unknownItems(Array(unknown.prefix(5)), of: unknown.count) }
            return names.compactMap { log.items.find($0) }
        }
    }
}
