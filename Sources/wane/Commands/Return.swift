import ArgumentParser
import Foundation
import WaneBaselines
import WaneBundle
import WaneEvents
import WaneMetrics
import WaneModels
import WanePrediction
import WaneReport
import WaneState
import WaneTasks
import WaneTraining

struct Return: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "return",
        abstract: "Predicts when people come back: trains and compares models of the time until a return.",
        discussion: """
            Example:
              wane return train visits.csv --model gru --output models/returns
              wane return predict models/returns visits.csv --user user-17
              wane return compare visits.csv --models gru,hawkes
              wane return cohort purchases.csv --known 39w --ahead 39w
            """,
        subcommands: [ReturnTrain.self, ReturnPredict.self, ReturnCompare.self, ReturnCohort.self],
        defaultSubcommand: ReturnPredict.self)
}

struct ReturnCompare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Sets models of the time until the next touch of a topic beside the classical ones.",
        discussion: "Example:\n  wane return compare visits.csv --models gru,hawkes --horizon 7d")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("Families, separated by commas, or all.", valueName: "names")) var models = "gru,hawkes"
    @OptionGroup var social: SocialOptions
    @OptionGroup var task: TaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var keeping: RunsOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let families = try FamilyList.parse(models)
        try task.refuseRandomSplit("return times")
        try await training.check(families, for: .return, console)
        try social.check(families)
        try keeping.prepare()
        let log = try input.read(console).log.withoutExposures()
        let clock = log.clock
        let interest = try task.makeTask(consume log, console)
        let returns = ReturnTask(interest)
        let friends = try social.read(for: interest.histories.log, until: interest.split.trainEnd, console)
        var trained: [ModelBundle] = []
        var runs: [Trainer] = []
        for family in families {
            let (model, options) = try await training.resolved(family: family, seed: task.seed)
            var run = try ReturnTraining(returns, model: model, training: options)
            run.friends = friends
            keeping.keep(&run.trainer, "return-\(family)")
            runs.append(run.trainer)
            InterestRun.watch(&run.trainer, as: family, console)
            trained.append(try run.run())
        }
        let (_, options) = try await training.resolved(family: "gru", seed: task.seed)
        let comparison = try ReturnTable.compare(returns, options.record, trained, console) {
            try keeping.checkInterruption()
        }
        try ReturnTable.print(comparison, output.format, clock: clock)
        try keeping.remove(runs)
    }
}

struct ReturnTrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Trains a model of the time until a return and saves it.",
        discussion: "Example:\n  wane return train visits.csv --model gru --output models/returns")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("The family: see `wane models`.", valueName: "name")) var model = "gru"
    @OptionGroup var saving: SavingOptions
    @OptionGroup var social: SocialOptions
    @OptionGroup var task: TaskOptions
    @OptionGroup var training: TrainOptions
    @OptionGroup var printing: PrintingOptions

    func run() async throws {
        let console = printing.console
        try task.refuseRandomSplit("return times")
        try await training.check([model], for: .return, console)
        try social.check([model])
        let (modelOptions, options) = try await training.resolved(family: model, seed: task.seed)
        try saving.prepare()
        var (log, report) = try input.read(console)
        log = log.withoutExposures()
        let clock = log.clock
        let interest = try task.makeTask(consume log, console)
        let returns = ReturnTask(interest)
        var run = try ReturnTraining(returns, model: modelOptions, training: options)
        run.friends = try social.read(for: interest.histories.log, until: interest.split.trainEnd, console)
        run.reading = try input.options(of: report)
        saving.keep(&run.trainer)
        InterestRun.watch(&run.trainer, as: model, console)
        let bundle = try run.run()
        let comparison = try ReturnTable.compare(
            returns, options.record, [bundle], console, check: run.trainer.checkInterruption)
        let note = try saving.save(bundle, metrics: comparison, card: ModelCard.text(bundle, comparison), run.trainer)
        try ReturnTable.print(comparison, printing.format, clock: clock)
        console.note(note)
    }
}

struct ReturnPredict: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Says when people come back to their topics, or, of a cohort's model, whether and how often.",
        discussion: "Example:\n  wane return predict models/returns visits.csv --user user-17")

    @Argument(help: "The model's folder.") var model: String
    @OptionGroup var input: LogOptions
    @OptionGroup var about: QuestionOptions
    @OptionGroup var output: RowOutputOptions

    func run() async throws {
        let console = output.console
        let bundle = try BundleFolder.read(model, for: [.return, .cohort])
        let asked = try AskedPeople(
            bundle, input, user: about.user, at: about.at, answersUnknown: bundle.population != nil, console)
        if bundle.task == .cohort { return try cohort(bundle, asked, console) }
        let wanted = try about.topic.map { try asked.topic($0) }
        asked.noteWithoutTopic(about.topic, console)
        let log = asked.log
        var printer = RowPrinter(
            output.format,
            machine: ["user", "topic", "at", "median_seconds", "low_seconds", "high_seconds", "basis"],
            people: ["person", "topic", "at", "half by", "a tenth by", "nine tenths by"])
        var printed = 0
        let encoder = printer.encoder
        try asked.forEachPart { part in
            if let state = part.states.first?.state { asked.noteNothingKnown(state, console) }
            let questions = asked.questions(part.states, at: part.moments, topic: wanted)
            let answers = try asked.predictor.returnTimes(questions, of: part.states, in: log)
            var rows = EncodedRows()
            for (question, answer) in zip(questions, answers) {
                guard let answer else { continue }
                let own = part.people[question.person]
                let name = log.log.topics.names[Int(question.topic)]
                func words(_ seconds: Double?) -> String {
                    seconds.map { asked.predictor.bundle.lapseWords($0) } ?? "not shown"
                }
                encoder.append(
                    [
                        .text(log.log.users[own]), .text(name), .text(asked.machine(question.moment, user: own)),
                        .number(answer.time.median), .number(answer.time.low), .number(answer.time.high),
                        .text(answer.basis.rawValue),
                    ],
                    people: [
                        log.log.users[own], answer.basis == .history ? name : "\(name) (population)",
                        asked.words(question.moment, user: own),
                        answer.time.median == nil ? ModelBundle.beyondLog : words(answer.time.median),
                        words(answer.time.low), words(answer.time.high),
                    ], to: &rows)
            }
            return rows
        } use: { rows in
            printed += rows.count
            try printer.print(rows)
        }
        guard printed > 0 else { throw asked.nothingToAsk(topic: about.topic) }
        try asked.noteSilent(console)
        try printer.finish()
        guard output.format == .table else { return }
        console.note(
            "from `at` on: when half, a tenth and nine tenths of people like this one have come back; not shown: longer after the last "
                + "touch than the model's log, \(TimeSpan.words(seconds: bundle.logSpan, bundle.description.clock))"
                + about.legend)
    }

    /// Whether and how often each person comes back within the span that the model was trained on.
    private func cohort(_ bundle: ModelBundle, _ asked: AskedPeople, _ console: Console) throws {
        if about.topic != nil { throw ValidationError("--topic: a cohort's model asks about people, not topics") }
        guard let record = bundle.description.cohort else { return }
        let log = asked.log
        // As of the moment that the model was trained up to, or another that is asked for: silence until then counts.
        let moment = about.at == nil ? record.knownUntil : try asked.moment(user: 0)
        let histories = Histories(
            sorted: log.log.with(topics: .single(log.log.items.count)), scale: bundle.scale, engagement: log.engagement)
        let cohort = CohortTask(histories, knownUntil: moment, ahead: record.ahead)
        let questions = cohort.test
        if about.at == nil {
            console.note(
                "note: asked as of \(TimeFormat.words(moment)), up to when the model was trained; --at asks as of another moment"
            )
        }
        guard !questions.isEmpty else {
            throw about.user.map { PredictionError.noEventYet(user: $0) } ?? PredictionError.nobodyYet
        }
        let task = InterestTask(
            histories, split: bundle.description.split, seed: bundle.description.training.seed,
            typicalEngagement: bundle.description.typicalEngagement, popularity: log.popularity)
        let queries = task.queries(at: questions.map { (histories.userTopicStarts[$0.user], $0.moment) })
        let (chances, mean) = try QueryPredictor(bundle, log, histories).predict(
            questions, queries, classic: record.classic, limit: CohortAnswers.limit)
        let answers = CohortAnswers(name: bundle.description.family, isModel: true, chances: chances, mean: mean)
        var printer = RowPrinter(
            output.format,
            machine: ["user", "at", "ahead_seconds", "return_probability", "median_count", "mean_count"],
            people: ["person", "at", "within", "returns", "median count", "mean count"])
        for (row, question) in questions.enumerated() {
            try printer.print(
                machine: [
                    .text(log.log.users[question.user]), .text(TimeFormat.rfc3339(moment)),
                    .number(Double(record.ahead) / 1e6), .number(answers.chance[row]), .number(answers.median[row]),
                    .number(answers.mean[row]),
                ],
                people: [
                    log.log.users[question.user], TimeFormat.words(moment), TimeSpan.words(record.ahead),
                    Render.number(answers.chance[row], 3), Render.number(answers.median[row], 0),
                    Render.number(answers.mean[row], 2),
                ])
        }
        try printer.finish()
    }
}

/// A comparison of return times as a table: models first, then baselines, each from the best likelihood down.
enum ReturnTable {
    static func compare(
        _ task: ReturnTask, _ record: TrainingRecord, _ models: [ModelBundle], _ console: Console,
        check: () throws -> Void
    ) throws -> ReturnComparison {
        console.status("fitting the classical models")
        let comparison = try ReturnComparison(task, record, models: models, checkInterruption: check)
        console.clearStatus()
        return comparison
    }

    static func print(_ comparison: ReturnComparison, _ format: ReportFormat, clock: EventLog.Clock) throws {
        if format == .json { return StandardOutput.print(try Render.json(comparison)) }
        func likelihood(_ row: Comparison<ReturnReport>.Row) -> Double { row.report.logLikelihood ?? -.infinity }
        let rows = comparison.rows.sorted {
            ($0.isModel ? 0 : 1, likelihood($1)) < ($1.isModel ? 0 : 1, likelihood($0))
        }
        if format == .csv {
            return try RowPrinter.printMeasures(
                ["log_likelihood", "c_index", "mae", "rmse", "octaves", "integrated_brier"],
                rows.map { row in
                    let r = row.report
                    return (
                        row.name, row.isModel,
                        [r.logLikelihood, r.concordance, r.mae, r.rmse, r.octaves, r.integratedBrier]
                    )
                })
        }
        var table = Table(["", "log likelihood", "C-index", "MAE", "RMSE", "octaves", "Brier"])
        for row in rows {
            let r = row.report
            table.rows.append(
                [row.isModel ? "\(row.name) *" : row.name, Render.number(r.logLikelihood ?? .nan)]
                    + [r.concordance, r.mae, r.rmse, r.octaves, r.integratedBrier ?? .nan].map { Render.number($0) })
        }
        for sentence in comparison.sentences { StandardOutput.print(sentence) }
        StandardOutput.print(
            "\(comparison.questions) questions of \(comparison.people) people, each right after a touch; "
                + "\(Render.number(100 * comparison.observed, 1)) % of the returns were seen.\n"
                + "Times in horizons of \(TimeSpan.words(comparison.horizon, clock)); MAE, RMSE and octaves "
                + "(factors of two) of the predicted median,\nboth cut at the horizon: later is not told apart. * deep model\n"
        )
        StandardOutput.print(table.text)
    }
}

struct ReturnCohort: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cohort",
        abstract: "Asks once for each person whether and how often they come back, beside BG/NBD and Pareto/NBD.",
        discussion: "Example:\n  wane return cohort purchases.csv --known 39w --ahead 39w --models gru --seeds 3")

    @OptionGroup var input: LogOptions
    @Option(help: ArgumentHelp("From the log's first day on, what is known.", valueName: "time")) var known = "39w"
    @Option(help: ArgumentHelp("How far ahead is asked; as long as what is known when absent.", valueName: "time"))
    var ahead: String?
    @Option(help: ArgumentHelp("Families, separated by commas, or all.", valueName: "names")) var models = "gru"
    @Option(
        help: ArgumentHelp("Train each family this many times, with seeds that follow one another.", valueName: "n"))
    var seeds = 1
    @Option(help: "The seed of everything random.") var seed: UInt64 = 7
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Save the model in this folder.", valueName: "folder"))
    var save: String?
    @OptionGroup var training: TrainOptions
    @OptionGroup var keeping: RunsOptions
    @OptionGroup var output: PrintingOptions

    func run() async throws {
        let console = output.console
        guard let span = TimeSpan.parse(known), span > 0 else {
            throw ValidationError("--known \(known): give a time such as 39w")
        }
        guard let later = ahead.map({ TimeSpan.parse($0) }) ?? span, later > 0 else {
            throw ValidationError("--ahead \(ahead ?? ""): give a time such as 39w")
        }
        guard (1...1_000).contains(seeds) else { throw ValidationError("--seeds \(seeds): give 1 to 1000") }
        let families = try FamilyList.parse(models)
        try await training.check(families, for: .cohort, console)
        try keeping.prepare()
        if let save {
            guard families.count == 1, seeds == 1 else {
                throw ValidationError("--output \(save): one model is saved; give one family and one seed")
            }
            try BundleFolder.prepare(save)
        }
        var (log, report) = try input.read(console)
        log = log.withoutExposures()
        guard log.clock == .wall else {
            throw CommandError("the log has order but no times; a cohort is followed over weeks")
        }
        let task = try CohortTask(log, known: span, ahead: later)
        Interruption.listen()
        let classics = try CohortClassics(task) { text in
            try keeping.checkInterruption()
            console.status(text)
        }
        var answers: [CohortAnswers] = []
        var bundle: ModelBundle?
        var runs: [Trainer] = []
        for family in families {
            for number in 0..<seeds {
                let (model, options) = try await training.resolved(family: family, seed: seed &+ UInt64(number))
                var run = try CohortTraining(task, classics, model: model, training: options)
                run.reading = try input.options(of: report)
                keeping.keep(&run.trainer, "cohort-\(family)-seed-\(options.seed)")
                runs.append(run.trainer)
                InterestRun.watch(&run.trainer, as: family, console)
                let result = try run.run()
                bundle = result.bundle
                answers.append(result.answers)
            }
        }
        let comparison = CohortComparison(task, classics, answers)
        console.clearStatus()
        if let save, let bundle {
            let note = try SavingOptions.write(
                bundle, metrics: comparison, card: ModelCard.text(bundle, comparison), to: save)
            console.note(note)
        }
        try print(comparison)
        try keeping.remove(runs)
    }

    private func print(_ comparison: CohortComparison) throws {
        if output.format == .json { return StandardOutput.print(try Render.json(comparison)) }
        if output.format == .csv {
            return try RowPrinter.printMeasures(
                ["roc_auc", "pr_auc", "log_loss", "brier", "ece", "mae", "mae_of_mean", "rmse", "total"],
                comparison.rows.map { row in
                    let r = row.report
                    return (
                        row.name, row.isModel,
                        [r.auc, r.prAUC, r.logLoss, r.brier, r.ece, r.mae, r.maeOfMean, r.rmse, r.total]
                    )
                })
        }
        var table = Table(
            ["", "ROC-AUC", "PR-AUC", "log loss", "Brier", "ECE", "MAE", "MAE of mean", "RMSE", "total"])
        for row in comparison.rows {
            let r = row.report
            let values: [Double?] = [r.auc, r.prAUC, r.logLoss, r.brier, r.ece, r.mae, r.maeOfMean, r.rmse]
            let cells = values.map { Render.number($0 ?? .nan) } + [Render.number(r.total, 2)]
            table.rows.append([row.isModel ? "\(row.name) *" : row.name] + cells)
        }
        for doubt in comparison.doubts { StandardOutput.print(doubt.words) }
        StandardOutput.print(
            "\(comparison.questions) people, one question each; \(Render.number(100 * comparison.returned, 1)) % come back.\n"
                + "MAE is of the median count where a model has one, RMSE and total of the mean. * deep model\n")
        StandardOutput.print(table.text)
    }
}
