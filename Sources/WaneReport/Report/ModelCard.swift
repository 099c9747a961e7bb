import Foundation
import WaneBundle
import WaneEvents
import WaneTasks
import WaneTraining

/// What a person should know of a model before they rely on it: `card.md`.
public enum ModelCard {
    public static func text(_ model: ModelBundle, _ comparison: InterestComparison) -> String {
        let d = model.description
        let clock = d.clock
        let row = comparison.rows.first { $0.isModel }
        var out = "# \(d.family)\n\n"
        out +=
            "Predicts a person's interest in a topic over the next \(TimeSpan.words(d.split.horizon, clock)): the chance\n"
        out += "of coming back and the interest degree, and how both fade while nothing happens.\n\n"
        out +=
            "- Trained on \(d.data.events) events of \(d.data.users) people, \(d.data.items) items, \(d.data.topics) topics\n"
        out +=
            "  (topics: \(d.topicSource.rawValue); engagement: \(model.scale.source.rawValue); clock: \(d.clock.rawValue)).\n"
        out +=
            "- Parts by \(d.split.random ? "random draw, which leaks the future" : "time on the global clock"). Seed \(d.training.seed), wane \(d.code).\n"
        out += "- \(model.parameterCount) weights; best epoch \(d.history.bestEpoch).\n"
        out += standing(model) + "\n"
        for sentence in comparison.sentences { out += "\(sentence)\n\n" }
        if let row {
            out += "| measure | value | 95 % interval over people |\n| --- | --- | --- |\n"
            for measure in row.report.evaluation.measures {
                let interval = row.report.evaluation.intervals[measure.name].map {
                    String(format: "%.4f to %.4f", $0.low, $0.high)
                }
                out += "| \(measure.name) | \(String(format: "%.4f", measure.value)) | \(interval ?? "-") |\n"
            }
        }
        return out + limits
    }

    /// A model of return times.
    public static func text(_ model: ModelBundle, _ comparison: ReturnComparison) -> String {
        let d = model.description
        var out = "# \(d.family)\n\nPredicts how long after a touch of a topic a person comes back to it.\n\n"
        out += trained(model) + standing(model) + "\n"
        for sentence in comparison.sentences { out += "- \(sentence)\n" }
        out += "\nTimes in horizons of \(TimeSpan.words(comparison.horizon, d.clock)).\n\n"
        out += "| | log likelihood | C-index | MAE | integrated Brier |\n| --- | --- | --- | --- | --- |\n"
        for row in comparison.rows {
            let r = row.report
            out += "| \(row.name) | "
            out += [r.logLikelihood ?? .nan, r.concordance, r.mae, r.integratedBrier ?? .nan]
                .map { $0.isNaN ? "-" : String(format: "%.4f", $0) }.joined(separator: " | ")
            out += " |\n"
        }
        return out + limits
    }

    /// A model of a cohort.
    public static func text(_ model: ModelBundle, _ comparison: CohortComparison) -> String {
        let d = model.description
        var out = "# \(d.family)\n\nPredicts whether and how often each person of a cohort comes back within "
        out += "\(TimeSpan.words(d.cohort?.ahead ?? 0)), beside BG/NBD and Pareto/NBD.\n\n"
        out += trained(model) + standing(model) + "\n"
        for doubt in comparison.doubts { out += "\(doubt.words)\n\n" }
        out += "| | ROC-AUC | log loss | MAE of the count |\n| --- | --- | --- | --- |\n"
        for row in comparison.rows {
            let r = row.report
            out += "| \(row.name) | "
            out +=
                [r.auc, r.logLoss, r.mae].map { $0.map { String(format: "%.4f", $0) } ?? "-" }.joined(separator: " | ")
                + " |\n"
        }
        return out + limits
    }

    private static func trained(_ model: ModelBundle) -> String {
        let d = model.description
        return
            "- Trained on \(d.data.events) events of \(d.data.users) people; seed \(d.training.seed), wane \(d.code).\n"
            + "- \(model.parameterCount) weights; best epoch \(d.history.bestEpoch).\n"
    }

    /// What the model knows of everybody, and until when.
    private static func standing(_ model: ModelBundle) -> String {
        let d = model.description
        let until =
            d.clock == .wall ? "counted until \(TimeFormat.words(model.popularity.until)) UTC" : "counted in training"
        return
            "- Stands alone: \(model.vocabulary.itemRows) items and \(model.vocabulary.topicRows) topics with vectors; "
            + "what it knows of everybody was \(until) and stands still.\n"
            + (model.people.count > 0
                ? "- Holds the names of \(model.people.count) people whose friends it knows.\n" : "")
    }

    private static let limits =
        "\n## Limits\n\nMeasured on people of this log only. People and topics unlike them, and causes that the log does\n"
        + "not show, are outside what was measured. A prediction says what such people did, not what one will do.\n"

    public static func text(_ model: ModelBundle, _ comparison: RankingComparison) -> String {
        let d = model.description
        var out = "# \(d.family)\n\nRanks the item that a person meets next, against all items"
        out += d.ranking?.seen == .excluded ? " but those already seen.\n\n" : ".\n\n"
        out += "- Trained on \(d.data.events) events of \(d.data.users) people, \(d.data.items) items"
        out += " (\(d.ranking?.rule.rawValue ?? ""); clock: \(d.clock.rawValue)).\n"
        out +=
            "- Loss: \(d.ranking?.loss.kind.rawValue ?? ""); stretches of \(d.ranking?.window ?? 0) events; seed \(d.training.seed), "
        out += "wane \(d.code).\n"
        out += "- \(model.parameterCount) weights; best epoch \(d.history.bestEpoch).\n"
        if !model.members.isEmpty {
            let words = model.members.map { String(format: "%@ %.2f", $0.name, $0.weight) }
            out += "- Blended with classical rankers: \(words.joined(separator: ", ")); the model itself weighs "
            out += String(format: "%.2f.\n", d.blendWeight ?? 0)
        }
        out += standing(model) + "\n"
        for sentence in comparison.sentences { out += "\(sentence)\n\n" }
        let cutoff = comparison.headline.cutoff
        out += "| | HR@\(cutoff) | NDCG@10 | MRR | coverage |\n| --- | --- | --- | --- | --- |\n"
        for row in comparison.rows {
            let r = row.report
            out += "| \(row.name) | "
            out += [r.hitRate[cutoff] ?? .nan, r.ndcg[10] ?? .nan, r.mrr, r.coverage]
                .map { String(format: "%.4f", $0) }.joined(separator: " | ")
            out += " |\n"
        }
        out +=
            "\n## Limits\n\nMeasured on people of this log only. What is shown is learned from what was chosen: items that\n"
        out += "nobody met in training are never ranked high.\n"
        return out
    }
}
