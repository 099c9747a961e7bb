import WaneEvents
import ArgumentParser
import WaneBundle
import WaneModels
import WaneTasks
import WaneTraining

struct Models: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists the model families, or describes a saved model.",
        discussion: "Example:\n  wane models models/visits")

    @Argument(help: "A model's folder.") var model: String?
    @OptionGroup var output: RowOutputOptions

    func run() async throws {
        // Reads the description only: no tensors, no libtorch.
        if let model { return try describe(BundleFolder.description(at: model)) }
        var printer = RowPrinter(
            output.format, machine: ["family", "summary", "options", "reference"],
            people: ["family", "what it is", "reference"])
        for family in ModelFamilies.all {
            let options = family.options.map(\.rawValue).filter { $0 != "history-length" }.sorted()
            try printer.print(
                machine: [
                    .text(family.name), .text(family.summary), .text(options.joined(separator: " ")),
                    .text(family.reference),
                ], people: [family.name, family.summary, family.reference])
        }
        let basic = (LSTMBasic.name, "the textbook recipe, kept for comparison", "two LSTM(50) over one step")
        try printer.print(
            machine: [.text(basic.0), .text(basic.1), .text(""), .text(basic.2)], people: [basic.0, basic.1, basic.2])
        try printer.finish()
    }

    private func describe(_ d: BundleDescription) throws {
        let measure = d.history.measure ?? (d.task == .ranking ? "1 - NDCG@10" : "log loss")
        let isGain = measure.hasPrefix("1 - ")
        let best = isGain ? 1 - d.history.bestLoss : d.history.bestLoss
        var rows: [(name: String, words: String, machine: Cell)] = [
            ("task", "\(d.task.rawValue) (`\(d.task.command)`)", .text(d.task.rawValue)),
            ("family", d.family, .text(d.family)),
            ("events", "\(d.data.events)", .whole(d.data.events)), ("people", "\(d.data.users)", .whole(d.data.users)),
            ("items", "\(d.data.items)", .whole(d.data.items)), ("topics", "\(d.data.topics)", .whole(d.data.topics)),
            (
                "best_epoch", "\(d.history.bestEpoch) of \(d.history.validationLoss.count)",
                .whole(d.history.bestEpoch)
            ),
            (
                isGain
                    ? "validation_" + measure.dropFirst(4).lowercased().replacing("@", with: "_") : "validation_loss",
                Render.number(best), .number(best)
            ),
        ]
        if d.task == .interest {
            rows.append(
                ("horizon_seconds", TimeSpan.words(d.split.horizon, d.clock), .number(Double(d.split.horizon) / 1e6)))
            rows.append(("threshold", Render.number(d.threshold, 3), .number(d.threshold)))
        }
        if let ranking = d.ranking {
            rows.append(("protocol", ranking.rule.rawValue, .text(ranking.rule.rawValue)))
            rows.append(("seen_items", ranking.seen.rawValue, .text(ranking.seen.rawValue)))
            rows.append(("loss", ranking.loss.kind.rawValue, .text(ranking.loss.kind.rawValue)))
            rows.append(("window", "\(ranking.window) events", .whole(ranking.window)))
            rows.append(("blend", d.blendWeight == nil ? "no" : "with classical rankers", .flag(d.blendWeight != nil)))
        }
        rows.append(("seed", "\(d.training.seed)", .text("\(d.training.seed)")))
        for (name, value) in d.training.settings.sorted(by: { $0.key < $1.key }) {
            rows.append((name.replacing("-", with: "_"), value, .text(value)))
        }
        rows.append(("code", d.code, .text(d.code)))
        for note in d.notes { rows.append(("note", note, .text(note))) }
        guard output.format == .table else {
            var printer = RowPrinter(output.format, machine: rows.map(\.name), people: [])
            try printer.print(machine: rows.map(\.machine), people: [])
            return try printer.finish()
        }
        var table = Table(["", ""])
        table.rows = rows.map { [$0.name.replacing("_", with: " "), $0.words] }
        StandardOutput.print(table.text)
    }
}
