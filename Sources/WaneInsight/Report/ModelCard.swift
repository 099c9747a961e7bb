import Foundation
import WaneData
import WaneTraining

/// What a person should know of a model before they rely on it: `card.md`.
public enum ModelCard {
    public static func text(_ model: TrainedModel, _ comparison: Comparison, clock: EventLog.Clock) -> String {
        let d = model.description
        let row = comparison.rows.first { $0.isModel }
        var out = "# \(d.family)\n\n"
        out +=
            "Predicts a person's interest in a topic over the next \(TimeSpan.words(d.split.horizon, clock)): the chance\n"
        out += "of coming back and the interest degree, and how both fade while nothing happens.\n\n"
        out +=
            "- Trained on \(d.data.events) events of \(d.data.users) people, \(d.data.items) items, \(d.data.topics) topics\n"
        out +=
            "  (topics: \(d.topicSource.rawValue); engagement: \(d.engagementSource.rawValue); clock: \(d.clock.rawValue)).\n"
        out +=
            "- Parts by \(d.split.random ? "random draw, which leaks the future" : "time on the global clock"). Seed \(d.training.seed), wane \(d.code).\n"
        out += "- \(model.parameterCount) weights; best epoch \(d.history.bestEpoch).\n\n"
        for verdict in comparison.verdicts { out += "\(verdict.words)\n\n" }
        if let row {
            out += "| measure | value | 95 % interval over people |\n| --- | --- | --- |\n"
            for measure in row.evaluation.measures {
                let interval = row.evaluation.intervals[measure.name].map {
                    String(format: "%.4f to %.4f", $0.low, $0.high)
                }
                out += "| \(measure.name) | \(String(format: "%.4f", measure.value)) | \(interval ?? "-") |\n"
            }
        }
        out +=
            "\n## Limits\n\nMeasured on people of this log only. People and topics unlike them, and causes that the log does\n"
        out +=
            "not show, are outside what was measured. A prediction says what such people did, not what one will do.\n"
        return out
    }

    public static func text(_ model: TrainedRanker, _ comparison: RankingComparison) -> String {
        let d = model.description
        var out = "# \(d.family)\n\nRanks the item that a person meets next, against all items"
        out += d.seen == .excluded ? " but those already seen.\n\n" : ".\n\n"
        out += "- Trained on \(d.data.events) events of \(d.data.users) people, \(d.data.items) items"
        out += " (\(d.rule.rawValue); clock: \(d.clock.rawValue)).\n"
        out +=
            "- Loss: \(d.ranking.loss.kind.rawValue); stretches of \(d.ranking.window) events; seed \(d.training.seed), "
        out += "wane \(d.code).\n"
        out += "- \(model.parameterCount) weights; best epoch \(d.history.bestEpoch).\n\n"
        if let verdict = comparison.verdict { out += "\(verdict)\n\n" }
        out += "| | HR@10 | NDCG@10 | MRR | coverage |\n| --- | --- | --- | --- | --- |\n"
        for row in comparison.rows {
            let r = row.report
            out += "| \(row.name) | "
            out += [r.hitRate[10] ?? .nan, r.ndcg[10] ?? .nan, r.mrr, r.coverage]
                .map { String(format: "%.4f", $0) }.joined(separator: " | ")
            out += " |\n"
        }
        out +=
            "\n## Limits\n\nMeasured on people of this log only. What is shown is learned from what was chosen: items that\n"
        out += "nobody met in training are never ranked high.\n"
        return out
    }
}
