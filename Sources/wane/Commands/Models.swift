import ArgumentParser
import WaneModels
import WaneTraining

struct Models: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists the model families, or describes a saved model.",
        discussion: "Example:\n  wane models models/visits")

    @Argument(help: "A model's folder.") var model: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        if let model, try ModelFolder.task(at: model) == "ranking" { return try describeRanker(model) }
        if let model {
            // Reads the description only: no tensors, no libtorch.
            let description = try ModelFolder.description(at: model)
            if output.format == .json { return print(try Render.json(description)) }
            var table = Table(["", ""])
            table.rows = [
                ["family", description.family],
                ["trained on", "\(description.data.events) events of \(description.data.users) people"],
                ["best epoch", "\(description.history.bestEpoch) of \(description.history.validationLoss.count)"],
                ["validation loss", Render.number(description.history.bestLoss)],
                ["threshold", Render.number(description.threshold, 3)], ["seed", "\(description.training.seed)"],
                ["code", description.code],
            ]
            return print(output.format == .csv ? table.csv : table.text)
        }
        var table = Table(["family", "what it is", "reference"])
        table.rows = ModelFamilies.all.map { [$0.name, $0.summary, $0.reference] }
        table.rows.append([LSTMBasic.name, "the textbook recipe, kept for comparison", "two LSTM(50) over one step"])
        switch output.format {
        case .json: print(try Render.json(table.rows.map { ["family": $0[0], "summary": $0[1], "reference": $0[2]] }))
        case .csv: print(table.csv)
        case .table: print(table.text)
        }
    }

    private func describeRanker(_ path: String) throws {
        let description = try ModelFolder.rankingDescription(at: path)
        if output.format == .json { return print(try Render.json(description)) }
        var table = Table(["", ""])
        let best = 1 - description.history.bestLoss
        table.rows = [
            ["family", description.family], ["answers", "what comes next (`wane rank`)"],
            ["trained on", "\(description.data.events) events of \(description.data.users) people"],
            ["protocol", description.rule.rawValue], ["seen items", description.seen.rawValue],
            ["loss", description.ranking.loss.kind.rawValue], ["window", "\(description.ranking.window) events"],
            ["best epoch", "\(description.history.bestEpoch) of \(description.history.validationLoss.count)"],
            ["validation NDCG@10", Render.number(best)], ["seed", "\(description.training.seed)"],
            ["code", description.code],
        ]
        print(output.format == .csv ? table.csv : table.text)
    }
}
