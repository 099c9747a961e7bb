import ArgumentParser
import Foundation
import WaneBaselines
import WaneBundle
import WaneEvents
import WaneModels
import WanePrediction
import WaneReport
import WaneState
import WaneTasks
import WaneTraining

struct Rank: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ranks what a person wants next: trains, compares and asks models of the next item.",
        discussion: """
            Example:
              wane rank train visits.csv --model attention --output models/next
              wane rank models/next visits.csv --user user-17 --top 10
              wane rank compare visits.csv --models attention,hybrid --blend
            """,
        subcommands: [RankItems.self, RankTrain.self, RankCompare.self], defaultSubcommand: RankItems.self)
}

/// Classical rankers on a task: fitted, tuned, and set beside models.
enum ClassicalRankers {
    static func kinds(_ task: RankingTask, only: [String]? = nil) -> [RankingBaselineKind] {
        let all = RankingBaselineKind.classical(task) + RankingBaselineKind.ease(task.itemCount)
        return only.map { names in all.filter { names.contains($0.name) } } ?? all
    }

    /// A kind of ranker with the setting that validation chose.
    struct Tuned {
        let name: String
        let baseline: any RankingBaseline
    }

    /// Tunes each kind on validation, fits it to all before the test, and adds its row.
    static func add(
        _ kinds: [RankingBaselineKind], to comparison: inout RankingComparison, _ task: RankingTask, seed: UInt64,
        _ console: Console, check: () throws -> Void
    ) throws -> [Tuned] {
        var tuned: [Tuned] = []
        for kind in kinds {
            try check()
            console.status("fitting \(kind.name)")
            let start = ContinuousClock.now
            guard let best = try RankingEvaluation.tuned(kind, task, seed: seed) else { continue }
            let fitted = try best.baseline.fitted(task, before: .test)
            let seconds = start.duration(to: .now) / .seconds(1)
            tuned.append(Tuned(name: kind.name, baseline: best.baseline))
            try comparison.add(
                kind.name, setting: best.baseline.name, isModel: false, seconds: seconds, validation: best.validation,
                fitted, task, seed: seed)
        }
        console.clearStatus()
        return tuned
    }

    /// A model's blend with those of the classical rankers that can be kept: weights from validation.
    struct Blend {
        let ranker: RankingBlend
        let members: [BlendMember]
        /// The weight of the model's own score.
        let modelWeight: Double
        let words: String
        /// `1 - NDCG@10` on validation questions.
        let validation: Double
    }

    /// - Parameters:
    ///   - before, after: the model as of before validation, and as it is to be asked.
    static func blend(
        _ classical: [Tuned], _ task: RankingTask, before: Ranker, after: Ranker, bundle: ModelBundle, part: Part,
        seed: UInt64
    ) throws -> Blend {
        let fitted = try classical.map { ($0, try $0.baseline.fitted(task, before: .validation)) }
            .filter { $0.1.kept?.isBounded == true }
        let parts = fitted.map(\.1)
        let weights = try RankingBlend.weights(
            parts + [before], task, among: before.knownItems, questions: 4_000, seed: seed)
        let validation = try RankingEvaluation.validation(
            RankingBlend(parts + [before], weights: weights, items: task.itemCount, among: before.knownItems), task,
            seed: seed)
        let later = part == .validation ? parts : try fitted.map { try $0.0.baseline.fitted(task, before: part) }
        let names = fitted.map(\.0.name)
        return Blend(
            ranker: RankingBlend(
                later + [after], weights: weights, items: task.itemCount, among: after.knownItems),
            members: RankingBlend.members(later, names: names, weights: weights.dropLast(), bundle.vocabulary),
            modelWeight: weights.last ?? 1,
            words: zip(names + [bundle.description.family], weights).map { "\($0) \(Render.number($1, 2))" }
                .joined(separator: "; "), validation: validation)
    }
}

struct RankTrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Trains a model of the next item and saves it.",
        discussion: "Example:\n  wane rank train visits.csv --model attention --blend --output models/next")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The family: see `wane models`.", valueName: "name")) var model = "attention"
    @OptionGroup var saving: SavingOptions
    @Flag(help: "Save a blend with the classical rankers, its weights fitted on validation.") var blend = false
    @OptionGroup var task: RankingTaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var printing: PrintingOptions

    func run() async throws {
        let console = printing.console
        try await training.check([model], for: .ranking, console)
        try task.social.check([model])
        let options = try task.options(model)
        let (modelOptions, trainingOptions) = try await training.resolved(
            family: model, seed: task.seed, model: RankingOptions.model(model), training: RankingOptions.training,
            threads: ThreadCount.available)
        try saving.prepare()
        var (log, report) = try input.read(console)
        log = log.withoutExposures()
        let ranking = try task.task(log)
        var run = try RankingTraining(
            ranking, model: modelOptions, training: trainingOptions, ranking: options)
        run.friends = try task.friends(ranking, console)
        run.reading = try input.options(of: report)
        saving.keep(&run.trainer)
        InterestRun.watch(&run.trainer, as: model, console)
        let trained = try run.run()
        var bundle = trained.bundle
        let seconds = bundle.description.history.seconds
        var comparison = RankingComparison(ranking)
        try comparison.add(
            model, isModel: true, seconds: seconds,
            validation: RankingEvaluation.validation(trained.beforeValidation, ranking, seed: task.seed),
            trained.ranker, ranking, seed: task.seed)
        let names =
            blend ? nil : ["popularity", "item-kNN, decayed", "own latest", "own most frequent, decayed"]
        let classical = try ClassicalRankers.add(
            ClassicalRankers.kinds(ranking, only: names), to: &comparison, ranking, seed: task.seed, console,
            check: run.trainer.checkInterruption)
        if blend {
            console.status("blending")
            let blended = try ClassicalRankers.blend(
                classical, ranking, before: trained.beforeValidation, after: trained.ranker, bundle: bundle,
                part: .test,
                seed: task.seed)
            bundle.members = blended.members
            bundle.description.blendWeight = blended.modelWeight
            try comparison.add(
                "blend with \(model)", setting: blended.words, isModel: true, seconds: seconds,
                validation: blended.validation, blended.ranker, ranking, seed: task.seed)
            console.clearStatus()
        }
        let note = try saving.save(bundle, metrics: comparison, card: ModelCard.text(bundle, comparison), run.trainer)
        try RankingTable.print(comparison, printing.format)
        console.note(note)
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
    @Option(help: ArgumentHelp("Draw NDCG@10 (MRR of few items) with intervals as an SVG picture.", valueName: "file"))
    var svg: String?
    @Flag(help: "Add a blend of each model with the classical ones, its weights fitted on validation.")
    var blend = false
    @Flag(help: "Train anew on training and validation for as many epochs as validation chose, before the test.")
    var refit = false
    @OptionGroup var task: RankingTaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var keeping: RunsOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let families = try FamilyList.parse(models)
        guard (1...1_000).contains(seeds) else { throw ValidationError("--seeds \(seeds): give 1 to 1000") }
        try await training.check(families, for: .ranking, console)
        try task.social.check(families)
        for family in families { _ = try task.options(family) }
        try OutputFile.prepare(svg)
        try keeping.prepare()
        let log = try input.read(console).log.withoutExposures()
        let ranking = try task.task(log)
        let friends = try task.friends(ranking, console)
        Interruption.listen()
        var comparison = RankingComparison(ranking)
        let classical = try ClassicalRankers.add(
            ClassicalRankers.kinds(ranking), to: &comparison, ranking, seed: task.seed, console,
            check: keeping.checkInterruption)
        var runs: [Trainer] = []
        for family in families {
            for number in 0..<seeds {
                try await compare(family, number, ranking, friends, classical, &comparison, &runs, console)
            }
        }
        console.clearStatus()
        if let svg {
            let chart = IntervalChart(
                title: "\(comparison.headline.name) with 95 % intervals over people",
                rows: comparison.rows.map { row in
                    let interval = row.report.interval(comparison.headline)
                    return IntervalChart.Row(
                        name: row.name, value: row.report.value(comparison.headline), low: interval?.low,
                        high: interval?.high, isStrong: row.isModel)
                })
            try OutputFile.write(chart.standalone(), to: svg)
            console.note("wrote \(svg)")
        }
        try RankingTable.print(comparison, output.format)
        try keeping.remove(runs)
    }

    private func compare(
        _ family: String, _ number: Int, _ ranking: RankingTask, _ friends: SocialEdges,
        _ classical: [ClassicalRankers.Tuned], _ comparison: inout RankingComparison, _ runs: inout [Trainer],
        _ console: Console
    ) async throws {
        var (model, training) = try await training.resolved(
            family: family, seed: task.seed &+ UInt64(number), model: RankingOptions.model(family),
            training: RankingOptions.training, threads: ThreadCount.available)
        var name = seeds > 1 ? "\(family), seed \(training.seed)" : family
        let options = try task.options(family)
        func trained(refitting chosen: ModelBundle? = nil) throws -> (TrainedRanker, seconds: Double) {
            let refit = chosen != nil
            var run = try RankingTraining(ranking, model: model, training: training, ranking: options)
            run.friends = friends
            run.chosen = chosen
            keeping.keep(&run.trainer, "rank-\(family)-seed-\(training.seed)\(refit ? "-refit" : "")")
            runs.append(run.trainer)
            InterestRun.watch(&run.trainer, as: family, console)
            let done = try run.run()
            return (done, done.bundle.description.history.seconds ?? 0)
        }
        var (own, seconds) = try trained()
        let before = own
        let validation = try RankingEvaluation.validation(before.beforeValidation, ranking, seed: task.seed)
        try comparison.add(
            name, isModel: true, seconds: seconds, validation: validation, before.ranker, ranking, seed: task.seed)
        if refit {
            training.epochs = max(1, before.bundle.description.history.bestEpoch)
            let again = try trained(refitting: before.bundle)
            own = again.0
            seconds += again.seconds
            name += ", refit"
            // What validation says of it was said before it learned from validation.
            try comparison.add(
                name, isModel: true, seconds: seconds, validation: validation, own.ranker, ranking, seed: task.seed)
        }
        guard blend else { return }
        console.status("blending \(name)")
        let blended = try ClassicalRankers.blend(
            classical, ranking, before: before.beforeValidation, after: own.ranker, bundle: own.bundle, part: .test,
            seed: training.seed)
        try comparison.add(
            "blend with \(name)", setting: blended.words, isModel: true, seconds: seconds,
            validation: blended.validation, blended.ranker, ranking, seed: task.seed)
    }
}

struct RankItems: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "items", abstract: "The items a person wants next, best first.",
        discussion: "Example:\n  wane rank models/next visits.csv --user user-17 --top 10", aliases: ["predict"])

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The person.", valueName: "id")) var user: String
    @Option(help: ArgumentHelp("How many items; all there are when fewer.", valueName: "n")) var top = 10
    @Option(
        help: ArgumentHelp("Rank these items only, separated by commas; \"a,b\" in quotes is one.", valueName: "ids"))
    var candidates: String?
    @Option(
        help: ArgumentHelp(
            "The moment, or end for the log's end; the person's last event when absent.", valueName: "time")) var at:
        String?
    @Option(help: "Whether items already seen are ranked; as in training when absent.") var seen: SeenItems?
    @OptionGroup var output: RowOutputOptions

    /// Ids separated by commas; one with a comma in it stands in double quotes, a quote in it twice.
    static func fields(_ list: String) -> [String] {
        var (fields, field, isQuoted) = ([String](), "", false)
        var rest = list[...]
        while let next = rest.popFirst() {
            switch next {
            case "\"" where isQuoted && rest.first == "\"":
                field.append(next)
                rest.removeFirst()
            case "\"" where isQuoted || field.allSatisfy(\.isWhitespace): isQuoted.toggle()
            case "," where !isQuoted:
                fields.append(field)
                field = ""
            default: field.append(next)
            }
        }
        return (fields + [field]).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    func run() async throws {
        let console = output.console
        guard top >= 1 else { throw RankingError.count(top) }
        let bundle = try BundleFolder.read(model, for: [.ranking])
        let names = try candidates.map { list in
            let names = Self.fields(list)
            guard !names.isEmpty else { throw PredictionError.noCandidates }
            return names
        }
        let asked = try AskedPeople(
            bundle, input, user: user, at: at, answersUnknown: bundle.population != nil, console)
        let log = asked.log
        let moment = try asked.moment(user: 0)
        let (state, number) = asked.states([0], at: [moment])[0]
        guard state.eventCount > 0 || bundle.population != nil else { throw PredictionError.noEventYet(user: user) }
        asked.noteNothingKnown(state, console)
        let rule = seen ?? bundle.description.ranking?.seen ?? .kept
        let (list, basis) = try asked.predictor.top(
            top, for: state, user: number, at: moment, in: log, among: names,
            excluding: rule == .excluded ? log.itemNames(ofUser: 0, until: moment) : [])
        if list.count < min(top, names?.count ?? top) {
            console.note("note: only \(list.count) items are left to rank")
        }
        let unknown = list.filter { $0.score == nil }
        if !unknown.isEmpty {
            console.note(
                "note: the model has not met \(unknown.prefix(5).map(\.item).joined(separator: ", "))"
                    + (unknown.count > 5 ? ", ..." : "") + "; listed last, without a score")
        }
        var printer = RowPrinter(
            output.format, machine: ["user", "at", "rank", "item", "score", "topics", "basis"],
            people: ["rank", "item", "score", "topics"])
        let vocabulary = bundle.vocabulary
        for (index, entry) in list.enumerated() {
            let topics = vocabulary.items.find(entry.item).map { item in
                vocabulary.itemTopics[item].map { vocabulary.topics[Int($0)] }.joined(separator: "|")
            }
            try printer.print(
                machine: [
                    .text(user), .text(asked.machine(moment, user: 0)), .whole(index + 1), .text(entry.item),
                    .number(entry.score.map(Double.init)), .text(topics ?? ""), .text(basis.rawValue),
                ],
                people: [
                    "\(index + 1)", basis == .history ? entry.item : "\(entry.item) (population)",
                    entry.score.map { Render.number(Double($0), 3) } ?? "-", topics ?? "",
                ])
        }
        try printer.finish()
    }
}
