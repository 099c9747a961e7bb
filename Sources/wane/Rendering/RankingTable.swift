import WaneMetrics
import WaneTraining

/// A comparison of rankers as a table: models first, then baselines, each from the best down.
enum RankingTable {
    static func print(_ comparison: RankingComparison, _ format: ReportFormat) throws {
        let headline = comparison.headline
        func value(_ row: Comparison<RankingReport>.Row) -> Double { row.report.value(headline) }
        let rows = comparison.rows.sorted { ($0.isModel ? 0 : 1, value($1)) < ($1.isModel ? 0 : 1, value($0)) }
        let first = headline.cutoff
        if format == .json { return StandardOutput.print(try Render.json(comparison)) }
        let cutoffs = format == .csv ? [1, 5, 10, 20] : [10]
        var table = Table(
            format == .csv
                ? ["name", "kind"] + cutoffs.map { "hr_\($0)" } + cutoffs.map { "ndcg_\($0)" }
                    + ["mrr", "coverage", "seconds", "setting"]
                : ["", "HR@\(first) (95 %)"] + cutoffs.map { "NDCG@\($0)" } + ["MRR", "coverage", "seconds", "setting"])
        for row in rows {
            let report = row.report
            let interval =
                report.intervals["hr@\(first)"].map { " [\(Render.number($0.low, 3)), \(Render.number($0.high, 3))]" }
                ?? ""
            let cells =
                format == .csv
                ? [row.name, row.isModel ? "model" : "baseline"]
                : [
                    row.isModel ? "\(row.name) *" : row.name,
                    Render.number(report.hitRate[headline.cutoff] ?? .nan) + interval,
                ]
            let hits = format == .csv ? cutoffs.map { Render.number(report.hitRate[$0] ?? .nan, 6) } : []
            let gains = cutoffs.map { Render.number(report.ndcg[$0] ?? .nan, format == .csv ? 6 : 4) }
            table.rows.append(
                cells + hits + gains
                    + [
                        Render.number(report.mrr), Render.number(report.coverage, 3),
                        Render.number(row.seconds ?? .nan, 1),
                    ]
                    + [format == .table && row.setting.count > 60 ? "" : row.setting])
        }
        if format == .csv { return StandardOutput.print(table.csv) }
        for sentence in comparison.sentences { StandardOutput.print(sentence) }
        if comparison.rule == .leaveOneOut {
            StandardOutput.print("Leave-one-out: counts of other people's later events are in what is fitted.")
        }
        StandardOutput.print(
            "\(comparison.queries) questions, each against all \(comparison.items) items"
                + (comparison.seen == .excluded ? " but those seen" : ", those seen included")
                + "; the moment of the question is known. * deep model\n")
        StandardOutput.print(table.text)
        for row in rows where row.setting.count > 60 { StandardOutput.print("\n\(row.name): \(row.setting)") }
    }
}
